use super::*;
use crate::plan::root::tests::spec;
use serde_json::{Value, json};

fn planned(linux: Value) -> Result<Masks> {
    plan(&spec(json!({"linux": linux})))
}

#[test]
fn both_lists_in_order() {
    let linux = json!({"maskedPaths": ["/proc/kcore", "/sys/firmware/"], "readonlyPaths": ["/proc//sys", "/a/../proc/bus"]});
    let masks = planned(linux).unwrap();
    let shown = |list: &[Covered]| -> Vec<String> {
        list.iter()
            .map(|one| format!("{} {}", one.path.to_str().unwrap(), one.pointer.as_str()))
            .collect()
    };
    assert_eq!(
        shown(&masks.masked),
        [
            "proc/kcore /linux/maskedPaths/0",
            "sys/firmware /linux/maskedPaths/1"
        ]
    );
    assert_eq!(
        shown(&masks.read_only),
        [
            "proc/sys /linux/readonlyPaths/0",
            "proc/bus /linux/readonlyPaths/1"
        ]
    );
    assert_eq!(planned(json!({})).unwrap(), Masks::default());
    assert_eq!(plan(&spec(json!({}))).unwrap(), Masks::default());
}

#[test]
fn refusals() {
    for (linux, expected) in [
        (
            json!({"maskedPaths": ["/a", "proc/kcore"]}),
            "cannot mask a path: config.json#/linux/maskedPaths/1: refused: the path must be absolute (hint: use /proc/kcore)",
        ),
        (
            json!({"readonlyPaths": ["sys"]}),
            "cannot make a path read-only: config.json#/linux/readonlyPaths/0: refused: the path must be absolute (hint: use /sys)",
        ),
        (
            json!({"readonlyPaths": ["/a/.."]}),
            "cannot make a path read-only: config.json#/linux/readonlyPaths/0: refused: it is the container's root (hint: to make all of it read-only, set /root/readonly)",
        ),
        (
            json!({"maskedPaths": ["/a\0"]}),
            "cannot mask a path: config.json#/linux/maskedPaths/0: refused: a C string cannot hold the character NUL (hint: take \\u0000 out)",
        ),
    ] {
        assert_eq!(planned(linux).unwrap_err().one_line(), expected);
    }
}

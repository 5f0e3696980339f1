use super::*;
use crate::plan::facts::Privilege;
use crate::plan::mounts::Source;
use crate::plan::mounts::tests::of;
use crate::plan::root::tests::{plain, spec};
use crate::plan::sample::told;
use serde_json::json;

/// What the new file system of this type and these options gets: its `context`, its root's label.
fn given(kind: &str, options: &[&str]) -> (Option<String>, Option<String>) {
    let more = json!({
        "mounts": [{"destination": "/d", "type": kind, "options": options}],
        "linux": {"mountLabel": "u:o:t:s0:c1,c2"},
    });
    let mut ops = of(more, &plain(), Privilege::Root).unwrap();
    let Source::New {
        options,
        root_label,
        ..
    } = ops.remove(0).source
    else {
        panic!("not new")
    };
    let words = |text: CString| text.into_string().unwrap();
    let context = options
        .into_iter()
        .find(|option| option.key.as_bytes() == b"context");
    let context = context.and_then(|option| option.value);
    (context.map(words), root_label.map(words))
}

#[test]
fn by_option_or_on_the_root_or_not_at_all() {
    let label = || Some("u:o:t:s0:c1,c2".to_owned());
    assert_eq!(given("tmpfs", &["size=1m"]), (label(), None));
    assert_eq!(given("devpts", &[]), (label(), None));
    assert_eq!(given("mqueue", &[]), (None, label()));
    for kind in ["proc", "sysfs", "cgroup", "cgroup2"] {
        assert_eq!(given(kind, &[]), (None, None), "{kind}");
    }
    let own = ["context=\"u:o:own:s0:c3,c4\""];
    assert_eq!(
        given("tmpfs", &own),
        (Some("u:o:own:s0:c3,c4".to_owned()), None)
    );
    assert_eq!(given("tmpfs", &["rootcontext=u:o:own:s0"]), (None, None));
}

#[test]
fn the_word_itself() {
    let of = |text: &str| label(&spec(json!({"linux": {"mountLabel": text}})));
    assert_eq!(of("").unwrap(), None);
    let found = of("u:o:t:s0").unwrap().unwrap();
    assert_eq!(
        (found.option, found.value),
        (c"context", c"u:o:t:s0".to_owned())
    );
    let line = of(&"x".repeat(256)).unwrap_err().one_line();
    assert!(
        line.starts_with(
            "cannot label the mounts: config.json#/linux/mountLabel: refused: the kernel takes"
        ),
        "{line}"
    );
    assert!(of("a\0").is_err());
}

#[test]
fn an_annotation_names_the_option() {
    let of = |word: &str| {
        label(&spec(json!({
            "linux": {"mountLabel": "u:o:t:s0"},
            "annotations": {MOUNT_CONTEXT: word},
        })))
    };
    for option in OPTIONS {
        let found = of(option.to_str().unwrap()).unwrap().unwrap();
        assert_eq!(found.option, *option);
    }
    let (pointer, why) = told(&of("rootcontex").unwrap_err());
    assert_eq!(pointer, format!("/annotations/{MOUNT_CONTEXT}"));
    assert!(why.contains("none of context, fscontext"), "{why}");
}

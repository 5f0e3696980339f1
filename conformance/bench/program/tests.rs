use super::*;

fn program(kind: Kind) -> Program {
    Program {
        place: 0,
        name: "x".to_owned(),
        path: "/p".into(),
        kind,
        bundle: "/b".into(),
        version: String::new(),
        linkage: Linkage::Static,
    }
}

fn line(words: Option<Vec<OsString>>) -> String {
    let words = words.unwrap_or_default();
    let words: Vec<_> = words.iter().filter_map(|word| word.to_str()).collect();
    words.join(" ")
}

#[test]
fn runtimes_are_spoken_to_as_runc_is() {
    let runtime = program(Kind::Runtime { root: "/s".into() });
    let typed = |act| line(runtime.command(act, "c"));
    assert_eq!(typed(Act::Run), "/p --root /s run --bundle /b c");
    assert_eq!(typed(Act::Create), "/p --root /s create --bundle /b c");
    assert_eq!(typed(Act::State), "/p --root /s state c");
    assert_eq!(typed(Act::Delete), "/p --root /s delete c");
    assert_eq!(typed(Act::Exec), "/p --root /s exec c /bin/true");
    assert_eq!(
        line(Some(runtime.removal("c"))),
        "/p --root /s delete --force c"
    );
}

#[test]
fn the_reference_takes_no_part_in_exec() {
    let mut reference = program(Kind::Runtime { root: "/s".into() });
    reference.name = REFERENCE.to_owned();
    assert_eq!(line(reference.command(Act::Exec, "c")), "");
    assert_eq!(
        line(reference.command(Act::Start, "c")),
        "/p --root /s start c"
    );
}

#[test]
fn the_floor_has_no_start_and_no_delete() {
    let floor = program(Kind::Floor {
        rootfs: "/r".into(),
    });
    let typed = |act| line(floor.command(act, "c"));
    assert_eq!(typed(Act::Run), "/p run /r /sys/fs/cgroup/c");
    assert_eq!(typed(Act::State), "/p empty");
    assert_eq!(typed(Act::Start), "");
    assert_eq!(typed(Act::Delete), "");
    assert_eq!(line(Some(floor.removal("c"))), "/p kill /sys/fs/cgroup/c");
}

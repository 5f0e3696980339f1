use super::*;

fn around() -> Surroundings {
    Surroundings {
        bundle: "/tmp/x/bundle".to_owned(),
        namespaces: [
            ("uts:[1]".to_owned(), "host"),
            ("net:[2]".to_owned(), "holder"),
        ]
        .into(),
    }
}

fn asked() -> Asked {
    let [mounts, masked] = ["/b", "/c"].map(|path| vec![path.to_owned()]);
    Asked {
        mounts,
        masked,
        ..Asked::default()
    }
}

fn line(text: &str, name: &str) -> Option<String> {
    View::of(text, &asked(), &around()).lines.get(name).cloned()
}

#[test]
fn what_differs_from_run_to_run_is_taken_out() {
    let mounts = "#mountinfo\n36 35 98:0 /a /b rw,nosuid shared:1 master:2 - tmpfs tmpfs rw,size=1k\n\
        37 36 0:5 / /b ro - bind /tmp/x/bundle/y rw\n38 36 0:5 / /c ro - tmpfs tmpfs rw\n";
    let found = |name: &str| line(mounts, name).unwrap();
    assert_eq!(found("mount /b"), "/a of tmpfs");
    assert_eq!(found("mount /b, options"), "rw,nosuid");
    assert_eq!(found("mount /b, propagation"), "shared master");
    assert_eq!(found("mount /b, super"), "rw,size=1k");
    assert_eq!(found("mount /b #2, source"), "$BUNDLE/y");
    assert_eq!(found("masked /c"), "yes");
    assert_eq!(line(mounts, "masked /c, options"), None);
}

#[test]
fn namespaces_are_named() {
    let text = "#ns\nlrwxrwxrwx 1 0 0 0 Nov 22 05:00 uts -> uts:[1]\nlrwxrwxrwx 1 0 0 0 Nov 22 05:00 net -> net:[2]\nlrwxrwxrwx 1 0 0 0 Nov 22 05:00 pid -> pid:[3]\n";
    let found = ["uts", "net", "pid"].map(|kind| line(text, &format!("namespace {kind}")).unwrap());
    assert_eq!(found, ["host", "holder", "own"]);
}

#[test]
fn status_and_limits_are_told_by_their_names() {
    let text = "#status\nName:\tsh\nCapEff:\t0000000000000420\n#limits\nMax open files            1024                 1024                 files     \n";
    assert_eq!(line(text, "status CapEff").unwrap(), "0000000000000420");
    assert_eq!(line(text, "status Name"), None);
    assert_eq!(
        line(text, "limit Max open files").unwrap(),
        "1024 1024 files"
    );
}

#[test]
fn a_file_is_told_by_its_path_and_a_link_by_its_target() {
    let text = "#files\n'/dev/fd' -> '/proc/self/fd' symbolic link 777 0:0 0,0\n'/dev/null' character special file 666 0:0 1,3\n";
    assert_eq!(
        line(text, "file /dev/fd").unwrap(),
        "-> '/proc/self/fd' symbolic link 777 0:0 0,0"
    );
    assert_eq!(
        line(text, "file /dev/null").unwrap(),
        "character special file 666 0:0 1,3"
    );
}

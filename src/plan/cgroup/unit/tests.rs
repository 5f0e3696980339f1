use super::*;
use crate::plan::sample;

fn unit(path: &str, instance: Instance) -> std::result::Result<(String, String), String> {
    let facts = Facts {
        systemd: instance,
        ..sample::root()
    };
    match plan(Some(Path::new(path)), "web", &facts) {
        Ok(unit) => Ok((unit.name, unit.path)),
        Err(error) => Err(error.one_line()),
    }
}

#[test]
fn slice_prefix_and_name() {
    use Instance::{System, User};
    for (path, instance, name, below) in [
        (
            "machine.slice:libpod:12ab",
            System,
            "libpod-12ab.scope",
            "machine.slice/libpod-12ab.scope",
        ),
        (
            "",
            System,
            "orbital-web.scope",
            "system.slice/orbital-web.scope",
        ),
        (
            "",
            User,
            "orbital-web.scope",
            "user.slice/orbital-web.scope",
        ),
        (
            ":docker:c",
            System,
            "docker-c.scope",
            "system.slice/docker-c.scope",
        ),
        (
            ":docker:c",
            User,
            "docker-c.scope",
            "user.slice/docker-c.scope",
        ),
        ("-.slice::c", System, "c.scope", "c.scope"),
        (
            "kubepods-burstable-pod1.slice:cri-containerd:c",
            System,
            "cri-containerd-c.scope",
            "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-c.scope",
        ),
        (
            "a.slice:p:x+y@z",
            System,
            "p-x\\x2by\\x40z.scope",
            "a.slice/p-x\\x2by\\x40z.scope",
        ),
        (
            "a.slice::.x",
            System,
            "\\x2ex.scope",
            "a.slice/\\x2ex.scope",
        ),
    ] {
        let expected = (name.to_owned(), below.to_owned());
        assert_eq!(unit(path, instance), Ok(expected), "{path}");
    }
}

#[test]
fn what_is_no_unit_is_refused() {
    let long = format!("a.slice:p:{}", "x".repeat(250));
    for (path, why) in [
        ("/web", "it is not slice:prefix:name"),
        ("web", "--cgroup-manager cgroupfs"),
        ("a.slice:b:c:d", "it is not slice:prefix:name"),
        ("a.slice:p:", "it names no unit"),
        ("a.slice:p:b.slice", "a slice holds units and no processes"),
        ("a.slice/b.slice:p:c", "holds neither / nor NUL"),
        ("a:p:c", "\"a\" is no name of a slice"),
        ("a--b.slice:p:c", "is no name of a slice"),
        ("-a.slice:p:c", "is no name of a slice"),
        (".slice:p:c", "is no name of a slice"),
        ("a b.slice:p:c", "is no name of a slice"),
        (&long, "255 is the most"),
    ] {
        let told = unit(path, Instance::System).unwrap_err();
        assert!(
            told.starts_with("cannot place the container: config.json#/linux/cgroupsPath"),
            "{told}"
        );
        assert!(told.contains(why), "{path}: {told}");
    }
}

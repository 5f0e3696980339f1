use super::*;
use crate::plan::sample::{root, spec, told, user};
use serde_json::{Value, json};

fn planned(linux: Value) -> Result<Birth> {
    plan(&spec(json!({ "linux": linux })), &root(), &mut Vec::new())
}

/// Types of namespaces as JSON: `net=/path` joins.
fn namespaces(list: &str) -> Value {
    let one = |word: &str| match word.split_once('=') {
        Some((kind, path)) => json!({"type": kind, "path": path}),
        None => json!({"type": word}),
    };
    list.split_whitespace().map(one).collect()
}

#[test]
fn who_joins_what_and_in_which_order() {
    use Joiner::{Child, Helper, Parent};
    let maps = json!([{"containerID": 0, "hostID": 0, "size": 9}]);
    for (list, mapped, expected) in [
        ("mount pid", false, vec![]),
        (
            "mount network=/n pid=/p",
            false,
            vec![("network", Parent), ("pid", Parent)],
        ),
        (
            "mount=/m network=/n time=/t",
            false,
            vec![("network", Parent), ("time", Parent), ("mount", Child)],
        ),
        (
            "mount=/m network=/n user",
            true,
            vec![("network", Parent), ("mount", Parent)],
        ),
        (
            "mount=/m cgroup=/c user=/u ipc=/i",
            false,
            vec![
                ("user", Helper),
                ("cgroup", Helper),
                ("ipc", Helper),
                ("mount", Helper),
            ],
        ),
        ("mount user=/u", false, vec![("user", Helper)]),
    ] {
        let mut linux = json!({ "namespaces": namespaces(list) });
        if mapped {
            linux["uidMappings"] = maps.clone();
            linux["gidMappings"] = maps.clone();
        }
        let birth = planned(linux).unwrap();
        let found: Vec<_> = birth
            .joins
            .iter()
            .map(|join| (join.kind.name(), join.by))
            .collect();
        assert_eq!(found, expected, "{list}");
    }
}

#[test]
fn the_clone_makes_what_is_new_but_the_cgroup_namespace() {
    for (list, flags, cgroup) in [
        ("mount", 0x2_0000, NewCgroup::No),
        ("mount pid network", 0x6002_0000, NewCgroup::No),
        ("mount uts ipc cgroup", 0x0c02_0000, NewCgroup::Yes),
        ("mount cgroup=/c network=/n", 0x2_0000, NewCgroup::No),
        ("mount time", 0x2_0080, NewCgroup::No),
    ] {
        let birth = planned(json!({ "namespaces": namespaces(list) })).unwrap();
        assert_eq!(
            (birth.clone_flags, birth.new_cgroup),
            (flags, cgroup),
            "{list}"
        );
    }
}

#[test]
fn clocks_with_offsets_are_the_childs_to_make() {
    let offsets = json!({"boottime": {"secs": 7}});
    let planned = |list| planned(json!({"namespaces": namespaces(list), "timeOffsets": offsets}));
    let birth = planned("mount time").unwrap();
    assert_eq!(
        birth.clone_flags, 0x2_0000,
        "born there it would freeze them"
    );
    assert!(birth.clocks.is_some() && birth.makes(Kind::Time) && birth.owns(Kind::Time));
    assert!(planned("mount time=/t").is_err());
    assert!(planned("mount").is_err());
}

#[test]
fn joined_and_new_ones_are_both_its_own() {
    let birth = planned(json!({ "namespaces": namespaces("mount network=/n cgroup") })).unwrap();
    let own = |kind| (birth.owns(kind), birth.makes(kind));
    assert_eq!(own(Kind::Mount), (true, true));
    assert_eq!(own(Kind::Network), (true, false));
    assert_eq!(own(Kind::Cgroup), (true, true));
    assert_eq!(own(Kind::Uts), (false, false));
}

#[test]
fn root_inside_is_taken_where_id_0_is_mapped() {
    let line = |id: u32| json!([{"containerID": id, "hostID": 5000, "size": 10}]);
    for (uid, gid, expected) in [
        (0, 0, BecomeRoot::Yes),
        (1, 0, BecomeRoot::No),
        (0, 1, BecomeRoot::No),
    ] {
        let linux = json!({"namespaces": namespaces("mount user"), "uidMappings": line(uid), "gidMappings": line(gid)});
        assert_eq!(planned(linux).unwrap().become_root, expected, "{uid} {gid}");
    }
    assert_eq!(
        planned(json!({"namespaces": namespaces("mount")}))
            .unwrap()
            .become_root,
        BecomeRoot::No
    );
    assert_eq!(
        planned(json!({"namespaces": namespaces("mount user=/u")}))
            .unwrap()
            .become_root,
        BecomeRoot::Yes
    );
}

#[test]
fn refusals_name_the_place() {
    let map = json!([{"containerID": 0, "hostID": 0, "size": 1}]);
    for (linux, place, words) in [
        (
            json!({"namespaces": namespaces("mount pid pid=/p")}),
            "/linux/namespaces/2",
            "pid is there already, at /linux/namespaces/1",
        ),
        (
            json!({"namespaces": namespaces("mount pid=p")}),
            "/linux/namespaces/1/path",
            "must be absolute",
        ),
        (
            json!({"namespaces": [{"type": "mount"}, {"type": "ipc", "path": "/a\u{0}b"}]}),
            "/linux/namespaces/1/path",
            "NUL",
        ),
        (
            json!({"namespaces": namespaces("mount"), "gidMappings": map}),
            "/linux/gidMappings",
            "there is none",
        ),
        (
            json!({"namespaces": namespaces("mount user"), "uidMappings": map}),
            "/linux/gidMappings",
            "needs a mapping",
        ),
    ] {
        let (pointer, line) = told(&planned(linux).unwrap_err());
        assert_eq!(pointer, place, "{line}");
        assert!(line.contains(words), "{line}");
    }
}

#[test]
fn mappings_beside_a_joined_user_namespace_are_only_warned_of() {
    let map = json!([{"containerID": 0, "hostID": 0, "size": 1}]);
    let spec =
        spec(json!({"linux": {"namespaces": namespaces("mount user=/u"), "uidMappings": map}}));
    let mut warnings = Vec::new();
    assert_eq!(
        plan(&spec, &root(), &mut warnings).unwrap().user,
        UserNamespace::Joined
    );
    assert_eq!(
        warnings,
        ["left /linux/uidMappings out: a user namespace that is joined has its mappings already"]
    );
}

#[test]
fn a_user_without_mappings_is_told_the_line_to_write() {
    let spec = spec(json!({"linux": {"namespaces": namespaces("mount user")}}));
    let (_, line) = told(&plan(&spec, &user(), &mut Vec::new()).unwrap_err());
    assert!(
        line.contains(r#"set it to [{"containerID": 0, "hostID": 1000, "size": 1}]"#),
        "{line}"
    );
}

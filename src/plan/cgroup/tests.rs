use super::*;
use crate::plan::root::tests::{caller, spec};
use proptest::prelude::*;
use serde_json::{Value, json};

fn request(id: &str) -> Create {
    Create::of(id.into(), "/b".into())
}

pub(super) fn planned_for(privilege: Privilege, linux: Value) -> Result<Group> {
    planned_spec(privilege, json!({"linux": linux}))
}

pub(super) fn planned_spec(privilege: Privilege, members: Value) -> Result<Group> {
    let (spec, facts) = (spec(members), caller(privilege));
    let birth = crate::plan::birth::plan(&spec, &facts, &mut Vec::new())?;
    plan(&spec, &birth, &facts, &request("web"))
}

pub(super) fn planned(resources: Value) -> Result<Group> {
    planned_for(
        Privilege::Root,
        json!({"cgroupsPath": "/web", "resources": resources}),
    )
}

/// The settings as `file = value (pointer below /linux/resources)`.
pub(super) fn settings(resources: Value) -> Vec<String> {
    let line = |setting: &Setting| {
        let pointer = setting
            .pointer
            .as_str()
            .strip_prefix("/linux/resources")
            .unwrap();
        format!("{} = {} ({pointer})", setting.file, setting.value)
    };
    planned(resources)
        .unwrap()
        .settings
        .iter()
        .map(line)
        .collect()
}

pub(super) fn refusal(resources: Value) -> String {
    planned(resources)
        .unwrap_err()
        .one_line()
        .replace("config.json#/linux/resources", "")
}

fn warnings(resources: Value) -> Vec<String> {
    planned(resources).unwrap().warnings
}

fn path(
    privilege: Privilege,
    path: Value,
) -> std::result::Result<(String, Relative, Need), String> {
    match planned_for(privilege, json!({"cgroupsPath": path})) {
        Ok(group) => Ok((group.path, group.relative, group.need)),
        Err(error) => Err(error.one_line()),
    }
}

#[test]
fn where_the_group_is() {
    use Privilege::{Root, User};
    let at = |text: &str, relative, need| Ok((text.to_owned(), relative, need));
    let (root, own) = (Relative::ToRoot, Relative::ToCaller);
    assert_eq!(path(Root, Value::Null), at("web", root, Need::Wished));
    assert_eq!(path(User, Value::Null), at("web", own, Need::Wished));
    assert_eq!(path(Root, json!("")), at("web", root, Need::Wished));
    assert_eq!(path(User, json!("/a/b")), at("a/b", root, Need::Required));
    assert_eq!(path(Root, json!("a/b")), at("a/b", own, Need::Required));
    let buildkits = "system.slice:docker:1234";
    assert_eq!(
        path(Root, json!(buildkits)),
        at(buildkits, own, Need::Required)
    );
    assert_eq!(
        path(Root, json!("/kubepods/besteffort/pod:1")),
        at("kubepods/besteffort/pod:1", root, Need::Required)
    );
}

#[test]
fn paths_that_leave_their_place_are_refused() {
    let cases = [
        (
            "/",
            "it names the root of the cgroup tree, which is not the container's",
        ),
        (
            "/a/../b",
            "it has a component . or .., which could leave the tree (hint: write the path without them)",
        ),
        (
            "..",
            "it has a component . or .., which could leave the tree (hint: write the path without them)",
        ),
        (
            "./a",
            "it has a component . or .., which could leave the tree (hint: write the path without them)",
        ),
        ("/a//b", "it has an empty component"),
        ("a/", "it has an empty component"),
        (
            "/a\0b",
            "a cgroup's name holds neither NUL nor a line break",
        ),
        (
            "/a\nb",
            "a cgroup's name holds neither NUL nor a line break",
        ),
    ];
    for (given, why) in cases {
        let refused =
            format!("cannot place the container: config.json#/linux/cgroupsPath: refused: {why}");
        assert_eq!(
            path(Privilege::Root, json!(given)),
            Err(refused),
            "{given:?}"
        );
    }
}

#[test]
fn who_wants_a_group() {
    let of = |manager, linux| {
        let request = Create {
            manager,
            ..request("web")
        };
        let (spec, facts) = (spec(json!({"linux": linux})), caller(Privilege::Root));
        let birth = crate::plan::birth::plan(&spec, &facts, &mut Vec::new())?;
        plan(&spec, &birth, &facts, &request)
    };
    let limits = json!({"resources": {"pids": {"limit": 5}}});
    assert_eq!(of(Manager::Cgroupfs, json!({})).unwrap().need, Need::Wished);
    let limited = of(Manager::Cgroupfs, limits.clone()).unwrap();
    assert_eq!(
        (limited.need, limited.pointer.as_str()),
        (Need::Required, "/linux/resources/pids/limit")
    );
    let disabled = of(Manager::Disabled, json!({})).unwrap();
    assert_eq!((disabled.need, disabled.devices), (Need::Unwanted, vec![]));
    let refused = of(Manager::Disabled, limits).unwrap_err().one_line();
    assert!(
        refused
            .starts_with("cannot set pids.max: config.json#/linux/resources/pids/limit: refused: "),
        "{refused}"
    );
    let made = of(Manager::Systemd, json!({})).unwrap();
    assert_eq!(
        (
            made.need,
            made.path.as_str(),
            made.scope.unwrap().unit.as_str()
        ),
        (
            Need::Required,
            "system.slice/orbital-web.scope",
            "orbital-web.scope"
        )
    );
}

#[test]
fn what_cgroup_v1_alone_had_is_ignored_aloud() {
    let memory = json!({"kernel": 1, "kernelTCP": 2, "swappiness": 10, "disableOOMKiller": true, "useHierarchy": false});
    assert_eq!(
        warnings(
            json!({"memory": memory, "network": {"classID": 3}, "blockIO": {"leafWeight": 10}})
        ),
        [
            "/linux/resources/memory/kernel is ignored: cgroup v2 counts kernel memory with the rest",
            "/linux/resources/memory/kernelTCP is ignored: cgroup v2 counts kernel memory with the rest",
            "/linux/resources/memory/swappiness is ignored: cgroup v2 has no swappiness of a group",
            "/linux/resources/memory/disableOOMKiller is ignored: cgroup v2 always has its OOM killer",
            "/linux/resources/memory/useHierarchy is ignored: cgroup v2 is always hierarchical",
            "/linux/resources/blockIO/leafWeight is ignored: cgroup v2 has no leaf weights",
            "/linux/resources/network is ignored: cgroup v2 has no network classes or priorities",
        ]
    );
    let nothing = json!({"memory": {"kernel": 0, "disableOOMKiller": false}, "network": {"classID": 0, "priorities": []}});
    assert!(warnings(nothing).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the path, what passes stays below where it starts.
    #[test]
    fn no_path_escapes(text in "[a/.\\\\0-9]{0,12}") {
        if let Ok((path, ..)) = path(Privilege::Root, json!(text)) {
            prop_assert!(path.split('/').all(|name| !matches!(name, "" | "." | "..")), "{}", path);
        }
    }
}

#[test]
fn unified_comes_last_and_stays_in_the_group() {
    let both = json!({"unified": {"pids.max": "9", "io.max": "259:0 rbps=1\n8:0 wiops=2\n"}, "pids": {"limit": 5}});
    assert_eq!(
        settings(both.clone()),
        [
            "io.max = 259:0 rbps=1 (/unified/io.max)",
            "io.max = 8:0 wiops=2 (/unified/io.max)",
            "pids.max = 9 (/unified/pids.max)",
        ]
    );
    let controllers: Vec<_> = planned(both)
        .unwrap()
        .settings
        .into_iter()
        .map(|s| s.controller.unwrap())
        .collect();
    assert_eq!(controllers, ["io", "io", "pids"]);
    let core = planned(json!({"unified": {"cgroup.max.depth": "3"}}))
        .unwrap()
        .settings;
    assert_eq!(core[0].controller, None);
    for key in [
        "../x.max",
        "a/b.max",
        "memory..max",
        "memory",
        ".max",
        "memory.",
        "a\0.b",
    ] {
        assert!(
            refusal(json!({"unified": {key: "1"}})).contains("refused: a key is a"),
            "{key:?}"
        );
    }
    for key in [
        "cgroup.procs",
        "cgroup.kill",
        "cgroup.freeze",
        "cgroup.type",
        "cgroup.subtree_control",
    ] {
        assert!(
            refusal(json!({"unified": {key: "1"}})).contains("orbital's own work"),
            "{key}"
        );
    }
}

#[test]
fn no_tasks_at_all_is_a_limit_for_after_birth() {
    let moments = |resources| {
        let settings = planned(resources).unwrap().settings.into_iter();
        settings
            .map(|one| (one.value.clone(), one.moment()))
            .collect::<Vec<_>>()
    };
    let after = |value: &str| [(value.to_owned(), Moment::AfterBirth)];
    let before = |value: &str| [(value.to_owned(), Moment::BeforeBirth)];
    assert_eq!(moments(json!({"pids": {"limit": 0}})), after("0"));
    assert_eq!(moments(json!({"pids": {"limit": 5}})), before("5"));
    assert_eq!(moments(json!({"pids": {"limit": -1}})), before("max"));
    let overruled = |limit: i64, unified: &str| json!({"pids": {"limit": limit}, "unified": {"pids.max": unified}});
    assert_eq!(moments(overruled(0, "9")), before("9"));
    assert_eq!(moments(overruled(9, "0")), after("0"));
}

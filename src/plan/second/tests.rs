//! What a second process is, by what was asked.

use super::*;
use crate::plan::sample::{bundle, request, root, user};
use serde_json::json;

fn first() -> Bundle {
    bundle(json!({
        "process": {
            "user": {"uid": 7, "gid": 8}, "cwd": "/srv", "args": ["/bin/first"], "terminal": true,
            "env": ["PATH=/bin"], "noNewPrivileges": true, "apparmorProfile": "tight", "oomScoreAdj": 5,
            "capabilities": {"bounding": ["CAP_CHOWN"], "permitted": ["CAP_CHOWN"], "effective": ["CAP_CHOWN"]},
            "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 2}],
        },
        "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}, {"type": "uts", "path": "/proc/1/ns/uts"}]},
    }))
}

fn process(more: serde_json::Value) -> Process {
    let mut process = json!({"user": {"uid": 1, "gid": 2}, "cwd": "/", "args": ["/bin/second"]});
    let members = more.as_object().unwrap().clone();
    process.as_object_mut().unwrap().extend(members);
    serde_json::from_value(process).unwrap()
}

fn decided(process: Process) -> Second {
    let mut bundle = first();
    bundle.spec.set_process(Some(process));
    plan(&bundle, &root(), &request()).unwrap()
}

#[test]
fn without_a_file_it_is_as_the_first_but_for_its_words_and_terminal() {
    let command = ["ls".to_owned(), "-l".to_owned()];
    let second = decided(like_the_first(&first().spec, &command).unwrap());
    assert_eq!(
        second.plan.process.argv,
        [c"ls".to_owned(), c"-l".to_owned()]
    );
    assert_eq!(second.plan.process.cwd.as_c_str(), c"/srv");
    assert_eq!(second.plan.console, console::Console::Streams);
    assert_eq!((second.plan.user.uid, second.plan.user.gid), (7, 8));
    assert_eq!(second.plan.caps.bounding, 1);
}

#[test]
fn a_silent_file_does_not_loosen() {
    let given = as_confined(
        &first().spec,
        process(json!({"apparmorProfile": "", "rlimits": []})),
    );
    let plan = decided(given).plan;
    assert_eq!(plan.caps.bounding, 1);
    assert_eq!(plan.process.no_new_privs, process::NoNewPrivs::Yes);
    assert_eq!(plan.labels.apparmor.unwrap().profile, "tight");
    assert_eq!(plan.limits.len(), 1);
    assert_eq!(plan.process.oom_score_adj, Some(5));
    assert_eq!((plan.user.uid, plan.user.gid), (1, 2));
}

#[test]
fn a_file_that_speaks_is_obeyed() {
    let given = process(json!({
        "noNewPrivileges": false, "apparmorProfile": "loose", "oomScoreAdj": 0,
        "capabilities": {"bounding": ["CAP_KILL"]},
    }));
    let plan = decided(as_confined(&first().spec, given)).plan;
    assert_eq!((plan.caps.bounding, plan.caps.effective), (1 << 5, 0));
    assert_eq!(plan.process.no_new_privs, process::NoNewPrivs::No);
    assert_eq!(plan.labels.apparmor.unwrap().profile, "loose");
    assert_eq!(plan.process.oom_score_adj, Some(0));
}

#[test]
fn a_capability_more_is_not_inheritable_and_ambient_only_if_that() {
    let changes = Changes {
        capabilities: vec!["CAP_KILL".to_owned(), "net_raw".to_owned()],
        ..Changes::default()
    };
    let all = 1 | 1 << 5 | 1 << 13;
    let caps = decided(changed(first().spec.process().clone().unwrap(), &changes))
        .plan
        .caps;
    assert_eq!(
        (caps.bounding, caps.permitted, caps.effective),
        (all, all, all)
    );
    assert_eq!((caps.inheritable, caps.ambient), (0, 0));
    // Nothing but these where the process has none.
    let caps = decided(changed(process(json!({})), &changes)).plan.caps;
    assert_eq!(caps.bounding, 1 << 5 | 1 << 13);
}

#[test]
fn flags_come_on_top() {
    let changes = Changes {
        user: Some((5, None)),
        groups: vec![11],
        env: vec!["A=1".to_owned()],
        cwd: Some("/tmp".into()),
        ..Changes::default()
    };
    let plan = decided(changed(first().spec.process().clone().unwrap(), &changes)).plan;
    assert_eq!((plan.user.uid, plan.user.gid), (5, 8));
    assert_eq!(plan.user.groups, super::user::Groups::Set(vec![11]));
    assert_eq!(
        plan.process.envp,
        [c"PATH=/bin".to_owned(), c"A=1".to_owned()]
    );
    assert_eq!(plan.process.cwd.as_c_str(), c"/tmp");
}

#[test]
fn who_joins_what() {
    let second = decided(process(json!({})));
    let all = Kind::Mount.flag() | Kind::Pid.flag() | Kind::Uts.flag();
    assert_eq!(second.namespaces, all);
    assert_eq!(second.joined_by_parent(&root()), Kind::Pid.flag());
    assert_eq!(second.joined_by_parent(&user()), Kind::Pid.flag());
}

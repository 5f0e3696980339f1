use super::*;
use crate::plan::sample::{spec, told};
use serde_json::{Value, json};

fn planned(hooks: Value) -> Result<Hooks> {
    plan(
        &spec(json!({ "hooks": hooks })),
        &[c"FROM=process".to_owned()],
    )
}

#[test]
fn only_a_start_container_hook_may_have_the_environment_of_the_process() {
    let one = json!([{"path": "/bin/hook"}]);
    let hooks = planned(json!({
        "prestart": one, "createRuntime": one, "createContainer": one, "startContainer": one, "poststart": one, "poststop": one,
    }))
    .unwrap();
    for (kind, list, envp) in [
        ("prestart", &hooks.prestart, 0),
        ("createRuntime", &hooks.create_runtime, 0),
        ("createContainer", &hooks.create_container, 0),
        ("startContainer", &hooks.start_container, 1),
        ("poststart", &hooks.poststart, 0),
        ("poststop", &hooks.poststop, 0),
    ] {
        assert_eq!(list[0].envp.len(), envp, "{kind}");
        assert_eq!(list[0].pointer.as_str(), format!("/hooks/{kind}/0"));
    }
    let hooks = planned(
        json!({"startContainer": [{"path": "/h", "env": []}, {"path": "/h", "env": ["A=1"]}]}),
    )
    .unwrap();
    assert!(hooks.start_container[0].envp.is_empty());
    assert_eq!(hooks.start_container[1].envp, [c"A=1".to_owned()]);
}

#[test]
fn without_arguments_the_path_is_the_first() {
    for (args, expected) in [
        (Value::Null, vec![c"/bin/hook"]),
        (json!([]), vec![c"/bin/hook"]),
        (json!(["hook", "-v"]), vec![c"hook", c"-v"]),
    ] {
        let hooks = planned(json!({"poststop": [{"path": "/bin/hook", "args": args}]})).unwrap();
        assert_eq!(hooks.poststop[0].argv, expected);
    }
}

#[test]
fn refusals_name_the_place() {
    for (hook, place) in [
        (json!({"path": "hook"}), "path"),
        (json!({"path": "/h\u{0}"}), "path"),
        (json!({"path": "/h", "args": ["a", "b\u{0}"]}), "args/1"),
        (json!({"path": "/h", "env": ["\u{0}"]}), "env/0"),
        (json!({"path": "/h", "timeout": 0}), "timeout"),
        (json!({"path": "/h", "timeout": -1}), "timeout"),
        (
            json!({"path": "/h", "timeout": 4_294_967_296_u64}),
            "timeout",
        ),
    ] {
        let (pointer, line) = told(
            &planned(json!({"createContainer": [{"path": "/ok", "timeout": 1}, hook]}))
                .unwrap_err(),
        );
        assert_eq!(
            pointer,
            format!("/hooks/createContainer/1/{place}"),
            "{line}"
        );
    }
}

#[test]
fn two_annotations_name_the_files_of_the_output() {
    let all =
        |annotations: Value| plan(&spec(json!({"annotations": annotations, "hooks": {}})), &[]);
    let outputs = all(json!({"run.oci.hooks.stdout": "/var/log/out"}))
        .unwrap()
        .outputs;
    assert_eq!(outputs.stdout.as_deref(), Some(c"/var/log/out"));
    assert_eq!(outputs.stderr, None);
    let error = all(json!({"run.oci.hooks.stderr": "log/err"})).unwrap_err();
    assert!(
        error
            .one_line()
            .contains("config.json#/annotations/run.oci.hooks.stderr"),
        "{error}"
    );
}

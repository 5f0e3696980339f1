use super::*;
use crate::plan::sample::{request, spec, told};
use serde_json::{Value, json};

fn planned(process: Value) -> Result<Process> {
    plan(&spec(json!({ "process": process })), &request())
}

fn texts(list: &[CString]) -> Vec<&str> {
    list.iter().map(|text| text.to_str().unwrap()).collect()
}

#[test]
fn of_a_variable_that_stands_twice_the_last_value_counts_in_the_first_place() {
    for (given, expected, home) in [
        (json!([]), vec![], Home::FromPasswd),
        (
            json!(["A=1", "B=2", "A=3"]),
            vec!["A=3", "B=2"],
            Home::FromPasswd,
        ),
        (
            json!(["A=", "B=x=y", "HOME=/root"]),
            vec!["A=", "B=x=y", "HOME=/root"],
            Home::Given,
        ),
        (
            json!(["HOME=/a", "X=1", "HOME="]),
            vec!["X=1"],
            Home::FromPasswd,
        ),
        (json!(["HOME=", "HOME=/b"]), vec!["HOME=/b"], Home::Given),
        (
            json!(["HOMES=/h", "a=1", "A=2"]),
            vec!["HOMES=/h", "a=1", "A=2"],
            Home::FromPasswd,
        ),
    ] {
        let process = planned(json!({"env": given.clone()})).unwrap();
        assert_eq!(
            (texts(&process.envp), process.home),
            (expected, home),
            "{given}"
        );
    }
}

#[test]
fn where_the_program_may_be() {
    for (program, path, expected) in [
        ("/bin/sh", Some("/x"), vec!["/bin/sh"]),
        ("./sh", None, vec!["./sh"]),
        ("a/b", Some("/x"), vec!["a/b"]),
        ("sh", Some("/usr/bin:/bin"), vec!["/usr/bin/sh", "/bin/sh"]),
        ("sh", Some(":bin:.:/bin/:/"), vec!["/bin/sh", "/sh"]),
    ] {
        let env: Vec<String> = path.iter().map(|path| format!("PATH={path}")).collect();
        let process = planned(json!({"args": [program, "-c"], "env": env})).unwrap();
        assert_eq!(texts(&process.candidates), expected, "{program} {path:?}");
        assert_eq!(texts(&process.argv), [program, "-c"]);
    }
}

#[test]
fn without_a_path_a_bare_name_is_found_nowhere_in_the_words_that_callers_look_for() {
    for (args, env) in [
        (json!(["helo"]), json!([])),
        (json!(["helo"]), json!(["PATH="])),
        (json!(["helo"]), json!(["PATH=bin:."])),
    ] {
        let (place, line) = told(&planned(json!({"args": args, "env": env})).unwrap_err());
        assert_eq!(place, "/process/args/0");
        assert!(
            line.contains(r#"exec: "helo": executable file not found in $PATH"#),
            "{line}"
        );
    }
    let (_, line) = told(&planned(json!({"args": [""], "env": ["PATH=/bin"]})).unwrap_err());
    assert!(
        line.contains(r#"exec: "": executable file not found in $PATH"#),
        "{line}"
    );
}

#[test]
fn refusals_name_the_place() {
    for (process, place, words) in [
        (json!({"args": []}), "/process/args", "no program"),
        (json!({"args": null}), "/process/args", "no program"),
        (json!({"args": ["/a", "b\u{0}"]}), "/process/args/1", "NUL"),
        (
            json!({"env": ["A=1", "B"]}),
            "/process/env/1",
            "there is no =",
        ),
        (json!({"env": ["=1"]}), "/process/env/0", "no name"),
        (json!({"env": ["A=\u{0}"]}), "/process/env/0", "NUL"),
        (json!({"cwd": "tmp"}), "/process/cwd", "absolute"),
        (json!({"cwd": ""}), "/process/cwd", "absolute"),
        (
            json!({"oomScoreAdj": 1001}),
            "/process/oomScoreAdj",
            "from -1000 to 1000",
        ),
        (
            json!({"oomScoreAdj": -1001}),
            "/process/oomScoreAdj",
            "from -1000 to 1000",
        ),
    ] {
        let (pointer, line) = told(&planned(process).unwrap_err());
        assert_eq!(pointer, place, "{line}");
        assert!(line.contains(words), "{line}");
    }
    let none = serde_json::from_value(json!({"ociVersion": "1.0.0"})).unwrap();
    // Only start needs one.
    assert!(plan(&none, &request()).unwrap().argv.is_empty());
}

#[test]
fn the_request_decides_descriptors_and_keyring() {
    let given = spec(json!({"process": {"noNewPrivileges": true, "oomScoreAdj": -1000}}));
    let process = plan(
        &given,
        &Create {
            preserve_fds: 3,
            ..request()
        },
    )
    .unwrap();
    assert_eq!(
        (process.preserve_fds, process.keyring.as_deref()),
        (3, Some(c"_ses.web"))
    );
    assert_eq!(
        (process.no_new_privs, process.oom_score_adj),
        (NoNewPrivs::Yes, Some(-1000))
    );
    let process = plan(
        &given,
        &Create {
            keyring: Keyring::Inherit,
            ..request()
        },
    )
    .unwrap();
    assert_eq!((process.preserve_fds, process.keyring), (0, None));
}

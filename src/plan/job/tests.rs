use super::command::{is_absolute, join};
use super::limits::Cpu;
use super::{Facts, Job, Service, Size, User, plan};
use crate::cli::Create;
use crate::spec;
use serde_json::{Value, json};
use std::path::PathBuf;

fn planned(more: Value) -> Result<Job, String> {
    let mut config = json!({
        "ociVersion": "1.2.0",
        "process": {"args": ["cmd.exe"], "cwd": "C:\\"},
    });
    for (name, value) in more.as_object().unwrap() {
        match (config.get_mut(name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => old.extend(new.clone()),
            _ => config[name] = value.clone(),
        }
    }
    let place = PathBuf::from("bundle");
    let bundle = spec::from_bytes(config.to_string().into_bytes(), place.clone()).unwrap();
    let request = Create::of("web".to_owned(), place);
    plan(&bundle, &Facts { processors: 4 }, &request).map_err(|error| error.one_line())
}

fn resources(resources: Value) -> Result<Job, String> {
    planned(json!({"windows": {"resources": resources}}))
}

/// The rules of CommandLineToArgvW, the other way: written anew here, so that the two can disagree.
fn split(line: &str) -> Vec<String> {
    let (mut args, mut arg, mut inside, mut any) = (Vec::new(), String::new(), false, false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                let mut slashes = 1;
                while letters.next_if_eq(&'\\').is_some() {
                    slashes += 1;
                }
                if letters.peek() == Some(&'"') {
                    arg.extend(std::iter::repeat_n('\\', slashes / 2));
                    if slashes % 2 == 1 {
                        letters.next();
                        arg.push('"');
                    }
                } else {
                    arg.extend(std::iter::repeat_n('\\', slashes));
                }
                any = true;
            }
            '"' => {
                inside = !inside;
                any = true;
            }
            ' ' | '\t' if !inside => {
                if any {
                    args.push(std::mem::take(&mut arg));
                }
                any = false;
            }
            letter => {
                arg.push(letter);
                any = true;
            }
        }
    }
    if any {
        args.push(arg);
    }
    args
}

#[test]
fn arguments_survive_the_command_line() {
    for args in [
        vec![
            "a",
            "b c",
            "",
            "\"",
            "\\",
            "\\\"",
            "a\\\\",
            "a b\\",
            "\"a b\"",
            "tab\there",
        ],
        vec!["C:\\Program Files\\x.exe", "c:\\x y\\", "--name=\"v w\""],
    ] {
        let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
        assert_eq!(split(&join(&args)), args, "{}", join(&args));
    }
}

#[test]
fn the_command_line_is_taken_before_the_arguments() {
    let job = planned(json!({"process": {"commandLine": "\"C:\\my dir\\x.exe\"  /c  y"}})).unwrap();
    assert_eq!(job.process.command_line, "\"C:\\my dir\\x.exe\"  /c  y");
    assert_eq!(job.process.program, "C:\\my dir\\x.exe");
    assert_eq!(job.process.pointer.as_str(), "/process/commandLine");
}

#[test]
fn absolute_paths() {
    for path in ["C:\\", "c:/x", "\\\\server\\share", "\\\\?\\C:\\x"] {
        assert!(is_absolute(path), "{path}");
    }
    for path in ["", "/", "\\x", "C:", "C:x", "x\\y", "C:\\a\0b"] {
        assert!(!is_absolute(path), "{path:?}");
    }
}

#[test]
fn variables_do_not_tell_capitals() {
    let job = planned(json!({"process": {"env": ["Path=a", "X=1", "PATH=b", "ünï=1", "ÜNÏ=2"]}}))
        .unwrap();
    assert_eq!(job.process.env, ["PATH=b", "X=1", "ÜNÏ=2"]);
}

#[test]
fn processors_in_one_way() {
    let cpu = |cpu: Value| resources(json!({"cpu": cpu})).map(|job| job.limits.cpu);
    for (given, expected) in [
        (json!({"count": 1}), Some(Cpu::AtMost(2500))),
        (json!({"count": 3}), Some(Cpu::AtMost(7500))),
        (json!({"count": 4}), None),
        (json!({"count": 400}), None),
        (json!({"maximum": 10_000}), Some(Cpu::AtMost(10_000))),
        (json!({"maximum": 1}), Some(Cpu::AtMost(1))),
        (json!({"shares": 1}), Some(Cpu::Weight(1))),
        (json!({"shares": 5000}), Some(Cpu::Weight(5))),
        (json!({"shares": 10_000}), Some(Cpu::Weight(9))),
        (json!({"count": 0, "shares": 0, "maximum": 0}), None),
    ] {
        assert_eq!(cpu(given.clone()).unwrap(), expected, "{given}");
    }
    assert!(
        cpu(json!({"count": 1, "maximum": 1}))
            .unwrap_err()
            .contains("in one way")
    );
    assert!(
        cpu(json!({"maximum": 10_001}))
            .unwrap_err()
            .contains("/windows/resources/cpu/maximum = 10001")
    );
}

#[test]
fn a_weight_grows_with_the_shares() {
    let weight = |shares: u32| match resources(json!({"cpu": {"shares": shares}}))
        .unwrap()
        .limits
        .cpu
    {
        Some(Cpu::Weight(weight)) => weight,
        other => panic!("{other:?}"),
    };
    let weights: Vec<u32> = (1..=10_000).step_by(100).map(weight).collect();
    assert!(weights.is_sorted() && weights.iter().all(|weight| (1..=9).contains(weight)));
}

#[test]
fn users() {
    let user = |name: &str| {
        planned(json!({"process": {"user": {"uid": 0, "gid": 0, "username": name}}}))
            .unwrap()
            .process
            .user
    };
    assert_eq!(user(""), User::Caller);
    assert_eq!(
        user("NT AUTHORITY\\Local Service"),
        User::Service(Service::Local)
    );
    assert_eq!(user("networkservice"), User::Service(Service::Network));
    assert_eq!(user("MACHINE\\ana"), User::Named("MACHINE\\ana".to_owned()));
}

#[test]
fn a_terminal_has_a_size() {
    let terminal = |more: Value| planned(json!({"process": more})).map(|job| job.process.terminal);
    assert_eq!(terminal(json!({"terminal": false})).unwrap(), None);
    let usual = Some(Size {
        columns: 80,
        rows: 25,
    });
    assert_eq!(terminal(json!({"terminal": true})).unwrap(), usual);
    let given = terminal(json!({"terminal": true, "consoleSize": {"height": 40, "width": 120}}));
    assert_eq!(
        given.unwrap(),
        Some(Size {
            columns: 120,
            rows: 40
        })
    );
    let none = terminal(json!({"terminal": true, "consoleSize": {"height": 0, "width": 120}}));
    assert!(none.unwrap_err().contains("/process/consoleSize/height"));
}

#[test]
fn what_needs_the_host_compute_service_says_so() {
    for (member, value) in [
        ("layerFolders", json!(["C:\\layer"])),
        ("hyperv", json!({})),
        ("network", json!({"networkNamespace": "x"})),
        ("credentialSpec", json!({"a": 1})),
        ("servicing", json!(true)),
        ("devices", json!([{"id": "a", "idType": "class"}])),
    ] {
        let told = planned(json!({"windows": {member: value}})).unwrap_err();
        assert!(
            told.contains("needs HCS") && told.contains(&format!("/windows/{member}")),
            "{told}"
        );
    }
    assert!(planned(json!({"windows": {"layerFolders": [], "servicing": false}})).is_ok());
    assert!(
        planned(json!({"linux": {}}))
            .unwrap_err()
            .contains("for Linux")
    );
}

#[test]
fn misspelt_limits_are_warned_of() {
    let job = resources(json!({"memory": {"limits": 1}, "cpus": {}})).unwrap();
    assert_eq!(job.warnings.len(), 2, "{:?}", job.warnings);
    assert!(
        job.warnings
            .iter()
            .any(|line| line.ends_with("did you mean limit?")),
        "{:?}",
        job.warnings
    );
}

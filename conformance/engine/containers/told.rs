//! What users try first, and is wrong: each is told with what to do.

use super::ground::Ground;
use super::image::image_with;
use super::images::{architecture, base};
use super::layout::layout;
use serde_json::json;

/// Words after `run`, a part of the cause, and a part of the hint.
const MISTAKES: &[(&[&str], &str, &str)] = &[
    (
        &["--restart", "always", "./root"],
        "no such flag",
        "systemd",
    ),
    (
        &["--health-cmd", "true", "./root"],
        "no such flag",
        "orbital exec",
    ),
    (
        &["--link", "web", "./root"],
        "no such flag",
        "orbital network create",
    ),
    (
        &["--log-driver", "journald", "./root"],
        "no such driver",
        "systemd-run",
    ),
    (
        &["--tz", "No/Where", "./root"],
        "no such time zone",
        "tzdata",
    ),
    (
        &["-v", "/nowhere-at-all:/x", "./root"],
        "is not there",
        "mkdir -p /nowhere-at-all",
    ),
    (&["-v", "relative:x", "./root"], "absolute path", ""),
    (&["-m", "lots", "./root"], "no size", "512m"),
    (&["--network", "nowhere", "./root"], "", "orbital network"),
    (&["--pull", "never", "root"], "image", "orbital pull"),
    (&["oci:foreign"], "it is made for", "--platform linux/"),
    (
        &["--pid", "container:nobody", "./root"],
        "",
        "orbital ps -a",
    ),
    (&["--userns", "mine", "./root"], "no such mode", "auto"),
    (&["--hostnam", "x", "./root"], "no such flag", "--hostname"),
];

#[test]
fn what_users_try_first_is_told_with_what_to_do() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    let foreign = if architecture() == "arm64" {
        "s390x"
    } else {
        "arm64"
    };
    layout(
        lab,
        "foreign",
        &image_with(foreign, json!({}), vec![base(&ground)]),
        "v1",
    );
    let none = ["--network", "none"];
    for (words, cause, hint) in MISTAKES {
        let words = *words;
        let apart = if words.contains(&"--network") {
            &[][..]
        } else {
            &none[..]
        };
        let line = [&["run", "--rm"][..], apart, words, &["true"]].concat();
        let ran = lab.run(&line);
        assert_eq!(ran.status, 125, "{words:?}: {ran:?}");
        assert!(ran.err.contains(cause), "{words:?}: {}", ran.err);
        let told = ran.err.lines().find(|line| line.starts_with("  hint:"));
        assert!(
            hint.is_empty() || told.is_some_and(|told| told.contains(*hint)),
            "{words:?}: {}",
            ran.err
        );
    }
    for (verb, hint) in [
        ("build", "buildah"),
        ("push", "orbital save"),
        ("commit", "orbital import"),
        ("compose", "one by one"),
        ("imges", "images"),
    ] {
        let ran = lab.run(&[verb, "."]);
        assert!(
            ran.status == 125 && ran.err.contains(hint),
            "{verb}: {}",
            ran.err
        );
    }
    ground.nothing_is_left();
}

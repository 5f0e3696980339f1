//! What `--help` and `--version` print.

use super::*;
use crate::cli::{Request, parse};
use std::ffi::OsString;

fn printed(line: &str) -> String {
    match parse(line.split(' ').map(OsString::from)) {
        Ok((_, Request::Print(text))) => text,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn version_is_told_by_the_name_we_are_called_by() {
    #[rustfmt::skip]
    let names = [
        ("orbital", "orbital"),
        ("/usr/bin/orbital", "orbital"),
        ("runc", "runc"),
        ("/usr/local/sbin/runc", "runc"),
        ("crun", "orbital"),
        ("buildah-oci-runtime", "orbital"),
    ];
    for (name, told) in names {
        for flag in [
            "--version",
            "-v",
            "-version",
            "--root /r --version",
            "--version state c",
        ] {
            let text = printed(&format!("{name} {flag}"));
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(
                lines[0],
                format!("{told} version {}", env!("CARGO_PKG_VERSION")),
                "{name} {flag}"
            );
            assert!(
                lines[1].starts_with("commit: ") && lines[2].starts_with("spec: 1."),
                "{text}"
            );
            assert_eq!(lines.len(), 3);
        }
    }
}

#[test]
fn help_of_every_verb_has_a_usage_an_example_and_fits_the_screen() {
    for verb in names() {
        for line in [
            format!("orbital {} --help", verb.name),
            format!("orbital {} -h", verb.name),
            // After its id the words of `exec` are another program's.
            match verb.name {
                "exec" => "orbital exec -t -help".to_owned(),
                name => format!("orbital {name} c -help"),
            },
            format!("orbital help {}", verb.name),
        ] {
            // What follows its id is another program's.
            if line == "orbital ps c -help" {
                continue;
            }
            let text = printed(&line);
            assert!(
                text.contains(&format!("Usage: orbital {}", verb.name)),
                "{text}"
            );
            assert!(
                text.contains(&format!("Example:\n  orbital {}", verb.name)),
                "{text}"
            );
            assert!(
                text.lines().all(|line| line.chars().count() <= 100),
                "{text}"
            );
            assert_eq!(
                text.contains("--pidfd-socket"),
                ["create", "run", "exec"].contains(&verb.name),
                "{text}"
            );
        }
    }
}

#[test]
fn help_lists_all_verbs_in_the_order_of_a_life() {
    for line in [
        "orbital",
        "orbital --help",
        "orbital -h",
        "orbital -help",
        "orbital help",
        "orbital --root /r --help",
        "orbital --help create",
    ] {
        let text = printed(line);
        let places: Vec<usize> = names()
            .map(|verb| {
                text.find(&format!("  {:11}{}\n", verb.name, verb.line))
                    .unwrap_or_else(|| panic!("{} is not in {text}", verb.name))
            })
            .collect();
        assert!(places.is_sorted(), "{text}");
        assert!(
            text.contains("--cgroup-manager <WHO>") && text.contains("A container is"),
            "{text}"
        );
        assert!(
            text.lines().all(|line| line.chars().count() <= 120),
            "{text}"
        );
    }
}

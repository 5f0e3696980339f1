//! Each example's plan, as it stands beside its config.json. `ORBITAL_GOLDEN=write` writes them anew.

use super::{json, text};
use crate::cli::Create;
use crate::plan::facts::{Facts, Privilege};
use crate::plan::{Plan, plan, sample};
use crate::spec;
use std::path::{Path, PathBuf};

/// An example: its folder below `bundle-examples/`, and who plans it.
const EXAMPLES: &[(&str, Privilege)] = &[
    ("hello", Privilege::Root),
    ("shell", Privilege::Root),
    ("rootless", Privilege::User),
    ("read-only", Privilege::Root),
    ("volumes", Privilege::Root),
    ("hooks", Privilege::Root),
    ("limits", Privilege::Root),
    ("devices", Privilege::Root),
    ("seccomp", Privilege::Root),
    ("sysctl-and-scheduling", Privilege::Root),
    ("pod/infra", Privilege::Root),
    ("pod/member", Privilege::Root),
];

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bundle-examples")
}

/// The plan of an example on a host that every test knows: its root file system need not be there.
fn planned(name: &str, privilege: Privilege) -> Plan {
    let facts = match privilege {
        Privilege::Root => sample::root(),
        Privilege::User => Facts {
            gid: 1000,
            ..sample::user()
        },
    };
    let folder = examples().join(name);
    let bundle = spec::load(&folder).unwrap_or_else(|error| panic!("{name}: {error}"));
    let id = name.rsplit('/').next().unwrap_or(name);
    let request = Create::of(id.to_owned(), folder);
    plan(&bundle, &facts, &request).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The complaint about a golden file that differs, unless it is to be written.
fn compared(golden: &Path, now: &str) -> Option<String> {
    let before = std::fs::read_to_string(golden).unwrap_or_default();
    if before == now {
        return None;
    }
    if std::env::var_os("ORBITAL_GOLDEN").is_some_and(|word| word == "write") {
        std::fs::write(golden, now).unwrap();
        return None;
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), now.lines().collect());
    let only = |sign, these: &[&str], those: &[&str]| {
        let alone = these.iter().filter(|line| !those.contains(line));
        alone
            .map(|line| format!("{sign} {line}\n"))
            .collect::<String>()
    };
    let name = golden.strip_prefix(examples()).unwrap_or(golden).display();
    Some(format!(
        "{name} (make examples writes it anew):\n{}{}",
        only('-', &old, &new),
        only('+', &new, &old)
    ))
}

fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn each_example_has_its_plan() {
    let differing = EXAMPLES.iter().filter_map(|(name, privilege)| {
        let now = format!("{:#}\n", json(&planned(name, *privilege)));
        compared(&examples().join(name).join("plan.json"), &now)
    });
    none(&differing.collect::<Vec<_>>());
}

/// The example for Windows is planned on every host; this is that of a machine with four processors.
#[test]
fn the_job_has_its_plan() {
    use crate::plan::job;
    let folder = examples().join("windows-job");
    let bundle = spec::load(&folder).unwrap();
    let request = Create::of("windows-job".to_owned(), folder.clone());
    let plan = job::plan(&bundle, &job::Facts { processors: 4 }, &request).unwrap();
    let json = format!("{:#}\n", job::told::json(&plan));
    let texts = [("plan.json", json), ("plan.txt", job::told::text(&plan))];
    let differing = texts
        .iter()
        .filter_map(|(name, now)| compared(&folder.join(name), now));
    none(&differing.collect::<Vec<_>>());
}

#[test]
fn the_words_about_hello_are_read_before_they_change() {
    let now = text(&planned("hello", Privilege::Root));
    let differing = compared(&examples().join("hello/plan.txt"), &now);
    none(&differing.into_iter().collect::<Vec<_>>());
}

#[test]
fn no_example_is_left_out() {
    let mut found = Vec::new();
    bundles(&examples(), "", &mut found);
    found.sort();
    let mut known: Vec<_> = EXAMPLES
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .chain(["windows-job".to_owned()])
        .collect();
    known.sort();
    assert_eq!(found, known);
}

/// The folders with a config.json, but those that are broken on purpose.
fn bundles(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !entry.file_type().unwrap().is_dir() || ["broken", "rootfs"].contains(&name.as_str()) {
            continue;
        }
        let path = format!("{prefix}{name}");
        bundles(&entry.path(), &format!("{path}/"), found);
        if entry.path().join("config.json").exists() {
            found.push(path);
        }
    }
}

#[test]
fn a_plan_says_nothing_of_where_the_checkout_is() {
    for (name, privilege) in EXAMPLES {
        let told = json(&planned(name, *privilege)).to_string();
        assert!(!told.contains(env!("CARGO_MANIFEST_DIR")), "{name}: {told}");
    }
}

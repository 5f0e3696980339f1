//! The words of a refusal: each folder in `bundle-examples/broken/` must be refused with exactly the
//! text of its `message.txt`, at the place that `broken/README.md` names, and leave nothing behind.
//! A `…` in the text stands for what differs from host to host.
//!
//! With `ORBITAL_GOLDEN=write` in the environment a text that differs is written instead; whoever does
//! that reads it before it is kept. It does not make the bundles' root: each case has one of its own.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use crate::bundle;
use crate::case::{Body, Case, Need};
use crate::check::{Outcome, ensure, same};
use crate::lab::Lab;
use crate::readmes::matches;
use crate::runtime::{Call, Said};
use crate::spec::Spec;

/// What every bundle needs.
const NEEDS: &[Need] = &[Need::OrbitalOnly, Need::Root, Need::CgroupV2];

/// A mode, an umask and namespaces that differ from caller to caller, made the same.
const QUIET: &str = "umask 022; exec unshare --net --uts --ipc \"$@\"";

/// One line of a table in `broken/README.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// The heading above the table.
    pub(crate) heading: String,
    /// The bundle's folder.
    pub(crate) name: String,
    /// The last column: a JSON pointer, or `the file`; in the last table what the host must be like.
    pub(crate) last: String,
}

/// The heading of the bundles whose fault shows only at `start`.
const STARTING: &str = "Starting";

/// The heading of those that are created with a console socket.
const TERMINAL: &str = "With a terminal";

/// The heading of those whose group systemd is asked to make.
const SYSTEMD: &str = "With systemd";

/// The heading of the table of needs.
const ELSEWHERE: &str = "Not on every host";

/// The rows of all tables, in order.
pub(crate) fn rows(markdown: &str) -> Vec<Row> {
    let mut heading = "";
    let mut rows = Vec::new();
    for line in markdown.lines() {
        if let Some(words) = line.strip_prefix("## ") {
            heading = words.trim();
        }
        let cells: Vec<&str> = line.split(" | ").map(str::trim).collect();
        let name = cells[0]
            .strip_prefix("| [")
            .and_then(|rest| rest.split(']').next());
        if let (Some(name), Some(last)) = (name, cells.last()) {
            rows.push(Row {
                heading: heading.to_owned(),
                name: name.to_owned(),
                last: last
                    .trim_end_matches('|')
                    .trim()
                    .trim_matches('`')
                    .to_owned(),
            });
        }
    }
    rows
}

/// The case that compares table and folders, and a case for each bundle.
pub(crate) fn all() -> Vec<(String, Case)> {
    let table = Case::new("every-bundle-is-in-the-table", table).needs(&[Need::OrbitalOnly]);
    let rows = rows(&fs::read_to_string(broken().join("README.md")).unwrap_or_default());
    let elsewhere = |row: &&Row| row.heading == ELSEWHERE;
    let bundles = rows.iter().filter(|row| !elsewhere(row)).map(|row| {
        let need = rows
            .iter()
            .filter(elsewhere)
            .find(|other| other.name == row.name);
        // The list of cases lives as long as the program.
        let name: &'static str = row.name.clone().leak();
        let mut needs = NEEDS.to_vec();
        needs.extend(need.and_then(of_host));
        let case = Case {
            name,
            needs: needs.leak(),
            deviates: &[],
            run: Body::Of(name, refused),
        };
        (format!("messages/{name}"), case)
    });
    [(format!("messages/{}", table.name), table)]
        .into_iter()
        .chain(bundles)
        .collect()
}

/// What the host must be like, in the words of the last table.
fn of_host(row: &Row) -> Option<Need> {
    let after = |words: &str| -> Option<&'static str> {
        let rest = row.last.strip_prefix(words)?;
        Some(rest.to_owned().leak())
    };
    let controller = after("no controller ").map(Need::NoController);
    controller
        .or_else(|| after("no file ").map(Need::NoFile))
        .or_else(|| after("file ").map(Need::File))
}

/// The folder of the checkout.
fn broken() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundle-examples/broken")
}

/// Table and folders name the same bundles, each once.
fn table(_: &Lab) -> Outcome {
    let mut told: Vec<String> = rows(&fs::read_to_string(broken().join("README.md"))?)
        .into_iter()
        .filter(|row| row.heading != ELSEWHERE)
        .map(|row| row.name)
        .collect();
    let mut there = Vec::new();
    for entry in fs::read_dir(broken())? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            there.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    told.sort();
    there.sort();
    ensure!(there.len() >= 25, "only {} broken bundles", there.len());
    same("the bundles in broken/README.md", told, there)
}

/// One bundle: what is refused, with what words, at which place, and what is left.
fn refused(lab: &Lab, name: &str) -> Outcome {
    let markdown = fs::read_to_string(broken().join("README.md"))?;
    let row = rows(&markdown).into_iter().find(|row| row.name == name);
    let row = row.ok_or("it is not in the table")?;
    let folder = furnish(lab, name)?;
    let before = lab.host(&["find", &folder.to_string_lossy(), "-maxdepth", "1"])?;
    let id = lab.id("broken");
    let said = if row.heading == STARTING {
        create(lab, &folder, &id, &[])?.ok()?;
        let said = quiet(lab.call(&["start", &id])).say()?;
        lab.call(&["delete", "--force", &id]).ok()?;
        said
    } else if row.heading == TERMINAL {
        let socket = lab.scratch("console");
        let _listener = UnixListener::bind(&socket)?;
        create(
            lab,
            &folder,
            &id,
            &["--console-socket", &socket.to_string_lossy()],
        )?
        .say()?
    } else if row.heading == SYSTEMD {
        let folder = folder.to_str().ok_or("a path that is not UTF-8")?;
        let args = ["--systemd-cgroup", "create", "--bundle", folder, &id];
        quiet(lab.call(&args)).say()?
    } else {
        create(lab, &folder, &id, &[])?.say()?
    };
    ensure!(said.code() == 1, "expected exit status 1, found {said}");
    same("standard output", said.out.as_str(), "")?;
    let state = lab.call(&["state", &id]).say()?;
    ensure!(!state.status.success(), "there is a container now: {state}");
    let after = lab.host(&["find", &folder.to_string_lossy(), "-maxdepth", "1"])?;
    same("what is in the bundle's folder", after, before)?;
    judge(&row, &told(&said, &folder, &id))
}

/// A copy of the bundle, with a root for it at the place where `hello` has its own.
fn furnish(lab: &Lab, name: &str) -> Outcome<PathBuf> {
    let examples = lab.folder("examples")?;
    let hello = bundle::make(&examples.join("hello"), &lab.busybox, &Spec::ordinary())?;
    hello.file("etc/motd", "welcome\n")?;
    fs::create_dir(hello.rootfs().join("mnt"))?;
    fs::create_dir(examples.join("broken"))?;
    let folder = examples.join("broken").join(name);
    let from = broken().join(name);
    lab.host(&[
        "cp",
        "-a",
        &from.to_string_lossy(),
        &folder.to_string_lossy(),
    ])?;
    Ok(folder)
}

fn create<'l>(lab: &'l Lab, folder: &Path, id: &str, flags: &[&str]) -> Outcome<Call<'l>> {
    let folder = folder.to_str().ok_or("a path that is not UTF-8")?;
    let mut args = vec!["create", "--bundle", folder];
    args.extend(flags);
    args.push(id);
    Ok(quiet(lab.call(&args)))
}

fn quiet(call: Call<'_>) -> Call<'_> {
    call.through_sh(QUIET)
}

/// What was said, without the paths and names of this run.
fn told(said: &Said, folder: &Path, id: &str) -> String {
    let folder = folder.to_string_lossy();
    let told = said.err.replace(&*folder, "…").replace(id, "…");
    // How many files a process may have is each host's own.
    let most = fs::read_to_string("/proc/sys/fs/nr_open").unwrap_or_default();
    told.replace(
        &format!("more than {} files", most.trim()),
        "more than … files",
    )
}

/// The place is the table's, and the words are the golden ones.
fn judge(row: &Row, told: &str) -> Outcome {
    let place = match row.last.as_str() {
        "the file" => "…/config.json".to_owned(),
        "none" => String::new(),
        pointer => format!("config.json#{pointer}"),
    };
    let line = told.lines().find_map(|line| line.strip_prefix("  at:    "));
    let at = line
        .unwrap_or_default()
        .split(" = ")
        .next()
        .unwrap_or_default();
    same(
        "the place, by broken/README.md and by the message",
        at,
        place.as_str(),
    )?;
    let golden = broken().join(&row.name).join("message.txt");
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    if !expected.is_empty() && matches(&expected, told) {
        return Ok(());
    }
    if std::env::var_os("ORBITAL_GOLDEN").is_some_and(|word| word == "write") {
        fs::write(&golden, told)?;
        return Ok(());
    }
    Err(format!("expected\n{expected}found\n{told}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_its_heading_its_bundle_and_its_last_column() {
        let table = "# x\n\n## Reading\n\n| bundle | fault | place |\n|---|---|---|\n\
                     | [one](one/config.json) | it | is | `/a/b` |\n| [two](two/config.json) | no file | the file |\n";
        let found: Vec<_> = rows(table)
            .into_iter()
            .map(|row| (row.heading, row.name, row.last))
            .collect();
        let row = |name: &str, last: &str| ("Reading".to_owned(), name.to_owned(), last.to_owned());
        assert_eq!(found, [row("one", "/a/b"), row("two", "the file")]);
    }

    #[test]
    fn a_message_at_another_place_is_no_match() {
        let row = Row {
            heading: "Reading".to_owned(),
            name: "wrong-type".to_owned(),
            last: "/process/args".to_owned(),
        };
        let told =
            "error: cannot read config.json\n  at:    config.json#/process/terminal = \"yes\"\n";
        let error = judge(&row, told).unwrap_err().to_string();
        assert!(error.contains("config.json#/process/terminal"), "{error}");
    }
}

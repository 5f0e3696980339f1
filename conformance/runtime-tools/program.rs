//! One validation program in a view of its own: mounts, processes and the runtime's state directory
//! vanish with it, and the cgroups that it leaves are removed. Some programs mount over the caller's
//! directories and most leave containers behind when they fail.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take. The longest waits ten seconds for each of a few containers.
const LIMIT: Duration = Duration::from_secs(90);

/// The hierarchy in `in-unified`'s view.
const CGROUPS: &str = "/sys/fs/cgroup";

/// Runs as the first process of a new pid namespace: a fresh /proc, and /run with nothing of the
/// host's, where the programs also make their bundles. The shell collects the orphans.
const VIEW: &str = r#"
mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -m 755 /run/bundles
cd "$1"
shift
TMPDIR=/run/bundles RUNTIME=$2 "$1"
exit $?
"#;

/// What a program did.
#[derive(Debug)]
pub(crate) struct Said {
    /// Standard output; then, after it, standard error.
    pub(crate) text: String,
    /// Standard output alone.
    pub(crate) output: String,
    /// How it ended, if it did in time.
    pub(crate) code: Option<i32>,
}

/// The file of the program `name`.
pub(crate) fn path(tools: &Path, name: &str) -> PathBuf {
    tools
        .join("validation")
        .join(name)
        .join(format!("{name}.t"))
}

/// Runs the program `name` of the checkout `tools` on `runtime`.
///
/// # Errors
/// Files or processes cannot be made; not what the program itself does.
pub(crate) fn run(runtime: &Path, tools: &Path, name: &str) -> Result<Said, String> {
    let before = groups();
    let scratch = tempfile::tempdir().map_err(words)?;
    let (out, err) = (scratch.path().join("out"), scratch.path().join("err"));
    let create = |path| fs::File::create(path).map_err(words);
    let mut child = Command::new("unshare")
        .args([
            "-m",
            "-p",
            "--propagation",
            "private",
            "--fork",
            "--kill-child",
            "sh",
            "-euc",
            VIEW,
            "view",
        ])
        .arg(tools)
        .arg(path(tools, name))
        .arg(runtime)
        .stdin(Stdio::null())
        .stdout(create(&out)?)
        .stderr(create(&err)?)
        .spawn()
        .map_err(words)?;
    let end = Instant::now() + LIMIT;
    let code = loop {
        if let Some(status) = child.try_wait().map_err(words)? {
            break status.code();
        }
        if Instant::now() > end {
            child.kill().map_err(words)?;
            child.wait().map_err(words)?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    remove(&before);
    let read = |path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let output = read(&out).map_err(words)?;
    let text = format!("{output}{}", read(&err).map_err(words)?);
    Ok(Said { text, output, code })
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The groups at the top of the hierarchy.
fn groups() -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(CGROUPS).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

/// Removes the groups that were not there before; their processes have ended with the pid namespace.
fn remove(before: &BTreeSet<PathBuf>) {
    for group in groups().difference(before) {
        for _ in 0..50 {
            // Thawed, since a frozen process dies only then.
            let _ = fs::write(group.join("cgroup.freeze"), "0");
            remove_tree(group);
            if !group.exists() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Leaves first; what is busy stays.
fn remove_tree(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_tree(&entry.path());
        }
    }
    let _ = fs::remove_dir(group);
}

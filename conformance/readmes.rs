//! Executes the README.md of each folder in `bundle-examples/`, so that what they tell a
//! newcomer is true. The convention is in `bundle-examples/README.md`; in short:
//!
//! ```text
//! ```sh                 run by `sh -eu` in the example's folder; must succeed
//! ```sh user            the same as an ordinary user, with an XDG_RUNTIME_DIR of its own
//! ```sh needs=memory,/dev/fuse
//!                       only where the controller and the file exist
//! ```sh no-test         never run; the text says why
//! ```text               right after a block: what it prints; `…` is any text, and a line
//!                       of nothing else is any lines
//! ```
//!
//! It does not make root file systems, control groups or namespaces: the caller brings a
//! host with them, and a view in which `/run` and `/sys/fs/cgroup` may be written.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The id and group of the ordinary user, who need not be in the host's passwd.
const USER: u32 = 1000;

/// How long one block may take before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(60);

/// One `sh` block of a README, with the output it promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// The line of the block's opening fence, from 1.
    pub(crate) line: usize,
    /// What stands between the fences.
    pub(crate) script: String,
    /// Who runs it.
    pub(crate) runner: Runner,
    /// What the host must have: names of controllers, and absolute paths.
    pub(crate) needs: Vec<String>,
    /// The `text` block that follows directly, if there is one.
    pub(crate) output: Option<String>,
}

/// Who runs a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    /// Whoever runs the tests; for most blocks that has to be root.
    Caller,
    /// An ordinary user: number 1000 if the tests run as root.
    User,
    /// Nobody (`no-test`).
    Nobody,
}

/// What became of a README.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// How many blocks ran and did what they promise.
    pub(crate) ran: usize,
    /// One line for each block that was left out: where, and why.
    pub(crate) skipped: Vec<String>,
}

/// The `sh` blocks of `markdown`, in order. A fence with any other word is passed over.
///
/// # Errors
/// A word after `sh` that the convention does not know, or a fence that is never closed.
pub(crate) fn blocks(markdown: &str) -> Result<Vec<Block>, String> {
    let mut found: Vec<Block> = Vec::new();
    let mut lines = markdown.lines().enumerate();
    // Whether a `text` fence here would belong to the block before it.
    let mut adjacent = false;
    while let Some((at, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            adjacent &= line.trim().is_empty();
            continue;
        };
        let body = fenced(&mut lines).ok_or(format!("line {}: the fence is not closed", at + 1))?;
        let mut words = info.split_whitespace();
        match (words.next(), found.last_mut()) {
            (Some("sh"), _) => {
                found.push(block(at + 1, words, body)?);
                adjacent = true;
                continue;
            }
            (Some("text"), Some(last)) if adjacent => last.output = Some(body),
            _ => {}
        }
        adjacent = false;
    }
    Ok(found)
}

/// The lines up to the closing fence, or nothing if there is none.
fn fenced<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>) -> Option<String> {
    let mut body = String::new();
    for (_, line) in lines {
        if line.trim_end() == "```" {
            return Some(body);
        }
        body.push_str(line);
        body.push('\n');
    }
    None
}

/// A block without output, from the words after `sh`.
fn block<'a>(
    line: usize,
    words: impl Iterator<Item = &'a str>,
    script: String,
) -> Result<Block, String> {
    let mut block = Block {
        line,
        script,
        runner: Runner::Caller,
        needs: Vec::new(),
        output: None,
    };
    for word in words {
        match word.split_once('=') {
            None if word == "user" => block.runner = Runner::User,
            None if word == "no-test" => block.runner = Runner::Nobody,
            Some(("needs", list)) => block.needs = list.split(',').map(String::from).collect(),
            _ => return Err(format!("line {line}: unknown word {word:?} after sh")),
        }
    }
    Ok(block)
}

/// Runs the blocks of `example`/README.md in order, each in a shell of its own, in a scratch
/// copy of the folder (with its `rootfs`, which must be there), with a copy of `runtime` on
/// PATH as `orbital`.
///
/// # Errors
/// The first block that fails, hangs or prints something else, with what it printed; a
/// README that cannot be read or has nothing to run.
pub(crate) fn execute(example: &Path, runtime: &Path) -> Result<Outcome, String> {
    let readme = example.join("README.md");
    let markdown = fs::read_to_string(&readme)
        .map_err(|error| format!("cannot read {}: {error}", readme.display()))?;
    let place = |why: String| format!("{}: {why}", readme.display());
    let blocks = blocks(&markdown).map_err(place)?;
    if blocks.is_empty() {
        return Err(place("there is no sh block".into()));
    }
    let scratch = Scratch::make(example, runtime)
        .map_err(|error| place(format!("cannot make a scratch copy: {error}")))?;
    let mut outcome = Outcome::default();
    for block in &blocks {
        let here = |why: String| format!("{}:{}: {why}", readme.display(), block.line);
        match obstacle(block) {
            Some(why) => outcome.skipped.push(here(why)),
            None => {
                run(block, &scratch).map_err(here)?;
                outcome.ran += 1;
            }
        }
    }
    Ok(outcome)
}

/// Why a block cannot run on this host.
fn obstacle(block: &Block) -> Option<String> {
    if block.runner == Runner::Nobody {
        return Some("not for tests".into());
    }
    let controllers = fs::read_to_string("/sys/fs/cgroup/cgroup.controllers").unwrap_or_default();
    let missing = |need: &&String| match need.starts_with('/') {
        true => !Path::new(need).exists(),
        false => !controllers.split_whitespace().any(|name| name == *need),
    };
    let missing: Vec<&str> = block.needs.iter().filter(missing).map(|n| &**n).collect();
    (!missing.is_empty()).then(|| format!("this host has no {}", missing.join(", ")))
}

/// A copy of the example that an ordinary user can reach too, removed when dropped.
struct Scratch {
    top: PathBuf,
    folder: PathBuf,
}

impl Scratch {
    fn make(example: &Path, runtime: &Path) -> io::Result<Self> {
        let example = example.canonicalize()?;
        let name = example.file_name().unwrap_or_default();
        let mut top = OsString::from(format!("readme-{}-", std::process::id()));
        top.push(name);
        let top = std::env::temp_dir().join(top);
        fs::create_dir(&top)?;
        let scratch = Self {
            folder: top.join(name),
            top,
        };
        for folder in ["bin", "run"] {
            fs::create_dir(scratch.top.join(folder))?;
        }
        // Whatever the umask is, the ordinary user must get through.
        fs::set_permissions(&scratch.top, fs::Permissions::from_mode(0o755))?;
        fs::copy(runtime, scratch.top.join("bin/orbital"))?;
        if is_root()? {
            chown(scratch.top.join("run"), Some(USER), Some(USER))?;
        }
        // Modes, owners and links of the root must survive, which std cannot copy.
        let copied = Command::new("cp")
            .arg("-a")
            .args([&example, &scratch.folder])
            .status()?;
        match copied.success() {
            true => Ok(scratch),
            false => Err(io::Error::other(format!("cp ended with {copied}"))),
        }
    }

    /// A command in the example's folder, with `orbital` on PATH.
    fn command(&self, block: &Block) -> io::Result<Command> {
        let mut path = self.top.join("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = Command::new("sh");
        command.args(["-eu", "-c", &block.script]);
        command.current_dir(&self.folder).env("PATH", path);
        if block.runner == Runner::User {
            command.env("XDG_RUNTIME_DIR", self.top.join("run"));
            if is_root()? {
                // From root, this drops the supplementary groups as well.
                command.uid(USER).gid(USER).env("HOME", "/");
            }
        }
        Ok(command)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A container that a failed block left behind keeps its files by its own mounts.
        let _ = fs::remove_dir_all(&self.top);
    }
}

/// Whether the tests run as root: a file that this process makes belongs to it.
fn is_root() -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}

/// Runs one block and judges it.
fn run(block: &Block, scratch: &Scratch) -> Result<(), String> {
    let (status, printed) =
        carry_out(block, scratch).map_err(|error| format!("cannot run the block: {error}"))?;
    let complaint = match (status, &block.output) {
        (None, _) => format!("the block hung for {} s", PATIENCE.as_secs()),
        (Some(status), _) if !status.success() => format!("the block ended with {status}"),
        (_, Some(expected)) if !matches(expected, &printed) => "the output differs".into(),
        _ => return Ok(()),
    };
    let mut report = complaint;
    let _ = write!(
        report,
        "\n--- block\n{}--- printed\n{printed}",
        block.script
    );
    if let Some(expected) = &block.output {
        let _ = write!(report, "--- promised\n{expected}");
    }
    Err(report)
}

/// The block's exit status, or nothing if it hung, and what it printed on both streams. That
/// goes to a file: a pipe would wait for containers that outlive the block.
fn carry_out(block: &Block, scratch: &Scratch) -> io::Result<(Option<ExitStatus>, String)> {
    let log = scratch.top.join("output");
    let output = File::create(&log)?;
    let child = scratch
        .command(block)?
        .stdin(Stdio::null())
        .stderr(output.try_clone()?)
        .stdout(output)
        .process_group(0)
        .spawn()?;
    let status = wait(child)?;
    let printed = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    Ok((status, printed))
}

/// Waits within PATIENCE; what still runs then is killed with its whole group.
fn wait(mut child: Child) -> io::Result<Option<ExitStatus>> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > end {
            let group = format!("-{}", child.id());
            Command::new("kill")
                .args(["-KILL", "--", &group])
                .status()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether `printed` is what `expected` promises. Blanks at the ends of lines (a terminal
/// adds carriage returns) and empty lines at the end do not count.
pub(crate) fn matches(expected: &str, printed: &str) -> bool {
    let lines = |text: &str| -> Vec<String> {
        let text = text.trim_end();
        text.lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    };
    lines_match(&lines(expected), &lines(printed))
}

fn lines_match(expected: &[String], printed: &[String]) -> bool {
    let Some((first, rest)) = expected.split_first() else {
        return printed.is_empty();
    };
    if first == "…" {
        return (0..=printed.len()).any(|skip| lines_match(rest, &printed[skip..]));
    }
    printed
        .split_first()
        .is_some_and(|(line, others)| line_matches(first, line) && lines_match(rest, others))
}

/// Whether `line` has the pieces of `pattern` between its `…`, in order, and its two ends.
fn line_matches(pattern: &str, line: &str) -> bool {
    match pattern.split_once('…') {
        None => pattern == line,
        Some((head, rest)) => line.strip_prefix(head).is_some_and(|line| {
            let ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
            ends.into_iter().any(|at| line_matches(rest, &line[at..]))
        }),
    }
}

#[cfg(test)]
#[path = "readmes/tests.rs"]
mod tests;

//! What does not come from a clock: peak memory, size of the file, syscalls, tasks.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use crate::floor::Floor;
use crate::leftover;
use crate::program::{Act, Program, installed};
use crate::trial::Stand;

/// How often a peak is taken; the largest counts.
const PEAKS: usize = 3;

/// The figures of one program; what could not be had says why.
#[derive(Debug)]
pub(crate) struct Weight {
    pub(crate) program: String,
    /// Size of the file.
    pub(crate) bytes: u64,
    /// Largest resident size in KiB (`ru_maxrss`) of the command, or of one process that it
    /// waited for: for `run` that is the container's process too.
    pub(crate) peak_create: Result<u64, String>,
    pub(crate) peak_run: Result<u64, String>,
    pub(crate) peak_exec: Result<u64, String>,
    pub(crate) trace: Result<Trace, String>,
}

/// A whole `run`, with the payload's own calls in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(crate) syscalls: usize,
    /// Processes and threads, the container's process among them.
    pub(crate) tasks: usize,
}

/// Weighs every program, one after the other.
pub(crate) fn weigh(programs: &[Program], floor: &Floor, stand: &Stand) -> Vec<Weight> {
    programs
        .iter()
        .map(|program| Weight {
            program: program.name.clone(),
            bytes: std::fs::metadata(&program.path).map_or(0, |file| file.len()),
            peak_create: peak(program, Act::Create, floor, stand),
            peak_run: peak(program, Act::Run, floor, stand),
            peak_exec: peak(program, Act::Exec, floor, stand),
            trace: trace(program, stand),
        })
        .collect()
}

fn peak(program: &Program, act: Act, floor: &Floor, stand: &Stand) -> Result<u64, String> {
    let file = stand.file("peak");
    let mut most = 0;
    for round in 0..PEAKS {
        let id = format!(
            "peak-{}-{}-{}-{round}",
            std::process::id(),
            program.name,
            act.word()
        );
        let mut words: Vec<OsString> = vec![(&floor.path).into(), "peak".into(), (&file).into()];
        let own = program.command(act, &id);
        words.extend(own.ok_or_else(|| format!("it has no {} here", act.word()))?);
        let ready = match (act, program.command(Act::Create, &id)) {
            (Act::Exec, Some(create)) => stand.must(&create).map(drop),
            _ => Ok(()),
        };
        let done = ready.and_then(|()| stand.must(&words));
        if act != Act::Run || done.is_err() {
            leftover::clear(program, &id, stand);
        }
        done?;
        let text = std::fs::read_to_string(&file).map_err(|e| e.to_string())?;
        most = most.max(text.trim().parse().map_err(|_| "no figure".to_owned())?);
    }
    Ok(most)
}

fn trace(program: &Program, stand: &Stand) -> Result<Trace, String> {
    let strace = installed("strace").ok_or("strace is not installed")?;
    let file = stand.file("trace");
    let id = format!("trace-{}-{}", std::process::id(), program.name);
    let flags = ["-f", "-qq", "-e", "trace=all", "-e", "signal=none", "-o"];
    let mut words: Vec<OsString> = vec![strace.into()];
    words.extend(flags.map(OsString::from));
    words.push((&file).into());
    words.extend(program.command(Act::Run, &id).ok_or("no such act")?);
    let done = stand.must(&words);
    if done.is_err() {
        leftover::clear(program, &id, stand);
    }
    done.map_err(|reason| format!("under strace: {reason}"))?;
    read(&file)
}

fn read(file: &Path) -> Result<Trace, String> {
    let bytes = std::fs::read(file).map_err(|e| format!("cannot read strace's output: {e}"))?;
    let trace = count(&String::from_utf8_lossy(&bytes));
    match trace.syscalls {
        0 => Err("strace told nothing".to_owned()),
        _ => Ok(trace),
    }
}

/// Lines are `PID call(…) = result`. A call that another interrupts has two lines, and the
/// second one, `PID <... call resumed>`, is no new call.
fn count(text: &str) -> Trace {
    let mut tasks = BTreeSet::new();
    let mut syscalls = 0;
    for (pid, rest) in text.lines().filter_map(|line| line.split_once(' ')) {
        tasks.insert(pid);
        let rest = rest.trim_start();
        if rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') {
            syscalls += 1;
        }
    }
    Trace {
        syscalls,
        tasks: tasks.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resumed_calls_and_endings_are_not_calls() {
        let text = "\
10    execve(\"/p\", [\"/p\"], 0x7ff /* 2 vars */) = 0
10    clone3({flags=CLONE_NEWPID}, 88 <unfinished ...>
11    mount(NULL, \"/\", NULL, MS_REC|MS_SLAVE, NULL) = 0
10    <... clone3 resumed>)             = 11
11    exit_group(0)                     = ?
11    +++ exited with 0 +++
10    _llseek(3, 0, NULL, SEEK_CUR)     = 0
";
        let expected = Trace {
            syscalls: 5,
            tasks: 2,
        };
        assert_eq!(count(text), expected);
    }
}

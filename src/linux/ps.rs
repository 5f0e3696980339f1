//! What the host's own `ps` says about a container's processes.

use crate::error::{Cause, Error, Object, Result};
use std::ffi::OsString;
use std::process::{Command, Stdio};

/// The heading, and the lines of these processes.
///
/// # Errors
/// A host without `ps`; options that it does not take, or with which it prints no pids.
pub fn lines(pids: &[i32], options: &[OsString]) -> Result<String> {
    table(&run(options)?, pids, options)
}

/// What the host's `ps` prints. It is looked for in the caller's PATH and runs with the caller's rights.
fn run(options: &[OsString]) -> Result<String> {
    let mut command = Command::new("ps");
    match options {
        [] => command.arg("-ef"),
        options => command.args(options),
    };
    let output = command.stdin(Stdio::null()).output().map_err(|error| {
        let error = Error::io("run ps", "ps", "execve", &error);
        match error.errno() {
            Some(libc::ENOENT) => error
                .hint("install ps (Debian's procps), or ask for --format json, which needs none"),
            _ => error,
        }
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = |text: &str| {
        text.lines()
            .find(|line| !line.trim().is_empty())
            .map(str::to_owned)
    };
    let cause = Cause::Exited {
        status: output.status.code().unwrap_or(-1),
        last_line: Some(line(&said).unwrap_or_default()),
    };
    Err(Error::new("run ps", typed(options), cause))
}

fn typed(options: &[OsString]) -> Object {
    let words = options.iter().map(|word| word.to_string_lossy());
    Object::Argument(
        [&["ps".into()], &*words.collect::<Vec<_>>()]
            .concat()
            .join(" "),
    )
}

/// The heading, and the lines whose column PID has one of `pids`.
fn table(text: &str, pids: &[i32], options: &[OsString]) -> Result<String> {
    let mut lines = text.lines();
    let heading = lines.next().unwrap_or_default();
    let Some(column) = heading.split_whitespace().position(|title| title == "PID") else {
        let why = "couldn't find PID field in ps output".to_owned();
        let error = Error::new(
            "tell which lines are the container's",
            typed(options),
            Cause::Refused(why),
        );
        return Err(error.hint("ask for the column, too: -o pid,args"));
    };
    let pid = |line: &str| line.split_whitespace().nth(column)?.parse::<i32>().ok();
    let ours = lines.filter(|line| pid(line).is_some_and(|pid| pids.contains(&pid)));
    Ok([heading]
        .into_iter()
        .chain(ours)
        .collect::<Vec<_>>()
        .join("\n"))
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn the_column_is_found_by_its_title() {
        let text = "USER  PID %CPU\nroot   12  0.0\nroot  120  0.0\nbin     7  12\n\n";
        assert_eq!(
            table(text, &[12, 7], &[]).unwrap(),
            "USER  PID %CPU\nroot   12  0.0\nbin     7  12"
        );
        assert_eq!(table(text, &[], &[]).unwrap(), "USER  PID %CPU");
        let told = table("COMMAND\nsh\n", &[12], &["-o".into(), "comm".into()]).unwrap_err();
        assert!(
            told.one_line()
                .contains("ps -o comm: refused: couldn't find PID"),
            "{told}"
        );
        assert!(table("", &[1], &[]).is_err());
    }
}

//! Text for people, one line for callers.

use super::{Cause, Error, InStep, Object};
use crate::sys::{signal, words};
use std::fmt::{Display, Formatter, Result, Write};

impl Display for Error {
    /// The report as the terminal shows it, without the leading `error: `.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let report = self.report();
        write!(f, "cannot {}", printable(&report.doing))?;
        if let Some(at) = report.object.words() {
            write!(f, "\n  at:    {}", printable(&at))?;
        }
        if let Some(InStep { number, of }) = report.step {
            write!(f, "\n  step:  {number} of {of}, in the container")?;
        }
        write!(f, "\n  cause: {}", printable(&report.cause.to_string()))?;
        if let Some(hint) = &report.hint {
            write!(f, "\n  hint:  {}", printable(hint))?;
        }
        for also in &report.also {
            write!(f, "\n  also:  {}", also.one_line())?;
        }
        Ok(())
    }
}

impl Error {
    /// The same on one line, as callers put it into their own messages.
    #[must_use]
    pub fn one_line(&self) -> String {
        let report = self.report();
        let mut line = format!("cannot {}: ", report.doing);
        if let Some(at) = report.object.words() {
            let _ = write!(line, "{at}: ");
        }
        let _ = write!(line, "{}", report.cause);
        if let Some(hint) = &report.hint {
            let _ = write!(line, " (hint: {hint})");
        }
        for also in &report.also {
            let _ = write!(line, "; also: {}", also.one_line());
        }
        printable(&line.replace('\n', " "))
    }
}

/// What a bundle says is repeated, but may not move the reader's cursor: control characters, and those
/// that turn the direction of writing, are shown as `\u{1b}`.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.extend(letter.escape_unicode());
            }
            letter if letter.is_control() => shown.extend(letter.escape_unicode()),
            letter => shown.push(letter),
        }
    }
    shown
}

impl Object {
    /// The object as it stands after `at:`, where it has words of its own.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        match self {
            Object::Nothing => None,
            Object::Config {
                pointer,
                value: None,
            } => Some(format!("config.json#{}", pointer.as_str())),
            Object::Config {
                pointer,
                value: Some(value),
            } => Some(format!("config.json#{} = {value}", pointer.as_str())),
            Object::File(path) => Some(path.display().to_string()),
            Object::Container(id) => Some(format!("container {id}")),
            Object::Process(pid) => Some(format!("process {pid}")),
            Object::Image(name) => Some(format!("image {name}")),
            Object::Argument(argument) => Some(argument.clone()),
        }
    }
}

impl Display for Cause {
    /// The cause as it stands after `cause:`.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Cause::Os { call, errno, on } => {
                write!(
                    f,
                    "{}, from {}",
                    words::of_error(*errno),
                    words::of_call(call)
                )?;
                match on {
                    Some(on) => write!(f, " of {on}"),
                    None => Ok(()),
                }
            }
            Cause::Answer(what) => f.write_str(what),
            Cause::Refused(why) => write!(f, "refused: {why}"),
            Cause::Json { line, column, what } => write!(f, "line {line}, column {column}: {what}"),
            Cause::Exited {
                status,
                last_line: None,
            } => write!(f, "it exited with {status}"),
            Cause::Exited {
                status,
                last_line: Some(last),
            } => match last.as_str() {
                "" => write!(f, "it exited with {status} and printed nothing"),
                last => write!(f, "it exited with {status}; its last line was {last:?}"),
            },
            Cause::Killed { signal, oom: true } => {
                write!(
                    f,
                    "{} ended it: out of memory in its cgroup",
                    signal_name(*signal)
                )
            }
            Cause::Killed { signal, oom: false } => write!(f, "{} ended it", signal_name(*signal)),
            Cause::Protocol(what) => write!(f, "{what}; this is a bug in orbital"),
        }
    }
}

fn signal_name(signal: i32) -> String {
    signal::name(signal).map_or_else(|| format!("signal {signal}"), |name| format!("SIG{name}"))
}

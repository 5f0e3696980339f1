//! Where what went wrong is written: `--log`, `--log-format`, `--debug`.
//!
//! Callers read the log with a JSON parser, some of them the whole file as one object. So one failure
//! is exactly one record, written by one write(2) to the end of the file, and nothing else is
//! written unless `--debug` asked for it. People read standard error; with a log file it has the
//! same message on one line, because callers quote either. crun's callers may name the host's own logs instead of a file.

/// journald's and syslog's.
#[cfg(target_os = "linux")]
mod host;

use super::{Global, LogFormat};
use crate::error::{Error, Result};
use crate::sys::{clock, folder};
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::path::Path;

/// The open log, or standard error in its place.
#[derive(Debug)]
pub struct Log {
    to: To,
    format: LogFormat,
}

#[derive(Debug)]
enum To {
    Errors,
    File(File),
    #[cfg(target_os = "linux")]
    Host(host::Host),
}

/// How grave a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// An act.
    Debug,
    /// Something to know.
    Info,
    /// Something that was let pass.
    Warning,
    /// The failure of the whole command.
    Error,
}

impl Level {
    /// As callers compare it: they do it by letter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// Reports `error` where `global` says: for what fails before there is an open [`Log`].
/// Where the log itself cannot be opened, that is told too.
pub fn report(global: &Global, error: &Error) {
    match Log::open(global) {
        Ok(log) => log.report(error),
        Err(unopened) => {
            let log = Log {
                to: To::Errors,
                format: global.log_format,
            };
            log.report(error);
            log.report(&unopened);
        }
    }
}

impl Log {
    /// Opens the log, at its end. To be done before anything that can fail. The file is made with mode 0644, and never
    /// cut.
    ///
    /// # Errors
    /// The file can neither be opened nor made.
    pub fn open(global: &Global) -> Result<Log> {
        Ok(Log {
            to: To::open(global.log.as_deref())?,
            format: global.log_format,
        })
    }

    /// Another that writes to the same end.
    pub(super) fn copy(&self) -> std::io::Result<Log> {
        Ok(Log {
            to: self.to.copy()?,
            format: self.format,
        })
    }

    /// Writes the one record of a failure.
    pub fn report(&self, error: &Error) {
        let message = error.one_line();
        let keys = match (&self.to, self.format) {
            (To::Errors, LogFormat::Text) => {
                return put(std::io::stderr(), &format!("error: {error}\n"));
            }
            (To::File(_), LogFormat::Text) => Map::new(),
            _ => parts(error),
        };
        self.record(Level::Error, message.clone(), keys);
        if !matches!(self.to, To::Errors) {
            put(std::io::stderr(), &format!("error: {message}\n"));
        }
    }

    /// Writes a warning. A command that fails has one record only: call this when it has succeeded.
    pub fn warn(&self, message: &str) {
        match (&self.to, self.format) {
            (To::Errors, LogFormat::Text) => {
                put(std::io::stderr(), &format!("warning: {message}\n"))
            }
            _ => self.record(Level::Warning, message.to_owned(), Map::new()),
        }
    }

    /// Writes a record with further keys.
    pub(super) fn record(&self, level: Level, message: String, keys: Map<String, Value>) {
        let line = |message, keys| line(level, message, keys, self.format);
        match &self.to {
            To::Errors => put(std::io::stderr(), &line(message, keys)),
            To::File(file) => put(file, &line(message, keys)),
            #[cfg(target_os = "linux")]
            To::Host(host) => host.put(level, &message, &keys),
        }
    }
}

impl To {
    fn open(given: Option<&Path>) -> Result<To> {
        let Some(given) = given else {
            return Ok(To::Errors);
        };
        let text = given.to_str().unwrap_or_default();
        #[cfg(target_os = "linux")]
        if let Some(host) = host::Host::open(text) {
            return host.map(To::Host);
        }
        // crun's callers may write `file:` before the path.
        append(text.strip_prefix("file:").map_or(given, Path::new)).map(To::File)
    }

    fn copy(&self) -> std::io::Result<To> {
        Ok(match self {
            To::Errors => To::Errors,
            To::File(file) => To::File(file.try_clone()?),
            #[cfg(target_os = "linux")]
            To::Host(host) => To::Host(host.clone()),
        })
    }
}

fn append(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    folder::readable_by_all(&mut options)
        .open(path)
        .map_err(|error| Error::io("open the log", path, "openat", &error))
}

/// The parts of a failure, for programs: what `msg` says in one line.
fn parts(error: &Error) -> Map<String, Value> {
    let report = error.report();
    let mut keys = Map::new();
    if let Some(place) = report.object.words() {
        keys.insert("at".into(), place.into());
    }
    if let Some(step) = report.step {
        keys.insert("step".into(), step.number.into());
    }
    keys.insert("cause".into(), report.cause.to_string().into());
    if let Some(hint) = &report.hint {
        keys.insert("hint".into(), hint.as_str().into());
    }
    if !report.also.is_empty() {
        keys.insert(
            "also".into(),
            report.also.iter().map(Error::one_line).collect(),
        );
    }
    keys
}

fn line(level: Level, message: String, mut keys: Map<String, Value>, format: LogFormat) -> String {
    let time = clock::now_rfc3339();
    if format == LogFormat::Json {
        keys.insert("level".into(), level.name().into());
        keys.insert("msg".into(), message.into());
        keys.insert("time".into(), time.into());
        return Value::Object(keys).to_string() + "\n";
    }
    let mut line = format!("time=\"{time}\" level={} msg={message:?}", level.name());
    for (key, value) in keys {
        let _ = write!(line, " {key}={value}");
    }
    line + "\n"
}

/// One write(2). There is nobody left to tell that a log cannot be written: a failure is ignored.
fn put(mut to: impl std::io::Write, line: &str) {
    let _ = to.write_all(line.as_bytes());
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;

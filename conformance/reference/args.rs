//! runc's command line, as far as the benchmark and the differential tests use it.
//! Flags that it does not know are refused, never ignored: a comparison must not rest on a guess.

use std::path::PathBuf;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Create,
    Start,
    State,
    Kill,
    Delete,
    Run,
    Version,
}

/// Whether the command stays until the container's process has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    Foreground,
    Detached,
}

/// One command line, parsed.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) root: PathBuf,
    pub(crate) verb: Verb,
    pub(crate) id: String,
    pub(crate) bundle: PathBuf,
    pub(crate) pid_file: Option<PathBuf>,
    pub(crate) console_socket: Option<PathBuf>,
    pub(crate) lifetime: Lifetime,
    pub(crate) no_pivot: bool,
    pub(crate) force: bool,
    pub(crate) all: bool,
    pub(crate) signal: String,
}

/// Reads `[global flags] VERB [flags] ID [SIGNAL]`; flags may also follow the id.
pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Args, String> {
    let mut words = words.peekable();
    let mut args = Args {
        root: PathBuf::from("/run/orbital-reference"),
        verb: Verb::State,
        id: String::new(),
        bundle: PathBuf::from("."),
        pid_file: None,
        console_socket: None,
        lifetime: Lifetime::Foreground,
        no_pivot: false,
        force: false,
        all: false,
        signal: "SIGTERM".to_owned(),
    };
    let mut plain = Vec::new();
    while let Some(word) = words.next() {
        let (name, joined) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        let mut value = || {
            joined
                .clone()
                .or_else(|| words.next())
                .ok_or(format!("{name} needs a value"))
        };
        match name {
            "--root" => args.root = value()?.into(),
            "--bundle" | "-b" => args.bundle = value()?.into(),
            "--pid-file" => args.pid_file = Some(value()?.into()),
            "--console-socket" => args.console_socket = Some(value()?.into()),
            "--detach" | "-d" => args.lifetime = Lifetime::Detached,
            "--no-pivot" => args.no_pivot = true,
            "--force" | "-f" => args.force = true,
            "--all" | "-a" => args.all = true,
            "--version" => {
                args.verb = Verb::Version;
                return Ok(args);
            }
            flag if flag.starts_with('-') => return Err(format!("unknown flag {flag}")),
            _ => plain.push(word),
        }
    }
    let mut plain = plain.into_iter();
    args.verb = verb(
        &plain
            .next()
            .ok_or("usage: reference --root DIR VERB [FLAGS] ID")?,
    )?;
    args.id = plain.next().ok_or("container id cannot be empty")?;
    if let Some(signal) = plain.next() {
        args.signal = signal;
    }
    match plain.next() {
        Some(extra) => Err(format!("unexpected argument {extra:?}")),
        None => Ok(args),
    }
}

fn verb(word: &str) -> Result<Verb, String> {
    Ok(match word {
        "create" => Verb::Create,
        "start" => Verb::Start,
        "state" => Verb::State,
        "kill" => Verb::Kill,
        "delete" => Verb::Delete,
        "run" => Verb::Run,
        other => return Err(format!("unknown verb {other:?}")),
    })
}

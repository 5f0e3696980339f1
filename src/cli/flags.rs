//! The flags before the verb, and those of the verbs that callers type all day, as tables.
//!
//! From them `args` makes clap's definitions, and `quick` reads a command line without making any.

/// A flag.
#[derive(Debug)]
pub struct Flag {
    /// As it is typed, without dashes.
    pub name: &'static str,
    /// The same as one letter.
    pub short: Option<char>,
    /// What follows it.
    pub takes: Takes,
    /// A line of help.
    pub help: &'static str,
}

/// What follows a flag. Of a value the name in the help.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// Nothing: it is a switch.
    Nothing,
    /// Whatever is typed.
    Text(&'static str),
    /// The same, as often as it is typed.
    Many(&'static str),
    /// One of these words.
    Word(&'static str, &'static [&'static str]),
    /// A number, 0 to 4294967295.
    Number(&'static str),
}

impl Flag {
    const fn new(name: &'static str, takes: Takes, help: &'static str) -> Flag {
        Flag {
            name,
            short: None,
            takes,
            help,
        }
    }

    const fn short(self, letter: char) -> Flag {
        Flag {
            short: Some(letter),
            ..self
        }
    }
}

use Takes::{Many, Nothing, Number, Text, Word};

/// Before the verb, but for those that print and end.
#[rustfmt::skip]
pub const GLOBAL: [Flag; 9] = [
    Flag::new("root", Text("DIR"), "where containers are remembered [/run/orbital; for a user $XDG_RUNTIME_DIR/orbital]"),
    Flag::new("log", Text("FILE"), "append errors to this file, or send them to journald:NAME or syslog:NAME"),
    Flag::new("log-format", Word("FORMAT", &["text", "json"]), "how they are written"),
    Flag::new("log-level", Word("LEVEL", &["error", "warning", "info", "debug"]), "debug does what --debug does"),
    Flag::new("debug", Nothing, "log every act, too"),
    Flag::new("systemd-cgroup", Nothing, "let systemd make the cgroup"),
    Flag::new("cgroup-manager", Word("WHO", &["cgroupfs", "systemd", "disabled"]), "who makes the cgroup"),
    Flag::new("rootless", Word("WORD", &["auto", "true", "false"]), "accepted for runc's callers; orbital sees for itself"),
    Flag::new("criu", Text("PATH"), "accepted for runc's callers, and ignored"),
];

/// Of `create` and `run`.
#[rustfmt::skip]
pub const BIRTH: [Flag; 7] = [
    Flag::new("bundle", Text("DIR"), "the folder with config.json").short('b'),
    Flag::new("console-socket", Text("SOCKET"), "unix socket that receives the terminal (with /process/terminal)"),
    Flag::new("pid-file", Text("FILE"), "write the process id here when the container is ready"),
    Flag::new("no-pivot", Nothing, "enter the root by chroot, where / is the initial ramfs"),
    Flag::new("no-new-keyring", Nothing, "keep the caller's session keyring"),
    Flag::new("preserve-fds", Number("N"), "pass N descriptors on, from 3"),
    Flag::new("pidfd-socket", Text("SOCKET"), "unix socket that receives the process as a descriptor"),
];

/// Of `run` alone.
#[rustfmt::skip]
pub const RUN: [Flag; 3] = [
    Flag::new("detach", Nothing, "do not wait for the end").short('d'),
    Flag::new("keep", Nothing, "do not delete the container at the end"),
    Flag::new("no-subreaper", Nothing, "accepted for runc's callers; orbital never needs to be one"),
];

/// Of `kill`.
pub const KILL: [Flag; 1] = [Flag::new(
    "all",
    Nothing,
    "to all of its processes, not only to the first",
)
.short('a')];

/// Of `delete`.
#[rustfmt::skip]
pub const DELETE: [Flag; 1] = [
    Flag::new("force", Nothing, "kill it first if it lives; no error if it does not exist").short('f'),
];

/// Of `exec`: how it is run, then what it is.
#[rustfmt::skip]
pub const EXEC: [Flag; 17] = [
    Flag::new("detach", Nothing, "do not wait for the end").short('d'),
    Flag::new("pid-file", Text("FILE"), "write the process id here when the program has begun"),
    Flag::new("console-socket", Text("SOCKET"), "unix socket that receives the terminal (with --tty)"),
    Flag::new("pidfd-socket", Text("SOCKET"), "unix socket that receives the process as a descriptor"),
    Flag::new("preserve-fds", Number("N"), "pass N descriptors on, from 3"),
    Flag::new("ignore-paused", Nothing, "in a paused container too: it begins when that is resumed"),
    Flag::new("cgroup", Many("PATH"), "a cgroup below the container's own to be born in"),
    Flag::new("process", Text("FILE"), "the process as JSON, like /process; the flags below come on top").short('p'),
    Flag::new("tty", Nothing, "give it a terminal").short('t'),
    Flag::new("user", Text("UID[:GID]"), "who it is, by numbers").short('u'),
    Flag::new("additional-gids", Many("GID"), "one more group, by its number").short('g'),
    Flag::new("cwd", Text("DIR"), "its working directory in the container"),
    Flag::new("env", Many("NAME=VALUE"), "one more variable of its environment").short('e'),
    Flag::new("cap", Many("CAPABILITY"), "one more capability, such as CAP_KILL").short('c'),
    Flag::new("no-new-privs", Nothing, "execve is never to grant it privileges"),
    Flag::new("apparmor", Text("PROFILE"), "its AppArmor profile"),
    Flag::new("process-label", Text("LABEL"), "its SELinux label"),
];

/// How far flags are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Up to the first word that is no flag; the rest is left as it is.
    FirstWord,
    /// To the end: flags may follow the id.
    End,
}

/// What may follow a verb.
#[derive(Debug)]
pub struct Usage {
    /// Its flags.
    pub flags: &'static [&'static [Flag]],
    /// Its words, the first of which must be there.
    pub words: &'static [&'static str],
    /// How far its flags go; where the first word ends them, as many may follow as there are.
    pub reach: Extent,
}

/// What may follow one of the verbs that have tables.
#[must_use]
pub fn usage(verb: &str) -> Option<Usage> {
    const ID: &[&str] = &["id"];
    let (flags, words): (&[&[Flag]], _) = match verb {
        "create" => (&[&BIRTH], ID),
        "run" => (&[&BIRTH, &RUN], ID),
        "start" | "state" => (&[], ID),
        "kill" => (&[&KILL], &["id", "signal"]),
        "delete" => (&[&DELETE], ID),
        "exec" => (&[&EXEC], &["id", "command"]),
        _ => return None,
    };
    Some(Usage {
        flags,
        words,
        reach: extent(verb),
    })
}

/// How far the flags of a verb go.
#[must_use]
pub fn extent(verb: &str) -> Extent {
    match verb {
        // What follows the id is another program's words.
        "ps" | "exec" => Extent::FirstWord,
        _ => Extent::End,
    }
}

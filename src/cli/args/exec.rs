//! The definition of `exec`, which has more flags than any other verb.

use super::{Command, id, many, switch, value};
use clap::{Arg, value_parser};

/// Flags, arguments and long help.
pub(super) fn exec(command: Command) -> Command {
    let words = Arg::new("command")
        .value_name("COMMAND")
        .num_args(0..)
        .value_parser(value_parser!(std::ffi::OsString));
    command
        .arg(id())
        .arg(words.help("the program and its arguments; without --process it is required"))
        .args(manner())
        .args(process())
        .about(
            "\
Run a second process in a container that lives: in its namespaces, its cgroup and its root
directory, under the same seccomp filter. What is not said here is as for the container's first
process. The exit status is the program's own, 128 and the signal's number where a signal ended
it, and 255 where the program could not be begun.",
        )
        .after_help("Example:\n  orbital exec c1 ps\n  orbital exec --tty c1 sh")
}

/// How it is run.
fn manner() -> [Arg; 8] {
    [
        switch("detach", "do not wait for the end").short('d'),
        value(
            "pid-file",
            "FILE",
            "write the process id here when the program has begun",
        ),
        value(
            "console-socket",
            "SOCKET",
            "unix socket that receives the terminal (with --tty)",
        ),
        value(
            "pidfd-socket",
            "SOCKET",
            "unix socket that receives the process as a descriptor",
        ),
        value("preserve-fds", "N", "pass N descriptors on, from 3")
            .value_parser(value_parser!(u32)),
        switch(
            "ignore-paused",
            "in a paused container too: it begins when that is resumed",
        ),
        many(
            "cgroup",
            "PATH",
            "a cgroup below the container's own to be born in",
        ),
        value(
            "process",
            "FILE",
            "the process as JSON, like /process; the flags below come on top",
        )
        .short('p'),
    ]
}

/// What it is.
fn process() -> [Arg; 9] {
    [
        switch("tty", "give it a terminal").short('t'),
        value("user", "UID[:GID]", "who it is, by numbers").short('u'),
        many("additional-gids", "GID", "one more group, by its number").short('g'),
        value("cwd", "DIR", "its working directory in the container"),
        many("env", "NAME=VALUE", "one more variable of its environment").short('e'),
        many("cap", "CAPABILITY", "one more capability, such as CAP_KILL").short('c'),
        switch("no-new-privs", "execve is never to grant it privileges"),
        value("apparmor", "PROFILE", "its AppArmor profile"),
        value("process-label", "LABEL", "its SELinux label"),
    ]
}

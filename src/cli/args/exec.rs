//! The definition of `exec`, which has more flags than any other verb.

use super::{Command, arg, id};
use crate::cli::flags;
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
        .args(flags::EXEC.iter().map(arg))
        .about(
            "\
Run a second process in a container that lives: in its namespaces, its cgroup and its root
directory, under the same seccomp filter. What is not said here is as for the container's first
process. The exit status is the program's own, 128 and the signal's number where a signal ended
it, and 255 where the program could not be begun.",
        )
        .after_help("Example:\n  orbital exec c1 ps\n  orbital exec --tty c1 sh")
}

//! The verbs for a container that lives: look at it, pause it, change its limits.

use super::{choice, id, switch, value};
use crate::cli::limits;
use clap::{Arg, ArgAction, Command, value_parser};

pub(super) fn ps(command: Command) -> Command {
    let options = Arg::new("options")
        .value_name("PS OPTIONS")
        .action(ArgAction::Append)
        .num_args(0..)
        .value_parser(value_parser!(std::ffi::OsString))
        .help("options for the host's ps; its columns must include PID [-ef]");
    command
        .arg(id())
        .arg(options)
        .arg(
            choice(
                "format",
                "FORMAT",
                &["table", "json"],
                "for people or for programs",
            )
            .short('f'),
        )
        .about(
            "\
Show the processes of a container and of all groups below its own. The kernel says which they
are; a table is what the host's own ps says about them, json is their process ids alone.",
        )
        .after_help("Example:\n  orbital ps c1\n  orbital ps c1 -o pid,user,args\n  orbital ps --format json c1")
}

pub(super) fn pause(command: Command) -> Command {
    command
        .arg(id())
        .about(
            "\
Stop every process of a container where it stands, and return when they all stand. They keep
their memory and their open files, and know nothing of it; `orbital resume` lets them go on.
A paused container can still be killed and deleted.",
        )
        .after_help("Example:\n  orbital pause c1")
}

pub(super) fn resume(command: Command) -> Command {
    command
        .arg(id())
        .about("Let the processes of a paused container go on.")
        .after_help("Example:\n  orbital resume c1")
}

pub(super) fn update(command: Command) -> Command {
    let resources = value(
        "resources",
        "FILE",
        "read them from this file, or - for standard input, as JSON",
    );
    command
        .arg(id())
        .arg(resources.short('r'))
        .args(limits::FLAGS.iter().map(flag))
        .args([
            value(
                "l3-cache-schema",
                "LINE",
                "shares of the L3 cache, such as L3:0=ff",
            ),
            value(
                "mem-bw-schema",
                "LINE",
                "shares of memory bandwidth, such as MB:0=50",
            ),
        ])
        .about(
            "\
Change the limits of a container that lives. What is not named stays as it is, and so do its
devices. If the kernel refuses one of several, those before it are taken back. With --resources
the other limits are ignored; its JSON is what /linux/resources of config.json would be. Sizes
may end in k, m, g or t; -1 means no limit.",
        )
        .after_help(
            "Example:\n  orbital update --memory 64m --pids-limit 100 c1\n  \
             echo '{\"cpu\": {\"quota\": 50000}}' | orbital update --resources - c1",
        )
}

fn flag(flag: &limits::Flag) -> Arg {
    let arg = value(flag.name, flag.of, flag.help);
    // What cgroup v2 does not have is taken from old callers and shown to nobody.
    arg.hide(flag.help.is_empty())
}

pub(super) fn events(command: Command) -> Command {
    command
        .arg(id())
        .args([
            switch("stats", "print what it uses now, once, and end"),
            value(
                "interval",
                "TIME",
                "how often to print it, such as 500ms or 1m [5s]",
            ),
        ])
        .about(
            "\
Print what a container uses, one JSON object a line, again and again until it ends; and a
line of its own each time the kernel kills one of its processes for want of memory.",
        )
        .after_help("Example:\n  orbital events --stats c1")
}

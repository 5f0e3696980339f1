//! The definitions of `checkpoint` and `restore`.

use super::{Command, bundle, choice, id, switch, value};
use crate::cli::checkpoint::{CgroupMode, SWITCHES, Verbs};
use clap::Arg;

pub(super) fn checkpoint(command: Command) -> Command {
    command
        .arg(id())
        .args(images(Verbs::Checkpoint))
        .args([
            switch(
                "pre-dump",
                "write its memory only, for a later checkpoint; it goes on",
            ),
            value(
                "parent-path",
                "DIR",
                "earlier images to build on, relative to --image-path",
            ),
            value(
                "page-server",
                "ADDRESS:PORT",
                "send its memory there instead",
            ),
            value(
                "status-fd",
                "N",
                "write a zero byte here when pages can be asked for",
            ),
        ])
        .about(
            "\
Write a running container to disk, with its memory, its open files and everything that the
kernel knows of it, and remove it. `orbital restore` lets it go on from there, on this machine or
on another one. This is the work of CRIU, which must be installed.",
        )
        .after_help("Example:\n  orbital checkpoint --image-path /var/tmp/c1 c1")
}

pub(super) fn restore(command: Command) -> Command {
    command
        .arg(id())
        .args(images(Verbs::Restore))
        .args([
            bundle("the folder with the config.json that it was made from"),
            value(
                "console-socket",
                "SOCKET",
                "unix socket that receives the terminal",
            ),
            value(
                "pid-file",
                "FILE",
                "write the process id here when the container runs",
            ),
            switch("detach", "do not wait for the end").short('d'),
            value(
                "lsm-profile",
                "TYPE:NAME",
                "another security profile than the one in the images",
            ),
            value(
                "lsm-mount-context",
                "CONTEXT",
                "another SELinux context of its mounts",
            ),
            switch(
                "no-pivot",
                "accepted for runc's callers; CRIU sees for itself",
            ),
            switch(
                "no-subreaper",
                "accepted for runc's callers; orbital never needs to be one",
            ),
        ])
        .about(
            "\
Let a container go on from the images that `orbital checkpoint` has written: the same processes
with the same memory, in a bundle like the one that it had. Without --detach orbital waits for its
end, as run does.",
        )
        .after_help(
            "Example:\n  orbital restore --image-path /var/tmp/c1 --bundle hello --detach c1",
        )
}

fn images(verb: Verbs) -> Vec<Arg> {
    let mut args = vec![
        value("image-path", "DIR", "where the images are [./checkpoint]"),
        value(
            "work-path",
            "DIR",
            "where CRIU writes its log [the same place]",
        ),
        choice(
            "manage-cgroups-mode",
            "MODE",
            &CgroupMode::WORDS,
            "limits to keep",
        ),
        super::many(
            "empty-ns",
            "NAMESPACE",
            "bring this namespace up empty: network, which always is",
        ),
    ];
    let switches = SWITCHES.iter().filter(|one| one.of.holds(verb));
    args.extend(switches.map(|one| switch(one.flag, one.help)));
    args
}

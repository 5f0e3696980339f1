//! Flags of `run` as clap knows them. A table: name, letter, what its value is, what it does. A value that may
//! be given more than once says so by a `…`.

use crate::engine::cli::fetching::fetching;
use crate::engine::cli::word;
use clap::{Arg, ArgAction, Command, value_parser};
use std::ffi::OsString;

/// A flag with a value; a letter of `\0` is none.
type Row = (&'static str, char, &'static str, &'static str);

/// Rows of the table below.
const COUNT: usize = 76;

const VALUES: [Row; COUNT] = [
    ("name", '\0', "NAME", "what it is called [two random words]"),
    (
        "rootfs",
        '\0',
        "DIR",
        "run on this directory in place of an image; DIR:O or / under a throw-away overlay",
    ),
    ("cidfile", '\0', "FILE", "write the container's id here"),
    (
        "pidfile",
        '\0',
        "FILE",
        "write the first process's pid here",
    ),
    (
        "env",
        'e',
        "NAME[=VALUE]…",
        "set a variable; without a value, or with NAME*, the caller's",
    ),
    (
        "env-file",
        '\0',
        "FILE…",
        "set variables from a file of lines",
    ),
    (
        "user",
        'u',
        "USER[:GROUP]",
        "who runs the command, by name or number",
    ),
    ("group-add", '\0', "GROUP…", "one more group"),
    ("workdir", 'w', "DIR", "where the command starts"),
    ("umask", '\0', "OCTAL", "its umask [0022]"),
    (
        "entrypoint",
        '\0',
        "PROGRAM",
        "in place of the image's entrypoint; a JSON array for many words",
    ),
    (
        "hostname",
        'h',
        "NAME",
        "its host name [the first digits of its id]",
    ),
    (
        "volume",
        'v',
        "SRC:DST[:OPTIONS]…",
        "mount a directory of the host or a volume",
    ),
    (
        "mount",
        '\0',
        "type=bind|volume|tmpfs|image,…",
        "the same in words",
    ),
    ("tmpfs", '\0', "DST[:OPTIONS]…", "mount a new tmpfs"),
    (
        "volumes-from",
        '\0',
        "CONTAINER…",
        "mount the volumes of another container",
    ),
    (
        "device",
        '\0',
        "SRC[:DST][:rwm]…",
        "give it a device of the host, or of a vendor: vendor.com/class=name",
    ),
    (
        "gpus",
        '\0',
        "all|NUMBER|device=LIST…",
        "NVIDIA's processors, as --device nvidia.com/gpu=…",
    ),
    (
        "device-cgroup-rule",
        '\0',
        "RULE…",
        "let it use devices, such as 'c 42:* rwm'",
    ),
    ("cap-add", '\0', "CAPABILITY…", "grant a capability, or ALL"),
    (
        "cap-drop",
        '\0',
        "CAPABILITY…",
        "take a capability away, or ALL",
    ),
    (
        "security-opt",
        '\0',
        "OPTION…",
        "seccomp=FILE, apparmor=NAME, label=LABEL, no-new-privileges, systempaths=unconfined and more",
    ),
    (
        "ulimit",
        '\0',
        "NAME=SOFT[:HARD]…",
        "limit a resource of each process",
    ),
    (
        "sysctl",
        '\0',
        "NAME=VALUE…",
        "set a kernel parameter of its namespaces",
    ),
    ("memory", 'm', "BYTES", "most memory, such as 512m"),
    (
        "memory-swap",
        '\0',
        "BYTES",
        "most memory and swap together [twice the memory]; -1 for no limit",
    ),
    (
        "memory-reservation",
        '\0',
        "BYTES",
        "memory that is left to it when there is little",
    ),
    ("cpus", '\0', "NUMBER", "most processor time, such as 1.5"),
    (
        "cpu-shares",
        'c',
        "WEIGHT",
        "its share of processor time [1024]",
    ),
    (
        "cpu-quota",
        '\0',
        "MICROSECONDS",
        "processor time in each period",
    ),
    ("cpu-period", '\0', "MICROSECONDS", "the period [100000]"),
    ("cpuset-cpus", '\0', "LIST", "processors, such as 0-3,7"),
    ("cpuset-mems", '\0', "LIST", "memory nodes"),
    (
        "pids-limit",
        '\0',
        "NUMBER",
        "most processes and threads [2048]; -1 for no limit",
    ),
    (
        "blkio-weight",
        '\0',
        "WEIGHT",
        "its share of block I/O, 10 to 1000",
    ),
    (
        "device-read-bps",
        '\0',
        "DEVICE:BYTES…",
        "most bytes read a second",
    ),
    (
        "device-write-bps",
        '\0',
        "DEVICE:BYTES…",
        "most bytes written a second",
    ),
    (
        "device-read-iops",
        '\0',
        "DEVICE:NUMBER…",
        "most reads a second",
    ),
    (
        "device-write-iops",
        '\0',
        "DEVICE:NUMBER…",
        "most writes a second",
    ),
    (
        "cgroup-conf",
        '\0',
        "FILE=VALUE…",
        "write to a file of its cgroup, such as memory.high=64M",
    ),
    (
        "cgroup-parent",
        '\0',
        "PATH",
        "put its cgroup below this one",
    ),
    ("shm-size", '\0', "BYTES", "the size of /dev/shm [64m]"),
    (
        "oom-score-adj",
        '\0',
        "NUMBER",
        "how soon it ends when memory runs out, -1000 to 1000",
    ),
    (
        "network",
        '\0',
        "MODE…",
        "bridge, none, host, container:ID, ns:PATH or a network's name",
    ),
    (
        "publish",
        'p',
        "[[IP:][HOST]:]PORT[/PROTO]…",
        "publish a port on the host",
    ),
    ("expose", '\0', "PORT[/PROTO]…", "a port that -P publishes"),
    (
        "add-host",
        '\0',
        "NAME:ADDRESS…",
        "add a line to /etc/hosts",
    ),
    ("dns", '\0', "ADDRESS…", "ask this name server"),
    (
        "dns-search",
        '\0',
        "DOMAIN…",
        "look for names in this domain",
    ),
    ("dns-option", '\0', "OPTION…", "an option of resolv.conf"),
    ("ip", '\0', "ADDRESS", "its IPv4 address"),
    ("ip6", '\0', "ADDRESS", "its IPv6 address"),
    ("mac-address", '\0', "ADDRESS", "its hardware address"),
    (
        "pid",
        '\0',
        "MODE",
        "private, host, container:ID or ns:PATH",
    ),
    ("ipc", '\0', "MODE", "the same"),
    ("uts", '\0', "MODE", "the same"),
    ("cgroupns", '\0', "MODE", "the same"),
    (
        "userns",
        '\0',
        "MODE",
        "whose ids: host, auto[:size=N], keep-id[:uid=N,gid=N] or nomap [host]",
    ),
    (
        "uidmap",
        '\0',
        "CONTAINER:HOST:COUNT…",
        "a user namespace in which these users are those of the host",
    ),
    (
        "gidmap",
        '\0',
        "CONTAINER:HOST:COUNT…",
        "the same of groups [as --uidmap]",
    ),
    (
        "annotation",
        '\0',
        "NAME=VALUE…",
        "for hooks: a line of config.json",
    ),
    (
        "detach-keys",
        '\0',
        "KEYS",
        "what leaves it, one after the other [ctrl-p,ctrl-q]",
    ),
    ("stop-signal", '\0', "SIGNAL", "what stop sends [SIGTERM]"),
    ("stop-timeout", '\0', "SECONDS", "how long stop waits [10]"),
    ("label", 'l', "NAME=VALUE…", "a label"),
    ("label-file", '\0', "FILE…", "labels from a file of lines"),
    (
        "log-driver",
        '\0',
        "json-file|none",
        "where its output is kept [json-file]",
    ),
    ("log-opt", '\0', "NAME=VALUE…", "max-size=10m, max-file=3"),
    ("tz", '\0', "ZONE", "its time zone, or local"),
    (
        "pull",
        '\0',
        "always|missing|never|newer",
        "when to fetch the image [missing]",
    ),
    // The seeds' own spellings, with one dash: see wish.rs, SEEDS.
    ("cpu", '\0', "LIMIT", ""),
    ("bridge", '\0', "NAME", ""),
    ("bridge-cidr", '\0', "CIDR", ""),
    ("host-name", 'H', "NAME", ""),
    ("net", '\0', "MODE…", ""),
    ("dns-opt", '\0', "OPTION…", ""),
];

const SWITCHES: [(&str, char, &str); 11] = [
    ("rm", '\0', "remove it at its end"),
    ("interactive", 'i', "its standard input is ours"),
    ("tty", 't', "give it a terminal"),
    ("detach", 'd', "do not wait for its end; print its id"),
    (
        "init",
        '\0',
        "a small process 1 that hands on signals and collects orphans",
    ),
    (
        "privileged",
        '\0',
        "all capabilities and devices, nothing hidden",
    ),
    ("read-only", '\0', "its root file system is read-only"),
    (
        "overlay",
        '\0',
        "with a directory: what it writes is thrown away",
    ),
    (
        "publish-all",
        'P',
        "publish all exposed ports on random ones of the host",
    ),
    ("http-proxy", '\0', "hand the caller's proxy variables on"),
    ("quiet", 'q', "no progress while the image is fetched"),
];

pub(super) fn define(command: Command) -> Command {
    let letter = |arg: Arg, letter: char| match letter {
        '\0' => arg,
        letter => arg.short(letter),
    };
    let values = VALUES.map(|(name, short, of, help)| {
        let many = of.ends_with('…');
        let arg = Arg::new(name)
            .long(name)
            .value_name(of.trim_end_matches('…'))
            .help(help)
            .hide(help.is_empty())
            .value_parser(value_parser!(OsString));
        let action = if many {
            ArgAction::Append
        } else {
            ArgAction::Set
        };
        letter(arg.action(action), short)
    });
    let switches = SWITCHES.map(|(name, short, help)| {
        letter(
            Arg::new(name)
                .long(name)
                .help(help)
                .action(ArgAction::SetTrue),
            short,
        )
    });
    fetching(command)
        .args(switches)
        .args(values)
        .arg(
            word(
                "words",
                "IMAGE|DIR [COMMAND]",
                "an image, or a directory that begins with / or . , and the command",
            )
            .num_args(0..),
        )
        .about(
            "\
Run a command in a new container, made of an image or of a directory. The exit status is the
command's; 125 where the engine, 126 where the command cannot be run, 127 where there is none.
Nothing of the caller's environment reaches it.",
        )
        .after_help(
            "\
Examples:
  orbital run -it alpine sh
  orbital run -d -p 8080:80 --name web nginx
  orbital run --rm --rootfs / -- sh        on the host's own files, nothing of it kept
  orbital run ./rootfs /bin/sh             on a directory as it is",
        )
}

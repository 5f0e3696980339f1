//! Flags and verbs of docker and podman that orbital has not, and what to do in their place.

use crate::error::Error;

const DAEMON: &str = "there is no daemon that could: have systemd start orbital run --rm --name NAME IMAGE, with Restart= in the unit";
const HEALTH: &str = "there is no daemon that could look: have a timer call orbital exec";
const V1: &str = "cgroup v2 has no such limit; --cgroup-conf FILE=VALUE sets any that it has";

/// Flags of `run`, and of verbs by the name.
const FLAGS: [(&str, &str); 15] = [
    ("restart", DAEMON),
    ("health-cmd", HEALTH),
    ("health-interval", HEALTH),
    ("health-retries", HEALTH),
    ("health-timeout", HEALTH),
    ("no-healthcheck", HEALTH),
    (
        "link",
        "containers of one network know each other by name: orbital network create, then --network",
    ),
    (
        "runtime",
        "the variable ORBITAL_RUNTIME names another runtime",
    ),
    ("memory-swappiness", V1),
    ("oom-kill-disable", V1),
    ("kernel-memory", V1),
    ("cpu-rt-runtime", V1),
    (
        "env-host",
        "name what the container may know of the caller's environment: -e NAME, or -e 'NAME*'",
    ),
    (
        "pod",
        "share another container's namespaces: --network container:NAME, --ipc container:NAME, --pid container:NAME",
    ),
    ("volume-driver", "mount it on the host, and then with -v"),
];

const VERBS: [(&str, &str); 13] = [
    (
        "build",
        "buildah or docker build an image, and orbital pull oci-archive:FILE takes it",
    ),
    (
        "buildx",
        "buildah or docker build an image, and orbital pull oci-archive:FILE takes it",
    ),
    (
        "push",
        "orbital save writes a file, which skopeo copy docker-archive:FILE docker://NAME brings to a registry",
    ),
    (
        "commit",
        "orbital cp CONTAINER:/ - writes its files as a tar, of which orbital import makes an image",
    ),
    (
        "export",
        "orbital cp CONTAINER:/ - writes its files as a tar",
    ),
    ("create", "orbital run -d makes and starts one"),
    (
        "compose",
        "orbital run and orbital network do it one by one",
    ),
    (
        "pod",
        "share another container's namespaces: orbital run --network container:NAME",
    ),
    (
        "generate",
        "a unit of systemd needs one line: ExecStart=orbital run --rm --name NAME IMAGE",
    ),
    ("version", "orbital --version"),
    ("history", "orbital inspect IMAGE has it"),
    (
        "container",
        "the same verb without it: orbital ps, orbital rm",
    ),
    ("search", "a registry's own page finds images"),
];

/// What to do in place of the flag that `error` is about; the error as it was where nothing is known.
pub(super) fn flag(error: Error) -> Error {
    let typed = error.report().object.words().unwrap_or_default();
    let name = typed
        .trim_start_matches('-')
        .split('=')
        .next()
        .unwrap_or_default()
        .to_owned();
    hinted(error, &FLAGS, &name)
}

/// The same of a verb.
pub(super) fn verb(error: Error, name: &str) -> Error {
    hinted(error, &VERBS, name)
}

fn hinted(error: Error, table: &[(&str, &str)], name: &str) -> Error {
    match table.iter().find(|(known, _)| *known == name) {
        Some((_, hint)) => error.hint(*hint),
        None => error,
    }
}

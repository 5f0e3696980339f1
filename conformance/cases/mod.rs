//! The cases, one topic a file. A case drives the runtime through its command line alone and
//! looks at the result from inside the container or through the kernel's own files; it does not
//! look into the runtime's state, and it knows no runtime's name but in a noted deviation.

use crate::case::Case;

/// create, start: the order of a container's life.
mod lifecycle;

/// The foreground life.
mod run;

/// The program is found at create, inside the container.
mod program;

/// The state document and the list.
mod state;

/// Signals.
mod kill;

/// Every process stands still.
mod pause;

/// A container goes on where it stood.
mod checkpoint;

/// The same: walls, and what cannot be.
mod checkpoint_walls;

/// The processes of a container.
mod ps;

/// Other limits for a container that lives.
mod update;

/// Changes that cannot be.
mod update_refused;

/// The limits of memory and processors, changed.
mod update_limits;

/// What a container uses.
mod events;

/// The same, line by line until it ends.
mod events_followed;

/// All containers.
mod list;

/// A second process: when it may be, how it ends.
mod exec;

/// A second process: who it is, where, with what.
mod exec_process;

/// A second process is confined as the first one is.
mod exec_confined;

/// A second process: its cgroup, and containers of all kinds.
mod exec_place;

/// A second process brings nothing with it.
mod exec_reach;

/// A second process with a terminal.
mod exec_terminal;

/// What is said where there can be none.
mod exec_words;

/// What is removed, and when it is refused.
mod delete;

/// New, joined and the host's namespaces.
mod namespaces;

/// The clocks of a time namespace.
mod clocks;

/// Network devices that are moved in.
mod net_devices;

/// Containers among the mounts of their caller.
mod shared_mounts;

/// Containers that share namespaces.
mod pod;

/// Mounts and their options.
mod mounts;

/// The mount options that every runtime must know.
mod mount_words;

/// Binds, targets that are made, the order of mounts.
mod volumes;

/// Options of volumes that do more than a flag.
mod volume_options;

/// Volumes whose files seem to be somebody else's.
mod mapped_volumes;

/// Ordinary programs of this machine.
mod real;

/// The root file system: propagation, read-only, pivot.
mod root;

/// rootfsPropagation, in all words.
mod propagation;

/// Root file systems that lie about where a path leads.
mod hostile;

/// Masked and read-only paths.
mod masks;

/// User namespaces and their mappings.
mod idmap;

/// Containers of an ordinary user.
mod rootless;

/// A runtime that is root in a user namespace only.
mod nested;

/// Capabilities and no_new_privs.
mod caps;

/// Environment, user, limits, working directory.
mod process;

/// The runtime's own file and the session are out of reach.
mod self_protection;

/// Device nodes, links and the device filter.
mod devices;

/// Kernel parameters of the container's own.
mod sysctl;

/// The seccomp filter in force.
mod seccomp;

/// Seccomp profiles that cannot be.
mod seccomp_refused;

/// The seccomp compiler beside libseccomp's.
mod seccomp_oracle;

/// CPU, disk and memory.
mod scheduling;

/// AppArmor and SELinux.
mod labels;

/// The seccomp filter in force, and its agent.
mod seccomp_loading;

/// The six hooks and the state they are told.
mod hooks;

/// What a hook finds around it.
mod hook_surroundings;

/// Where and when each kind of hook runs.
mod hook_places;

/// Hooks that fail or hang.
mod hook_failures;

/// Terminals.
mod console;

/// Placement and limits.
mod cgroup;

/// Limits, file by file, and the group's owner.
mod resources;

/// Controllers on the way to the group.
mod controllers;

/// Limits that are felt.
mod felt;

/// The least memory.
mod lowest;

/// Groups that systemd makes.
mod systemd;

/// Other limits for such a group.
mod systemd_update;

/// Those of a user's own systemd.
mod systemd_user;

/// An engine that lets systemd make them.
mod systemd_podman;

/// Where there is none.
mod systemd_absent;

/// Descriptors that get in.
mod fds;

/// The session keyring.
mod keyring;

/// What a service manager hands over and hears.
mod service;

/// Flags in every spelling.
mod flags;

/// The verbs that need no container.
mod cli;

/// What `features` lists is true.
mod features;

/// Log records, pid files, surroundings.
mod logs;

/// What callers rely on beside all that.
mod callers;

/// config.json that is wrong on its face.
mod config;

/// Members of config.json that must be there.
mod required;

/// The child's steps in their declared order.
mod steps;

/// Failures and interruptions leave nothing.
mod undo;

/// Many at a time, and racers.
mod stress;

/// A hostile process exchanges files for links while the runtime works with them.
mod races;

/// What a program or an image tries once it knows how runtimes work.
mod attacks;

/// The same against a second process and against whoever looks at the container.
mod attacks_later;

/// The runtime under a tracer, and calls that it is denied.
mod denied;

/// What the examples tell a newcomer to type.
mod examples;

/// Every topic with its cases.
const TOPICS: &[(&str, &[Case])] = &[
    ("lifecycle", lifecycle::CASES),
    ("run", run::CASES),
    ("program", program::CASES),
    ("state", state::CASES),
    ("kill", kill::CASES),
    ("pause", pause::CASES),
    ("checkpoint", checkpoint::CASES),
    ("checkpoint", checkpoint_walls::CASES),
    ("ps", ps::CASES),
    ("update", update::CASES),
    ("update", update_refused::CASES),
    ("update", update_limits::CASES),
    ("events", events::CASES),
    ("events", events_followed::CASES),
    ("list", list::CASES),
    ("exec", exec::CASES),
    ("exec", exec_process::CASES),
    ("exec", exec_confined::CASES),
    ("exec", exec_place::CASES),
    ("exec", exec_reach::CASES),
    ("exec", exec_terminal::CASES),
    ("exec", exec_words::CASES),
    ("delete", delete::CASES),
    ("namespaces", namespaces::CASES),
    ("shared-mounts", shared_mounts::CASES),
    ("clocks", clocks::CASES),
    ("net-devices", net_devices::CASES),
    ("pod", pod::CASES),
    ("mounts", mounts::CASES),
    ("mount-words", mount_words::CASES),
    ("volumes", volumes::CASES),
    ("volume-options", volume_options::CASES),
    ("mapped-volumes", mapped_volumes::CASES),
    ("real", real::CASES),
    ("root", root::CASES),
    ("propagation", propagation::CASES),
    ("hostile", hostile::CASES),
    ("masks", masks::CASES),
    ("idmap", idmap::CASES),
    ("rootless", rootless::CASES),
    ("nested", nested::CASES),
    ("caps", caps::CASES),
    ("process", process::CASES),
    ("self-protection", self_protection::CASES),
    ("devices", devices::CASES),
    ("sysctl", sysctl::CASES),
    ("seccomp", seccomp::CASES),
    ("seccomp-refused", seccomp_refused::CASES),
    ("seccomp-oracle", seccomp_oracle::CASES),
    ("scheduling", scheduling::CASES),
    ("labels", labels::CASES),
    ("seccomp-loading", seccomp_loading::CASES),
    ("hooks", hooks::CASES),
    ("hook-surroundings", hook_surroundings::CASES),
    ("hook-places", hook_places::CASES),
    ("hook-failures", hook_failures::CASES),
    ("console", console::CASES),
    ("cgroup", cgroup::CASES),
    ("cgroup", resources::CASES),
    ("cgroup", controllers::CASES),
    ("felt", felt::CASES),
    ("felt", lowest::CASES),
    ("systemd", systemd::CASES),
    ("systemd", systemd_update::CASES),
    ("systemd", systemd_user::CASES),
    ("systemd", systemd_podman::CASES),
    ("systemd", systemd_absent::CASES),
    ("fds", fds::CASES),
    ("keyring", keyring::CASES),
    ("service", service::CASES),
    ("flags", flags::CASES),
    ("cli", cli::CASES),
    ("features", features::CASES),
    ("logs", logs::CASES),
    ("callers", callers::CASES),
    ("config", config::CASES),
    ("required", required::CASES),
    ("steps", steps::CASES),
    ("undo", undo::CASES),
    ("stress", stress::CASES),
    ("races", races::CASES),
    ("attacks", attacks::CASES),
    ("attacks", attacks_later::CASES),
    ("denied", denied::CASES),
];

/// All cases as `topic/name`.
pub(crate) fn all() -> Vec<(String, Case)> {
    let named = |(topic, cases): &(&str, &'static [Case])| {
        let topic = (*topic).to_owned();
        cases
            .iter()
            .map(move |case| (format!("{topic}/{}", case.name), *case))
    };
    let topics = TOPICS.iter().flat_map(named);
    topics
        .chain(crate::messages::all())
        .chain(examples::all())
        .collect()
}

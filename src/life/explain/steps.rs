//! What one step does, for each step. A `match` without a wildcard: no step can be left out.

use super::flags;
use super::flags::{inside, words};
use super::parent::hook;
use super::text::{Part, command};
use crate::linux::step::Step;
use crate::plan::Plan;
use crate::plan::birth::{BecomeRoot, Joiner, Kind, NewCgroup};
use crate::plan::caps;
use crate::plan::console::Console;
use crate::plan::devices::Make;
use crate::plan::hooks::Hook;
use crate::plan::masks::Covered;
use crate::plan::mounts::{MountOp, Recursive, Source};
use crate::plan::process::{Home, NoNewPrivs};
use crate::plan::root::{Access, Entry};
use crate::plan::user::Groups;

/// What the step does for this plan; nothing where it is not taken.
pub(super) fn parts(plan: &Plan, step: Step) -> Vec<Part> {
    match step {
        Step::SealHeap => vec![Part::always("from here on nothing is decided or allocated: all that follows is ready in the plan", "")],
        Step::Mapped => vec![Part::always("waits until the runtime has done the above", "recvmsg")],
        Step::Join => join(plan),
        Step::BecomeRoot => when(plan.birth.become_root == BecomeRoot::Yes, "takes user and group 0 of its user namespace", "setresuid, setresgid", "/linux/namespaces"),
        Step::Unshare => when(plan.birth.new_cgroup == NewCgroup::Yes, "makes a cgroup namespace", "unshare", "/linux/namespaces"),
        Step::Session => session(plan),
        Step::Loopback => when(plan.birth.makes(Kind::Network), "brings lo up, with 127.0.0.1 and ::1", "ioctl SIOCSIFFLAGS", "/linux/namespaces"),
        Step::Propagation => propagation(plan),
        Step::Root => vec![Part::asked(format!("makes {} a mount of its own", words(&plan.root.path)), "open_tree, move_mount", plan.root.pointer.as_str())],
        Step::Mount => plan.mounts.iter().map(mount).collect(),
        Step::Devices => devices(plan),
        Step::Console => console(plan),
        Step::Mounted => mounted(plan),
        Step::CreateContainer => hooks("in the container's namespaces, calls the host's", &plan.hooks.create_container),
        Step::Pivot => vec![pivot(plan)],
        Step::RootFlags => root_flags(plan),
        Step::Stdio => vec![Part::always("of the three standard streams, those on the host's /dev/null go onto the container's", "dup3")],
        Step::Sysctl => plan.sysctls.iter().map(sysctl).collect(),
        Step::ReadOnly => covered("makes read-only", "open_tree, mount_setattr, move_mount", &plan.masks.read_only),
        Step::Mask => covered("makes empty", "move_mount", &plan.masks.masked),
        Step::Hostname => name(plan.names.host.as_deref(), "sethostname", "/hostname"),
        Step::Domainname => name(plan.names.domain.as_deref(), "setdomainname", "/domainname"),
        Step::Personality => plan.names.personality.iter().map(|value| personality(*value)).collect(),
        Step::NoNewPrivs => when(plan.process.no_new_privs == NoNewPrivs::Yes, "execve will never again grant more rights, as a set-user-id file would", "prctl PR_SET_NO_NEW_PRIVS", "/process/noNewPrivileges"),
        Step::Bounding => vec![set("may never get more than", plan.caps.bounding, "prctl PR_CAPBSET_DROP", "bounding")],
        Step::Ids => ids(plan),
        Step::Capabilities => capabilities(plan),
        Step::Cwd => vec![Part::asked(words(&plan.process.cwd), "openat2, fchdir, getcwd", "/process/cwd")],
        Step::Find => find(plan),
        Step::CloseOnExec => vec![close(plan)],
        Step::Ready => vec![Part::always("tells the runtime, and waits until this is written down: orbital create ends here", "sendmsg, recvmsg")],
        Step::Start => vec![Part::always("sleeps: the state is created", "accept4")],
        Step::StartContainer => hooks("in the container, calls the container's", &plan.hooks.start_container),
        Step::Execute => vec![Part::asked(command(&plan.process.argv), "execve", "/process/args")],
    }
}

fn when(asked: bool, what: &str, call: &'static str, from: &str) -> Vec<Part> {
    if asked { vec![Part::asked(what, call, from)] } else { Vec::new() }
}

fn join(plan: &Plan) -> Vec<Part> {
    let own = plan.birth.joins.iter().filter(|join| join.by == Joiner::Child);
    own.map(|join| Part::asked(format!("the {} namespace at {}", join.kind.name(), words(&join.path)), "setns", join.pointer.as_str())).collect()
}

fn session(plan: &Plan) -> Vec<Part> {
    let mut parts = vec![Part::always("leaves the caller's session and terminal", "setsid")];
    if let Some(name) = &plan.process.keyring {
        parts.push(Part::always(format!("begins an empty keyring, {}", words(name)), "keyctl KEYCTL_JOIN_SESSION_KEYRING"));
    }
    parts
}

fn propagation(plan: &Plan) -> Vec<Part> {
    let what = match plan.root.host_propagation {
        0 => "only / itself is cut off: what the host mounts and what is mounted here show on both sides".to_owned(),
        bits => format!("{}: what is mounted here does not show on the host", flags::propagation(bits)),
    };
    vec![Part::asked(what, "mount_setattr", "/linux/rootfsPropagation")]
}

fn mount(op: &MountOp) -> Part {
    let (what, mut options, call) = match &op.source {
        Source::New { kind, options, attributes } => {
            let given = options.iter().map(|option| match &option.value {
                Some(value) => format!("{}={}", words(&option.key), words(value)),
                None => words(&option.key),
            });
            let all = flags::attributes(*attributes).into_iter().chain(given).collect::<Vec<_>>();
            (format!("a new {}", words(kind)), all, "fsopen, fsconfig, fsmount, move_mount")
        }
        Source::Bind { path, recursive, attributes, tree_attributes, .. } => {
            let below = if *recursive == Recursive::Yes { " with all mounts below it" } else { "" };
            let tree = flags::change(tree_attributes).into_iter().map(|word| format!("{word} all the way down"));
            let all = flags::change(attributes).into_iter().chain(tree).collect::<Vec<_>>();
            (format!("the host's {}{below}", words(path)), all, "open_tree, mount_setattr, move_mount")
        }
    };
    options.extend(op.propagation.iter().map(|bits| flags::propagation(*bits)));
    let options = if options.is_empty() { String::new() } else { format!(": {}", options.join(", ")) };
    Part::asked(format!("on {}, {what}{options}", inside(&op.target)), call, op.pointer.as_str())
}

fn devices(plan: &Plan) -> Vec<Part> {
    let nodes = plan.devices.nodes.iter().map(|node| {
        let path = inside(&node.path);
        let from = node.pointer.as_ref().map_or("", |pointer| pointer.as_str());
        match &node.make {
            Make::Node => {
                let kind = flags::device_kind(node.mode);
                let what = format!("{path}, {kind} {}:{}, mode {:o}", node.major, node.minor, node.mode & 0o7777);
                Part::asked(what, "mknodat", from)
            }
            Make::Bind(host) => Part::asked(format!("{path}, the host's {}", words(host)), "open_tree, move_mount", from),
        }
    });
    let links = plan.devices.links.iter().map(|link| Part::always(format!("{} -> {}", inside(&link.path), words(&link.target)), "symlinkat"));
    nodes.chain(links).collect()
}

fn console(plan: &Plan) -> Vec<Part> {
    let Console::Terminal { size } = plan.console else { return Vec::new() };
    let size = size.map_or_else(String::new, |(rows, columns)| format!(", {rows} lines of {columns} characters"));
    let what = format!("a terminal of the container's own /dev/pts becomes its /dev/console and its streams{size}");
    vec![Part::asked(what, "openat, ioctl TIOCGPTPEER, TIOCSCTTY, sendmsg", "/process/terminal")]
}

fn mounted(plan: &Plan) -> Vec<Part> {
    let mut parts = vec![Part::always("tells the runtime that all is mounted, and waits for its word", "sendmsg, recvmsg")];
    parts.extend(hooks("meanwhile the runtime calls the (deprecated) prestart", &plan.hooks.prestart));
    parts.extend(hooks("meanwhile the runtime calls the createRuntime", &plan.hooks.create_runtime));
    parts
}

fn hooks(what: &str, hooks: &[Hook]) -> Vec<Part> {
    hooks.iter().map(|one| hook(&format!("{what} hook"), one)).collect()
}

fn pivot(plan: &Plan) -> Part {
    match plan.root.entry {
        Entry::Pivot => Part::always("its root becomes /, and the host's mounts are taken away", "fchdir, pivot_root, umount2"),
        Entry::MoveAndChroot => Part::always("its root is moved onto / (--no-pivot)", "fchdir, mount MS_MOVE, chroot"),
    }
}

fn root_flags(plan: &Plan) -> Vec<Part> {
    let mut parts = Vec::new();
    if plan.root.final_propagation != 0 {
        parts.push(Part::asked(flags::propagation(plan.root.final_propagation), "mount_setattr", "/linux/rootfsPropagation"));
    }
    if plan.root.access == Access::ReadOnly {
        parts.push(Part::asked("read-only", "mount_setattr", "/root/readonly"));
    }
    parts
}

fn sysctl(sysctl: &crate::plan::tuning::Sysctl) -> Part {
    let what = format!("/proc/{} = {}", words(&sysctl.path), String::from_utf8_lossy(&sysctl.value));
    Part::asked(what, "openat2, write", sysctl.pointer.as_str())
}

fn covered(what: &str, call: &'static str, paths: &[Covered]) -> Vec<Part> {
    paths.iter().map(|one| Part::asked(format!("{what}, if it is there: {}", inside(&one.path)), call, one.pointer.as_str())).collect()
}

fn name(name: Option<&std::ffi::CStr>, call: &'static str, from: &str) -> Vec<Part> {
    name.iter().map(|name| Part::asked(words(name), call, from)).collect()
}

fn personality(value: u64) -> Part {
    let what = if value == 0 { "LINUX" } else { "LINUX32: uname tells of a machine of 32 bits" };
    Part::asked(what, "personality", "/linux/personality/domain")
}

fn ids(plan: &Plan) -> Vec<Part> {
    let user = &plan.user;
    let groups = match &user.groups {
        Groups::Keep => Part::always("keeps the caller's groups: its user namespace does not permit setgroups", ""),
        Groups::Set(groups) if groups.is_empty() => Part::always("leaves all other groups", "setgroups"),
        Groups::Set(groups) => {
            let list: Vec<String> = groups.iter().map(ToString::to_string).collect();
            Part::asked(format!("is in the groups {} as well", list.join(", ")), "setgroups", "/process/user/additionalGids")
        }
    };
    vec![
        groups,
        Part::asked(format!("group {}", user.gid), "setresgid", "/process/user/gid"),
        Part::asked(format!("user {}", user.uid), "setresuid", "/process/user/uid"),
        Part::asked(format!("new files lack the permissions {:03o}", user.umask), "umask", "/process/user/umask"),
    ]
}

fn set(what: &str, bits: u64, call: &'static str, name: &str) -> Part {
    let names = caps::names(bits);
    let names = if names.is_empty() { "nothing".to_owned() } else { names.join(" ") };
    Part::asked(format!("{what}: {names}"), call, format!("/process/capabilities/{name}"))
}

fn capabilities(plan: &Plan) -> Vec<Part> {
    let caps = &plan.caps;
    vec![
        set("in force", caps.effective, "capset", "effective"),
        set("could be put in force", caps.permitted, "capset", "permitted"),
        set("could be inherited through a file", caps.inheritable, "capset", "inheritable"),
        set("kept across execve", caps.ambient, "prctl PR_CAP_AMBIENT", "ambient"),
    ]
}

fn find(plan: &Plan) -> Vec<Part> {
    let places = plan.process.candidates.iter().map(|path| words(path)).collect::<Vec<_>>().join(", ");
    let mut parts = vec![Part::asked(format!("the first that can be executed: {places}"), "faccessat", plan.process.pointer.as_str())];
    if plan.process.home == Home::FromPasswd {
        parts.push(Part::always("HOME is read from the container's /etc/passwd, or is /", "openat2, read"));
    }
    parts
}

fn close(plan: &Plan) -> Part {
    match plan.process.preserve_fds {
        0 => Part::always("of all descriptors only 0, 1 and 2 stay open", "close_range"),
        more => Part::always(format!("of all descriptors only 0 to {} stay open (--preserve-fds)", u64::from(more) + 2), "close_range"),
    }
}

//! The steps that make the process what it may be.

use super::filter;
use super::flags::words;
use super::part::{Part, command};
use crate::plan::Plan;
use crate::plan::caps;
use crate::plan::process::{Home, NoNewPrivs};
use crate::plan::user::Groups;

pub(super) fn personality(plan: &Plan) -> Vec<Part> {
    let told = plan.names.personality.iter().map(|value| {
        let what = if *value == 0 {
            "LINUX"
        } else {
            "LINUX32: uname tells of a machine of 32 bits"
        };
        Part::asked(what, "personality", "/linux/personality/domain")
    });
    told.collect()
}

pub(super) fn no_new_privs(plan: &Plan) -> Vec<Part> {
    let asked = plan.process.no_new_privs == NoNewPrivs::Yes;
    let what = "execve will never again grant more rights, as a set-user-id file would";
    Part::when(
        asked,
        what,
        "prctl PR_SET_NO_NEW_PRIVS",
        "/process/noNewPrivileges",
    )
}

pub(super) fn bounding(plan: &Plan) -> Vec<Part> {
    vec![set(
        "may never get more than",
        plan.caps.bounding,
        "prctl PR_CAPBSET_DROP",
        "bounding",
    )]
}

pub(super) fn ids(plan: &Plan) -> Vec<Part> {
    let user = &plan.user;
    let groups = match &user.groups {
        Groups::Keep => Part::always(
            "keeps the caller's groups: its user namespace does not permit setgroups, or an annotation asks for it",
            "",
        ),
        Groups::Set(groups) if groups.is_empty() => {
            Part::always("leaves all other groups", "setgroups")
        }
        Groups::Set(groups) => {
            let list: Vec<String> = groups.iter().map(ToString::to_string).collect();
            Part::asked(
                format!("is in the groups {} as well", list.join(", ")),
                "setgroups",
                "/process/user/additionalGids",
            )
        }
    };
    vec![
        Part::always(
            "gives its standard streams to its user, but for the null device",
            "fchown",
        ),
        groups,
        Part::asked(
            format!("group {}", user.gid),
            "setresgid",
            "/process/user/gid",
        ),
        Part::asked(
            format!("user {}", user.uid),
            "setresuid",
            "/process/user/uid",
        ),
        Part::asked(
            format!("new files lack the permissions {:03o}", user.umask),
            "umask",
            "/process/user/umask",
        ),
    ]
}

pub(super) fn capabilities(plan: &Plan) -> Vec<Part> {
    let caps = &plan.caps;
    vec![
        set("in force", caps.effective, "capset", "effective"),
        set(
            "could be put in force",
            caps.permitted,
            "capset",
            "permitted",
        ),
        set(
            "could be inherited through a file",
            caps.inheritable,
            "capset",
            "inheritable",
        ),
        set(
            "kept across execve",
            caps.ambient,
            "prctl PR_CAP_AMBIENT",
            "ambient",
        ),
    ]
}

fn set(what: &str, bits: u64, call: &'static str, name: &str) -> Part {
    let names = caps::names(bits);
    let names = if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(" ")
    };
    Part::asked(
        format!("{what}: {names}"),
        call,
        format!("/process/capabilities/{name}"),
    )
}

pub(super) fn cwd(plan: &Plan) -> Vec<Part> {
    vec![Part::asked(
        words(&plan.process.cwd),
        "openat2, fchdir, getcwd",
        "/process/cwd",
    )]
}

pub(super) fn find(plan: &Plan) -> Vec<Part> {
    let places = plan
        .process
        .candidates
        .iter()
        .map(|path| words(path))
        .collect::<Vec<_>>()
        .join(", ");
    let mut parts = vec![Part::asked(
        format!("the first that can be executed: {places}"),
        "faccessat",
        plan.process.pointer.as_str(),
    )];
    if plan.process.home == Home::FromPasswd {
        parts.push(Part::always(
            "HOME is read from the container's /etc/passwd, or is /",
            "openat2, read",
        ));
    }
    parts
}

pub(super) fn close(plan: &Plan) -> Vec<Part> {
    let what = match plan.process.preserve_fds {
        0 => "of all descriptors only 0, 1 and 2 stay open".to_owned(),
        more => format!(
            "of all descriptors only 0 to {} stay open (--preserve-fds)",
            u64::from(more) + 2
        ),
    };
    vec![Part::always(what, "close_range")]
}

pub(super) fn execute(plan: &Plan) -> Vec<Part> {
    if plan.process.argv.is_empty() {
        return Vec::new();
    }
    vec![Part::asked(
        command(&plan.process.argv),
        "execve",
        "/process/args",
    )]
}

pub(super) fn scheduling(plan: &Plan) -> Vec<Part> {
    let mut parts = Vec::new();
    if let Some(cpu) = &plan.scheduling.cpu {
        let what = match cpu.name {
            "SCHED_OTHER" | "SCHED_BATCH" => format!("policy {}, nice {}", cpu.name, cpu.nice),
            "SCHED_FIFO" | "SCHED_RR" => format!("policy {}, priority {}", cpu.name, cpu.priority),
            "SCHED_DEADLINE" => format!(
                "on all CPUs, policy SCHED_DEADLINE: {} ns of each {} ns",
                cpu.runtime,
                cpu.period.max(cpu.deadline)
            ),
            name => format!("policy {name}"),
        };
        parts.push(Part::asked(what, "sched_setattr", "/process/scheduler"));
    }
    if let Some(priority) = plan.scheduling.io {
        let class = ["none", "real time", "best effort", "idle"].get(usize::from(priority >> 13));
        let what = format!(
            "the disk in class \"{}\", level {}",
            class.copied().unwrap_or_default(),
            priority & 7
        );
        parts.push(Part::asked(what, "ioprio_set", "/process/ioPriority"));
    }
    if let Some(memory) = &plan.scheduling.memory {
        let what = format!(
            "memory by {} of nodes {}",
            memory.name,
            nodes(&memory.nodes)
        );
        parts.push(Part::asked(what, "set_mempolicy", "/linux/memoryPolicy"));
    }
    parts
}

/// The numbers of the nodes, or "none".
pub(super) fn nodes(mask: &[u64]) -> String {
    let bit = |node: &usize| {
        mask.get(node / 64)
            .is_some_and(|word| word & 1 << (node % 64) != 0)
    };
    let all: Vec<String> = (0..mask.len() * 64)
        .filter(bit)
        .map(|node| node.to_string())
        .collect();
    match all.is_empty() {
        true => "none".to_owned(),
        false => all.join(","),
    }
}

pub(super) fn labels(plan: &Plan) -> Vec<Part> {
    let apparmor = plan.labels.apparmor.iter().map(|wanted| {
        Part::asked(
            format!("AppArmor profile {}", wanted.profile),
            "write /proc/PID/attr/apparmor/exec",
            "/process/apparmorProfile",
        )
    });
    let selinux = plan.labels.selinux.iter().map(|label| {
        Part::asked(
            format!("SELinux label {label}"),
            "write /proc/PID/attr/exec",
            "/process/selinuxLabel",
        )
    });
    apparmor.chain(selinux).collect()
}

/// The filter, at the step that it is loaded in.
pub(super) fn seccomp(plan: &Plan, when: NoNewPrivs) -> Vec<Part> {
    let Some(filter) = plan
        .seccomp
        .as_ref()
        .filter(|_| plan.process.no_new_privs == when)
    else {
        return Vec::new();
    };
    let what = filter::summary(plan).unwrap_or_default();
    let mut parts = vec![Part::asked(what, "seccomp", "/linux/seccomp")];
    if let Some(listener) = &filter.listener {
        let what = format!("the agent at {} gets the listener", listener.path.display());
        parts.push(Part::asked(what, "write, read", listener.pointer.as_str()));
    }
    parts
}

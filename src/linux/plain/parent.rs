//! What the runtime does around the steps: before it lets the container's first process go on, and after.

use super::flags;
use super::flags::words;
use super::part::{Part, command};
use crate::plan::Plan;
use crate::plan::birth::{Joiner, Kind, NetworkMaker, UserNamespace};
use crate::plan::cgroup::{
    DeviceRule, Group, Moment, Need, Otherwise, Relative, Scope, Setting, Verdict,
};
use crate::plan::facts::Instance;
use crate::plan::hooks::Hook;
use crate::plan::idmap::{Maps, Setgroups, Writer};
use crate::plan::net::{Name, NetDevice};
use crate::plan::rdt::{Group as Resctrl, Rdt};
use crate::plan::root::Entry;

/// Up to gate C.
pub(super) fn before(plan: &Plan) -> Vec<Part> {
    let mut parts = Part::when(
        plan.birth.network == NetworkMaker::Ahead,
        "has a thread make a network namespace, for the process to enter",
        "unshare, sendmsg",
        "/linux/namespaces",
    );
    if plan.cgroup.scope.is_none() {
        parts.extend(group(&plan.cgroup));
    }
    parts.extend(joins(plan));
    parts.extend(laid(plan));
    parts.push(birth(plan));
    if let Some(scope) = &plan.cgroup.scope {
        parts.push(unit(scope, &plan.cgroup));
        parts.extend(limits(&plan.cgroup));
    }
    parts.extend(plan.rdt.as_ref().map(rdt));
    parts.extend(plan.net_devices.iter().map(device));
    if let UserNamespace::New(maps) = &plan.birth.user {
        parts.extend(self::maps(maps));
    }
    parts.extend(process(plan));
    parts.extend(filter(&plan.cgroup));
    parts.extend(Part::when(
        plan.birth.makes(Kind::Network),
        "brings lo up, with 127.0.0.1 and ::1",
        "ioctl SIOCSIFFLAGS",
        "/linux/namespaces",
    ));
    parts
}

/// Namespaces that are joined before the birth.
fn joins(plan: &Plan) -> Vec<Part> {
    let mut parts = Vec::new();
    for join in plan
        .birth
        .joins
        .iter()
        .filter(|join| join.by != Joiner::Child)
    {
        let who = match join.by {
            Joiner::Helper => "a helper joins",
            Joiner::Parent | Joiner::Child => "joins, and leaves again after the birth,",
        };
        let what = format!(
            "{who} the {} namespace at {}",
            join.kind.name(),
            words(&join.path)
        );
        parts.push(Part::asked(what, "setns", join.pointer.as_str()));
    }
    parts
}

/// The root of a container that stays among the runtime's mounts.
fn laid(plan: &Plan) -> Option<Part> {
    if plan.root.entry != Entry::Chroot {
        return None;
    }
    let what = format!(
        "lays a private copy of {} over itself, in its own mount namespace",
        words(&plan.root.path)
    );
    let from = plan.root.pointer.as_str();
    Some(Part::asked(
        what,
        "open_tree, mount_setattr, move_mount",
        from,
    ))
}

/// What the process has from its first moment.
fn process(plan: &Plan) -> Vec<Part> {
    let mut parts = Vec::new();
    for limit in &plan.limits {
        let what = format!(
            "limits {} to {}, at most {}",
            limit.name,
            flags::limit(limit.soft),
            flags::limit(limit.hard)
        );
        parts.push(Part::asked(what, "prlimit", limit.pointer.as_str()));
    }
    if let Some(score) = plan.process.oom_score_adj {
        let what = format!("adjusts its chance to be killed when memory runs out by {score}");
        parts.push(Part::asked(
            what,
            "write /proc/PID/oom_score_adj",
            "/process/oomScoreAdj",
        ));
    }
    parts
}

/// From `start` on.
pub(super) fn after(plan: &Plan) -> Vec<Part> {
    let hooks = &plan.hooks;
    let poststart = hooks
        .poststart
        .iter()
        .map(|hook| self::hook("when it runs, calls the hook", hook));
    let poststop = hooks
        .poststop
        .iter()
        .map(|hook| self::hook("when it is deleted, calls the hook", hook));
    poststart.chain(poststop).collect()
}

/// A hook's command and its time.
pub(super) fn hook(what: &str, hook: &Hook) -> Part {
    let time = hook
        .timeout
        .map_or_else(String::new, |seconds| format!(", for at most {seconds} s"));
    Part::asked(
        format!(
            "{what} {} as {}{time}",
            words(&hook.path),
            command(&hook.argv)
        ),
        "execve",
        hook.pointer.as_str(),
    )
}

fn birth(plan: &Plan) -> Part {
    let new: Vec<&str> = flags::KINDS
        .iter()
        .filter(|kind| plan.birth.clone_flags & u64::from(kind.flag()) != 0)
        .filter(|kind| **kind != Kind::Network || plan.birth.network == NetworkMaker::Clone)
        .map(|kind| kind.name())
        .collect();
    match new.is_empty() {
        true => Part::always("makes a process", "clone3"),
        false => {
            let what = format!(
                "makes a process, and with it new namespaces: {}",
                new.join(", ")
            );
            Part::asked(what, "clone3", "/linux/namespaces")
        }
    }
}

fn rdt(rdt: &Rdt) -> Part {
    let group = match &rdt.group {
        Resctrl::Own(name) => format!("a resctrl group {name} of its own"),
        Resctrl::Named(name) => format!("the resctrl group {name}"),
        Resctrl::Default => "the default resctrl group".to_owned(),
    };
    let lines: Vec<&str> = rdt
        .shares
        .iter()
        .chain(&rdt.schemata)
        .map(String::as_str)
        .collect();
    let shares = match lines.is_empty() {
        true => String::new(),
        false => format!(", with {}", lines.join(", ")),
    };
    let what = format!("puts it into {group}{shares}");
    Part::asked(what, "write tasks, schemata", rdt.pointer.as_str())
}

fn device(device: &NetDevice) -> Part {
    let inside = match &device.inside {
        Name::Exactly(name) => words(name),
        Name::Numbered(prefix) => format!("{prefix}N, N being the first number that is free"),
    };
    let what = format!(
        "moves the network device {} into its network, named {inside}, with its addresses, and up",
        words(&device.outside)
    );
    Part::asked(
        what,
        "rtnetlink RTM_SETLINK, RTM_NEWADDR",
        device.pointer.as_str(),
    )
}

fn maps(maps: &Maps) -> Vec<Part> {
    let how = match &maps.writer {
        Writer::Runtime => "write /proc/PID/uid_map, gid_map",
        Writer::Helpers { .. } => "newuidmap(1), newgidmap(1)",
    };
    let mut parts = Vec::new();
    if maps.setgroups == Setgroups::Deny {
        parts.push(Part::always(
            "gives up setgroups, as the kernel wants it of a user who maps a group",
            "write /proc/PID/setgroups",
        ));
    }
    for (word, map) in [("user", &maps.uid), ("group", &maps.gid)] {
        for (index, (inside, outside, size)) in map.lines.iter().enumerate() {
            let what = match size {
                1 => format!("maps {word} id {inside} inside to {outside} outside"),
                _ => format!(
                    "maps {size} {word} ids from {inside} inside to {outside} and up outside"
                ),
            };
            parts.push(Part::asked(what, how, map.pointer.at(index).as_str()));
        }
    }
    parts
}

fn group(group: &Group) -> Vec<Part> {
    let below = match group.relative {
        Relative::ToRoot => "at the top of the tree",
        Relative::ToCaller => "below its own group",
    };
    let what = match group.need {
        Need::Unwanted => {
            return vec![Part::always("leaves it in the caller's control group", "")];
        }
        Need::Wished => format!("makes the control group {} {below}, if it may", group.path),
        Need::Required => format!("makes the control group {} {below}", group.path),
    };
    let mut parts = vec![match group.need {
        Need::Required => Part::asked(what, "mkdir", group.pointer.as_str()),
        Need::Wished | Need::Unwanted => Part::always(what, "mkdir"),
    }];
    parts.extend(limits(group));
    parts
}

fn limits(group: &Group) -> Vec<Part> {
    let mut parts: Vec<Part> = group.settings.iter().map(setting).collect();
    parts.extend(group.owner.map(|owner| {
        let what = format!("hands the group over to the host's user {owner}");
        Part::asked(what, "fchown", "/process/user/uid")
    }));
    parts
}

/// The group of which systemd is the maker, with the process that is to be in it.
fn unit(scope: &Scope, group: &Group) -> Part {
    let whose = match scope.instance {
        Instance::System => "systemd",
        Instance::User => "the user's systemd",
    };
    let told = scope.properties.iter();
    let told: Vec<String> = told
        .map(|one| format!("{}={}", one.name, one.value))
        .collect();
    let what = format!(
        "has {whose} put it into the unit {}, with {}",
        scope.unit,
        told.join(", ")
    );
    Part::asked(what, "StartTransientUnit", group.pointer.as_str())
}

/// Attached while the child mounts, before gate C: nothing of the container's has run by then.
fn filter(group: &Group) -> Option<Part> {
    if group.need == Need::Unwanted || group.devices.is_empty() {
        return None;
    }
    let what = devices(&group.devices);
    Some(Part::asked(what, "bpf", "/linux/resources/devices"))
}

/// The device filter. Rules that only allow need no order.
fn devices(rules: &[DeviceRule]) -> String {
    let told = |rule: &DeviceRule| format!("{} {}", flags::device_name(rule), flags::access(rule));
    let may = "lets it read (r), write (w) and make (m)";
    if rules.iter().all(|rule| rule.verdict == Verdict::Allow) {
        let rules: Vec<String> = rules.iter().map(told).collect();
        return format!("{may} only these devices: {}", rules.join(", "));
    }
    let verdict = |rule: &DeviceRule| match rule.verdict {
        Verdict::Allow => format!("allow {}", told(rule)),
        Verdict::Deny => format!("deny {}", told(rule)),
    };
    let rules: Vec<String> = rules.iter().map(verdict).collect();
    format!(
        "{may} devices as the last of these rules says that fits: {}",
        rules.join(", ")
    )
}

fn setting(setting: &Setting) -> Part {
    let otherwise = match &setting.otherwise {
        Otherwise::Fail => String::new(),
        Otherwise::Ignore => ", where there is such a file".to_owned(),
        Otherwise::Write { file, value } => {
            format!(", or {value} into {file} where there is no such file")
        }
    };
    let when = match setting.moment() {
        Moment::BeforeBirth => "",
        Moment::AfterBirth => ", when the process is in the group",
    };
    Part::asked(
        format!(
            "writes {} into {}{when}{otherwise}",
            setting.value, setting.file
        ),
        "write",
        setting.pointer.as_str(),
    )
}

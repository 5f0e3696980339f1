//! What one step does, for each step. A `match` without a wildcard: no step can be left out.

use super::flags::words;
use super::parent::hook;
use super::part::Part;
use super::{files, process};
use crate::linux::step::Step;
use crate::plan::Plan;
use crate::plan::birth::{BecomeRoot, Joiner, Kind, NetworkMaker, NewCgroup};
use crate::plan::hooks::Hook;
use crate::plan::process::NoNewPrivs;

/// What the step does for this plan; nothing where it is not taken.
pub(super) fn parts(plan: &Plan, step: Step) -> Vec<Part> {
    let hooks_of = &plan.hooks;
    match step {
        Step::SealHeap => always(
            "decides and allocates nothing from here on: all that follows is ready in the plan",
            "",
        ),
        Step::Mapped => always("waits until the runtime has done the above", "read"),
        Step::Clocks => clocks(plan),
        Step::Join => join(plan),
        Step::BecomeRoot => become_root(plan),
        Step::Unshare => unshare(plan),
        Step::Session => session(plan),
        Step::Network => network(plan),
        Step::Propagation => files::propagation(plan),
        Step::Root => files::root(plan),
        Step::Mount => files::mounts(plan),
        Step::Devices => files::devices(plan),
        Step::Console => files::console(plan),
        Step::Mounted => mounted(plan),
        Step::CreateContainer => hooks(
            "in the container's namespaces, calls the host's",
            &hooks_of.create_container,
        ),
        Step::Pivot => files::pivot(plan),
        Step::RootFlags => files::root_flags(plan),
        Step::Stdio => files::streams(),
        Step::Sysctl => files::sysctls(plan),
        Step::ReadOnly => files::read_only(plan),
        Step::Mask => files::masked(plan),
        Step::Hostname => name(plan.names.host.as_deref(), "sethostname", "/hostname"),
        Step::Domainname => name(plan.names.domain.as_deref(), "setdomainname", "/domainname"),
        Step::Personality => process::personality(plan),
        Step::Scheduling => process::scheduling(plan),
        Step::SecurityLabel => process::labels(plan),
        Step::NoNewPrivs => process::no_new_privs(plan),
        Step::SeccompEarly => process::seccomp(plan, NoNewPrivs::No),
        Step::Bounding => process::bounding(plan),
        Step::Ids => process::ids(plan),
        Step::Capabilities => process::capabilities(plan),
        Step::Cwd => process::cwd(plan),
        Step::Find => process::find(plan),
        Step::CloseOnExec => process::close(plan),
        Step::SeccompLate => process::seccomp(plan, NoNewPrivs::Yes),
        Step::Ready => always(
            "tells the runtime, and waits until this is written down: orbital create ends here",
            GATE,
        ),
        Step::Start => always("sleeps: the state is created", "accept4"),
        Step::StartContainer => hooks(
            "in the container, calls the container's",
            &hooks_of.start_container,
        ),
        Step::Execute => process::execute(plan),
    }
}

const GATE: &str = "write, read";

fn always(what: &str, call: &'static str) -> Vec<Part> {
    vec![Part::always(what, call)]
}

fn join(plan: &Plan) -> Vec<Part> {
    let own = plan
        .birth
        .joins
        .iter()
        .filter(|join| join.by == Joiner::Child);
    own.map(|join| {
        Part::asked(
            format!(
                "the {} namespace at {}",
                join.kind.name(),
                words(&join.path)
            ),
            "setns",
            join.pointer.as_str(),
        )
    })
    .collect()
}

fn clocks(plan: &Plan) -> Vec<Part> {
    let Some(clocks) = &plan.birth.clocks else {
        return Vec::new();
    };
    let lines = String::from_utf8_lossy(&clocks.bytes);
    let lines: Vec<&str> = lines.lines().collect();
    let what = format!(
        "makes a time namespace, writes {} (clock, seconds, nanoseconds) into it, and enters it",
        lines.join(", ")
    );
    let call = "unshare, write /proc/PID/timens_offsets, setns";
    vec![Part::asked(what, call, clocks.pointer.as_str())]
}

fn become_root(plan: &Plan) -> Vec<Part> {
    let asked = plan.birth.become_root == BecomeRoot::Yes;
    Part::when(
        asked,
        "takes user and group 0 of its user namespace",
        "setresuid, setresgid",
        "/linux/namespaces",
    )
}

fn unshare(plan: &Plan) -> Vec<Part> {
    let asked = plan.birth.new_cgroup == NewCgroup::Yes;
    Part::when(
        asked,
        "makes a cgroup namespace",
        "unshare",
        "/linux/namespaces",
    )
}

fn network(plan: &Plan) -> Vec<Part> {
    if plan.birth.network == NetworkMaker::Ahead {
        let what = "enters the network namespace that the thread has made";
        return vec![Part::asked(what, "recvmsg, setns", "/linux/namespaces")];
    }
    let asked = plan.birth.makes(Kind::Network);
    Part::when(
        asked,
        "hands the runtime a socket of its network, which brings lo up by it",
        "socket, sendmsg",
        "/linux/namespaces",
    )
}

fn session(plan: &Plan) -> Vec<Part> {
    let mut parts = vec![Part::always(
        "leaves the caller's session and terminal",
        "setsid",
    )];
    if let Some(name) = &plan.process.keyring {
        parts.push(Part::always(
            format!("begins an empty keyring, {}", words(name)),
            "keyctl KEYCTL_JOIN_SESSION_KEYRING",
        ));
    }
    parts
}

fn mounted(plan: &Plan) -> Vec<Part> {
    let act = match plan.hooks.follow_the_mounts() {
        true => "tells the runtime that all is mounted, and waits for its word",
        false => "waits for the runtime's word, which came meanwhile",
    };
    let mut parts = vec![Part::always(act, GATE)];
    parts.extend(hooks(
        "meanwhile the runtime calls the (deprecated) prestart",
        &plan.hooks.prestart,
    ));
    parts.extend(hooks(
        "meanwhile the runtime calls the createRuntime",
        &plan.hooks.create_runtime,
    ));
    parts
}

fn hooks(what: &str, hooks: &[Hook]) -> Vec<Part> {
    hooks
        .iter()
        .map(|one| hook(&format!("{what} hook"), one))
        .collect()
}

fn name(name: Option<&std::ffi::CStr>, call: &'static str, from: &str) -> Vec<Part> {
    name.iter()
        .map(|name| Part::asked(words(name), call, from))
        .collect()
}

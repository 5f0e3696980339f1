//! What a case is: a name, what it needs, which runtimes are known to deviate, and a function.

use crate::check::Outcome;
use crate::lab::Lab;
use crate::probe;
use crate::runtime::Runtime;

/// One case of the suite.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    /// What must hold, in a few words with hyphens.
    pub(crate) name: &'static str,
    pub(crate) needs: &'static [Need],
    /// Runtime and what it does instead; such a failure is reported as known, not as failed.
    pub(crate) deviates: &'static [(&'static str, &'static str)],
    pub(crate) run: Body,
}

/// The function of a case.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Body {
    /// A case of its own.
    Plain(fn(&Lab) -> Outcome),
    /// One of many that differ in a name, such as a folder's.
    Of(&'static str, fn(&Lab, &str) -> Outcome),
}

impl Body {
    /// Runs it.
    pub(crate) fn judge(self, lab: &Lab) -> Outcome {
        match self {
            Body::Plain(judge) => judge(lab),
            Body::Of(name, judge) => judge(lab, name),
        }
    }
}

/// What a case cannot be judged without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Real root: all but the rootless cases.
    Root,
    /// A cgroup2 hierarchy at /sys/fs/cgroup.
    CgroupV2,
    /// A controller that the visible root of cgroup2 offers.
    Controller(&'static str),
    /// The controller must be absent: the error path is judged.
    NoController(&'static str),
    /// User namespaces.
    UserNs,
    /// A promise of orbital's that no standard and no caller asks of others.
    OrbitalOnly,
    /// A file of the host, by its absolute path.
    File(&'static str),
    /// No such file on the host: the error path is judged.
    NoFile(&'static str),
    /// An executable of the host.
    Program(&'static str),
    /// A CRIU that can do its work on this kernel.
    Criu,
    /// None that could: the error path is judged.
    NoCriu,
    /// The default seccomp profile of an engine.
    Profile(&'static str),
}

impl Case {
    /// A case that needs root.
    pub(crate) const fn new(name: &'static str, run: fn(&Lab) -> Outcome) -> Self {
        Case {
            name,
            needs: &[Need::Root],
            deviates: &[],
            run: Body::Plain(run),
        }
    }

    /// The same case with these needs instead.
    pub(crate) const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }

    /// The same case with runtimes known to behave otherwise.
    pub(crate) const fn deviates(
        mut self,
        deviates: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.deviates = deviates;
        self
    }

    /// Why this case cannot be judged here, if it cannot.
    pub(crate) fn hindrance(&self, runtime: &Runtime) -> Option<String> {
        self.needs.iter().find_map(|need| need.missing(runtime))
    }

    /// What this runtime is known to do instead.
    pub(crate) fn deviation(&self, runtime: &Runtime) -> Option<&'static str> {
        let entry = self.deviates.iter().find(|(name, _)| *name == runtime.name);
        entry.map(|(_, words)| *words)
    }
}

impl Need {
    fn missing(self, runtime: &Runtime) -> Option<String> {
        let exists = |path: &str| std::path::Path::new(path).exists();
        let (met, words) = match self {
            Need::Root => (nix::unistd::geteuid().is_root(), "needs root".to_owned()),
            Need::CgroupV2 => (
                exists("/sys/fs/cgroup/cgroup.procs"),
                "needs cgroup2 at /sys/fs/cgroup; see in-unified".to_owned(),
            ),
            Need::Controller(name) => (
                offered(name),
                format!("needs the cgroup2 controller {name}"),
            ),
            Need::NoController(name) => (
                !offered(name),
                format!("needs a host without the cgroup2 controller {name}"),
            ),
            Need::UserNs => (
                exists("/proc/self/ns/user"),
                "needs user namespaces".to_owned(),
            ),
            Need::OrbitalOnly => (
                runtime.name == "orbital",
                "only orbital promises this".to_owned(),
            ),
            Need::File(path) => (exists(path), format!("needs {path}")),
            Need::Profile(engine) => (
                crate::oracle::profile(engine).is_some(),
                format!("needs the seccomp profile of {engine}; see .config/setup --for test"),
            ),
            Need::Criu => (
                criu_works(),
                "needs a criu that works here; see criu check".to_owned(),
            ),
            Need::NoCriu => (
                !criu_works(),
                "needs a host without a working criu".to_owned(),
            ),
            Need::NoFile(path) => (!exists(path), format!("needs a host without {path}")),
            Need::Program(name) => (
                ["/usr/bin", "/bin", "/usr/sbin"]
                    .iter()
                    .any(|dir| exists(&format!("{dir}/{name}"))),
                format!("needs the program {name}"),
            ),
        };
        (!met).then_some(words)
    }
}

fn offered(controller: &str) -> bool {
    let file = probe::cgroup_mount().join("cgroup.controllers");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.split_whitespace().any(|name| name == controller)
}

/// Whether CRIU says of itself that it works, asked once.
fn criu_works() -> bool {
    static WORKS: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *WORKS.get_or_init(|| {
        let asked = std::process::Command::new("criu").arg("check").output();
        asked.is_ok_and(|said| said.status.success())
    })
}

//! What a case is: a name, what it needs, which runtimes are known to do otherwise, and a function.

use std::path::Path;

use crate::check::Outcome;
use crate::place::Place;

/// A program that people use, and that calls a runtime.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// The first part of its cases' names.
    pub(crate) name: &'static str,
    /// Without this program, its cases are skipped.
    pub(crate) program: &'static str,
    /// A script that prints its version in a line.
    pub(crate) version: &'static str,
    /// Its cases, theme by theme.
    pub(crate) cases: &'static [&'static [Case]],
    /// Removes by force what a case that failed has left.
    pub(crate) sweep: fn(&Place),
    /// Ends what serves all of a runtime's cases, such as a daemon, when the last is over.
    pub(crate) leave: fn(&Place),
}

/// One act of a user and what they would notice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    /// `caller/what-a-user-does`.
    pub(crate) name: &'static str,
    needs: &'static [Need],
    deviates: &'static [(&'static str, &'static str)],
    pub(crate) run: fn(&Place) -> Outcome,
}

/// What a case cannot be tried without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A program in the usual places.
    Program(&'static str),
    /// A file of the host, by its absolute path.
    File(&'static str),
    /// A controller of cgroup v2.
    Controller(&'static str),
    /// A CRIU that can do its work on this kernel.
    Criu,
}

impl Case {
    /// A case that needs nothing but its caller, whose name it begins with.
    pub(crate) const fn new(name: &'static str, run: fn(&Place) -> Outcome) -> Self {
        Case {
            name,
            needs: &[],
            deviates: &[],
            run,
        }
    }

    /// The same case with these needs.
    pub(crate) const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }

    /// The same case with peers that are known to fail, and the reason.
    pub(crate) const fn deviates(
        mut self,
        deviates: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.deviates = deviates;
        self
    }

    /// Why it cannot be tried here, if it cannot: its caller's `program` is missing, or one of its needs.
    pub(crate) fn hindrance(&self, program: &'static str) -> Option<String> {
        let caller = Need::Program(program);
        let all = std::iter::once(&caller).chain(self.needs);
        all.filter_map(|need| need.missing()).next()
    }

    /// What this runtime is known to do instead.
    pub(crate) fn deviation(&self, runtime: &str) -> Option<&'static str> {
        let entry = self.deviates.iter().find(|(name, _)| *name == runtime);
        entry.map(|(_, words)| *words)
    }
}

impl Need {
    fn missing(&self) -> Option<String> {
        match self {
            Need::Program(name) if !installed(name) => Some(format!("there is no {name}")),
            Need::File(path) if !Path::new(path).exists() => Some(format!("there is no {path}")),
            Need::Controller(name) if !offered(name) => {
                Some(format!("there is no controller {name}"))
            }
            Need::Criu if !criu() => Some("there is no CRIU that works here".to_owned()),
            _ => None,
        }
    }
}

fn offered(controller: &str) -> bool {
    let list = std::fs::read_to_string("/sys/fs/cgroup/cgroup.controllers").unwrap_or_default();
    list.split_whitespace().any(|word| word == controller)
}

/// `criu check` takes seconds: it is asked once.
fn criu() -> bool {
    static WORKS: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *WORKS.get_or_init(|| {
        let output = std::process::Command::new("criu").arg("check").output();
        output.is_ok_and(|output| output.status.success())
    })
}

fn installed(name: &str) -> bool {
    let places = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];
    places.iter().any(|dir| Path::new(dir).join(name).exists())
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

//! Controllers on the way to the group: those that its limits need, and with them all others that can be had.
//!
//! Without a controller the kernel does not count either, and then nobody can be told what a container
//! without limits uses. So a new group gets all that the groups above it have, as every other runtime does
//! it; only where a limit needs one is it an error that it cannot be had.

use super::{Way, listed};
use crate::cgroup::{read, write};
use crate::error::{Cause, Error, Object, Result, nearest};
use crate::plan::cgroup::Setting;
use crate::sys::Fault;
use std::path::Path;

/// Which controllers are given, beside those that are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// All that the hierarchy has.
    All,
    /// None.
    Nothing,
}

/// What the groups on the way are to give.
#[derive(Debug)]
pub(super) struct Controllers<'a> {
    /// Each controller once, with the first setting that needs it.
    needed: Vec<(&'a str, &'a Setting)>,
    /// What the group here could give. Below a group that gives less, less can be had.
    wished: Vec<String>,
}

impl<'a> Controllers<'a> {
    pub(super) fn of(settings: &'a [Setting]) -> Controllers<'a> {
        let mut needed: Vec<(&str, &Setting)> = Vec::new();
        for setting in settings {
            if let Some(controller) = setting.controller.as_deref()
                && !needed.iter().any(|(known, _)| *known == controller)
            {
                needed.push((controller, setting));
            }
        }
        Controllers {
            needed,
            wished: Vec::new(),
        }
    }

    /// Those that are needed and not among `given`.
    fn missing(&self, given: &[&str]) -> Vec<(&'a str, &'a Setting)> {
        let needed = self.needed.iter();
        needed
            .filter(|(name, _)| !given.contains(name))
            .copied()
            .collect()
    }
}

impl Way<'_> {
    /// Asks the hierarchy's root what there is: what it does not offer, no group below it can have.
    pub(super) fn look_around(&mut self, wish: Wish) -> Result<()> {
        if self.controllers.needed.is_empty() && wish == Wish::Nothing {
            return Ok(());
        }
        let offered = self.text(c"cgroup.controllers")?;
        let offered: Vec<&str> = offered.split_whitespace().collect();
        if let Some((name, setting)) = self.controllers.missing(&offered).first() {
            let file = self.path.join("cgroup.controllers");
            return Err(absent(name, setting, &file, &offered));
        }
        if wish == Wish::All {
            self.controllers.wished = offered.into_iter().map(str::to_owned).collect();
        }
        Ok(())
    }

    /// Gives controllers to the groups below here, where they are not given yet.
    pub(super) fn enable(&mut self) -> Result<()> {
        if self.controllers.needed.is_empty() && self.controllers.wished.is_empty() {
            return Ok(());
        }
        let given = self.text(c"cgroup.subtree_control")?;
        let given: Vec<&str> = given.split_whitespace().collect();
        let missing = self.controllers.missing(&given);
        if self
            .controllers
            .wished
            .iter()
            .any(|name| !given.contains(&name.as_str()))
        {
            if let Some(all) = self.give_all(&given) {
                self.controllers.wished = all;
                return Ok(());
            }
            let given = |name: &String| given.contains(&name.as_str());
            self.controllers.wished.retain(given);
        }
        let Some((_, setting)) = missing.first() else {
            return Ok(());
        };
        let words = orders(missing.iter().map(|(name, _)| *name));
        let file = self.path.join("cgroup.subtree_control");
        write(&self.here, c"cgroup.subtree_control", words.as_bytes())
            .map_err(|fault| not_given(setting, &file, &words, &given, fault))
    }

    /// Gives all that is wished for, in one write, beside what is `given`; what the groups below have then,
    /// or nothing where that was not to be.
    fn give_all(&self, given: &[&str]) -> Option<Vec<String>> {
        if !self.may_give() {
            return None;
        }
        let wished = self.controllers.wished.iter().map(String::as_str);
        let more: Vec<&str> = wished.filter(|name| !given.contains(name)).collect();
        let put = |names: &[&str]| {
            let words = orders(names.iter().copied());
            write(&self.here, c"cgroup.subtree_control", words.as_bytes())
        };
        let got = match put(&more) {
            Ok(()) => more,
            // One of them cannot be, such as cpu beside realtime processes: the others still can.
            Err(fault) if matches!(fault.errno, libc::EINVAL | libc::ENOENT) => more
                .into_iter()
                .filter(|one| put(&[*one]).is_ok())
                .collect(),
            Err(_) => return None,
        };
        let has = |name: &str| got.contains(&name) || given.contains(&name);
        if !self.controllers.needed.iter().all(|(name, _)| has(name)) {
            return None;
        }
        Some(
            given
                .iter()
                .copied()
                .chain(got)
                .map(str::to_owned)
                .collect(),
        )
    }

    /// Whether controllers may be given here only because they are wished for. A group with processes that
    /// gives some becomes a threaded one, and those below it cannot be used then; cgroup-v2.rst, "Threads". The
    /// hierarchy's root is free of that, and has no such file.
    fn may_give(&self) -> bool {
        let mut buffer = [0; 64];
        match read(&self.here, c"cgroup.type", &mut buffer) {
            Ok(kind) if kind.trim() == "domain" => {}
            Ok(_) => return false,
            Err(fault) => return fault.errno == libc::ENOENT,
        }
        read(&self.here, c"cgroup.procs", &mut buffer).is_ok_and(str::is_empty)
    }
}

/// `+a +b`.
fn orders<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let words: Vec<String> = names.map(|name| format!("+{name}")).collect();
    words.join(" ")
}

/// The controllers of cgroup v2; cgroup-v2.rst.
const CONTROLLERS: [&str; 9] = [
    "cpu", "cpuset", "dmem", "hugetlb", "io", "memory", "misc", "pids", "rdma",
];

fn absent(name: &str, setting: &Setting, file: &Path, offered: &[&str]) -> Error {
    let only = match offered {
        [] => "which is empty".to_owned(),
        some => format!("which has only {}", listed(some)),
    };
    let why = format!("the {name} controller is not in {}, {only}", file.display());
    let error = Error::refused(format!("set {}", setting.file), &setting.pointer, why);
    if !CONTROLLERS.contains(&name) {
        return match nearest(name, CONTROLLERS) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint(format!("Linux has {}", listed(&CONTROLLERS))),
        };
    }
    error.hint(format!(
        "leave the limit out, or have the controller given to this tree: boot with \
         cgroup_no_v1={name} if version 1 has it, or write +{name} to cgroup.subtree_control \
         of the group above"
    ))
}

fn not_given(setting: &Setting, file: &Path, words: &str, given: &[&str], fault: Fault) -> Error {
    let group = file.parent().unwrap_or(file).display();
    let file = file.display();
    let has = match given {
        [] => "nothing".to_owned(),
        some => format!("only {}", listed(some)),
    };
    let hint = match fault.errno {
        libc::EBUSY => format!(
            "{group} holds processes, and such a group cannot give {words} to groups below it: move \
             its processes to a group of their own, or give a cgroupsPath elsewhere"
        ),
        libc::EACCES | libc::EPERM if file.to_string().contains("/user.slice/") => format!(
            "{group} gives {has} to the groups below it: as root, add Delegate=yes to user@.service \
             (systemctl edit user@.service), or write {words} to {file}"
        ),
        libc::EACCES | libc::EPERM | libc::EROFS => format!(
            "{group} gives {has} to the groups below it: as its owner, write {words} to {file}"
        ),
        libc::EOPNOTSUPP => {
            format!("{group} is a threaded group: give a cgroupsPath in a domain")
        }
        _ => format!("write {words} to {file}"),
    };
    let on = Some(file.to_string());
    let cause = Cause::Os {
        call: fault.call.name(),
        errno: fault.errno,
        on,
    };
    let object = Object::config(&setting.pointer);
    Error::new(format!("set {}", setting.file), object, cause).hint(hint)
}

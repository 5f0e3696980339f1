//! The group that systemd has made, found by who is in it.

use super::controllers::Wish;
use super::{MAKE, Way, not_made};
use crate::cgroup::{Cgroup, group_of, hierarchy};
use crate::error::{Error, Result};
use crate::plan::cgroup::{Group, Scope};
use crate::sys::dir;
use crate::sys::proc::Proc;
use std::ffi::{CStr, CString};
use std::os::fd::AsFd;

/// The group that systemd has put process `pid` into, with the controllers that its settings need. It
/// gives those that it knows and may give; hugetlb and rdma are for the caller to enable.
///
/// # Errors
/// A process that is elsewhere; a missing controller.
pub fn of_process(group: &Group, scope: &Scope, pid: i32, proc: &Proc) -> Result<Cgroup> {
    let hierarchy = hierarchy()?;
    let found = group_of(proc, pid)?;
    // A name that could be a file of the kernel's has an underscore before it there.
    let last = found.rsplit('/').next().unwrap_or_default();
    if last != scope.unit && last.strip_prefix('_') != Some(&scope.unit) {
        let why = format!(
            "systemd says that it has made {}, and the process is in {found}",
            scope.unit
        );
        return Err(Error::refused(MAKE, &group.pointer, why));
    }
    let names = found
        .split('/')
        .filter(|name| !name.is_empty())
        .map(CString::new);
    let names: std::result::Result<Vec<_>, _> = names.collect();
    let names = names
        .map_err(|_| Error::refused(MAKE, &group.pointer, "the path holds a NUL character"))?;
    let mut way = Way::start(&group.settings, Wish::Nothing, &group.pointer, &hierarchy)?;
    for name in &names {
        way.enable()?;
        way.enter(name)?;
    }
    Ok(Cgroup {
        dir: way.here,
        path: way.path,
        made: Vec::new(),
    })
}

impl Way<'_> {
    /// One component down, which is there.
    fn enter(&mut self, name: &CStr) -> Result<()> {
        self.path.push(name.to_string_lossy().as_ref());
        let below = dir::open(self.here.as_fd(), name);
        self.here = below.map_err(|fault| not_made(self.pointer, &self.path, fault))?;
        Ok(())
    }
}

//! How the hierarchy is mounted. CRIU mounts cgroup2 for itself, without options, and on the whole machine
//! they are gone then (cgroup-v2.rst, "Mounting": they are the hierarchy's, not a mount's): groups that were
//! handed over would no longer be kept from leaving theirs.

use super::{Hierarchy, hierarchy, search};
use crate::sys::{Fault, mount};
use std::ffi::CString;
use std::os::fd::AsFd;

/// The options as they were.
#[derive(Debug)]
pub struct Options(Option<(Hierarchy, Vec<String>)>);

/// Looks at them; nothing where there is no cgroup v2.
#[must_use]
pub fn look() -> Options {
    Options(hierarchy().ok().map(|hierarchy| {
        let options = search::options(&hierarchy.path);
        (hierarchy, options)
    }))
}

impl Drop for Options {
    /// Sets those again that are gone. Who may not was not who lost them, ignored.
    fn drop(&mut self) {
        let Some((hierarchy, before)) = &self.0 else {
            return;
        };
        let now = search::options(&hierarchy.path);
        if before.iter().all(|option| now.contains(option)) {
            return;
        }
        if let Err(fault) = set(hierarchy, before) {
            tracing::debug!("cannot mount cgroup2 with {before:?} again: {fault:?}, ignored");
        }
    }
}

/// All of them, as the new list replaces the old one.
fn set(hierarchy: &Hierarchy, options: &[String]) -> Result<(), Fault> {
    let picked = mount::pick_filesystem(&hierarchy.dir)?;
    for option in options.iter().filter(|option| *option != "rw") {
        let option = CString::new(option.as_str()).unwrap_or_default();
        mount::set_option(picked.as_fd(), &option, None)?;
    }
    mount::change_filesystem(picked.as_fd())
}

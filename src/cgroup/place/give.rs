//! More controllers for a group that is there: an update may limit what was not limited before.

use super::Way;
use super::controllers::Wish;
use crate::cgroup::{Cgroup, hierarchy, read};
use crate::error::{Error, Result};
use crate::plan::cgroup::Setting;
use crate::sys::dir;
use std::ffi::CString;
use std::os::fd::AsFd;
use std::path::Path;

/// Gives a group that is there the controllers that `settings` need and it has not yet.
///
/// # Errors
/// A controller that is not there, or that a group on the way cannot give.
pub(in crate::cgroup) fn give(cgroup: &Cgroup, settings: &[Setting]) -> Result<()> {
    let Some(first) = settings.first() else {
        return Ok(());
    };
    let mut buffer = [0; 1024];
    let has = read(&cgroup.dir, c"cgroup.controllers", &mut buffer).unwrap_or_default();
    let is_there = |name: &str| has.split_whitespace().any(|word| word == name);
    if settings
        .iter()
        .filter_map(|one| one.controller.as_deref())
        .all(is_there)
    {
        return Ok(());
    }
    let hierarchy = hierarchy()?;
    let mut way = Way::start(settings, Wish::Nothing, &first.pointer, &hierarchy)?;
    let below = cgroup
        .path
        .strip_prefix(&hierarchy.path)
        .unwrap_or(Path::new(""));
    for name in below {
        way.enable()?;
        way.path.push(name);
        let name = CString::new(name.as_encoded_bytes()).unwrap_or_default();
        way.here = dir::open(way.here.as_fd(), &name)
            .map_err(|fault| Error::file("update the limits", &way.path, fault))?;
    }
    Ok(())
}

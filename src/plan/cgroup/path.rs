//! `/linux/cgroupsPath` (config-linux.md, "Cgroups Path").

use super::Relative;
use crate::error::{Error, Pointer, Result};
use crate::plan::facts::{Facts, Privilege};
use std::path::Path;

/// Who named the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// config.json.
    Given,
    /// Nobody: it is the container's id.
    Default,
}

/// Where the group is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) relative: Relative,
    pub(super) origin: Origin,
}

/// An absolute path is below the hierarchy's root, a relative one below the caller's own group. The
/// default is the id: for root at the hierarchy's root, for a user below its own group, since only
/// there it may own anything. `slice:prefix:name` is a name like any other where systemd is not asked: BuildKit,
/// inside docker, writes it and runs the runtime without `--systemd-cgroup`.
pub(super) fn plan(given: Option<&Path>, id: &str, facts: &Facts) -> Result<Place> {
    let Some(given) = given.filter(|path| !path.as_os_str().is_empty()) else {
        let relative = match facts.privilege {
            Privilege::Root => Relative::ToRoot,
            Privilege::User => Relative::ToCaller,
        };
        return Ok(Place {
            path: id.to_owned(),
            relative,
            origin: Origin::Default,
        });
    };
    let refuse = |why: &str| {
        Err(Error::refused(
            "place the container",
            Pointer::from("/linux/cgroupsPath"),
            why,
        ))
    };
    let Some(text) = given.to_str() else {
        return refuse("it is not UTF-8");
    };
    let (relative, path) = match text.strip_prefix('/') {
        Some(rest) => (Relative::ToRoot, rest),
        None => (Relative::ToCaller, text),
    };
    if path.is_empty() {
        return refuse("it names the root of the cgroup tree, which is not the container's");
    }
    if text.contains(['\0', '\n']) {
        return refuse("a cgroup's name holds neither NUL nor a line break");
    }
    for name in path.split('/') {
        match name {
            "" => return refuse("it has an empty component"),
            "." | ".." => {
                let error = refuse("it has a component . or .., which could leave the tree");
                return error.map_err(|error| error.hint("write the path without them"));
            }
            _ => {}
        }
    }
    Ok(Place {
        path: path.to_owned(),
        relative,
        origin: Origin::Given,
    })
}

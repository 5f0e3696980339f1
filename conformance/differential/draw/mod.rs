//! Bundles by the dice: the ordinary config.json, each of its parts changed now and then.
//!
//! One bundle depends on its seed and number and on which controllers the host has, and on nothing
//! else. Most are valid; a few ask for what a runtime should refuse, since then all should. What this
//! does *not* draw: what only one of the runtimes has, and what this host cannot do.

/// `/process`.
mod process;

/// `/mounts`, `/root`, masked and read-only paths.
mod mounts;

/// Namespaces, mappings, host names, sysctls.
mod namespaces;

/// Devices, and limits of the cgroup.
mod resources;

#[cfg(test)]
mod tests;

use std::fs;

use serde_json::{Value, json};

use crate::asked::Asked;
use crate::check::Outcome;
use crate::dice::Dice;
use crate::spec::Spec;

/// The container's id: the same for all, so that it cannot be a difference.
pub(crate) const ID: &str = "differential";

/// A bundle to be put up.
#[derive(Clone, Debug)]
pub(crate) struct Draw {
    /// How the report calls it.
    pub(crate) name: String,
    /// Its config.json; `$BUNDLE` stands for the bundle's directory, `$HOLDER` for the /proc directory of
    /// a process whose namespaces may be joined.
    pub(crate) spec: Spec,
    /// Files of the bundle beside config.json and the ordinary root file system; none: a folder.
    pub(crate) files: Vec<(String, Option<String>)>,
    /// Paths at which the probe looks closely.
    pub(crate) look: Vec<String>,
    /// Whose the root file system is, other than root's.
    pub(crate) owner: Option<u32>,
}

impl Draw {
    /// The ordinary config.json, unchanged.
    pub(crate) fn plain() -> Self {
        let mut spec = Spec::ordinary();
        spec.set("/linux/cgroupsPath", json!(format!("/{ID}-group")));
        let file = |path: &str, text: &str| (path.to_owned(), Some(text.to_owned()));
        let folder = |path: &str| (path.to_owned(), None);
        Self {
            name: "plain".to_owned(),
            spec,
            files: vec![
                file("source/file", "of the host\n"),
                folder("source/folder/inner"),
                file("rootfs/srv/file", "of the image\n"),
                folder("rootfs/srv/folder"),
            ],
            look: Vec::new(),
            owner: None,
        }
    }
}

impl Draw {
    /// What config.json wants mounted where.
    pub(crate) fn asked(&self) -> Asked {
        let list = |pointer: &str| {
            let list = self.spec.0.pointer(pointer).and_then(Value::as_array);
            list.cloned().unwrap_or_default()
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Asked {
            mounts: list("/mounts")
                .iter()
                .map(|mount| text(&mount["destination"]))
                .collect(),
            masked: list("/linux/maskedPaths").iter().map(text).collect(),
            read_only: list("/linux/readonlyPaths").iter().map(text).collect(),
        }
    }
}

/// What the dice may ask of this host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Host {
    /// Controllers of cgroup v2 that can be given to a group.
    pub(crate) controllers: Vec<String>,
}

impl Host {
    /// Looks.
    pub(crate) fn ask() -> Outcome<Self> {
        let text = fs::read_to_string("/sys/fs/cgroup/cgroup.controllers")?;
        let controllers = text.split_whitespace().map(str::to_owned).collect();
        Ok(Self { controllers })
    }
}

/// Bundle `number` of `seed`.
pub(crate) fn draw(seed: u64, number: u64, host: &Host) -> Draw {
    let dice = &mut Dice::new(seed, number);
    let mut draw = Draw::plain();
    draw.name = format!("drawn {seed}/{number}");
    process::draw(dice, &mut draw);
    mounts::draw(dice, &mut draw);
    namespaces::draw(dice, &mut draw);
    resources::draw(dice, &mut draw, host);
    draw
}

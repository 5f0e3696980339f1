//! config.json, made from what was asked for: the defaults of docker and podman, and the flags over them.
//!
//! [`config`] is the whole document; each file here is one part of it. It reads the container's own files only
//! by the descriptor of its root. What this folder does not do: mount, make namespaces, or run anything; that
//! is the runtime's, which reads the document.

/// The process: arguments, environment, capabilities.
mod process;

/// Users and groups, as the container's own files name them.
mod user;

/// Which capabilities.
mod caps;

/// The usual mounts, and those asked for.
mod mounts;

/// Namespaces, limits, devices, hidden paths.
mod linux;

/// Devices of the host.
mod devices;

/// Devices by their vendors' names.
mod cdi;

/// The filter of system calls.
mod seccomp;

/// `--security-opt`.
mod security;

pub(crate) use user::resolve;

use super::container::record::Record;
use super::ids::Ids;
use crate::engine::places::Who;
use crate::error::Result;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// What config.json is made from, besides the record.
#[derive(Debug)]
pub(crate) struct Ground<'a> {
    /// The container's root, opened.
    pub(crate) root: &'a OwnedFd,
    /// Its path.
    pub(crate) path: &'a Path,
    /// The first process of other containers, for namespaces that are shared with them, by what was typed.
    pub(crate) others: BTreeMap<String, i32>,
    /// The sources of volumes, by the target.
    pub(crate) volumes: BTreeMap<String, PathBuf>,
    /// The network namespace: none for the host's, an empty path for a new one.
    pub(crate) network: Option<PathBuf>,
    /// Files of the engine's own over the container's, such as /etc/hosts.
    pub(crate) files: Vec<(PathBuf, &'static str)>,
    /// For whom the engine works.
    pub(crate) who: Who,
    /// Its ids.
    pub(crate) ids: Ids,
    /// The highest group of this process's own user namespace.
    pub(crate) last_gid: u32,
    /// Where images to be mounted lie, by the target.
    pub(crate) images: BTreeMap<String, PathBuf>,
    /// This program, for `--init`.
    pub(crate) program: PathBuf,
}

/// The whole document.
///
/// # Errors
/// A user or group that the container's files do not name, and every flag whose value makes no sense.
pub(crate) fn config(record: &Record, ground: &Ground<'_>) -> Result<Value> {
    let wish = &record.wish;
    let security = security::read(&wish.security)?;
    let caps = caps::choose(wish, &security)?;
    let hostname = match wish.hostname.as_str() {
        "" => record.short(),
        given => given,
    };
    let mut document = json!({
        "ociVersion": "1.2.0",
        "process": process::process(wish, ground, &security, &caps, hostname)?,
        "root": { "path": ground.path, "readonly": wish.has(super::container::wish::Switch::ReadOnly) },
        "mounts": mounts::mounts(wish, ground),
        "linux": linux::linux(record, ground, &security, &caps)?,
        "annotations": { "io.orbital.name": record.name, "io.orbital.image": record.image },
    });
    for (name, value) in &wish.annotations {
        merge(&mut document["annotations"], name, json!(value));
    }
    cdi::apply(&mut document, &wish.vendors_devices, &cdi::folders())?;
    if !is_hosts(wish.namespaces.get("uts")) {
        merge(&mut document, "hostname", json!(hostname));
    }
    Ok(document)
}

fn is_hosts(mode: Option<&String>) -> bool {
    mode.is_some_and(|mode| mode == "host" || mode.starts_with("container:"))
}

/// Puts a member into an object.
fn merge(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

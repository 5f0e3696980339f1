//! Ready-made inputs for the tests: a root caller, a user, a container, and a bundle to vary.

use super::birth::{self, Birth};
use super::facts::{Facts, Instance, Privilege};
use crate::cli::{Create, Keyring, Manager};
use crate::error::{Error, Object};
use crate::plan::root::Entry;
use crate::spec::Bundle;
use oci_spec::runtime::Spec;
use serde_json::{Value, json};
use std::path::PathBuf;

/// root on x86_64, on a kernel with 41 capabilities, all of them its own.
pub(crate) fn root() -> Facts {
    Facts {
        architecture: oci_spec::runtime::Arch::ScmpArchX86_64,
        uid: 0,
        gid: 0,
        privilege: Privilege::Root,
        systemd: Instance::System,
        last_capability: 40,
        grantable: (1 << 41) - 1,
        newuidmap: None,
        newgidmap: None,
        unified: true,
    }
}

/// A user with id 1000 and group 100.
pub(crate) fn user() -> Facts {
    Facts {
        uid: 1000,
        gid: 100,
        privilege: Privilege::User,
        grantable: 0,
        ..root()
    }
}

/// The same, with the programs of the package uidmap.
pub(crate) fn user_with_helpers() -> Facts {
    let program = |name| Some(PathBuf::from(format!("/usr/bin/{name}")));
    Facts {
        newuidmap: program("newuidmap"),
        newgidmap: program("newgidmap"),
        ..user()
    }
}

/// `orbital create web`.
pub(crate) fn request() -> Create {
    Create {
        id: "web".to_owned(),
        bundle: PathBuf::from("/bundles/web"),
        console_socket: None,
        pid_file: None,
        entry: Entry::Pivot,
        keyring: Keyring::New,
        preserve_fds: 0,
        pidfd_socket: None,
        inherited: crate::cli::Inherited::default(),
        manager: Manager::Cgroupfs,
        command: Vec::new(),
    }
}

/// A config.json of a program and a mount namespace, with these members in the place of its own. Objects
/// are merged one level deep: `{"process": {"cwd": "/tmp"}}` keeps `args`.
pub(crate) fn spec(more: Value) -> Spec {
    serde_json::from_value(document(more)).unwrap()
}

/// The same as a bundle.
pub(crate) fn bundle(more: Value) -> Bundle {
    let document = document(more);
    let raw = document.to_string().into_bytes();
    let spec = serde_json::from_value(document).unwrap();
    Bundle {
        path: PathBuf::from("/bundles/web"),
        spec,
        raw,
        warnings: Vec::new(),
    }
}

/// Where an error points, and what it says about it.
pub(crate) fn told(error: &Error) -> (String, String) {
    match &error.report().object {
        Object::Config { pointer, .. } => (pointer.as_str().to_owned(), error.one_line()),
        _ => (String::new(), error.one_line()),
    }
}

/// The namespaces of this config.json, for root.
pub(crate) fn birth(more: Value) -> Birth {
    birth::plan(&spec(more), &root(), &mut Vec::new()).unwrap()
}

fn document(more: Value) -> Value {
    let mut all = json!({
        "ociVersion": "1.2.0",
        "root": {"path": "rootfs"},
        "process": {"user": {}, "cwd": "/", "args": ["/bin/true"]},
        "linux": {"namespaces": [{"type": "mount"}]},
    });
    for (name, value) in more.as_object().unwrap().clone() {
        match (all.get_mut(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
            (_, value) => all[name] = value,
        }
    }
    all
}

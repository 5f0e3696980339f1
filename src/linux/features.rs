//! What this build can do on Linux, and what this kernel can (features.md, features-linux.md).
//!
//! Callers ask before they rely on something, so nothing stands here that is not done, and what is
//! not done is said to be off rather than left out. Nothing is opened: no privileges, no state.

/// Seccomp, security modules, memory policies.
mod confinement;

use crate::plan::birth::Kind;
use crate::plan::{annotations, caps, options};
use crate::spec::default::VERSION;
use serde_json::{Value, json};

/// The oldest version of the specification whose config.json is understood.
const OLDEST: &str = "1.0.0";

/// All six of config.md, "POSIX-platform Hooks".
const HOOKS: [&str; 6] = [
    "prestart",
    "createRuntime",
    "createContainer",
    "startContainer",
    "poststart",
    "poststop",
];

/// All that Linux has.
const NAMESPACES: [Kind; 8] = [
    Kind::Cgroup,
    Kind::Ipc,
    Kind::Mount,
    Kind::Network,
    Kind::Pid,
    Kind::Time,
    Kind::User,
    Kind::Uts,
];

/// The document, with the keys that the specification gives it.
#[must_use]
pub fn features() -> Value {
    let mut mount_options: Vec<&str> = options::known().collect();
    mount_options.sort_unstable();
    mount_options.dedup();
    json!({
        "ociVersionMin": OLDEST,
        "ociVersionMax": VERSION,
        "hooks": HOOKS,
        "mountOptions": mount_options,
        "linux": linux(),
        "annotations": {
            // By this name of runc's callers ask every runtime; names of our own would need a namespace of our own.
            "org.opencontainers.runc.checkpoint.enabled": "true",
        },
        "potentiallyUnsafeConfigAnnotations": annotations::OBEYED,
    })
}

fn linux() -> Value {
    json!({
        "namespaces": NAMESPACES.map(Kind::name),
        "capabilities": capabilities(),
        "cgroup": { "v1": false, "v2": true, "systemd": true, "systemdUser": true, "rdma": true },
        "seccomp": confinement::seccomp(),
        "apparmor": { "enabled": true },
        "selinux": { "enabled": true },
        "intelRdt": { "enabled": true, "schemata": true, "monitoring": true },
        "memoryPolicy": confinement::memory_policy(),
        "mountExtensions": { "idmap": { "enabled": true } },
        "netDevices": { "enabled": true },
    })
}

/// Those that both orbital and this kernel know; prctl(2), `PR_CAPBSET_READ`.
fn capabilities() -> Vec<String> {
    let known = ::caps::runtime::thread_all_supported();
    caps::names(known.iter().fold(0, |set, one| set | one.bitmask()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_spec::runtime::Features;

    #[test]
    fn it_is_a_features_document_of_the_specification() {
        let document = features();
        let typed: Features = serde_json::from_value(document.clone()).unwrap();
        let mut again = serde_json::to_value(typed).unwrap();
        // The types write null for what was not there.
        again["linux"]["seccomp"]
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        assert_eq!(again, document, "the types know every key of it");
    }

    #[test]
    fn what_callers_look_for() {
        let document = features();
        assert_eq!(document["ociVersionMin"], "1.0.0");
        assert_eq!(document["ociVersionMax"], VERSION);
        assert_eq!(document["linux"]["cgroup"]["v2"], true);
        let has = |pointer: &str, word: &str| {
            document
                .pointer(pointer)
                .unwrap()
                .as_array()
                .unwrap()
                .contains(&json!(word))
        };
        for (pointer, word, there) in [
            ("/hooks", "createRuntime", true),
            ("/mountOptions", "rbind", true),
            ("/mountOptions", "rro", true),
            ("/mountOptions", "idmap", true),
            ("/mountOptions", "tmpcopyup", true),
            ("/linux/namespaces", "user", true),
            ("/linux/namespaces", "time", true),
            ("/linux/capabilities", "CAP_CHOWN", true),
            ("/linux/capabilities", "CAP_NET_BIND_SERVICE", true),
        ] {
            assert_eq!(has(pointer, word), there, "{pointer} {word}");
        }
    }

    #[test]
    fn every_mount_option_is_obeyed() {
        let document = features();
        for word in document["mountOptions"].as_array().unwrap() {
            let word = word.as_str().unwrap().to_owned();
            let parsed = options::parse(
                std::slice::from_ref(&word),
                &crate::error::Pointer::from("/mounts/0"),
            );
            assert!(parsed.is_ok(), "{word}");
        }
    }
}

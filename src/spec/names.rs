//! Names of members that nobody knows, where one that is known is near: `"capabilites"`.
//!
//! The specification wants unknown members ignored, so this is no error; `orbital plan` and `--debug` say it.
//! It reads the document a second time, which `create` does not do unasked.

use crate::error::{Error, Object, Pointer, nearest};
use serde_json::Value;

/// An object's place, `*` for each member or element, and the names that the specification has there (1.3).
/// Members of objects that are not here have names of the bundle's own.
#[rustfmt::skip]
const KNOWN: &[(&str, &str)] = &[
    ("", "ociVersion root mounts process hostname domainname hooks annotations linux solaris windows vm zos freebsd"),
    ("/root", "path readonly"),
    ("/mounts/*", "destination type source options uidMappings gidMappings"),
    ("/mounts/*/uidMappings/*", "containerID hostID size"),
    ("/mounts/*/gidMappings/*", "containerID hostID size"),
    ("/hooks", "prestart createRuntime createContainer startContainer poststart poststop"),
    ("/hooks/*/*", "path args env timeout"),
    ("/process", "terminal consoleSize user args commandLine env cwd capabilities rlimits noNewPrivileges apparmorProfile \
        oomScoreAdj scheduler selinuxLabel ioPriority execCPUAffinity"),
    ("/process/consoleSize", "height width"),
    ("/process/user", "uid gid umask additionalGids username"),
    ("/process/capabilities", "bounding effective permitted inheritable ambient"),
    ("/process/rlimits/*", "type soft hard"),
    ("/process/scheduler", "policy nice priority flags runtime deadline period"),
    ("/process/ioPriority", "class priority"),
    ("/process/execCPUAffinity", "initial final"),
    ("/linux", "uidMappings gidMappings sysctl resources cgroupsPath namespaces devices netDevices seccomp rootfsPropagation \
        maskedPaths readonlyPaths mountLabel intelRdt memoryPolicy personality timeOffsets"),
    ("/linux/uidMappings/*", "containerID hostID size"),
    ("/linux/gidMappings/*", "containerID hostID size"),
    ("/linux/namespaces/*", "type path"),
    ("/linux/devices/*", "path type major minor fileMode uid gid"),
    ("/linux/netDevices/*", "name"),
    ("/linux/timeOffsets", "monotonic boottime"),
    ("/linux/timeOffsets/*", "secs nanosecs"),
    ("/linux/personality", "domain flags"),
    ("/linux/memoryPolicy", "mode nodes flags"),
    ("/linux/intelRdt", "closID schemata l3CacheSchema memBwSchema enableCMT enableMBM enableMonitoring"),
    ("/linux/resources", "devices memory cpu pids blockIO hugepageLimits network rdma unified"),
    ("/linux/resources/devices/*", "allow type major minor access"),
    ("/linux/resources/memory", "limit reservation swap kernel kernelTCP swappiness disableOOMKiller useHierarchy checkBeforeUpdate"),
    ("/linux/resources/cpu", "shares quota burst period realtimeRuntime realtimePeriod cpus mems idle"),
    ("/linux/resources/pids", "limit"),
    ("/linux/resources/blockIO", "weight leafWeight weightDevice throttleReadBpsDevice throttleWriteBpsDevice \
        throttleReadIOPSDevice throttleWriteIOPSDevice"),
    ("/linux/resources/blockIO/*/*", "major minor weight leafWeight rate"),
    ("/linux/resources/hugepageLimits/*", "pageSize limit"),
    ("/linux/resources/network", "classID priorities"),
    ("/linux/resources/network/priorities/*", "name priority"),
    ("/linux/resources/rdma/*", "hcaHandles hcaObjects"),
    ("/linux/seccomp", "defaultAction defaultErrnoRet architectures flags listenerPath listenerMetadata syscalls"),
    ("/linux/seccomp/syscalls/*", "names action errnoRet args"),
    ("/linux/seccomp/syscalls/*/args/*", "index value valueTwo op"),
];

/// A warning for each name that looks like a misspelt one.
#[must_use]
pub fn misspelt(raw: &[u8]) -> Vec<String> {
    let document = serde_json::from_slice(raw).unwrap_or_default();
    let mut warnings = Vec::new();
    walk(&document, &Pointer::default(), "", &mut warnings);
    warnings
}

/// Where what is missing stands there under a name that is nearly its own, the error's hint says so.
#[must_use]
pub(super) fn explained(error: Error, raw: &[u8]) -> Error {
    let hint = match &error.report().object {
        Object::Config { pointer, .. } => misspelt_there(pointer.as_str(), raw),
        _ => None,
    };
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

fn misspelt_there(place: &str, raw: &[u8]) -> Option<String> {
    let (parent, name) = place.rsplit_once('/')?;
    let document: Value = serde_json::from_slice(raw).ok()?;
    let beside = document.pointer(parent)?.as_object()?;
    let (_, known) = KNOWN.iter().find(|(object, _)| *object == parent)?;
    let mut all = beside.keys().filter(|_| !beside.contains_key(name));
    let found = all.find(|one| near(one, known) == Some(name))?;
    Some(format!("write {name:?} for {found:?}"))
}

/// `pattern` is the object's place as it stands in [`KNOWN`], so far as it does.
fn walk(value: &Value, place: &Pointer, pattern: &str, warnings: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            let known = KNOWN.iter().find(|(object, _)| *object == pattern);
            for (name, member) in members {
                if let Some(near) = known.and_then(|(_, known)| near(name, known)) {
                    warnings.push(format!(
                        "config.json#{} is no member that orbital knows, and is ignored: did you mean {near}?",
                        place.at(name).as_str()
                    ));
                }
                let Some(pattern) = deeper(pattern, name) else {
                    continue;
                };
                walk(member, &place.at(name), &pattern, warnings);
            }
        }
        Value::Array(items) => {
            let pattern = format!("{pattern}/*");
            for (index, item) in items.iter().enumerate() {
                walk(item, &place.at(index), &pattern, warnings);
            }
        }
        _ => {}
    }
}

/// The pattern of a member, where there is a pattern with it, or within it.
fn deeper(pattern: &str, name: &str) -> Option<String> {
    let has = |wanted: &str| {
        KNOWN.iter().any(|(object, _)| {
            let rest = object.strip_prefix(wanted);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    let named = format!("{pattern}/{name}");
    let any = format!("{pattern}/*");
    [named, any].into_iter().find(|wanted| has(wanted))
}

fn near<'k>(name: &str, known: &'k str) -> Option<&'k str> {
    let known = known.split_ascii_whitespace();
    if known.clone().any(|one| one == name) {
        return None;
    }
    nearest(name, known)
}

#[cfg(test)]
mod tests {
    use super::misspelt;

    #[test]
    fn a_misspelt_name_is_told_with_the_right_one() {
        let raw = br#"{"hostnam": "a", "process": {"capabilites": {}, "user": {"UID": 0}},
            "linux": {"namespaces": [{"type": "pid", "pth": "/x"}], "resources": {"memory": {"limits": 1}}},
            "hooks": {"poststop": [{"path": "/x", "timout": 1}]}}"#;
        let told = misspelt(raw).join("\n");
        for (place, meant) in [
            ("/hostnam", "hostname"),
            ("/process/capabilites", "capabilities"),
            ("/process/user/UID", "uid"),
            ("/linux/namespaces/0/pth", "path"),
            ("/linux/resources/memory/limits", "limit"),
            ("/hooks/poststop/0/timout", "timeout"),
        ] {
            let line = told
                .lines()
                .find(|line| line.contains(&format!("#{place} ")));
            assert!(
                line.is_some_and(|line| line.ends_with(&format!("did you mean {meant}?"))),
                "{place}: {told}"
            );
        }
        assert_eq!(told.lines().count(), 6, "{told}");
    }

    #[test]
    fn names_of_the_bundles_own_are_let_pass() {
        let raw = br#"{"ociVersion": "1.2.0", "annotations": {"limits": "x"}, "org.example": {"pth": 1},
            "linux": {"sysctl": {"net.ipv4": "1"}, "resources": {"unified": {"memory.max": "1"}, "rdma": {"hcaHandle": {"hcaHandles": 1}}}}}"#;
        assert_eq!(misspelt(raw), Vec::<String>::new());
    }
}

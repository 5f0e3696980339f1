//! To whom the group is handed over (config-linux.md, "Cgroup ownership"), so that a container that
//! sees its own group as the root of a writable tree may make groups below it.

use crate::plan::birth::{Birth, Kind, UserNamespace};
use crate::plan::facts::{Facts, Privilege};
use oci_spec::runtime::Spec;
use std::path::Path;

/// The host's id of the process's user, where the container has a cgroup namespace of its own and a
/// writable cgroup2 in it; `None` where that is the caller's own id, whose the group is anyway. Of a
/// joined user namespace the mapping is not known here.
pub(super) fn plan(spec: &Spec, birth: &Birth, facts: &Facts) -> Option<u32> {
    if facts.privilege != Privilege::Root || !birth.makes(Kind::Cgroup) || !is_writable(spec) {
        return None;
    }
    let inside = spec.process().as_ref()?.user().uid();
    let outside = match &birth.user {
        UserNamespace::Inherited => Some(inside),
        UserNamespace::New(maps) => maps.uid.outside(inside),
        UserNamespace::Joined => None,
    };
    outside.filter(|uid| *uid != facts.uid)
}

/// Whether the last mount on /sys/fs/cgroup is a cgroup file system that may be written.
fn is_writable(spec: &Spec) -> bool {
    let place = Path::new("sys/fs/cgroup");
    let is_there = |path: &Path| path.strip_prefix("/").unwrap_or(path) == place;
    let mounts = spec.mounts().iter().flatten();
    let mut there = mounts.filter(|mount| is_there(mount.destination()));
    there.next_back().is_some_and(|mount| {
        let kind = mount.typ().as_deref();
        let words = mount.options().iter().flatten().map(String::as_str);
        let mut access = words.filter(|word| ["ro", "rro", "rw", "rrw"].contains(word));
        let read_only = matches!(access.next_back(), Some("ro" | "rro"));
        matches!(kind, Some("cgroup" | "cgroup2")) && !read_only
    })
}

#[cfg(test)]
mod tests {
    use crate::plan::cgroup::tests::planned_spec;
    use crate::plan::facts::Privilege;
    use serde_json::{Value, json};

    fn owner(privilege: Privilege, user: u32, options: &[&str], linux: &Value) -> Option<u32> {
        let spec = json!({
            "process": {"user": {"uid": user, "gid": 0}, "args": ["x"], "cwd": "/"},
            "mounts": [{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": options}],
            "linux": linux,
        });
        planned_spec(privilege, spec).unwrap().owner
    }

    #[test]
    fn the_group_is_handed_over_to_whom_its_root_is_shown_writable() {
        let own = json!({"namespaces": [{"type": "cgroup"}, {"type": "mount"}]});
        let map = json!([{"containerID": 0, "hostID": 100_000, "size": 2000}]);
        let user = json!({
            "namespaces": [{"type": "cgroup"}, {"type": "mount"}, {"type": "user"}],
            "uidMappings": map, "gidMappings": map,
        });
        let shared = json!({"namespaces": [{"type": "mount"}]});
        for (privilege, uid, options, linux, expected) in [
            (Privilege::Root, 1000, &["rw"][..], &own, Some(1000)),
            (Privilege::Root, 1000, &["ro", "rw"], &own, Some(1000)),
            (Privilege::Root, 0, &[], &own, None),
            (Privilege::Root, 0, &[], &user, Some(100_000)),
            (Privilege::Root, 1000, &["nosuid"], &user, Some(101_000)),
            (Privilege::Root, 1000, &["ro"], &own, None),
            (Privilege::Root, 1000, &["rw", "rro"], &own, None),
            (Privilege::Root, 1000, &["rw"], &shared, None),
        ] {
            assert_eq!(
                owner(privilege, uid, options, linux),
                expected,
                "{uid} {options:?} {linux}"
            );
        }
    }
}

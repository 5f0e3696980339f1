use super::*;
use crate::plan::birth;
use crate::plan::facts::Facts;
use crate::plan::sample::{root, spec, told, user};
use serde_json::{Value, json};

/// The user in a new user namespace with this one line in both maps, or in the caller's.
fn planned(given: Value, map: Option<(u32, u32, u32)>, facts: &Facts) -> Result<User> {
    let mut linux = json!({"namespaces": [{"type": "mount"}]});
    if let Some((container, host, size)) = map {
        linux["namespaces"] = json!([{"type": "mount"}, {"type": "user"}]);
        linux["uidMappings"] = json!([{"containerID": container, "hostID": host, "size": size}]);
        let host = if facts.uid == 0 { host } else { facts.gid };
        linux["gidMappings"] = json!([{"containerID": container, "hostID": host, "size": size}]);
    }
    let spec = spec(json!({"process": {"user": given}, "linux": linux}));
    plan(&spec, &birth::plan(&spec, facts, &mut Vec::new())?)
}

#[test]
fn ids_groups_and_umask() {
    let some = json!({"uid": 5, "gid": 6, "additionalGids": [7, 8], "umask": 63});
    let found = planned(some, None, &root()).unwrap();
    assert_eq!(
        found,
        User {
            uid: 5,
            gid: 6,
            groups: Groups::Set(vec![7, 8]),
            umask: 0o077
        }
    );
    let found = planned(json!({}), None, &root()).unwrap();
    assert_eq!(
        found,
        User {
            uid: 0,
            gid: 0,
            groups: Groups::Set(vec![]),
            umask: 0o022
        }
    );
}

#[test]
fn a_user_alone_in_its_namespace_keeps_its_groups() {
    assert_eq!(
        planned(json!({}), Some((0, 1000, 1)), &user())
            .unwrap()
            .groups,
        Groups::Keep
    );
    // An empty list from root is another matter: all groups are left.
    assert_eq!(
        planned(json!({}), Some((0, 1000, 1)), &root())
            .unwrap()
            .groups,
        Groups::Set(vec![])
    );
}

#[test]
fn refusals_name_the_id_and_the_map() {
    let ten = Some((0, 100_000, 10));
    for (given, map, facts, place, words) in [
        (
            json!({"uid": 10}),
            ten,
            root(),
            "/process/user/uid",
            "/linux/uidMappings does not map 10",
        ),
        (
            json!({"gid": 11}),
            ten,
            root(),
            "/process/user/gid",
            "/linux/gidMappings does not map 11",
        ),
        (
            json!({"additionalGids": [9, 10]}),
            ten,
            root(),
            "/process/user/additionalGids/1",
            "does not map 10",
        ),
        (
            json!({"additionalGids": [0]}),
            Some((0, 1000, 1)),
            user(),
            "/process/user/additionalGids",
            "may not set groups",
        ),
        (
            json!({"uid": u32::MAX}),
            None,
            root(),
            "/process/user/uid",
            "is not an id",
        ),
        (
            json!({"additionalGids": [u32::MAX]}),
            None,
            root(),
            "/process/user/additionalGids/0",
            "is not an id",
        ),
        (
            json!({"umask": 512}),
            None,
            root(),
            "/process/user/umask",
            "octal 777",
        ),
    ] {
        let (pointer, line) = told(&planned(given, map, &facts).unwrap_err());
        assert_eq!(pointer, place, "{line}");
        assert!(line.contains(words), "{line}");
    }
}

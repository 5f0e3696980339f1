use super::*;
use crate::plan::sample::{root, spec, told, user, user_with_helpers};
use proptest::prelude::*;
use serde_json::{Value, json};

fn lines(lines: &[(u32, u32, u32)]) -> Value {
    lines.iter().map(|(container, host, size)| json!({"containerID": container, "hostID": host, "size": size})).collect()
}

fn planned(uid: &[(u32, u32, u32)], gid: &[(u32, u32, u32)], facts: &Facts) -> Result<Maps> {
    let spec = spec(json!({"linux": {"uidMappings": lines(uid), "gidMappings": lines(gid)}}));
    plan(spec.linux().as_ref().unwrap(), facts)
}

#[test]
fn the_bytes_are_those_of_uid_map() {
    let maps = planned(
        &[(0, 1000, 1), (1, 100_000, 65_536)],
        &[(0, 100, 1)],
        &root(),
    )
    .unwrap();
    assert_eq!(maps.uid.bytes, b"0 1000 1\n1 100000 65536\n");
    assert_eq!(maps.gid.bytes, b"0 100 1\n");
    assert_eq!(
        (maps.writer, maps.setgroups),
        (Writer::Runtime, Setgroups::Allow)
    );
}

#[test]
fn who_writes_them() {
    let helpers = || Writer::Helpers {
        newuidmap: "/usr/bin/newuidmap".into(),
        newgidmap: "/usr/bin/newgidmap".into(),
    };
    for (uid, gid, facts, expected) in [
        (
            (0, 1000, 1),
            (0, 100, 1),
            user(),
            (Writer::Runtime, Setgroups::Deny),
        ),
        (
            (7, 1000, 1),
            (7, 100, 1),
            user_with_helpers(),
            (Writer::Runtime, Setgroups::Deny),
        ),
        (
            (0, 1000, 2),
            (0, 100, 1),
            user_with_helpers(),
            (helpers(), Setgroups::Allow),
        ),
        (
            (0, 1000, 1),
            (0, 101, 1),
            user_with_helpers(),
            (helpers(), Setgroups::Allow),
        ),
    ] {
        let maps = planned(&[uid], &[gid], &facts).unwrap();
        assert_eq!((maps.writer, maps.setgroups), expected, "{uid:?} {gid:?}");
    }
}

type Line = (u32, u32, u32);

/// User and group mappings, who asks, the place that is refused, and words of the reason.
type Case = (
    &'static [Line],
    &'static [Line],
    fn() -> Facts,
    &'static str,
    &'static str,
);

const WRONG: [Case; 8] = [
    (
        &[(0, 0, 0)],
        &[(0, 0, 1)],
        root,
        "/linux/uidMappings/0",
        "at least one id",
    ),
    (
        &[(0, 0, 1)],
        &[(u32::MAX, 0, 1)],
        root,
        "/linux/gidMappings/0",
        "beyond the last id",
    ),
    (
        &[(0, 0, 1)],
        &[(0, 2, u32::MAX - 1)],
        root,
        "/linux/gidMappings/0",
        "beyond the last id",
    ),
    (
        &[(0, 0, 10), (9, 20, 1)],
        &[(0, 0, 1)],
        root,
        "/linux/uidMappings/1",
        "of the container",
    ),
    (
        &[(0, 0, 10), (10, 9, 1)],
        &[(0, 0, 1)],
        root,
        "/linux/uidMappings/1",
        "of the host",
    ),
    (
        &[(0, 1000, 2)],
        &[(0, 100, 1)],
        user,
        "/linux/uidMappings",
        "install the package uidmap",
    ),
    (
        &[(0, 1000, 1)],
        &[(0, 1, 1)],
        user,
        "/linux/gidMappings",
        "install the package uidmap",
    ),
    (
        &[],
        &[(0, 0, 1)],
        root,
        "/linux/uidMappings",
        "needs a mapping",
    ),
];

#[test]
fn refusals_name_the_line() {
    for (uid, gid, facts, place, words) in WRONG {
        let (pointer, line) = told(&planned(uid, gid, &facts()).unwrap_err());
        assert_eq!(pointer, place, "{line}");
        assert!(line.contains(words), "{line}");
    }
}

#[test]
fn the_kernel_takes_340_lines() {
    let lines: Vec<Line> = (0..341).map(|id| (id, id, 1)).collect();
    assert!(planned(&lines[..340], &lines[..1], &root()).is_ok());
    let (pointer, line) = told(&planned(&lines, &lines[..1], &root()).unwrap_err());
    assert_eq!(pointer, "/linux/uidMappings");
    assert!(
        line.contains("there are 341, and the kernel takes at most 340"),
        "{line}"
    );
}

/// What the kernel would do, id by id: every id of one side has one of the other.
fn is_a_map(lines: &[(u32, u32, u32)]) -> bool {
    let sides: [Vec<u64>; 2] = [
        lines
            .iter()
            .flat_map(|line| (0..u64::from(line.2)).map(|more| u64::from(line.0) + more))
            .collect(),
        lines
            .iter()
            .flat_map(|line| (0..u64::from(line.2)).map(|more| u64::from(line.1) + more))
            .collect(),
    ];
    let once =
        |ids: &Vec<u64>| ids.iter().collect::<std::collections::HashSet<_>>().len() == ids.len();
    lines.iter().all(|line| line.2 > 0) && sides.iter().all(once)
}

proptest! {
    #[test]
    fn accepted_is_exactly_what_maps_every_id_once(given in prop::collection::vec((0_u32..40, 0_u32..40, 0_u32..8), 1..5)) {
        let accepted = planned(&given, &[(0, 0, 1)], &root());
        prop_assert_eq!(accepted.is_ok(), is_a_map(&given));
        if let Ok(maps) = accepted {
            let text = String::from_utf8(maps.uid.bytes.clone()).unwrap();
            let read: Vec<Vec<u32>> = text.lines().map(|line| line.split(' ').map(|number| number.parse().unwrap()).collect()).collect();
            let written: Vec<Vec<u32>> = given.iter().map(|line| vec![line.0, line.1, line.2]).collect();
            prop_assert_eq!(read, written);
            for id in 0..60 {
                let inside = given.iter().any(|line| (line.0..line.0 + line.2).contains(&id));
                prop_assert_eq!(maps.uid.holds(id), inside);
            }
        }
    }
}

//! Id mappings, alone: those that pass are written as they are, and no id is mapped twice.
//!
//! The first byte says how many lines are for users; each line is three numbers of four bytes.

use super::Depth;
use serde_json::{Value, json};
use std::path::PathBuf;

pub(super) fn run(input: &[u8]) -> Depth {
    let Some((first, rest)) = input.split_first() else {
        return Depth::Unread;
    };
    let lines: Vec<[u32; 3]> = rest
        .as_chunks::<12>()
        .0
        .iter()
        .map(|line| {
            let number = |at: usize| {
                let four = [line[at], line[at + 1], line[at + 2], line[at + 3]];
                u32::from_be_bytes(four)
            };
            [number(0), number(4), number(8)]
        })
        .collect();
    let (users, groups) = lines.split_at(lines.len().min(usize::from(*first)));
    let config = json!({
        "ociVersion": "1.2.0",
        "root": {"path": "rootfs"},
        "process": {"user": {}, "cwd": "/", "args": ["/bin/true"]},
        "linux": {
            "namespaces": [{"type": "mount"}, {"type": "user"}],
            "uidMappings": written(users),
            "gidMappings": written(groups),
        },
    });
    try_them(config.to_string().into_bytes(), users)
}

fn written(lines: &[[u32; 3]]) -> Value {
    let line = |[container, host, size]: &[u32; 3]| json!({"containerID": container, "hostID": host, "size": size});
    lines.iter().map(line).collect()
}

fn try_them(config: Vec<u8>, users: &[[u32; 3]]) -> Depth {
    super::config::run(&config);
    let Ok(bundle) = orbital::spec::from_bytes(config, PathBuf::from("/bundles/web")) else {
        panic!("mappings that cannot be read");
    };
    let Some(linux) = bundle.spec.linux() else {
        panic!("no mappings");
    };
    let Ok(maps) = orbital::plan::idmap::plan(linux, &super::config::facts(1)) else {
        return Depth::Refused;
    };
    let text: String = users
        .iter()
        .map(|[container, host, size]| format!("{container} {host} {size}\n"))
        .collect();
    assert_eq!(maps.uid.bytes, text.as_bytes());
    for column in [0, 1] {
        let mut ranges: Vec<(u64, u64)> = users
            .iter()
            .map(|line| (u64::from(line[column]), u64::from(line[2])))
            .collect();
        ranges.sort_unstable();
        let apart = |pair: &[(u64, u64)]| pair[0].0 + pair[0].1 <= pair[1].0;
        assert!(ranges.windows(2).all(apart), "an id twice: {text}");
        let last = ranges.last().map_or(0, |(first, size)| first + size);
        assert!(last <= 1 << 32, "beyond the last id: {text}");
    }
    Depth::Done
}

//! `/process`: user, capabilities, limits, environment, working directory and the small things.

use serde_json::{Value, json};

use super::Draw;
use crate::dice::Dice;
use crate::spec::Spec;

const CAPABILITIES: [&str; 16] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
    "CAP_SYS_ADMIN",
    "CAP_NET_ADMIN",
];

/// With the most that every host allows without CAP_SYS_RESOURCE, and the least that the probe needs.
const RLIMITS: [(&str, u64, u64); 11] = [
    ("RLIMIT_NOFILE", 256, 1024),
    ("RLIMIT_CORE", 0, 1 << 20),
    ("RLIMIT_NPROC", 4096, 8192),
    ("RLIMIT_CPU", 1000, 100_000),
    ("RLIMIT_FSIZE", 16 << 20, 1 << 40),
    ("RLIMIT_STACK", 8 << 20, 8 << 20),
    ("RLIMIT_MEMLOCK", 0, 65536),
    ("RLIMIT_DATA", 1 << 33, 1 << 40),
    ("RLIMIT_LOCKS", 100, 1000),
    ("RLIMIT_SIGPENDING", 512, 2048),
    ("RLIMIT_MSGQUEUE", 1000, 800_000),
];

pub(super) fn draw(dice: &mut Dice, draw: &mut Draw) {
    let spec = &mut draw.spec;
    user(dice, spec);
    capabilities(dice, spec);
    limits(dice, spec);
    environment(dice, spec);
    if dice.chance(40) {
        let place = *dice.one(&[
            "/tmp",
            "/root",
            "/srv/folder",
            "/made/for/it",
            "/link",
            "/proc",
            "/dev/",
            "/srv/../tmp",
        ]);
        spec.set("/process/cwd", json!(place));
    }
    match dice.below(4) {
        0 => drop(spec.set("/process/noNewPrivileges", json!(false))),
        1 => drop(spec.remove("/process/noNewPrivileges")),
        _ => {}
    }
    if dice.chance(30) {
        let score = *dice.one(&[0, 1, 100, 500, 1000]);
        spec.set("/process/oomScoreAdj", json!(score));
    }
    if dice.chance(10) {
        let domain = *dice.one(&["LINUX", "LINUX32"]);
        spec.set("/linux/personality", json!({"domain": domain}));
    }
}

fn user(dice: &mut Dice, spec: &mut Spec) {
    if dice.chance(40) {
        let (uid, gid) = (
            *dice.one(&[0, 1, 1000, 65534]),
            *dice.one(&[0, 5, 1000, 65534]),
        );
        spec.set("/process/user", json!({"uid": uid, "gid": gid}));
    }
    if dice.chance(30) {
        let groups = dice.some(&[0, 4, 5, 20, 1000, 1000, 60000], 40);
        spec.set("/process/user/additionalGids", json!(groups));
    }
    if dice.chance(30) {
        let umask = dice.one(&[0, 0o22, 0o27, 0o77, 0o777, 0o123]);
        spec.set("/process/user/umask", json!(umask));
    }
}

fn capabilities(dice: &mut Dice, spec: &mut Spec) {
    let some = |dice: &mut Dice, percent| -> Value { json!(dice.some(&CAPABILITIES, percent)) };
    match dice.below(8) {
        0 => drop(spec.remove("/process/capabilities")),
        1 => drop(spec.set("/process/capabilities", json!({}))),
        2 | 3 => {
            let all = some(dice, 50);
            spec.set(
                "/process/capabilities",
                json!({"bounding": all, "effective": all, "permitted": all}),
            );
        }
        4 => {
            let all = some(dice, 50);
            let sets = json!({"bounding": all, "effective": all, "permitted": all, "inheritable": all, "ambient": all});
            spec.set("/process/capabilities", sets);
        }
        5 => {
            // Now and then one is in no bounding set, which is to be refused.
            let all = dice.some(&CAPABILITIES, 60);
            let bounding: Vec<_> = all.iter().filter(|_| !dice.chance(1)).collect();
            spec.set("/process/capabilities/bounding", json!(bounding));
            spec.set("/process/capabilities/permitted", json!(all));
            spec.set("/process/capabilities/inheritable", json!(all));
            spec.remove("/process/capabilities/effective");
        }
        _ => {}
    }
}

fn limits(dice: &mut Dice, spec: &mut Spec) {
    if dice.chance(50) {
        return;
    }
    let chosen = dice.some(&RLIMITS, 25);
    let limit = |(name, least, most): &(&str, u64, u64), dice: &mut Dice| {
        let hard = dice.between(*least, *most);
        let soft = dice.between(*least, hard);
        json!({"type": name, "soft": soft, "hard": hard})
    };
    let limits: Vec<_> = chosen.into_iter().map(|one| limit(one, dice)).collect();
    spec.set("/process/rlimits", json!(limits));
}

fn environment(dice: &mut Dice, spec: &mut Spec) {
    if dice.chance(40) {
        return;
    }
    let words = [
        "PATH=/bin:/usr/bin",
        "HOME=/srv",
        "HOME=",
        "TERM=xterm",
        "EMPTY=",
        "TWICE=1",
        "TWICE=2",
        "A B=c d",
        "UNICODE=größe",
        "TAB=\t",
        "LONG==x=y",
        "USER=ana",
        "lower=1",
        "LD_PRELOAD=/none",
        "PATH=/usr/bin",
    ];
    let chosen = dice.some(&words, 40);
    // Nobody can be asked to find a program without any PATH, but the probe's has a slash.
    match dice.chance(10) {
        true => spec.remove("/process/env"),
        false => spec.set("/process/env", json!(chosen)),
    };
}

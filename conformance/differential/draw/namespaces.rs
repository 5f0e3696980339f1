//! Namespaces and mappings, host names, sysctls.

use serde_json::json;

use super::Draw;
use crate::dice::Dice;

const SYSCTLS: [(&str, &str, &str); 9] = [
    ("network", "net.ipv4.ip_forward", "1"),
    ("network", "net.ipv4.ping_group_range", "0 1000"),
    ("network", "net.ipv4.ip_unprivileged_port_start", "80"),
    ("network", "net.ipv6.conf.all.disable_ipv6", "1"),
    ("ipc", "kernel.msgmax", "9000"),
    ("ipc", "kernel.shmmni", "1000"),
    ("ipc", "kernel.sem", "100 1000 10 100"),
    ("ipc", "fs.mqueue.msg_max", "20"),
    ("uts", "kernel.domainname", "of.sysctl"),
];

/// The first id on the host of those in the container.
const FIRST: u32 = 100_000;

pub(super) fn draw(dice: &mut Dice, draw: &mut Draw) {
    let user = dice.chance(18);
    if user {
        let size = *dice.one(&[1_u32, 65536, 65536, 65536, 65536]);
        draw.spec.user_namespace(FIRST, size);
        draw.owner = Some(FIRST);
    }
    for kind in ["network", "ipc", "uts", "cgroup", "pid"] {
        match dice.below(12) {
            0 => drop(draw.spec.no_namespace(kind)),
            1 if !user && ["network", "ipc", "uts"].contains(&kind) => {
                let file = if kind == "network" { "net" } else { kind };
                draw.spec.join(kind, &format!("$HOLDER/ns/{file}"));
            }
            _ => {}
        }
    }
    names(dice, draw);
    sysctls(dice, draw);
}

/// Whether the bundle asks for a new namespace of this kind.
fn new_one(draw: &Draw, kind: &str) -> bool {
    let list = draw
        .spec
        .0
        .pointer("/linux/namespaces")
        .and_then(|list| list.as_array());
    list.into_iter()
        .flatten()
        .any(|one| one["type"] == kind && one.get("path").is_none())
}

fn names(dice: &mut Dice, draw: &mut Draw) {
    if !new_one(draw, "uts") {
        draw.spec.remove("/hostname");
        return;
    }
    match dice.below(4) {
        0 => drop(draw.spec.remove("/hostname")),
        1 => drop(draw.spec.set("/hostname", json!("a-longer.name.of-it"))),
        _ => {}
    }
    if dice.chance(20) {
        draw.spec.set("/domainname", json!("of.config"));
    }
}

fn sysctls(dice: &mut Dice, draw: &mut Draw) {
    for (kind, name, value) in SYSCTLS {
        draw.look
            .push(format!("/proc/sys/{}", name.replace('.', "/")));
        if dice.chance(8) && new_one(draw, kind) {
            draw.spec
                .set(&format!("/linux/sysctl/{name}"), json!(value));
        }
    }
}

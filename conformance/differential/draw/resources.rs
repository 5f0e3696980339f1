//! Devices, their rules, and limits of the cgroup.

use serde_json::{Value, json};

use super::{Draw, Host};
use crate::dice::Dice;
use crate::spec::Spec;

pub(super) fn draw(dice: &mut Dice, draw: &mut Draw, host: &Host) {
    if dice.chance(35) {
        devices(dice, &mut draw.spec);
    }
    if dice.chance(40) {
        rules(dice, &mut draw.spec);
    }
    limits(dice, &mut draw.spec, host);
}

fn devices(dice: &mut Dice, spec: &mut Spec) {
    let all = [
        json!({"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229}),
        json!({"path": "/dev/own/zero", "type": "c", "major": 1, "minor": 5}),
        json!({"path": "/dev/loop0", "type": "b", "major": 7, "minor": 0}),
        json!({"path": "/dev/pipe", "type": "p"}),
        json!({"path": "/dev/null", "type": "c", "major": 1, "minor": 3}),
        json!({"path": "/srv/null", "type": "u", "major": 1, "minor": 3}),
    ];
    let mut chosen: Vec<Value> = dice.some(&all, 35).into_iter().cloned().collect();
    for device in &mut chosen {
        if dice.chance(70) {
            device["fileMode"] = json!(dice.one(&[0o600, 0o660, 0o644, 0o666, 0]));
        }
        if dice.chance(50) {
            device["uid"] = json!(dice.one(&[0, 1000]));
            device["gid"] = json!(dice.one(&[0, 5, 1000]));
        }
    }
    spec.set("/linux/devices", json!(chosen));
}

fn rules(dice: &mut Dice, spec: &mut Spec) {
    let all = [
        json!({"allow": false, "access": "rwm"}),
        json!({"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rwm"}),
        json!({"allow": true, "type": "c", "major": 1, "access": "r"}),
        json!({"allow": true, "type": "b", "access": "m"}),
        json!({"allow": false, "type": "c", "major": 1, "minor": 3, "access": "w"}),
        json!({"allow": true, "type": "b", "major": 7, "minor": 0, "access": "rw"}),
        json!({"allow": true, "type": "c", "major": 1, "minor": 11, "access": "rwm"}),
        json!({"allow": false, "type": "c", "major": 10, "access": "rw"}),
        json!({"allow": true, "type": "a", "access": "rwm"}),
    ];
    let chosen: Vec<_> = dice.some(&all, 40);
    spec.set("/linux/resources/devices", json!(chosen));
}

/// Only what the host's controllers can keep: without one all refuse, which is the suite's matter.
fn limits(dice: &mut Dice, spec: &mut Spec, host: &Host) {
    for controller in &host.controllers {
        if !dice.chance(35) {
            continue;
        }
        match controller.as_str() {
            "pids" => drop(spec.set(
                "/linux/resources/pids/limit",
                json!(dice.one(&[-1, 100, 1000])),
            )),
            "memory" => memory(dice, spec),
            "cpu" => cpu(dice, spec),
            "cpuset" => drop(spec.set("/linux/resources/cpu/cpus", json!("0"))),
            "hugetlb" => {
                let limit = *dice.one(&[0, 2_097_152, 1 << 30]);
                let limits = json!([{"pageSize": "2MB", "limit": limit}]);
                spec.set("/linux/resources/hugepageLimits", limits);
            }
            "io" => drop(spec.set(
                "/linux/resources/blockIO/weight",
                json!(dice.between(10, 1000)),
            )),
            _ => {}
        }
    }
    if dice.chance(10) {
        spec.set(
            "/linux/resources/unified",
            json!({"cgroup.max.depth": "7", "cgroup.max.descendants": "9"}),
        );
    }
}

fn memory(dice: &mut Dice, spec: &mut Spec) {
    let limit = dice.between(64, 512) << 20;
    spec.set("/linux/resources/memory/limit", json!(limit));
    if dice.chance(50) {
        spec.set("/linux/resources/memory/reservation", json!(limit / 2));
    }
    match dice.below(4) {
        0 => drop(spec.set("/linux/resources/memory/swap", json!(limit * 2))),
        1 => drop(spec.set("/linux/resources/memory/swap", json!(limit))),
        2 => drop(spec.set("/linux/resources/memory/swap", json!(-1))),
        _ => {}
    }
}

fn cpu(dice: &mut Dice, spec: &mut Spec) {
    if dice.chance(60) {
        spec.set(
            "/linux/resources/cpu/shares",
            json!(dice.between(2, 262_144)),
        );
    }
    if dice.chance(60) {
        spec.set(
            "/linux/resources/cpu/quota",
            json!(dice.between(50, 200) * 1000),
        );
        spec.set(
            "/linux/resources/cpu/period",
            json!(dice.between(50, 200) * 1000),
        );
    }
}

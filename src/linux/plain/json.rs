//! The whole plan, for programs and for golden files.
//!
//! What is not here is not in the plan, but for the highest capability of the kernel: it is a fact of the
//! host, and no decision.

use super::flags;
use super::flags::{inside, words};
use crate::plan::Plan;
use crate::plan::birth::{Birth, UserNamespace};
use crate::plan::cgroup::{Group, Otherwise, Setting, properties::Property};
use crate::plan::console::Console;
use crate::plan::devices::{Devices, Make};
use crate::plan::hooks::{Hook, Hooks};
use crate::plan::idmap::{Map, Maps, Writer};
use crate::plan::masks::Covered;
use crate::plan::mounts::{FsOption, IdMapping, Ids, MountOp, NO_INDEX, Source};
use crate::plan::net::{Name, NetDevice};
use crate::plan::process::Process;
use crate::plan::rdt::Rdt;
use crate::plan::scheduling::Scheduling;
use crate::plan::user::{Groups, User};
use crate::plan::{caps, limits, root, tuning};
use serde_json::{Value, json};
use std::ffi::CString;
use std::fmt::Debug;

pub(super) fn write(plan: &Plan) -> Value {
    json!({
        "id": plan.id,
        "bundle": plan.bundle.to_string_lossy(),
        "ociVersion": plan.oci_version,
        "annotations": plan.annotations,
        "namespaces": birth(&plan.birth),
        "root": root(&plan.root),
        "mounts": plan.mounts.iter().map(mount).collect::<Vec<_>>(),
        "mountLabel": plan.mount_label.as_ref().map(|label| json!({ "option": words(label.option), "label": words(&label.value) })),
        "devices": devices(&plan.devices),
        "readOnlyPaths": covered(&plan.masks.read_only),
        "maskedPaths": covered(&plan.masks.masked),
        "sysctls": plan.sysctls.iter().map(sysctl).collect::<Vec<_>>(),
        "hostname": plan.names.host.as_deref().map(words),
        "domainname": plan.names.domain.as_deref().map(words),
        "personality": plan.names.personality.map(hex),
        "scheduling": scheduling(&plan.scheduling),
        "apparmor": plan.labels.apparmor.as_ref().map(|wanted| &wanted.profile),
        "selinux": plan.labels.selinux,
        "netDevices": plan.net_devices.iter().map(device).collect::<Vec<_>>(),
        "intelRdt": plan.rdt.as_ref().map(rdt),
        "terminal": console(plan.console),
        "process": process(&plan.process),
        "user": user(&plan.user),
        "capabilities": capabilities(&plan.caps),
        "seccomp": plan.seccomp.as_ref().map(super::filter::json),
        "limits": plan.limits.iter().map(limit).collect::<Vec<_>>(),
        "cgroup": group(&plan.cgroup),
        "hooks": hooks(&plan.hooks),
        "warnings": plan.warnings,
    })
}

/// An enum of plain words, as its words.
fn word(value: impl Debug) -> String {
    format!("{value:?}")
}

fn hex(value: u64) -> String {
    format!("{value:#x}")
}

fn all(texts: &[CString]) -> Vec<String> {
    texts.iter().map(|text| words(text)).collect()
}

fn birth(birth: &Birth) -> Value {
    let made = flags::KINDS
        .iter()
        .filter(|kind| birth.makes(**kind))
        .map(|kind| kind.name())
        .collect::<Vec<_>>();
    let joined = birth.joins.iter().map(|join| {
        json!({ "type": join.kind.name(), "path": words(&join.path), "by": word(join.by), "from": join.pointer.as_str() })
    });
    let user = match &birth.user {
        UserNamespace::Inherited => json!("inherited"),
        UserNamespace::Joined => json!("joined"),
        UserNamespace::New(maps) => self::maps(maps),
    };
    json!({
        "own": birth.own.iter().map(|kind| kind.name()).collect::<Vec<_>>(),
        "made": made,
        "cloneFlags": hex(birth.clone_flags),
        "unshareCgroup": word(birth.new_cgroup),
        "timeOffsets": birth.clocks.as_ref().map(|clocks| String::from_utf8_lossy(&clocks.bytes)),
        "joined": joined.collect::<Vec<_>>(),
        "user": user,
        "becomeRoot": word(birth.become_root),
    })
}

fn maps(maps: &Maps) -> Value {
    let writer = match &maps.writer {
        Writer::Runtime => json!("runtime"),
        Writer::Helpers {
            newuidmap,
            newgidmap,
        } => json!([newuidmap.to_string_lossy(), newgidmap.to_string_lossy()]),
    };
    json!({ "uidMap": map(&maps.uid), "gidMap": map(&maps.gid), "writer": writer, "setgroups": word(maps.setgroups) })
}

fn map(map: &Map) -> Value {
    json!({ "text": String::from_utf8_lossy(&map.bytes), "from": map.pointer.as_str() })
}

fn root(root: &root::Root) -> Value {
    json!({
        "path": words(&root.path),
        "access": word(root.access),
        "hostPropagation": flags::propagation(root.host_propagation),
        "finalPropagation": flags::propagation(root.final_propagation),
        "entry": word(root.entry),
        "opener": word(root.opener),
        "from": root.pointer.as_str(),
    })
}

fn mount(op: &MountOp) -> Value {
    json!({
        "target": inside(&op.target),
        "source": source(&op.source),
        "otherwise": op.otherwise.as_ref().map(source),
        "missing": word(op.missing),
        "links": word(op.links),
        "seal": word(op.seal),
        "propagation": op.propagation.iter().map(|bits| flags::propagation(*bits)).collect::<Vec<_>>(),
        "word": op.kind_word,
        "from": op.pointer.as_str(),
    })
}

fn source(source: &Source) -> Value {
    match source {
        Source::New {
            kind,
            options,
            attributes,
            begins,
            root_label,
        } => json!({
            "new": words(kind),
            "options": options.iter().map(option).collect::<Vec<_>>(),
            "attributes": flags::attributes(*attributes),
            "begins": word(begins),
            "rootLabel": root_label.as_deref().map(words),
        }),
        Source::Bind {
            path,
            recursive,
            attributes,
            tree_attributes,
            opener,
            link,
            ids,
        } => json!({
            "bind": words(path),
            "recursive": word(recursive),
            "attributes": flags::change(attributes),
            "treeAttributes": flags::change(tree_attributes),
            "opener": word(opener),
            "link": word(link),
            "ids": ids.as_ref().map(id_mapping),
        }),
        Source::Again {
            options,
            attributes,
            tree_attributes,
        } => json!({
            "again": options.iter().map(option).collect::<Vec<_>>(),
            "attributes": flags::change(attributes),
            "treeAttributes": flags::change(tree_attributes),
        }),
    }
}

fn id_mapping(ids: &IdMapping) -> Value {
    let by = match &ids.by {
        Ids::OfJoined => json!("joined"),
        Ids::Maps(uid, gid) => json!({ "uidMap": map(uid), "gidMap": map(gid) }),
    };
    json!({ "recursive": word(ids.recursive), "by": by, "from": ids.pointer.as_str() })
}

fn option(option: &FsOption) -> Value {
    let text = super::files::option(option);
    match option.index {
        NO_INDEX => json!({ "set": text }),
        index => json!({ "set": text, "option": index }),
    }
}

fn devices(devices: &Devices) -> Value {
    let nodes = devices.nodes.iter().map(|node| {
        let make = match node.make {
            Make::Node => json!("node"),
            Make::NodeOrBind => json!({ "node": { "otherwiseBind": inside(&node.path) } }),
            Make::Bind => json!({ "bind": inside(&node.path) }),
        };
        json!({
            "path": inside(&node.path), "type": flags::device_kind(node.mode), "mode": format!("{:o}", node.mode & 0o7777),
            "number": format!("{}:{}", node.major, node.minor), "owner": format!("{}:{}", node.uid, node.gid),
            "make": make, "from": node.pointer.as_ref().map(|pointer| pointer.as_str()),
        })
    });
    let links = devices
        .links
        .iter()
        .map(|link| json!({ "path": inside(&link.path), "target": words(&link.target), "inTheWay": word(link.in_the_way) }));
    json!({ "nodes": nodes.collect::<Vec<_>>(), "links": links.collect::<Vec<_>>() })
}

fn covered(paths: &[Covered]) -> Vec<Value> {
    paths
        .iter()
        .map(|one| json!({ "path": inside(&one.path), "from": one.pointer.as_str() }))
        .collect()
}

fn sysctl(sysctl: &tuning::Sysctl) -> Value {
    json!({ "path": words(&sysctl.path), "value": String::from_utf8_lossy(&sysctl.value), "from": sysctl.pointer.as_str() })
}

fn scheduling(scheduling: &Scheduling) -> Value {
    let cpu = scheduling.cpu.map(|cpu| {
        json!({
            "policy": cpu.name, "flags": hex(cpu.flags), "nice": cpu.nice, "priority": cpu.priority,
            "runtime": cpu.runtime, "deadline": cpu.deadline, "period": cpu.period, "affinity": word(cpu.affinity),
        })
    });
    let memory = scheduling.memory.as_ref().map(|memory| {
        json!({ "mode": memory.name, "number": hex(memory.mode.into()), "nodes": super::process::nodes(&memory.nodes) })
    });
    json!({ "cpu": cpu, "io": scheduling.io.map(|priority| hex(priority.into())), "memory": memory })
}

fn device(device: &NetDevice) -> Value {
    let inside = match &device.inside {
        Name::Exactly(name) => words(name),
        Name::Numbered(prefix) => format!("{prefix}%d"),
    };
    json!({ "outside": words(&device.outside), "inside": inside, "from": device.pointer.as_str() })
}

fn rdt(rdt: &Rdt) -> Value {
    json!({
        "group": word(&rdt.group), "shares": rdt.shares, "schemata": rdt.schemata, "monitor": rdt.monitor,
        "from": rdt.pointer.as_str(),
    })
}

fn console(console: Console) -> Value {
    match console {
        Console::Streams => Value::Null,
        Console::Terminal { size: None } => json!({}),
        Console::Terminal {
            size: Some((rows, columns)),
        } => json!({ "rows": rows, "columns": columns }),
    }
}

fn process(process: &Process) -> Value {
    json!({
        "args": all(&process.argv),
        "env": all(&process.envp),
        "home": word(process.home),
        "candidates": all(&process.candidates),
        "cwd": words(&process.cwd),
        "oomScoreAdj": process.oom_score_adj,
        "noNewPrivs": word(process.no_new_privs),
        "preserveFds": process.preserve_fds,
        "keyring": process.keyring.as_deref().map(words),
        "from": process.pointer.as_str(),
    })
}

fn user(user: &User) -> Value {
    let groups = match &user.groups {
        Groups::Set(groups) => json!(groups),
        Groups::Keep => json!("keep"),
    };
    json!({ "uid": user.uid, "gid": user.gid, "groups": groups, "umask": format!("{:03o}", user.umask) })
}

fn capabilities(sets: &caps::Sets) -> Value {
    json!({
        "bounding": caps::names(sets.bounding),
        "effective": caps::names(sets.effective),
        "permitted": caps::names(sets.permitted),
        "inheritable": caps::names(sets.inheritable),
        "ambient": caps::names(sets.ambient),
    })
}

fn limit(limit: &limits::Limit) -> Value {
    let (soft, hard) = (flags::limit(limit.soft), flags::limit(limit.hard));
    json!({ "name": limit.name, "number": limit.resource, "soft": soft, "hard": hard, "from": limit.pointer.as_str() })
}

fn group(group: &Group) -> Value {
    let mut told = json!({
        "path": group.path,
        "relative": word(group.relative),
        "need": word(group.need),
        "settings": group.settings.iter().map(setting).collect::<Vec<_>>(),
        "devices": group.devices.iter().map(flags::device_rule).collect::<Vec<_>>(),
        "from": group.pointer.as_str(),
    });
    if let Some(owner) = group.owner {
        told["owner"] = json!(owner);
    }
    if let Some(scope) = &group.scope {
        told["unit"] = json!(scope.unit);
        told["systemd"] = json!(scope.instance);
        told["properties"] = scope.properties.iter().map(property).collect();
    }
    told
}

fn property(property: &Property) -> Value {
    json!({
        "name": property.name, "type": property.value.signature(), "value": property.value.to_string(),
        "from": property.pointer.as_str(),
    })
}

fn setting(setting: &Setting) -> Value {
    let otherwise = match &setting.otherwise {
        Otherwise::Fail => json!("fail"),
        Otherwise::Ignore => json!("ignore"),
        Otherwise::Write { file, value } => json!({ "file": file, "value": value }),
    };
    json!({
        "file": setting.file, "value": setting.value, "controller": setting.controller, "otherwise": otherwise,
        "from": setting.pointer.as_str(),
    })
}

fn hooks(hooks: &Hooks) -> Value {
    let list = |hooks: &[Hook]| hooks.iter().map(hook).collect::<Vec<_>>();
    let mut told = json!({
        "prestart": list(&hooks.prestart),
        "createRuntime": list(&hooks.create_runtime),
        "createContainer": list(&hooks.create_container),
        "startContainer": list(&hooks.start_container),
        "poststart": list(&hooks.poststart),
        "poststop": list(&hooks.poststop),
    });
    let outputs = [
        ("stdout", &hooks.outputs.stdout),
        ("stderr", &hooks.outputs.stderr),
    ];
    for (name, file) in outputs {
        if let Some(path) = file {
            told[name] = json!(words(path));
        }
    }
    told
}

fn hook(hook: &Hook) -> Value {
    json!({
        "path": words(&hook.path), "args": all(&hook.argv), "env": all(&hook.envp), "timeout": hook.timeout,
        "from": hook.pointer.as_str(),
    })
}

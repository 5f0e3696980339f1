//! `features` tells the truth: what it lists works, and it lists nothing that the specification lacks.

use serde_json::{Value, json};

use super::hooks::{read, shared};
use crate::case::Case;
use crate::check::{Outcome, contains, ensure, same};
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("both-versions-are-accepted", versions),
    Case::new("every-hook-listed-runs", hooks),
    Case::new("every-mount-option-listed-is-recognised", mount_options).deviates(&[
        ("runc", "1.1 gives defaults to the file system"),
        ("crun", "rdiratime: EINVAL from mount_setattr"),
    ]),
    Case::new("every-namespace-listed-is-made", namespaces),
    Case::new("every-capability-listed-is-given", capabilities),
    Case::new("every-seccomp-word-listed-is-recognised", seccomp),
    Case::new("every-memory-policy-listed-is-recognised", memory_policies),
    Case::new("idmap-is-true-where-mappings-are-recognised", idmap),
    Case::new("no-member-that-the-specification-lacks", members),
    Case::new("annotations-are-strings", annotations),
];

fn document(lab: &Lab) -> Outcome<Value> {
    let said = lab.call(&["features"]).bare().ok()?;
    Ok(serde_json::from_str(&said.out)?)
}

/// The words of the array at `pointer`; none where it is absent or null.
fn words(document: &Value, pointer: &str) -> Outcome<Vec<String>> {
    match document.pointer(pointer) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => list
            .iter()
            .map(|word| Ok(word.as_str().ok_or("not a string")?.to_owned()))
            .collect(),
        Some(other) => Err(format!("{pointer} is no array: {other}").into()),
    }
}

/// Runs a container that uses `word`, and says so in its failure.
fn works(lab: &Lab, word: &str, edit: impl FnOnce(&mut crate::spec::Spec)) -> Outcome {
    let result = lab.look("true", edit);
    let listed = |error| format!("{word} is listed, and fails: {error}").into();
    result.map(drop).map_err(listed)
}

fn versions(lab: &Lab) -> Outcome {
    let document = document(lab)?;
    let mut numbers = Vec::new();
    for member in ["ociVersionMin", "ociVersionMax"] {
        let version = document[member].as_str().ok_or("no version")?;
        works(lab, version, |spec| {
            spec.set("/ociVersion", json!(version));
        })?;
        let plain = version.split(['-', '+']).next().unwrap_or_default();
        let parts: Result<Vec<u32>, _> = plain.split('.').map(str::parse).collect();
        numbers.push(parts?);
    }
    ensure!(
        numbers[0] <= numbers[1],
        "the minimum is above the maximum: {numbers:?}"
    );
    Ok(())
}

fn hooks(lab: &Lab) -> Outcome {
    let kinds = words(&document(lab)?, "/hooks")?;
    ensure!(!kinds.is_empty(), "no hooks are listed");
    for kind in kinds {
        let (folder, path) = shared(lab)?;
        lab.look("true", |spec| {
            spec.bind(&path, &path, &["bind"])
                .hook(&kind, &format!("echo ran > {path}/log"));
        })?;
        same(&kind, read(&folder, "log")?.as_str(), "ran\n")?;
    }
    Ok(())
}

fn mount_options(lab: &Lab) -> Outcome {
    let options = words(&document(lab)?, "/mountOptions")?;
    ensure!(!options.is_empty(), "no mount options are listed");
    let source = lab.folder("source")?.to_string_lossy().into_owned();
    let file = lab.file("file", "")?.to_string_lossy().into_owned();
    // dest-nofollow covers a link, and makes none.
    let link = lab.scratch("link");
    std::os::unix::fs::symlink("there", &link)?;
    let link = link.to_string_lossy().into_owned();
    let map = json!([{"containerID": 0, "hostID": 100_000, "size": 1000}]);
    for option in options {
        let option = option.as_str();
        works(lab, option, |spec| match option {
            "remount" => {
                spec.mount("/mnt", "tmpfs", "tmpfs", &[]);
                spec.mount("/mnt", "tmpfs", "tmpfs", &["remount"]);
            }
            "idmap" | "ridmap" => {
                spec.push(
                    "/mounts",
                    json!({"destination": "/mnt", "source": source, "type": "bind",
                        "options": ["bind", option], "uidMappings": map, "gidMappings": map}),
                );
            }
            "dest-nofollow" => {
                spec.bind(&link, "/mnt/link", &["bind", "copy-symlink"]);
                spec.bind(&file, "/mnt/link", &["bind", option]);
            }
            "bind" | "rbind" | "copy-symlink" | "src-nofollow" => {
                spec.bind(&source, "/mnt", &["bind", option]);
            }
            _ => {
                spec.mount("/mnt", "tmpfs", "tmpfs", &[option]);
            }
        })?;
    }
    Ok(())
}

fn namespaces(lab: &Lab) -> Outcome {
    let kinds = words(&document(lab)?, "/linux/namespaces")?;
    ensure!(!kinds.is_empty(), "no namespaces are listed");
    for kind in kinds {
        let link = match kind.as_str() {
            "mount" => "mnt",
            "network" => "net",
            other => other,
        };
        let inside = lab.look(&format!("readlink /proc/self/ns/{link}"), |spec| {
            if kind == "user" {
                spec.user_namespace(100_000, 65536);
            } else {
                spec.no_namespace(&kind)
                    .push("/linux/namespaces", json!({"type": kind}));
            }
        })?;
        ensure!(
            inside.trim() != probe::own_namespace(link)?,
            "{kind} is listed, and the container has the caller's: {inside}"
        );
    }
    Ok(())
}

/// Each that is listed and that the caller has gets into the bounding set, one at a time.
fn capabilities(lab: &Lab) -> Outcome {
    let names = words(&document(lab)?, "/linux/capabilities")?;
    ensure!(!names.is_empty(), "no capabilities are listed");
    let bounding = |status: &str| -> Outcome<u64> {
        Ok(u64::from_str_radix(&probe::field(status, "CapBnd")?, 16)?)
    };
    let own = bounding(&std::fs::read_to_string("/proc/self/status")?)?;
    let mut seen = 0;
    for name in &names {
        let status = lab.run(|spec| {
            spec.sh("cat /proc/self/status").capabilities(&[name]);
        })?;
        // What the caller lacks may be refused, or warned of; the case of it is elsewhere.
        if status.status.success() {
            seen |= bounding(&status.out)?;
        }
    }
    same("all of the bounding sets", seen, own)
}

fn seccomp(lab: &Lab) -> Outcome {
    let document = document(lab)?;
    let of = |member: &str| words(&document, &format!("/linux/seccomp/{member}"));
    let enabled = document
        .pointer("/linux/seccomp/enabled")
        .is_some_and(|it| it == true);
    for action in of("actions")? {
        // This one wants a listener.
        if action != "SCMP_ACT_NOTIFY" {
            profile(
                lab,
                &action,
                json!({"syscalls": [{"names": ["swapoff"], "action": action}]}),
            )?;
        }
    }
    for operator in of("operators")? {
        let arg = json!({"index": 0, "value": 1, "valueTwo": 1, "op": operator});
        let rule = json!({"names": ["swapoff"], "action": "SCMP_ACT_ERRNO", "args": [arg]});
        profile(lab, &operator, json!({"syscalls": [rule]}))?;
    }
    for arch in of("archs")? {
        architecture(lab, &arch)?;
    }
    for member in ["knownFlags", "supportedFlags"] {
        for flag in of(member)? {
            // Goes with a listener only.
            if flag != "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" {
                profile(lab, &flag, json!({"flags": [flag], "syscalls": []}))?;
            }
        }
    }
    ensure!(
        enabled != of("actions")?.is_empty(),
        "enabled is {enabled}, and the actions are {:?}",
        of("actions")?
    );
    Ok(())
}

/// Recognised, and either in force or refused for the one reason there is: a filter cannot hold architectures of
/// both byte orders, and the machine's own is always in it.
fn architecture(lab: &Lab, arch: &str) -> Outcome {
    let other = BIG_ENDIAN.contains(&arch) != cfg!(target_endian = "big");
    let rest = json!({"architectures": [arch], "syscalls": []});
    let said = lab.run(|spec| {
        spec.sh("true").set("/linux/seccomp", rest);
        spec.set("/linux/seccomp/defaultAction", json!("SCMP_ACT_ALLOW"));
    })?;
    ensure!(
        said.status.success() || other,
        "{arch} is listed, and fails: {said}"
    );
    if !said.status.success() && lab.runtime.name == "orbital" {
        contains("the refusal", &said.err, arch)?;
        contains("the refusal", &said.err, "byte order")?;
    }
    Ok(())
}

/// The architectures of config-linux.md, "Seccomp", that have the most significant byte first.
const BIG_ENDIAN: &[&str] = &[
    "SCMP_ARCH_M68K",
    "SCMP_ARCH_MIPS",
    "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPS64N32",
    "SCMP_ARCH_PARISC",
    "SCMP_ARCH_PARISC64",
    "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64",
    "SCMP_ARCH_S390",
    "SCMP_ARCH_S390X",
    "SCMP_ARCH_SHEB",
];

fn memory_policies(lab: &Lab) -> Outcome {
    let document = document(lab)?;
    for mode in words(&document, "/linux/memoryPolicy/modes")? {
        let mut policy = json!({"mode": mode});
        if !["MPOL_DEFAULT", "MPOL_LOCAL"].contains(&mode.as_str()) {
            policy["nodes"] = json!("0");
        }
        works(lab, &mode, |spec| {
            spec.set("/linux/memoryPolicy", policy);
        })?;
    }
    for flag in words(&document, "/linux/memoryPolicy/flags")? {
        works(lab, &flag, |spec| {
            let policy = json!({"mode": "MPOL_BIND", "nodes": "0", "flags": [flag]});
            spec.set("/linux/memoryPolicy", policy);
        })?;
    }
    Ok(())
}

/// Mappings that the runtime obeys are told of, and those that it tells of are obeyed.
fn idmap(lab: &Lab) -> Outcome {
    let document = document(lab)?;
    let told = document.pointer("/linux/mountExtensions/idmap/enabled") == Some(&json!(true));
    let source = lab.folder("source")?.to_string_lossy().into_owned();
    let map = json!([{"containerID": 0, "hostID": 100_000, "size": 1000}]);
    let said = lab.run(|spec| {
        spec.sh("stat -c %u /mnt").push(
            "/mounts",
            json!({"destination": "/mnt", "source": source, "type": "none",
                "options": ["bind", "idmap"], "uidMappings": map, "gidMappings": map}),
        );
    })?;
    let obeyed = said.status.success() && said.out == "100000\n";
    ensure!(told == obeyed, "told {told}, obeyed {obeyed}: {said}");
    Ok(())
}

fn profile(lab: &Lab, word: &str, rest: Value) -> Outcome {
    works(lab, word, |spec| {
        spec.set("/linux/seccomp", rest);
        spec.set("/linux/seccomp/defaultAction", json!("SCMP_ACT_ALLOW"));
    })
}

/// Folder and file of a member: what may stand in it. A member without an entry is a leaf.
const MEMBERS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "ociVersionMin",
            "ociVersionMax",
            "hooks",
            "mountOptions",
            "linux",
            "annotations",
            "potentiallyUnsafeConfigAnnotations",
        ],
    ),
    (
        "/linux",
        &[
            "namespaces",
            "capabilities",
            "cgroup",
            "seccomp",
            "apparmor",
            "selinux",
            "intelRdt",
            "memoryPolicy",
            "mountExtensions",
            "netDevices",
        ],
    ),
    (
        "/linux/cgroup",
        &["v1", "v2", "systemd", "systemdUser", "rdma"],
    ),
    (
        "/linux/seccomp",
        &[
            "enabled",
            "actions",
            "operators",
            "archs",
            "knownFlags",
            "supportedFlags",
        ],
    ),
    ("/linux/apparmor", &["enabled"]),
    ("/linux/selinux", &["enabled"]),
    ("/linux/intelRdt", &["enabled", "schemata", "monitoring"]),
    ("/linux/memoryPolicy", &["modes", "flags"]),
    ("/linux/mountExtensions", &["idmap"]),
    ("/linux/mountExtensions/idmap", &["enabled"]),
    ("/linux/netDevices", &["enabled"]),
];

fn members(lab: &Lab) -> Outcome {
    let document = document(lab)?;
    for (place, known) in MEMBERS {
        let Some(found) = document.pointer(place).and_then(Value::as_object) else {
            continue;
        };
        for name in found.keys() {
            ensure!(
                known.contains(&name.as_str()),
                "{place}/{name} is not in the specification"
            );
        }
    }
    Ok(())
}

fn annotations(lab: &Lab) -> Outcome {
    let document = document(lab)?;
    let Some(annotations) = document.get("annotations") else {
        return Ok(());
    };
    let annotations = annotations.as_object().ok_or("annotations is no object")?;
    for (key, value) in annotations {
        ensure!(!key.is_empty(), "an annotation without a name");
        ensure!(value.is_string(), "{key} is no string: {value}");
    }
    Ok(())
}

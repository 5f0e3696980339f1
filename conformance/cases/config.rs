//! A config.json that is wrong on its face: refused in words, nothing is left.

use std::fs;

use serde_json::{Value, json};

use crate::case::Case;
use crate::check::{Outcome, contains, ensure, mentions};
use crate::lab::Lab;

pub(super) const CASES: &[Case] = &[
    Case::new("no-bundle", no_bundle),
    Case::new("no-config", no_config),
    Case::new("not-json", not_json),
    Case::new("empty", empty),
    Case::new("version-that-is-none", bad_version)
        .deviates(&[("runc", "takes any word"), ("crun", "takes any word")]),
    Case::new("version-of-another-major", other_major)
        .deviates(&[("runc", "takes any word"), ("crun", "takes any word")]),
    Case::new("newer-minor-version-is-accepted", newer_minor),
    Case::new("the-virtual-machine-is-ignored", vm),
    Case::new("unknown-members-are-ignored", unknown_members),
    Case::new("wrong-types-are-named", wrong_types).deviates(&[("crun", "takes some of them")]),
    Case::new("null-for-optional-members", nulls),
    Case::new("unicode-and-escapes", unicode),
    Case::new("nul-in-a-string-is-refused", nul).deviates(&[
        ("crun", "cuts the string there"),
        ("runc", "takes it in the hostname"),
    ]),
    Case::new("bundle-is-a-file", bundle_file),
    Case::new("config-is-a-directory", config_directory),
];

/// `create` of a bundle whose config.json is this text must be refused; gives what it says.
fn text(lab: &Lab, text: &str) -> Outcome<String> {
    let bundle = lab.bundle(|_| ())?;
    fs::write(bundle.dir.join("config.json"), text)?;
    Ok(lab.refuse_in(&bundle)?.err)
}

fn no_bundle(lab: &Lab) -> Outcome {
    let said = lab
        .call(&["create", "--bundle", "/no/such/bundle", &lab.id("bad")])
        .refused()?;
    mentions(
        "the refusal",
        &said.err,
        &["/no/such/bundle", "no such file or directory"],
    )
}

fn no_config(lab: &Lab) -> Outcome {
    let folder = lab.folder("empty")?;
    let said = lab
        .call(&[
            "create",
            "--bundle",
            &folder.to_string_lossy(),
            &lab.id("bad"),
        ])
        .refused()?;
    contains("the refusal", &said.err, "config.json")
}

fn not_json(lab: &Lab) -> Outcome {
    for broken in [
        "{",
        "[]",
        "{\"ociVersion\": \"1.0.2\",}",
        "not json at all",
        "{\"ociVersion\": \"1.0.2\"} trailing {",
    ] {
        let id_text = text(lab, broken)?;
        ensure!(
            !id_text.contains("panicked"),
            "panicked for {broken:?}: {id_text}"
        );
    }
    Ok(())
}

fn empty(lab: &Lab) -> Outcome {
    text(lab, "")?;
    text(lab, "{}").map(drop)
}

fn bad_version(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.set("/ociVersion", json!("banana"));
    })?;
    contains("the refusal", &said.err, "banana")
}

fn other_major(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.set("/ociVersion", json!("2.0.0"));
    })?;
    contains("the refusal", &said.err, "2.0.0")
}

fn newer_minor(lab: &Lab) -> Outcome {
    for version in ["1.0.0", "1.0.2-dev", "1.1.0", "1.2.1", "1.3.0"] {
        lab.look("true", |spec| {
            spec.set("/ociVersion", json!(version));
        })?;
    }
    Ok(())
}

/// It is for hypervisors (config-vm.md); `hwConfig` is new in 1.3.
fn vm(lab: &Lab) -> Outcome {
    let machine = json!({"hypervisor": {"path": "/bin/vmm", "parameters": ["a=b"]},
        "kernel": {"path": "/boot/kernel"}, "image": {"path": "/image", "format": "raw"},
        "hwConfig": {"deviceTree": "/tree", "vcpus": 1, "memory": 4096, "dtdevs": ["/a"],
            "iomems": [{"firstGFN": 1, "firstMFN": 1, "nrMFNs": 1}], "irqs": [1]}});
    lab.look("true", |spec| {
        spec.set("/ociVersion", json!("1.3.0")).set("/vm", machine);
    })
    .map(drop)
}

/// "Implementations MUST NOT generate an error when encountering unknown properties" (config.md, "Extensibility").
fn unknown_members(lab: &Lab) -> Outcome {
    lab.look("true", |spec| {
        for pointer in [
            "/novelty",
            "/process/novelty",
            "/linux/novelty",
            "/linux/resources/novelty",
            "/root/novelty",
            "/process/user/novelty",
        ] {
            spec.set(pointer, json!({"deep": [1, 2, {"er": null}]}));
        }
        spec.set("/solaris", json!({}));
    })
    .map(drop)
}

fn wrong_types(lab: &Lab) -> Outcome {
    for (pointer, value) in [
        ("/process/args", json!("sh")),
        ("/process/cwd", json!(7)),
        ("/mounts", json!({})),
        ("/root/path", json!([])),
        ("/process/user/uid", json!("0")),
        ("/linux/namespaces", json!("pid")),
        ("/process/terminal", json!("yes")),
    ] {
        let said = lab.refuse(|spec| {
            spec.set(pointer, value);
        });
        said.map_err(|error| format!("{pointer}: {error}"))?;
    }
    Ok(())
}

fn nulls(lab: &Lab) -> Outcome {
    lab.look("true", |spec| {
        for pointer in [
            "/hooks",
            "/annotations",
            "/linux/sysctl",
            "/linux/seccomp",
            "/linux/devices",
            "/linux/maskedPaths",
            "/process/rlimits",
        ] {
            spec.set(pointer, Value::Null);
        }
    })
    .map(drop)
}

fn unicode(lab: &Lab) -> Outcome {
    let out = lab.look(
        "echo \"$WORD\"; for f in /tmp/*; do echo \"${f##*/}\"; done",
        |spec| {
            spec.push("/process/env", json!("WORD=π \"quoted\" \\ back"));
            spec.mount("/tmp/größe mit leerzeichen", "tmpfs", "tmpfs", &[]);
        },
    )?;
    crate::check::same(
        "output",
        out.as_str(),
        "π \"quoted\" \\ back\ngröße mit leerzeichen\n",
    )
}

/// The kernel would see another string than the one that was checked.
fn nul(lab: &Lab) -> Outcome {
    for (pointer, value) in [
        ("/process/args/0", json!("sleep\u{0}x")),
        ("/process/cwd", json!("/\u{0}x")),
        ("/hostname", json!("a\u{0}b")),
    ] {
        lab.refuse(|spec| {
            spec.set(pointer, value);
        })?;
    }
    Ok(())
}

fn bundle_file(lab: &Lab) -> Outcome {
    let file = lab.file("plain", "{}")?;
    lab.call(&[
        "create",
        "--bundle",
        &file.to_string_lossy(),
        &lab.id("bad"),
    ])
    .refused()
    .map(drop)
}

fn config_directory(lab: &Lab) -> Outcome {
    let folder = lab.folder("bundle")?;
    fs::create_dir(folder.join("config.json"))?;
    lab.call(&[
        "create",
        "--bundle",
        &folder.to_string_lossy(),
        &lab.id("bad"),
    ])
    .refused()
    .map(drop)
}

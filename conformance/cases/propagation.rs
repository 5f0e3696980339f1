//! `rootfsPropagation` in all values: what mountinfo shows inside, and what passes between host and container.

use std::fs;

use serde_json::json;

use crate::bundle::Bundle;
use crate::case::Case;
use crate::check::{Outcome, ensure, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("private", |lab| shown(lab, "private", "", "")),
    Case::new("rprivate", |lab| shown(lab, "rprivate", "", "")),
    Case::new("slave", |lab| shown(lab, "slave", "master:", "")).deviates(OWN_PRIVATE),
    Case::new("rslave", |lab| shown(lab, "rslave", "master:", ""))
        .deviates(&[("crun", "makes the mount around the root private first")]),
    Case::new("shared", |lab| shown(lab, "shared", "shared:", "")).deviates(&[(
        "runc",
        "1.1 sets the word before it binds the root, which then is private",
    )]),
    Case::new("rshared", |lab| shown(lab, "rshared", "shared:", "shared:")).deviates(&[(
        "runc",
        "1.1 sets the word before it binds the root, which then is private",
    )]),
    Case::new("unbindable", |lab| {
        shown(lab, "unbindable", "unbindable", "")
    })
    .deviates(&[(
        "runc",
        "1.1 sets the word before it binds the root, which then is private",
    )]),
    Case::new("runbindable", |lab| {
        shown(lab, "runbindable", "unbindable", "unbindable")
    })
    .deviates(&[
        ("runc", "sets the word before it binds the read-only paths"),
        ("crun", "sets the word before it binds the read-only paths"),
    ]),
    Case::new("a-slave-hears-the-host", |lab| hears(lab, "rslave", "yes")),
    Case::new("a-shared-one-hears-the-host", |lab| {
        hears(lab, "rshared", "yes")
    }),
    Case::new("a-private-one-does-not", |lab| hears(lab, "rprivate", "no")),
    Case::new("a-shared-one-tells-the-host", |lab| {
        tells(lab, "rshared", "yes")
    }),
    Case::new("a-slave-does-not-tell-the-host", |lab| {
        tells(lab, "rslave", "no")
    }),
    Case::new("no-word-does-not-tell-the-host", |lab| tells(lab, "", "no")),
];

const OWN_PRIVATE: &[(&str, &str)] = &[
    ("runc", "makes the mount around the root private first"),
    ("crun", "makes the mount around the root private first"),
];

/// A bundle whose root file system is a shared mount of the host's own.
fn shared_root(lab: &Lab, word: &str) -> Outcome<Bundle> {
    let bundle = lab.bundle(|spec| {
        spec.set("/linux/rootfsPropagation", json!(word))
            .mount("/mnt", "tmpfs", "tmpfs", &[])
            .sh("cat /proc/self/mountinfo");
    })?;
    let root = bundle.rootfs().to_string_lossy().into_owned();
    lab.host(&["mount", "--bind", &root, &root])?;
    lab.host(&["mount", "--make-shared", &root])?;
    Ok(bundle)
}

/// What mountinfo shows of / and of a mount in it; an empty word for nothing.
fn shown(lab: &Lab, word: &str, root: &str, inner: &str) -> Outcome {
    let bundle = shared_root(lab, word)?;
    let said = lab.run_in(&bundle);
    lab.host(&["umount", &bundle.rootfs().to_string_lossy()])?;
    let text = said?.out;
    for (target, want) in [("/", root), ("/mnt", inner)] {
        let mount = probe::mounted(&text, target)?;
        let found = mount.propagation.join(" ");
        let right = if want.is_empty() {
            found.is_empty()
        } else {
            found.starts_with(want)
        };
        ensure!(right, "{word}: {target} has {found:?}, not {want:?}");
    }
    Ok(())
}

/// A shared mount of the host with a folder in it, bound by a container without a word of its own.
fn volume<'l>(lab: &'l Lab, word: &str, script: &str) -> Outcome<(Container<'l>, String)> {
    let path = lab.folder("host")?.to_string_lossy().into_owned();
    lab.host(&["mount", "-t", "tmpfs", "outer", &path])?;
    lab.host(&["mount", "--make-shared", &path])?;
    fs::create_dir(format!("{path}/below"))?;
    let container = lab.started(|spec| {
        spec.bind(&path, "/mnt", &["rbind"])
            .capabilities(&["CAP_SYS_ADMIN"])
            .sh(script);
        if !word.is_empty() {
            spec.set("/linux/rootfsPropagation", json!(word));
        }
    })?;
    Ok((container, path))
}

fn hears(lab: &Lab, word: &str, want: &str) -> Outcome {
    let script = "while [ ! -e /mnt/go ]; do sleep 0.02; done; [ -e /mnt/below/later ] && echo yes || echo no";
    let (container, path) = volume(lab, word, script)?;
    lab.host(&["mount", "-t", "tmpfs", "later", &format!("{path}/below")])?;
    fs::write(format!("{path}/below/later"), "")?;
    fs::write(format!("{path}/go"), "")?;
    let output = container.finish();
    lab.host(&["umount", "-R", &path])?;
    same("seen inside", output?.trim(), want)
}

fn tells(lab: &Lab, word: &str, want: &str) -> Outcome {
    let script =
        "mount -t tmpfs inner /mnt/below && echo > /mnt/below/mark; echo end; exec sleep 99";
    let (container, path) = volume(lab, word, script)?;
    container.wrote("end")?;
    let seen = fs::exists(format!("{path}/below/mark"))?;
    container.end()?;
    lab.host(&["umount", "-R", &path])?;
    same("seen outside", if seen { "yes" } else { "no" }, want)
}

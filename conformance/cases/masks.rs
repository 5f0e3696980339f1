//! Masked and read-only paths.

use std::os::unix::fs::MetadataExt;

use serde_json::json;

use crate::case::Case;
use crate::check::{Outcome, ensure, same};
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("a-mask-gives-no-hold-on-the-hosts-null", hosts_null),
    Case::new("read-only-paths-of-an-unbindable-root", unbindable_root),
    Case::new("a-masked-file-is-empty", masked_file),
    Case::new(
        "a-masked-directory-is-empty-and-read-only",
        masked_directory,
    ),
    Case::new("the-ordinary-masks-hold", ordinary_masks),
    Case::new("missing-masked-paths-are-skipped", missing_masked),
    Case::new("read-only-paths-refuse-writes", read_only).deviates(&[(
        "crun",
        "a read-only mount below such a path becomes writable",
    )]),
    Case::new("read-only-keeps-the-other-flags", read_only_keeps_flags),
    Case::new("missing-read-only-paths-are-skipped", missing_read_only),
    Case::new("a-mask-inside-a-volume", inside_volume),
    Case::new("a-mask-below-a-read-only-path", below_read_only),
    Case::new("the-image-is-not-changed", image_unchanged),
    Case::new("a-mask-through-a-link-stays-inside", through_link),
    Case::new("relative-masks-are-refused-or-inside", relative),
];

fn masked_file(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.push("/linux/maskedPaths", json!("/etc/secret"))
            .sh("cat /etc/secret; echo x > /etc/secret; cat /etc/secret; echo end");
    })?;
    bundle.file("etc/secret", "secret\n")?;
    let said = lab.run_in(&bundle)?;
    same("output", said.out.as_str(), "end\n")?;
    same(
        "the image's file",
        std::fs::read_to_string(bundle.rootfs().join("etc/secret"))?.as_str(),
        "secret\n",
    )
}

/// Where a mask is the host's own /dev/null, root inside must not change it. The mode is the one that it
/// has, so that nothing is lost where this fails; a change shows in the time of change.
fn hosts_null(lab: &Lab) -> Outcome {
    let changed = || std::fs::metadata("/dev/null").map(|meta| (meta.ctime(), meta.ctime_nsec()));
    let before = changed()?;
    lab.look(
        "chmod 666 /etc/passwd; chown 0:0 /etc/passwd; true",
        |spec| {
            spec.push("/linux/maskedPaths", json!("/etc/passwd"));
            spec.capabilities(&["CAP_CHOWN", "CAP_FOWNER"]);
        },
    )?;
    same("time of change of the host's /dev/null", changed()?, before)
}

/// There is no copy of an unbindable mount: its propagation comes last.
fn unbindable_root(lab: &Lab) -> Outcome {
    let out = lab.look("echo x 2>/dev/null >/etc/passwd || echo refused", |spec| {
        spec.set("/linux/rootfsPropagation", json!("unbindable"));
        spec.push("/linux/readonlyPaths", json!("/etc"));
    })?;
    same("output", out.as_str(), "refused\n")
}

fn masked_directory(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.push("/linux/maskedPaths", json!("/etc/keys"))
            .sh("ls /etc/keys; touch /etc/keys/x 2>/dev/null || echo refused");
    })?;
    bundle.file("etc/keys/a", "secret\n")?;
    same("output", lab.run_in(&bundle)?.out.as_str(), "refused\n")
}

fn ordinary_masks(lab: &Lab) -> Outcome {
    let out = lab.look("head -c 1 /proc/kcore | wc -c; wc -c < /proc/keys; wc -c < /proc/timer_list; ls /sys/firmware | wc -l", |_| ())?;
    same(
        "sizes",
        out.split_whitespace().collect::<Vec<_>>(),
        vec!["0", "0", "0", "0"],
    )
}

fn missing_masked(lab: &Lab) -> Outcome {
    let out = lab.look("echo fine; ls -d /no 2>/dev/null", |spec| {
        spec.push("/linux/maskedPaths", json!("/no/such/path"))
            .args(&["/bin/sh", "-c", "echo fine; ls -d /no 2>/dev/null; true"]);
    })?;
    same("output", out.as_str(), "fine\n")
}

fn read_only(lab: &Lab) -> Outcome {
    let out = lab.look(
        "for f in /proc/sys/net/ipv4/ip_forward /proc/sysrq-trigger /etc/ro/x /etc/ro/deep/x; do echo h 2>/dev/null > $f || echo refused $f; done",
        |spec| {
            spec.push("/linux/readonlyPaths", json!("/etc/ro"));
            spec.mount("/etc/ro/deep", "tmpfs", "tmpfs", &["ro"]);
        },
    )?;
    let want = [
        "/proc/sys/net/ipv4/ip_forward",
        "/proc/sysrq-trigger",
        "/etc/ro/x",
        "/etc/ro/deep/x",
    ];
    same(
        "refused",
        out.lines().collect::<Vec<_>>(),
        want.map(|path| format!("refused {path}")).to_vec(),
    )
}

fn read_only_keeps_flags(lab: &Lab) -> Outcome {
    let text = lab.look("cat /proc/self/mountinfo", |spec| {
        spec.mount("/mnt", "tmpfs", "tmpfs", &["nosuid", "nodev", "noexec"])
            .push("/linux/readonlyPaths", json!("/mnt"));
    })?;
    let mount = probe::mounted(&text, "/mnt")?;
    for option in ["ro", "nosuid", "nodev", "noexec"] {
        ensure!(mount.has(option), "{option} is not in force: {mount:?}");
    }
    Ok(())
}

fn missing_read_only(lab: &Lab) -> Outcome {
    let out = lab.look("echo fine", |spec| {
        spec.push("/linux/readonlyPaths", json!("/no/such/path"));
    })?;
    same("output", out.as_str(), "fine\n")
}

fn inside_volume(lab: &Lab) -> Outcome {
    let folder = lab.folder("host")?;
    std::fs::write(folder.join("secret"), "secret\n")?;
    std::fs::write(folder.join("open"), "open\n")?;
    let out = lab.look("cat /mnt/secret /mnt/open", |spec| {
        spec.bind(&folder.to_string_lossy(), "/mnt", &["bind"])
            .push("/linux/maskedPaths", json!("/mnt/secret"));
    })?;
    same("output", out.as_str(), "open\n")
}

fn below_read_only(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.push("/linux/readonlyPaths", json!("/etc"))
            .push("/linux/maskedPaths", json!("/etc/passwd"));
        spec.sh("cat /etc/passwd; touch /etc/x 2>/dev/null || echo refused");
    })?;
    same("output", lab.run_in(&bundle)?.out.as_str(), "refused\n")
}

fn image_unchanged(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.push("/linux/maskedPaths", json!("/etc/passwd"))
            .push("/linux/readonlyPaths", json!("/usr"))
            .args(&["true"]);
    })?;
    lab.run_in(&bundle)?;
    let before = probe::fingerprint(&bundle.rootfs())?;
    lab.run_in(&bundle)?;
    ensure!(
        probe::fingerprint(&bundle.rootfs())? == before,
        "the image has changed"
    );
    Ok(())
}

/// A link in the image may not lead the mask out of it.
fn through_link(lab: &Lab) -> Outcome {
    let song = lab.canary().join("song");
    let bundle = lab.bundle(|spec| {
        spec.push("/linux/maskedPaths", json!("/etc/way"))
            .push("/linux/readonlyPaths", json!("/etc/other"))
            .args(&["sleep", "99"]);
    })?;
    bundle.link("etc/way", &song.to_string_lossy())?;
    bundle.link("etc/other", &lab.canary().to_string_lossy())?;
    let id = lab.id("link");
    let said = lab.call(&["create", "--bundle", bundle.arg(), &id]).say()?;
    same(
        "the host's file",
        std::fs::read_to_string(&song)?.as_str(),
        "the host's own\n",
    )?;
    std::fs::write(lab.canary().join("inner/song"), "the host's own\n")?;
    if said.status.success() {
        lab.call(&["delete", "--force", &id]).ok()?;
    }
    Ok(())
}

/// The standard asks for absolute paths; whatever is done, it is done inside.
fn relative(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.push("/linux/maskedPaths", json!("../../canary/song"))
            .sh("echo fine");
    })?;
    let said = lab.run_in(&bundle)?;
    ensure!(!said.err.contains("panic"), "run: {said}");
    same(
        "the host's file",
        std::fs::read_to_string(lab.canary().join("song"))?.as_str(),
        "the host's own\n",
    )
}

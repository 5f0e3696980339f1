//! The image that all callers load, made from busybox: no network is needed.
//!
//! It is an archive as `docker save` writes it, which podman, buildah, containerd and docker all read.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

/// What the image is called by every caller.
pub(crate) const NAME: &str = "localhost/box:latest";

/// Makes `dir/image.tar` and gives its path. `dir` is left with the root file system in `dir/rootfs`, too.
pub(crate) fn make(dir: &Path) -> Result<PathBuf, String> {
    let said = |what: &str, e: &dyn std::fmt::Display| format!("cannot make an image: {what}: {e}");
    let (image, rootfs) = (dir.join("image"), dir.join("rootfs"));
    fill(&rootfs).map_err(|e| said("its files", &e))?;
    fs::create_dir_all(&image).map_err(|e| said("its folder", &e))?;
    tar(&rootfs, &image.join("layer.tar"), &["."])?;
    let digest = digest(&image.join("layer.tar"))?;
    let config = json!({
        "architecture": architecture(),
        "os": "linux",
        "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin:/sbin", "IMAGE=box"], "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]},
    });
    let manifest = json!([{"Config": "config.json", "RepoTags": [NAME], "Layers": ["layer.tar"]}]);
    for (name, text) in [("config.json", config), ("manifest.json", manifest)] {
        fs::write(image.join(name), text.to_string()).map_err(|e| said(name, &e))?;
    }
    let archive = dir.join("image.tar");
    tar(
        &image,
        &archive,
        &["manifest.json", "config.json", "layer.tar"],
    )?;
    Ok(archive)
}

/// Folders, busybox with a link for each applet, and three users.
fn fill(rootfs: &Path) -> std::io::Result<()> {
    for dir in [
        "bin", "etc", "proc", "sys", "dev", "root", "run", "var", "home",
    ] {
        fs::create_dir_all(rootfs.join(dir))?;
    }
    fs::create_dir_all(rootfs.join("tmp"))?;
    set_mode(&rootfs.join("tmp"), 0o1777)?;
    fs::copy("/bin/busybox", rootfs.join("bin/busybox"))?;
    let applets = Command::new("/bin/busybox").arg("--list").output()?;
    for applet in String::from_utf8_lossy(&applets.stdout)
        .lines()
        .filter(|name| *name != "busybox")
    {
        symlink("busybox", rootfs.join("bin").join(applet))?;
    }
    let users = "root:x:0:0:root:/root:/bin/sh\njoe:x:1234:1234:joe:/home:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n";
    fs::write(rootfs.join("etc/passwd"), users)?;
    fs::write(
        rootfs.join("etc/group"),
        "root:x:0:\njoe:x:1234:\nclub:x:77:joe\nnogroup:x:65534:\n",
    )?;
    fs::write(rootfs.join("etc/not-a-program"), "text\n")
}

fn set_mode(path: &Path, mode: u32) -> std::io::Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

/// The names that images have for processors.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn tar(dir: &Path, archive: &Path, names: &[&str]) -> Result<(), String> {
    let mut command = Command::new("tar");
    command
        .arg("-C")
        .arg(dir)
        .args(["--owner=0", "--group=0", "--numeric-owner", "-cf"])
        .arg(archive);
    match command.args(names).status() {
        Ok(status) if status.success() => Ok(()),
        other => Err(format!("cannot make {}: tar: {other:?}", archive.display())),
    }
}

fn digest(file: &Path) -> Result<String, String> {
    let output = Command::new("sha256sum").arg(file).output();
    let text = output
        .map(|o| String::from_utf8_lossy(&o.stdout).into_owned())
        .unwrap_or_default();
    let word = text.split_whitespace().next().map(str::to_owned);
    word.ok_or_else(|| format!("cannot hash {}", file.display()))
}

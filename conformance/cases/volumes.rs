//! Volumes: bind mounts of files and directories, and the targets that are made for them.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::case::Case;
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("a-directory", directory),
    Case::new("a-file", file),
    Case::new("missing-targets-are-made", targets_made)
        .deviates(&[("crun", "makes directories with mode 1755")]),
    Case::new("read-only", read_only),
    Case::new("options-of-a-bind-are-its-own", bind_options),
    Case::new("bind-leaves-submounts-out", bind_not_recursive),
    Case::new("rbind-brings-submounts", rbind),
    Case::new("rbind-with-ro-is-for-the-top-only", rbind_ro),
    Case::new("rro-is-for-all-submounts", rro),
    Case::new("a-slave-volume-sees-later-mounts-of-the-host", slave_volume),
    Case::new("a-private-volume-does-not", private_volume),
    Case::new("a-shared-volume-gives-mounts-to-the-host", shared_volume),
    Case::new("missing-source-is-refused", missing_source),
    Case::new("a-file-on-a-directory-is-refused", file_on_directory),
    Case::new("data-for-a-bind-has-no-effect", bind_data),
    Case::new("a-misspelt-protection-of-a-bind-is-refused", bind_misspelt)
        .deviates(&[("crun", "ignores it"), ("runc", "1.1 ignores it")]),
    Case::new("relative-source-starts-at-the-bundle", relative_source),
    Case::new("type-bind-and-type-none", type_none),
    Case::new("options-alone-make-a-bind", option_bind),
    Case::new("a-socket-and-a-fifo", special_files),
    Case::new("below-another-volume", nested),
    Case::new("over-a-file-of-the-image", over_file),
    Case::new("a-read-only-image-with-its-targets", read_only_image),
];

/// A host directory with one file, and its path as text.
fn host_folder(lab: &Lab) -> Outcome<(PathBuf, String)> {
    let folder = lab.folder("host")?;
    fs::write(folder.join("file"), "of the host\n")?;
    let text = folder.to_string_lossy().into_owned();
    Ok((folder, text))
}

fn directory(lab: &Lab) -> Outcome {
    let (folder, path) = host_folder(lab)?;
    let out = lab.look("cat /mnt/file; echo from inside > /mnt/new", |spec| {
        spec.bind(&path, "/mnt", &["bind"]);
    })?;
    same("file", out.as_str(), "of the host\n")?;
    same(
        "new file",
        fs::read_to_string(folder.join("new"))?.as_str(),
        "from inside\n",
    )
}

fn file(lab: &Lab) -> Outcome {
    let (folder, path) = host_folder(lab)?;
    let out = lab.look("cat /etc/conf; echo changed > /etc/conf", |spec| {
        spec.bind(&format!("{path}/file"), "/etc/conf", &["bind", "rprivate"]);
    })?;
    same("file", out.as_str(), "of the host\n")?;
    same(
        "afterwards",
        fs::read_to_string(folder.join("file"))?.as_str(),
        "changed\n",
    )
}

fn targets_made(lab: &Lab) -> Outcome {
    let (_, path) = host_folder(lab)?;
    let out = lab.look(
        "cat /new/a/file /new/b/c.conf; stat -c '%F %a %u' /new /new/b",
        |spec| {
            spec.bind(&path, "/new/a", &["bind"]).bind(
                &format!("{path}/file"),
                "/new/b/c.conf",
                &["bind"],
            );
        },
    )?;
    same(
        "output",
        out.as_str(),
        "of the host\nof the host\ndirectory 755 0\ndirectory 755 0\n",
    )
}

fn read_only(lab: &Lab) -> Outcome {
    let (folder, path) = host_folder(lab)?;
    let out = lab.look(
        "echo x > /mnt/file || echo refused; touch /mnt/new || echo refused",
        |spec| {
            spec.bind(&path, "/mnt", &["bind", "ro"]);
        },
    )?;
    same("output", out.as_str(), "refused\nrefused\n")?;
    same(
        "file",
        fs::read_to_string(folder.join("file"))?.as_str(),
        "of the host\n",
    )
}

fn bind_options(lab: &Lab) -> Outcome {
    let (_, path) = host_folder(lab)?;
    let text = lab.look("cat /proc/self/mountinfo", |spec| {
        spec.bind(
            &path,
            "/one",
            &["bind", "nosuid", "nodev", "noexec", "noatime"],
        )
        .bind(&path, "/two", &["bind"]);
    })?;
    let (one, two) = (
        probe::mounted(&text, "/one")?,
        probe::mounted(&text, "/two")?,
    );
    for option in ["nosuid", "nodev", "noexec", "noatime"] {
        ensure!(one.has(option), "{option} is not in force: {one:?}");
        ensure!(
            !two.has(option),
            "{option} is in force for the other: {two:?}"
        );
    }
    Ok(())
}

/// A host folder with a tmpfs mounted in it; `f` works while it is there.
fn with_submount(lab: &Lab, f: impl FnOnce(&str) -> Outcome) -> Outcome {
    let (folder, path) = host_folder(lab)?;
    let below = folder.join("below");
    fs::create_dir(&below)?;
    lab.host(&["mount", "-t", "tmpfs", "submount", &below.to_string_lossy()])?;
    fs::write(below.join("deep"), "deep\n")?;
    let outcome = f(&path);
    lab.host(&["umount", &below.to_string_lossy()])?;
    outcome
}

fn bind_not_recursive(lab: &Lab) -> Outcome {
    with_submount(lab, |path| {
        let out = lab.look("ls /mnt/below", |spec| {
            spec.bind(path, "/mnt", &["bind"]);
        })?;
        same("below", out.as_str(), "")
    })
}

fn rbind(lab: &Lab) -> Outcome {
    with_submount(lab, |path| {
        let out = lab.look("cat /mnt/below/deep", |spec| {
            spec.bind(path, "/mnt", &["rbind", "rslave"]);
        })?;
        same("below", out.as_str(), "deep\n")
    })
}

fn rbind_ro(lab: &Lab) -> Outcome {
    with_submount(lab, |path| {
        let out = lab.look(
            "touch /mnt/x 2>/dev/null || echo refused; touch /mnt/below/x && echo taken",
            |spec| {
                spec.bind(path, "/mnt", &["rbind", "ro"]);
            },
        )?;
        same("output", out.as_str(), "refused\ntaken\n")
    })
}

fn rro(lab: &Lab) -> Outcome {
    with_submount(lab, |path| {
        let out = lab.look("touch /mnt/x 2>/dev/null || echo refused; touch /mnt/below/x 2>/dev/null || echo refused", |spec| {
            spec.bind(path, "/mnt", &["rbind", "rro"]);
        })?;
        same("output", out.as_str(), "refused\nrefused\n")?;
        // The host's own mount must stay as it is.
        fs::write(format!("{path}/below/still"), "writable")?;
        Ok(())
    })
}

/// A host directory that is a shared mount of its own: runtimes make the bundle's mount private.
fn host_mount(lab: &Lab) -> Outcome<(PathBuf, String)> {
    let (folder, path) = host_folder(lab)?;
    lab.host(&["mount", "-t", "tmpfs", "outer", &path])?;
    fs::create_dir(folder.join("below"))?;
    Ok((folder, path))
}

/// Whether a mount that the host makes after `start` is seen in a volume with this option.
fn later_mount_is_seen(lab: &Lab, option: &str) -> Outcome<String> {
    let (folder, path) = host_mount(lab)?;
    let below = folder.join("below");
    let container = lab.started(|spec| {
        spec.set("/linux/rootfsPropagation", json!("rslave")).bind(
            &path,
            "/mnt",
            &["rbind", option],
        );
        spec.sh("while [ ! -e /mnt/go ]; do sleep 0.02; done; ls /mnt/below; echo end");
    })?;
    lab.host(&["mount", "-t", "tmpfs", "later", &below.to_string_lossy()])?;
    fs::write(below.join("later"), "")?;
    fs::write(folder.join("go"), "")?;
    let output = container.finish();
    lab.host(&["umount", "-R", &path])?;
    output
}

fn slave_volume(lab: &Lab) -> Outcome {
    same(
        "output",
        later_mount_is_seen(lab, "rslave")?.as_str(),
        "later\nend\n",
    )
}

fn private_volume(lab: &Lab) -> Outcome {
    same(
        "output",
        later_mount_is_seen(lab, "rprivate")?.as_str(),
        "end\n",
    )
}

fn shared_volume(lab: &Lab) -> Outcome {
    let (folder, path) = host_mount(lab)?;
    let container = lab.started(|spec| {
        spec.set("/linux/rootfsPropagation", json!("rshared")).bind(&path, "/mnt", &["rbind", "rshared"]);
        spec.capabilities(&["CAP_SYS_ADMIN"]);
        spec.sh("mount -t tmpfs inner /mnt/below && echo mounted > /mnt/below/mark; echo end; exec sleep 99");
    })?;
    container.wrote("end")?;
    let mark = fs::read_to_string(folder.join("below/mark"));
    container.end()?;
    lab.host(&["umount", "-R", &path])?;
    same(
        "the file in the container's mount",
        mark?.as_str(),
        "mounted\n",
    )
}

fn missing_source(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.bind("/no/such/volume", "/mnt", &["bind"]);
    })?;
    contains("the refusal", &said.err, "/no/such/volume")?;
    mentions("the refusal", &said.err, &["no such file or directory"])
}

fn file_on_directory(lab: &Lab) -> Outcome {
    let (_, path) = host_folder(lab)?;
    let said = lab.refuse(|spec| {
        spec.bind(&format!("{path}/file"), "/etc", &["bind"]);
    })?;
    mentions(
        "the refusal",
        &said.err,
        &["not a directory", "is a directory"],
    )
}

/// A bind has no file system of its own to give `size=` to: mount(2) takes no notice of it.
fn bind_data(lab: &Lab) -> Outcome {
    let (_, path) = host_folder(lab)?;
    let options = |options: &[&str]| {
        lab.look("grep ' /mnt ' /proc/mounts; stat -c %a /mnt", |spec| {
            spec.bind(&path, "/mnt", options);
        })
    };
    let without = options(&["bind", "nosuid"])?;
    let with = options(&["bind", "nosuid", "size=1k", "mode=700"])?;
    same("the mount with data", with, without)
}

/// A word without a value may be a protection that somebody counts on.
fn bind_misspelt(lab: &Lab) -> Outcome {
    let (_, path) = host_folder(lab)?;
    let said = lab.refuse(|spec| {
        spec.bind(&path, "/mnt", &["bind", "nosiud"]);
    })?;
    mentions("the refusal", &said.err, &["nosiud", "mnt"])
}

fn relative_source(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.bind("volume", "/mnt", &["bind"]).sh("cat /mnt/file");
    })?;
    fs::create_dir(bundle.dir.join("volume"))?;
    fs::write(bundle.dir.join("volume/file"), "beside the bundle\n")?;
    let said = lab.run_in(&bundle)?;
    same("output", said.out.as_str(), "beside the bundle\n")
}

fn type_none(lab: &Lab) -> Outcome {
    let (_, path) = host_folder(lab)?;
    let out = lab.look("cat /mnt/file", |spec| {
        spec.mount("/mnt", "none", &path, &["rbind"]);
    })?;
    same("output", out.as_str(), "of the host\n")
}

fn option_bind(lab: &Lab) -> Outcome {
    let (_, path) = host_folder(lab)?;
    let out = lab.look("cat /mnt/file", |spec| {
        spec.push(
            "/mounts",
            json!({"destination": "/mnt", "source": path, "options": ["bind"]}),
        );
    })?;
    same("output", out.as_str(), "of the host\n")
}

fn special_files(lab: &Lab) -> Outcome {
    let folder = lab.folder("host")?;
    let _listener = std::os::unix::net::UnixListener::bind(folder.join("sock"))?;
    nix::unistd::mkfifo(
        &folder.join("fifo"),
        nix::sys::stat::Mode::from_bits_truncate(0o644),
    )?;
    let path = folder.to_string_lossy();
    let out = lab.look("stat -c %F /run/a.sock /run/b.fifo", |spec| {
        spec.bind(&format!("{path}/sock"), "/run/a.sock", &["bind"])
            .bind(&format!("{path}/fifo"), "/run/b.fifo", &["bind"]);
    })?;
    same("kinds", out.as_str(), "socket\nfifo\n")
}

fn nested(lab: &Lab) -> Outcome {
    let (outer, outer_path) = host_folder(lab)?;
    let (_, inner_path) = host_folder(lab)?;
    let out = lab.look("cat /mnt/deep/er/file", |spec| {
        spec.bind(&outer_path, "/mnt", &["bind"])
            .bind(&inner_path, "/mnt/deep/er", &["bind"]);
    })?;
    same("output", out.as_str(), "of the host\n")?;
    ensure!(
        outer.join("deep/er").is_dir(),
        "the target was not made in the outer volume"
    );
    Ok(())
}

fn over_file(lab: &Lab) -> Outcome {
    let (_, path) = host_folder(lab)?;
    let bundle = lab.bundle(|spec| {
        spec.bind(&format!("{path}/file"), "/etc/passwd", &["bind", "ro"])
            .sh("cat /etc/passwd");
    })?;
    let said = lab.run_in(&bundle)?;
    same("inside", said.out.as_str(), "of the host\n")?;
    contains(
        "the image's file",
        &fs::read_to_string(bundle.rootfs().join("etc/passwd"))?,
        "root:x:0:0",
    )
}

fn read_only_image(lab: &Lab) -> Outcome {
    let (_, path) = host_folder(lab)?;
    let out = lab.look(
        "cat /new/volume/file; touch /etc/x || echo refused",
        |spec| {
            spec.set("/root/readonly", json!(true))
                .bind(&path, "/new/volume", &["bind"]);
        },
    )?;
    same("output", out.as_str(), "of the host\nrefused\n")
}

//! What a volume's options do beside the mount: attributes of the whole tree, mapped ids, a tmpfs with a
//! copy of what it covers, changes of a mount, links that are not followed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::case::Case;
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::lab::Lab;
use crate::probe;
use crate::spec::Spec;

pub(super) const CASES: &[Case] = &[
    Case::new("attributes-of-the-whole-tree", recursive_on).deviates(&[
        ("runc", "1.1 takes rnosymfollow for data"),
        ("crun", "clears no access time mode before it sets one"),
    ]),
    Case::new("attributes-off-for-the-whole-tree", recursive_off).deviates(&[
        ("runc", "1.1 takes rsymfollow for data"),
        ("crun", "clears no access time mode before it sets one"),
    ]),
    Case::new("nosymfollow-is-in-force", nosymfollow).deviates(&[
        ("runc", "1.1 does not know it"),
        ("crun", "a bind is not changed by it"),
    ]),
    Case::new("a-copy-of-what-is-covered", copy_up).deviates(NO_FIFO),
    Case::new("a-copy-that-does-not-fit-is-refused", copy_too_large).deviates(NO_FIFO),
    Case::new("a-copy-for-a-type-without-one-is-refused", copy_up_of_proc)
        .deviates(&[("runc", "ignores it")]),
    Case::new("a-copy-follows-no-link-out", copy_of_links).deviates(NO_FIFO),
    Case::new("remount-changes-what-it-names", remount).deviates(&[
        ("runc", "sets all flags anew"),
        ("crun", "sets all flags anew"),
    ]),
    Case::new("remount-read-only-of-dev-still-has-devices", remount_dev),
    Case::new("remount-changes-the-size", remount_size),
    Case::new("remount-of-nothing-is-refused", remount_of_nothing),
    Case::new("copy-symlink-makes-the-link", copy_symlink)
        .deviates(&[("runc", "does not know it")]),
    Case::new("copy-symlink-of-a-file-is-a-bind", copy_symlink_of_file)
        .deviates(&[("runc", "does not know it")]),
    Case::new("copy-symlink-spares-another-file", copy_symlink_in_the_way)
        .deviates(&[("runc", "does not know it")]),
    Case::new("src-nofollow-mounts-the-link", src_nofollow)
        .deviates(&[("runc", "does not know it")]),
    Case::new("dest-nofollow-covers-the-link", dest_nofollow)
        .deviates(&[("runc", "does not know it")]),
];

const NO_FIFO: &[(&str, &str)] = &[("runc", "1.1 cannot copy a fifo")];

/// A host tree with a file in a mount of its own below it, both with these flags.
fn tree(lab: &Lab, flags: &str, f: impl FnOnce(&str) -> Outcome) -> Outcome {
    let top = lab.folder("host")?;
    let path = top.to_string_lossy().into_owned();
    let flags = format!("mode=755{flags}");
    lab.host(&["mount", "-t", "tmpfs", "-o", &flags, "top", &path])?;
    let below = top.join("below");
    fs::create_dir(&below)?;
    let inner = below.to_string_lossy().into_owned();
    lab.host(&["mount", "-t", "tmpfs", "-o", &flags, "below", &inner])?;
    let outcome = f(&path);
    lab.host(&["umount", "-R", &path])?;
    outcome
}

/// The two mounts of [`tree`] in a container that binds it with this option.
fn both(lab: &Lab, path: &str, option: &str) -> Outcome<[probe::Mount; 2]> {
    let text = lab.look("cat /proc/self/mountinfo", |spec| {
        spec.bind(path, "/mnt", &["rbind", option]);
    })?;
    Ok([
        probe::mounted(&text, "/mnt")?,
        probe::mounted(&text, "/mnt/below")?,
    ])
}

fn recursive_on(lab: &Lab) -> Outcome {
    for (option, shown) in [
        ("rro", "ro"),
        ("rnosuid", "nosuid"),
        ("rnodev", "nodev"),
        ("rnoexec", "noexec"),
        ("rnodiratime", "nodiratime"),
        ("rnoatime", "noatime"),
        ("rrelatime", "relatime"),
        ("rnosymfollow", "nosymfollow"),
    ] {
        // As a new mount has relatime, it must be something else before.
        let before = if option == "rrelatime" {
            ",noatime"
        } else {
            ""
        };
        tree(lab, before, |path| {
            for mount in both(lab, path, option)? {
                ensure!(mount.has(shown), "{option} is not in force: {mount:?}");
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn recursive_off(lab: &Lab) -> Outcome {
    for (option, before) in [
        ("rrw", "ro"),
        ("rsuid", "nosuid"),
        ("rdev", "nodev"),
        ("rexec", "noexec"),
        ("rdiratime", "nodiratime"),
        ("ratime", "noatime"),
        ("rstrictatime", "relatime"),
        ("rsymfollow", "nosymfollow"),
    ] {
        tree(lab, "", |path| {
            // A mount made read-only at once could hold nothing.
            let now = format!("remount,bind,{before}");
            for mount in [path, &format!("{path}/below")] {
                lab.host(&["mount", "-o", &now, mount])?;
            }
            for mount in both(lab, path, option)? {
                let still = mount.options.iter().any(|word| word == before);
                ensure!(!still, "{option} is not in force: {mount:?}");
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn nosymfollow(lab: &Lab) -> Outcome {
    let folder = lab.folder("host")?;
    fs::write(folder.join("file"), "here\n")?;
    symlink("file", folder.join("link"))?;
    let path = folder.to_string_lossy();
    let out = lab.look(
        "cat /one/link; readlink /two/link; cat /two/link 2>/dev/null || echo refused",
        |spec| {
            spec.bind(&path, "/one", &["bind", "nosymfollow", "symfollow"])
                .bind(&path, "/two", &["bind", "nosymfollow"]);
        },
    )?;
    same("output", out.as_str(), "here\nfile\nrefused\n")
}

/// A bundle whose `/srv` has a bit of everything.
fn furnished(lab: &Lab, options: Value, script: &str) -> Outcome<(crate::bundle::Bundle, PathBuf)> {
    let bundle = lab.bundle(|spec| {
        spec.push(
            "/mounts",
            json!({"destination": "/srv", "type": "tmpfs", "source": "tmpfs", "options": options}),
        )
        .sh(script);
    })?;
    let srv = bundle.rootfs().join("srv");
    fs::create_dir_all(srv.join("a/deep/er"))?;
    fs::write(srv.join("a/deep/er/file"), "deep\n")?;
    fs::write(srv.join("large"), vec![b'x'; 300_000])?;
    symlink("a/deep", srv.join("link"))?;
    fs::set_permissions(srv.join("large"), fs::Permissions::from_mode(0o4751))?;
    fs::set_permissions(srv.join("a"), fs::Permissions::from_mode(0o1775))?;
    chown(srv.join("a"), Some(7), Some(8))?;
    chown(srv.join("a/deep/er/file"), Some(9), Some(10))?;
    let fifo = nix::sys::stat::Mode::from_bits_truncate(0o644);
    nix::unistd::mkfifo(&srv.join("a/fifo"), fifo)?;
    Ok((bundle, srv))
}

fn copy_up(lab: &Lab) -> Outcome {
    let script = "cd /srv; cat a/deep/er/file link/er/file; wc -c < large; readlink link; stat -c '%n %a %u:%g %F' \
                  a large a/fifo a/deep/er/file; grep -q ' /srv .* - tmpfs ' /proc/self/mountinfo && echo tmpfs; echo new > a/new";
    let (bundle, srv) = furnished(lab, json!(["tmpcopyup", "mode=0755"]), script)?;
    let said = lab.run_in(&bundle)?;
    let want = "deep\ndeep\n300000\na/deep\na 1775 7:8 directory\nlarge 4751 0:0 regular file\na/fifo 644 0:0 fifo\n\
                a/deep/er/file 644 9:10 regular file\ntmpfs\n";
    same("output", said.out.as_str(), want)?;
    ensure!(!srv.join("a/new").exists(), "the image was written to");
    Ok(())
}

fn copy_too_large(lab: &Lab) -> Outcome {
    let (bundle, _) = furnished(lab, json!(["tmpcopyup", "size=64k"]), "true")?;
    let said = lab.refuse_in(&bundle)?;
    mentions("the refusal", &said.err, &["no space left"])
}

fn copy_up_of_proc(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.mount("/mnt", "ramfs", "ramfs", &["tmpcopyup"]);
    })?;
    contains("the refusal", &said.err, "tmpfs")
}

/// Links of the image are copied as links, wherever they lead.
fn copy_of_links(lab: &Lab) -> Outcome {
    let script = "readlink /srv/out; ls /srv/out 2>/dev/null || echo nothing";
    let (bundle, srv) = furnished(lab, json!(["tmpcopyup"]), script)?;
    let canary = lab.canary();
    symlink(&canary, srv.join("out"))?;
    let said = lab.run_in(&bundle)?;
    let want = format!("{}\nnothing\n", canary.display());
    same("output", said.out, want)
}

fn remount(lab: &Lab) -> Outcome {
    let text = lab.look("cat /proc/self/mountinfo", |spec| {
        spec.mount("/mnt", "tmpfs", "tmpfs", &["nosuid", "noatime"])
            .push(
                "/mounts",
                json!({"destination": "/mnt", "options": ["remount", "ro", "nodev"]}),
            );
    })?;
    let mount = probe::mounted(&text, "/mnt")?;
    for option in ["ro", "nodev", "nosuid", "noatime"] {
        ensure!(mount.has(option), "no {option}: {mount:?}");
    }
    same("mounts there", text.matches(" /mnt ").count(), 1)
}

fn remount_dev(lab: &Lab) -> Outcome {
    let out = lab.look(
        "touch /dev/x 2>/dev/null || echo refused; echo x > /dev/null && echo fine",
        |spec| {
            spec.mount("/dev", "tmpfs", "tmpfs", &["remount", "ro"]);
        },
    )?;
    same("output", out.as_str(), "refused\nfine\n")
}

fn remount_size(lab: &Lab) -> Outcome {
    let out = lab.look("df -k /mnt | tail -1", |spec| {
        spec.mount("/mnt", "tmpfs", "tmpfs", &["size=64k"]).mount(
            "/mnt",
            "tmpfs",
            "tmpfs",
            &["remount", "size=512k"],
        );
    })?;
    contains("size", &out, " 512 ")
}

fn remount_of_nothing(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.mount("/tmp", "tmpfs", "tmpfs", &["remount", "ro"]);
    })?;
    mentions("the refusal", &said.err, &["invalid argument", "tmp"])
}

/// A host folder with a file and a link to it, bound with `options` onto `target`.
fn with_link(lab: &Lab, source: &str, edit: impl FnOnce(&mut Spec, &str)) -> Outcome<Spec> {
    let folder = lab.folder("host")?;
    fs::write(folder.join("file"), "of the host\n")?;
    symlink("file", folder.join("link"))?;
    let mut spec = Spec::ordinary();
    edit(&mut spec, &folder.join(source).to_string_lossy());
    Ok(spec)
}

fn copy_symlink(lab: &Lab) -> Outcome {
    let spec = with_link(lab, "link", |spec, link| {
        spec.bind(link, "/new/copy", &["rbind", "copy-symlink"])
            .sh("readlink /new/copy; ls -l /new | grep -c ' -> file'; grep -c copy /proc/self/mountinfo");
    })?;
    let bundle = lab.bundle(|it| it.0 = spec.0)?;
    let said = lab.run_in(&bundle)?;
    same("output", said.out.as_str(), "file\n1\n0\n")
}

fn copy_symlink_of_file(lab: &Lab) -> Outcome {
    let spec = with_link(lab, "file", |spec, file| {
        spec.bind(file, "/new/copy", &["rbind", "copy-symlink"])
            .sh("cat /new/copy; grep -c copy /proc/self/mountinfo");
    })?;
    let bundle = lab.bundle(|it| it.0 = spec.0)?;
    let said = lab.run_in(&bundle)?;
    same("output", said.out.as_str(), "of the host\n1\n")
}

fn copy_symlink_in_the_way(lab: &Lab) -> Outcome {
    let spec = with_link(lab, "link", |spec, link| {
        spec.bind(link, "/etc/passwd", &["rbind", "copy-symlink"]);
    })?;
    let bundle = lab.bundle(|it| it.0 = spec.0)?;
    let said = lab.refuse_in(&bundle)?;
    contains("the refusal", &said.err, "passwd")?;
    let still = bundle.rootfs().join("etc/passwd");
    ensure!(still.symlink_metadata()?.is_file(), "the file is gone");
    Ok(())
}

fn src_nofollow(lab: &Lab) -> Outcome {
    let spec = with_link(lab, "link", |spec, link| {
        spec.bind(
            link,
            "/etc/alias",
            &["bind", "src-nofollow", "dest-nofollow"],
        )
        .sh("readlink /etc/alias; grep -c /etc/alias /proc/self/mountinfo");
    })?;
    let bundle = lab.bundle(|it| it.0 = spec.0)?;
    symlink("issue", bundle.rootfs().join("etc/alias"))?;
    let said = lab.run_in(&bundle)?;
    same("output", said.out.as_str(), "file\n1\n")
}

fn dest_nofollow(lab: &Lab) -> Outcome {
    let spec = with_link(lab, "file", |spec, file| {
        spec.bind(file, "/etc/alias", &["bind", "dest-nofollow"])
            .sh("cat /etc/alias; cat /etc/issue; readlink /etc/alias || echo no link");
    })?;
    let bundle = lab.bundle(|it| it.0 = spec.0)?;
    bundle.file("etc/issue", "of the bundle\n")?;
    symlink("issue", bundle.rootfs().join("etc/alias"))?;
    let said = lab.run_in(&bundle)?;
    same(
        "output",
        said.out.as_str(),
        "of the host\nof the bundle\nno link\n",
    )
}

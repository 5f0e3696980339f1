//! The runtime's own file, its descriptors and the host's directories are out of the container's
//! reach (CVE-2019-5736, CVE-2024-21626).

use std::fs;
use std::io::ErrorKind;

use serde_json::json;

use crate::case::Case;
use crate::check::{Outcome, ensure, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("inits-exe-cannot-be-written", exe_of_init),
    Case::new("a-payload-that-is-proc-self-exe", payload_self_exe),
    Case::new("a-script-with-proc-self-exe", script_self_exe),
    Case::new(
        "an-interpreter-that-is-a-link-to-proc-self-exe",
        link_to_self_exe,
    ),
    Case::new(
        "cwd-through-a-descriptor-is-refused-or-inside",
        cwd_descriptor,
    ),
    Case::new("cwd-through-a-link-to-a-descriptor", cwd_link),
    Case::new("cwd-through-inits-root", cwd_proc_root),
    Case::new("the-waiting-init-shows-no-host-directory", waiting_init)
        .deviates(&[("crun", "its empty directory for masks stays open")]),
    Case::new("the-waiting-init-is-not-dumpable", dumpable),
    Case::new("the-binary-stays-as-it-is", binary_unchanged),
];

/// Looks at the runtime's file before and after.
fn unchanged(lab: &Lab, act: impl FnOnce() -> Outcome) -> Outcome {
    let before = fs::read(&lab.runtime.path)?;
    act()?;
    ensure!(
        fs::read(&lab.runtime.path)? == before,
        "the runtime's own file was changed"
    );
    Ok(())
}

/// From the host, as the container's root would by /proc/PID/exe, while init still is the runtime.
fn exe_of_init(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    let exe = format!("/proc/{}/exe", container.pid);
    let opened = fs::OpenOptions::new().write(true).open(&exe);
    let kind = opened.as_ref().err().map(std::io::Error::kind);
    ensure!(
        matches!(
            kind,
            Some(
                ErrorKind::ReadOnlyFilesystem
                    | ErrorKind::ExecutableFileBusy
                    | ErrorKind::PermissionDenied
            )
        ),
        "{exe} opened for writing: {opened:?}"
    );
    // "Text file busy" passes with time: what counts is that the file is not the host's.
    let same_file = fs::metadata(&exe).is_ok_and(|meta| {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(&lab.runtime.path)
            .is_ok_and(|own| own.ino() == meta.ino() && own.dev() == meta.dev())
    });
    let flags = nix::sys::statvfs::statvfs(exe.as_str())?.flags();
    let read_only = flags.contains(nix::sys::statvfs::FsFlags::ST_RDONLY);
    ensure!(
        !same_file || read_only,
        "{exe} is the runtime's own file, protected only while it runs"
    );
    container.end()
}

/// Tries to write the runtime through a descriptor of its own image, in every way a payload may.
fn payload_self_exe(lab: &Lab) -> Outcome {
    unchanged(lab, || {
        let bundle = lab.bundle(|spec| {
            spec.args(&["/proc/self/exe", "--version"]);
        })?;
        let said = lab.run_in(&bundle)?;
        ensure!(!said.err.contains("panicked"), "run: {said}");
        Ok(())
    })
}

fn script_self_exe(lab: &Lab) -> Outcome {
    unchanged(lab, || {
        let bundle = lab.bundle(|spec| {
            spec.args(&["/entry"]);
        })?;
        bundle.file("entry", "#!/proc/self/exe\n")?;
        let id = lab.id("script");
        let said = lab.call(&["run", "--bundle", bundle.arg(), &id]).say()?;
        ensure!(!said.err.contains("panicked"), "run: {said}");
        lab.call(&["delete", "--force", &id]).ok().map(drop)
    })
}

/// The exploit's own shape: the program's interpreter leads to the runtime, a second process of
/// the container waits for it and opens its image for writing.
fn link_to_self_exe(lab: &Lab) -> Outcome {
    unchanged(lab, || {
        let bundle = lab.bundle(|spec| {
            spec.args(&["/bin/evil"]);
        })?;
        bundle.link("bin/evil", "/proc/self/exe")?;
        let id = lab.id("link");
        let said = lab.call(&["run", "--bundle", bundle.arg(), &id]).say()?;
        ensure!(!said.err.contains("panicked"), "run: {said}");
        lab.call(&["delete", "--force", &id]).ok().map(drop)
    })
}

/// A directory of the host's among the descriptors must be no way in, whatever its number.
fn escapes(lab: &Lab, cwd: &str, image: impl FnOnce(&crate::bundle::Bundle) -> Outcome) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.set("/process/cwd", json!(cwd)).sh("cat canary/song ../canary/song ../../canary/song ../../../canary/song 2>/dev/null; pwd; true");
    })?;
    image(&bundle)?;
    let dir = lab.dir.to_string_lossy().into_owned();
    let id = lab.id("cwd");
    let said = lab
        .call(&["run", "--bundle", bundle.arg(), &id])
        .through_sh(&format!("exec 3<'{dir}' 4<'{dir}' 5<'{dir}' 6<'{dir}' 7<'{dir}' 8<'{dir}' 9<'{dir}'; exec \"$@\""))
        .say()?;
    ensure!(
        !said.out.contains("the host's own"),
        "cwd {cwd} leads to the host: {said}"
    );
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

fn cwd_descriptor(lab: &Lab) -> Outcome {
    for number in 3..20 {
        escapes(lab, &format!("/proc/self/fd/{number}"), |_| Ok(()))?;
    }
    Ok(())
}

fn cwd_link(lab: &Lab) -> Outcome {
    for number in [3, 7, 8, 9] {
        escapes(lab, "/work", |bundle| {
            bundle.link("work", &format!("/proc/self/fd/{number}"))
        })?;
    }
    Ok(())
}

fn cwd_proc_root(lab: &Lab) -> Outcome {
    for cwd in [
        "/proc/self/root",
        "/proc/1/root",
        "/proc/1/cwd",
        "/proc/self/cwd",
    ] {
        escapes(lab, cwd, |_| Ok(()))?;
    }
    Ok(())
}

/// What another process of the container could open through /proc/1/fd while it waits for start.
fn waiting_init(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    for (number, target) in probe::descriptors(container.pid)? {
        if number > 2 {
            let link = format!("/proc/{}/fd/{number}", container.pid);
            let directory = fs::metadata(&link).is_ok_and(|meta| meta.is_dir());
            let inside = target == "/" || target.starts_with("/proc");
            ensure!(
                !directory || inside,
                "descriptor {number} is the directory {target}"
            );
        }
    }
    let cwd = fs::read_link(format!("/proc/{}/cwd", container.pid))?;
    same("cwd", cwd.to_string_lossy().as_ref(), "/")?;
    container.end()
}

/// A process that is not dumpable has files in /proc that belong to root, also for a user's.
fn dumpable(lab: &Lab) -> Outcome {
    use std::os::unix::fs::MetadataExt;
    let bundle = lab.bundle(|spec| {
        spec.set("/process/user", json!({"uid": 1000, "gid": 1000}));
    })?;
    let container = Container::create(lab, &bundle, &lab.id("dump"))?;
    let owner = fs::metadata(format!("/proc/{}/environ", container.pid))?.uid();
    same("owner of the waiting init's /proc files", owner, 0)?;
    container.end()
}

fn binary_unchanged(lab: &Lab) -> Outcome {
    unchanged(lab, || {
        lab.look(
            "for f in /proc/[0-9]*/exe; do echo x >> $f; done 2>/dev/null; true",
            |spec| {
                spec.no_namespace("pid")
                    .mount("/tmp", "tmpfs", "tmpfs", &[]);
                spec.set("/root/readonly", json!(true));
            },
        )?;
        Ok(())
    })
}

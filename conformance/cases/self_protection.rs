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
    Case::new(
        "inits-exe-cannot-be-written-where-the-kernel-keeps-programs-in-their-place",
        exe_without_exchange,
    ),
    Case::new(
        "no-memory-of-init-leads-to-a-writable-runtime",
        memory_of_init,
    ),
    Case::new("init-still-shows-its-command-line", command_line),
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
    exe_is_out_of_reach(lab, container.pid)?;
    container.end()
}

fn exe_is_out_of_reach(lab: &Lab, pid: i32) -> Outcome {
    let exe = format!("/proc/{pid}/exe");
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
    ensure!(
        !is_writable_runtime(lab, &exe)?,
        "{exe} is the runtime's own file, protected only while it runs"
    );
    Ok(())
}

/// Whether the path leads to the runtime's own file, on a mount that lets it be written.
fn is_writable_runtime(lab: &Lab, path: &str) -> Outcome<bool> {
    use std::os::unix::fs::MetadataExt;
    let (there, own) = (fs::metadata(path)?, fs::metadata(&lab.runtime.path)?);
    let flags = nix::sys::statvfs::statvfs(path)?.flags();
    let read_only = flags.contains(nix::sys::statvfs::FsFlags::ST_RDONLY);
    Ok((own.dev(), own.ino()) == (there.dev(), there.ino()) && !read_only)
}

/// Refuses prctl(PR_SET_MM) with EINVAL, as a kernel without CONFIG_CHECKPOINT_RESTORE does, and
/// executes the rest of the words. The first word is prctl's number.
const WITHOUT_SET_MM: &str = r#"
my $prctl = shift;
my $filter = pack("SCCL" x 6,
    0x20, 0, 0, 0,  0x15, 0, 3, $prctl,  0x20, 0, 0, 16,  0x15, 0, 1, 35,
    0x06, 0, 0, 0x00050016,  0x06, 0, 0, 0x7fff0000);
syscall($prctl, 22, 2, pack("Sx6P", 6, $filter)) == 0 or die "seccomp: $!";
exec @ARGV or die "exec: $!";
"#;

/// A runtime that names its file anew while it runs must have another way where it may not.
fn exe_without_exchange(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    let (id, number) = (lab.id("kept"), nix::libc::SYS_prctl.to_string());
    let call = lab.call(&["create", "--bundle", bundle.arg(), &id]);
    call.through(&["perl", "-e", WITHOUT_SET_MM, &number])
        .ok()?;
    let state: serde_json::Value = serde_json::from_str(&lab.call(&["state", &id]).ok()?.out)?;
    let pid = state["pid"]
        .as_i64()
        .and_then(|pid| i32::try_from(pid).ok());
    exe_is_out_of_reach(lab, pid.ok_or("state tells no pid")?)?;
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

/// /proc/PID/map_files leads to files as /proc/PID/exe does.
fn memory_of_init(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    let mut seen = 0;
    for entry in fs::read_dir(format!("/proc/{}/map_files", container.pid))? {
        let path = entry?.path().to_string_lossy().into_owned();
        ensure!(
            !is_writable_runtime(lab, &path)?,
            "{path} is the runtime's own file, and may be written"
        );
        seen += 1;
    }
    ensure!(seen > 0, "init has no memory that comes from a file");
    container.end()
}

/// Whatever is done about the file, people must recognise the process in ps(1).
fn command_line(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    let words = fs::read(format!("/proc/{}/cmdline", container.pid))?;
    let words = String::from_utf8_lossy(&words).replace('\0', " ");
    ensure!(
        words.contains(" create ") || words.trim_end().ends_with(" init"),
        "the waiting init's command line is {words:?}"
    );
    let environment = fs::read(format!("/proc/{}/environ", container.pid))?;
    ensure!(
        environment.last().is_none_or(|byte| *byte == 0),
        "the waiting init's environment ends in the middle of a word"
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

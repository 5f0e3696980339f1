//! Where a bundle is put up, run and taken down: for every runtime afresh, and at the same path, so that
//! nothing of one runtime's is seen by the next.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde_json::json;

use crate::bundle::{self, Bundle};
use crate::check::{Outcome, ensure};
use crate::draw::{Draw, ID};
use crate::place::{CGROUPS, Scratch};
use crate::program::Program;
use crate::view::{Surroundings, View};

/// How long one run may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The program of every container.
const SCRIPT: &str = include_str!("probe.sh");

/// The scratch directory and what lies there for all runs.
#[derive(Debug)]
pub(crate) struct Stage {
    scratch: Scratch,
    busybox: PathBuf,
    /// A process whose namespaces a bundle may join.
    holder: Child,
    surroundings: Surroundings,
}

impl Stage {
    /// Must be called before the first thread is made: it leaves the caller's mount namespace.
    pub(crate) fn new() -> Outcome<Self> {
        let scratch = Scratch::new()?;
        // A container's process is given to us when `create` has ended, as to a caller's shim.
        set_child_subreaper(true)?;
        // Shared, as most hosts' mounts are: propagation can be seen then.
        let shared = MsFlags::MS_SHARED;
        mount(
            None::<&str>,
            scratch.path(),
            None::<&str>,
            shared,
            None::<&str>,
        )?;
        let busybox = scratch.path().join("busybox");
        fs::copy(bundle::find_busybox()?, &busybox)?;
        let holder = Command::new("unshare")
            .args(["--net", "--ipc", "--uts", "sh", "-c"])
            .arg("hostname holder 2>/dev/null; echo; exec sleep 3600")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let mut holder = holder.map_err(|error| format!("cannot run unshare: {error}"))?;
        // Its line says that the namespaces are there.
        let mut line = [0; 1];
        if let Some(out) = holder.stdout.as_mut() {
            std::io::Read::read_exact(out, &mut line)?;
        }
        let surroundings = Surroundings::look(&scratch.path().join("bundle"), holder.id())?;
        let stage = Self {
            scratch,
            busybox,
            holder,
            surroundings,
        };
        Ok(stage)
    }

    /// A new directory below the scratch directory.
    pub(crate) fn folder(&self, name: &str) -> Outcome<PathBuf> {
        Ok(self.scratch.folder(name)?)
    }

    /// Puts the bundle up, runs it and takes it down; what was seen inside, or the refusal.
    pub(crate) fn play(&self, draw: &Draw, program: &Program) -> Outcome<View> {
        let dir = self.scratch.path().join("bundle");
        let bundle = self.put_up(draw, &dir)?;
        let refusal = self.perform(program, &bundle)?;
        let text = self.said("out");
        let ended = text.lines().last() == Some("#end");
        let view = match refusal {
            None if ended => View::of(&text, &draw.asked(), &self.surroundings),
            None => View::refused(&format!(
                "the probe did not come to its end: {}",
                self.said("err")
            )),
            Some(words) => View::refused(&words.replace(&*dir.to_string_lossy(), "$BUNDLE")),
        };
        self.clear(program);
        self.take_down(&dir)?;
        Ok(view)
    }

    /// `create`, `start`, the program's end, `delete`; the words of whichever failed.
    fn perform(&self, program: &Program, bundle: &Bundle) -> Outcome<Option<String>> {
        let pid_file = self.scratch.path().join("pid");
        let mut words = program.create(bundle, &pid_file);
        words.push(ID.into());
        let out = self.file("out")?;
        if let Some(refusal) = self.call(program, &words, out, bundle)? {
            return Ok(Some(refusal));
        }
        let pid = fs::read_to_string(&pid_file)?.trim().parse()?;
        for verb in ["start", "delete"] {
            if verb == "delete" && !await_end(pid)? {
                return Ok(Some("the program does not end".to_owned()));
            }
            let out = self.file("other")?;
            if let Some(refusal) = self.call(program, &program.verb(verb, ID), out, bundle)? {
                return Ok(Some(format!("{verb}: {refusal}")));
            }
        }
        Ok(None)
    }

    fn put_up(&self, draw: &Draw, dir: &Path) -> Outcome<Bundle> {
        let mut spec = draw.spec.clone();
        let mut args = vec!["/bin/sh", "-c", SCRIPT, "probe"];
        args.extend(draw.look.iter().map(String::as_str));
        spec.args(&args);
        spec.set("/process/terminal", json!(false));
        let text = serde_json::to_string(&spec.0)?;
        let text = text
            .replace("$BUNDLE", &dir.to_string_lossy())
            .replace("$HOLDER", &format!("/proc/{}", self.holder.id()));
        spec.0 = serde_json::from_str(&text)?;
        let bundle = bundle::make(dir, &self.busybox, &spec)?;
        for (path, content) in &draw.files {
            let path = dir.join(path);
            match content {
                Some(content) => {
                    fs::create_dir_all(path.parent().unwrap_or(dir))?;
                    File::create(&path)?.write_all(content.as_bytes())?;
                }
                None => fs::create_dir_all(&path)?,
            }
        }
        bundle.link("link", "srv")?;
        if let Some(uid) = draw.owner {
            Bundle {
                dir: bundle.rootfs(),
            }
            .give_to(uid)?;
        }
        Ok(bundle)
    }

    /// One call to its end; what it said where it failed or took too long.
    fn call(
        &self,
        program: &Program,
        words: &[OsString],
        out: File,
        bundle: &Bundle,
    ) -> Outcome<Option<String>> {
        let mut command = Command::new(&program.path);
        command
            .args(words)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(self.file("err")?)
            .current_dir(&bundle.dir)
            .process_group(0);
        let started = command.spawn();
        let mut child =
            started.map_err(|e| format!("cannot run {}: {e}", program.path.display()))?;
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            match child.try_wait()? {
                Some(status) if status.success() => return Ok(None),
                Some(status) => return Ok(Some(format!("{} ({status})", self.said("err").trim()))),
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL)?;
        child.wait()?;
        Ok(Some("it hangs".to_owned()))
    }

    fn file(&self, name: &str) -> Outcome<File> {
        Ok(File::create(self.scratch.path().join(name))?)
    }

    fn said(&self, name: &str) -> String {
        let bytes = fs::read(self.scratch.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Removes what a run that went wrong left in the state directory and in the cgroup tree; a run that
    /// went right left nothing, and then this finds nothing.
    fn clear(&self, program: &Program) {
        if program.root.join(ID).exists() {
            let mut command = Command::new(&program.path);
            command.args(program.removal(ID)).stdin(Stdio::null());
            let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
            let _ = fs::remove_dir_all(program.root.join(ID));
        }
        for _ in 0..100 {
            if sweep(Path::new(CGROUPS)) == 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Mounts that a container with shared mounts handed to us go with the bundle.
    fn take_down(&self, dir: &Path) -> Outcome {
        for _ in 0..100 {
            let text = fs::read_to_string("/proc/self/mountinfo")?;
            let place = dir.to_string_lossy();
            let inside = |line: &&str| {
                line.split(' ')
                    .nth(4)
                    .is_some_and(|t| t.starts_with(&*place))
            };
            let Some(last) = text.lines().rfind(inside) else {
                break;
            };
            let target = last.split(' ').nth(4).unwrap_or_default().to_owned();
            umount2(target.as_str(), MntFlags::MNT_DETACH)?;
        }
        fs::remove_dir_all(dir).map_err(|e| format!("cannot remove {}: {e}", dir.display()))?;
        ensure!(!dir.exists(), "{} is still there", dir.display());
        Ok(())
    }
}

/// Waits for the container's process, which is an orphan and so ours; false where it takes too long.
fn await_end(pid: i32) -> Outcome<bool> {
    let pid = Pid::from_raw(pid);
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_millis(1)),
            Ok(_) | Err(Errno::ECHILD) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

impl Drop for Stage {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Kills and removes the cgroups that carry the container's id; how many are left.
fn sweep(dir: &Path) -> usize {
    let mut left = 0;
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        left += sweep(&entry.path());
        if entry.path().to_string_lossy().contains(ID) {
            let _ = fs::write(entry.path().join("cgroup.kill"), "1");
            left += usize::from(fs::remove_dir(entry.path()).is_err());
        }
    }
    left
}

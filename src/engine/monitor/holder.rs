//! A network namespace for a user's container, made before its process is there and kept by a file: pasta may look
//! into no process of the user namespace that it is in itself. It is kept until the container is in it.

use crate::error::{Cause, Error, Object, Result};
use crate::sys::process;
use nix::sched::{CloneFlags, unshare};
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The verb by which the engine calls itself.
pub(crate) const VERB: &str = "hold-network";

/// A file that keeps a network namespace, in this mount namespace; it ends with the value.
#[derive(Debug)]
pub(super) struct Holder(PathBuf);

impl Holder {
    /// Makes the namespace and has `file` keep it.
    ///
    /// # Errors
    /// A namespace that cannot be made or kept.
    pub(super) fn start(file: PathBuf) -> Result<Holder> {
        let told = |call, error: &std::io::Error| {
            Error::io("make a network namespace", &file, call, error)
        };
        let program = std::env::current_exe().map_err(|error| told("readlink", &error))?;
        let mut command = Command::new(program);
        command
            .arg(VERB)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| told("execve", &error))?;
        let mut ready = [0; 1];
        let read = child
            .stdout
            .as_mut()
            .map(|stdout| stdout.read_exact(&mut ready));
        let kept = keep(child.id(), &file);
        drop(child.stdin.take());
        // It ends with its standard input, ignored where it has ended already.
        let _ = child.wait();
        match read {
            Some(Ok(())) => kept
                .map(|()| Holder(file.clone()))
                .map_err(|error| told("mount", &error)),
            _ => {
                let why = Cause::Refused("its holder ended".to_owned());
                Err(Error::new(
                    "make a network namespace",
                    Object::File(file),
                    why,
                ))
            }
        }
    }

    /// Where the namespace is.
    pub(super) fn namespace(&self) -> PathBuf {
        self.0.clone()
    }
}

fn keep(pid: u32, file: &Path) -> std::io::Result<()> {
    std::fs::write(file, b"")?;
    Ok(rustix::mount::mount_bind(
        format!("/proc/{pid}/ns/net"),
        file,
    )?)
}

impl Drop for Holder {
    fn drop(&mut self) {
        // With this mount namespace it ends anyway, ignored.
        let _ = rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH);
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Enters a network namespace of the user's, for good: the runtime, called from there, joins the container to it
/// and returns; to the host's it could not return, as that is not this user namespace's own.
///
/// # Errors
/// As setns(2).
pub(super) fn enter(namespace: &Path) -> Result<()> {
    const NEWNET: u32 = 0x4000_0000;
    let told = |call, error: &std::io::Error| {
        Error::io("enter a network namespace", namespace, call, error)
    };
    let file = std::fs::File::open(namespace).map_err(|error| told("openat", &error))?;
    process::join(file.as_fd(), NEWNET)
        .map_err(|fault| told("setns", &std::io::Error::from_raw_os_error(fault.errno)))
}

/// Waits until pasta has given the namespace that this process is in an address: it goes into the background
/// before. Without one after a while, the container begins without.
pub(super) fn await_address() {
    let has_address = || {
        let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
        let routes = read("/proc/self/net/route").lines().count() > 1;
        routes
            || read("/proc/self/net/if_inet6")
                .lines()
                .any(|line| line.contains(" 00 "))
    };
    let end = Instant::now() + Duration::from_secs(2);
    while !has_address() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What the process does.
///
/// # Errors
/// EPERM outside of a user namespace of one's own.
pub(crate) fn hold() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(|errno| {
        let cause = Cause::Os {
            call: "unshare",
            errno: errno as i32,
            on: None,
        };
        Error::new("make a network namespace", Object::Nothing, cause)
    })?;
    let mut stdout = std::io::stdout();
    // Whoever does not listen does not need it, ignored.
    let _ = stdout.write_all(b"+").and_then(|()| stdout.flush());
    let _ = std::io::stdin().read(&mut [0; 1]);
    Ok(())
}

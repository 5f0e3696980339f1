//! A network namespace for a user's container, made before its process is there: pasta may look into a process of
//! ours, but not into one that waits for its start, which no one may trace. It lives until the container is in it.

use crate::error::{Cause, Error, Object, Result};
use nix::sched::{CloneFlags, unshare};
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The verb by which the engine calls itself.
pub(crate) const VERB: &str = "hold-network";

/// A process in a network namespace of its own; it ends with the value.
#[derive(Debug)]
pub(super) struct Holder(Child);

impl Holder {
    /// Starts it, and waits until the namespace is there.
    ///
    /// # Errors
    /// A namespace that cannot be made.
    pub(super) fn start() -> Result<Holder> {
        let told =
            |call, error: &std::io::Error| Error::io("make a network namespace", VERB, call, error);
        let program = std::env::current_exe().map_err(|error| told("readlink", &error))?;
        let mut command = Command::new(program);
        command
            .arg(VERB)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut holder = Holder(command.spawn().map_err(|error| told("execve", &error))?);
        let mut ready = [0; 1];
        let read = holder
            .0
            .stdout
            .as_mut()
            .map(|stdout| stdout.read_exact(&mut ready));
        match read {
            Some(Ok(())) => Ok(holder),
            _ => {
                let why = Cause::Refused("its holder ended".to_owned());
                Err(Error::new("make a network namespace", Object::Nothing, why))
            }
        }
    }

    /// Its pid.
    pub(super) fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap_or_default()
    }

    /// Where its network namespace is.
    pub(super) fn namespace(&self) -> PathBuf {
        format!("/proc/{}/ns/net", self.0.id()).into()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // It ends with its standard input, ignored where it has ended already.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
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

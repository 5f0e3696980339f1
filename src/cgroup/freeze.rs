//! Freeze, thaw, and what `cgroup.events` says (cgroup-v2.rst, "Core Interface Files").

use super::{Cgroup, is_gone, value_of, write};
use crate::error::{Cause, Error, Object, Result};
use crate::sys::{Fault, file};
use rustix::fs::OFlags;
use std::time::{Duration, Instant};

/// How long all processes may take to stop; one in an uninterruptible wait may never do so.
const FREEZE: Duration = Duration::from_secs(10);

/// How long they may take to go on: nothing but a busy machine is in their way.
const THAW: Duration = Duration::from_secs(2);

/// `cgroup.events`, read. A removed group is neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Events {
    /// Whether a live process is in the group or below it.
    pub(super) populated: bool,
    /// Whether all of them are stopped by the freezer.
    pub(super) frozen: bool,
}

impl Cgroup {
    /// Stops every process of the group and of the groups below it, and waits until they stand.
    ///
    /// # Errors
    /// As write(2); a refusal after ten seconds, and the group is thawed again.
    pub fn freeze(&self) -> Result<()> {
        let doing = "freeze the container's processes";
        self.set_freezer(b"1")
            .map_err(|fault| self.fault(doing, "cgroup.freeze", fault))?;
        if self.wait_until(FREEZE, |events| events.frozen)? {
            return Ok(());
        }
        let object = Object::File(self.path.join("cgroup.events"));
        let why = "not all of them stopped within 10 s: one waits for a device or a file system";
        let error = Error::new(doing, object, Cause::Refused(why.to_owned()));
        Err(error.also(self.thaw().err()))
    }

    /// Lets them go on.
    ///
    /// # Errors
    /// As write(2); none where the group is gone.
    pub fn thaw(&self) -> Result<()> {
        match self.set_freezer(b"0") {
            Err(fault) if !is_gone(fault) => {
                Err(self.fault("thaw the container's processes", "cgroup.freeze", fault))
            }
            _ => Ok(()),
        }
    }

    /// Lets them go on, and waits until they do.
    ///
    /// # Errors
    /// As [`Cgroup::thaw`]; a refusal where they stay frozen, since a group above this one is.
    pub fn resume(&self) -> Result<()> {
        self.thaw()?;
        if self.wait_until(THAW, |events| !events.frozen)? {
            return Ok(());
        }
        let object = Object::File(self.path.join("cgroup.events"));
        let why = "they stay frozen, as a group above this one is".to_owned();
        Err(Error::new(
            "thaw the container's processes",
            object,
            Cause::Refused(why),
        )
        .hint("write 0 to its cgroup.freeze"))
    }

    /// Whether all processes of the group are frozen; false for a group that is gone.
    ///
    /// # Errors
    /// As read(2).
    pub fn is_frozen(&self) -> Result<bool> {
        Ok(self.events()?.frozen)
    }

    /// Whether a live process (not a zombie) is in the group or below it; false for a group that is gone.
    ///
    /// # Errors
    /// As read(2).
    pub fn is_populated(&self) -> Result<bool> {
        Ok(self.events()?.populated)
    }

    /// Waits until no process is left, for at most `limit`; true when none is.
    ///
    /// # Errors
    /// As read(2) and poll(2).
    pub fn is_empty_within(&self, limit: Duration) -> Result<bool> {
        self.wait_until(limit, |events| !events.populated)
    }

    pub(super) fn set_freezer(&self, value: &[u8]) -> std::result::Result<(), Fault> {
        write(&self.dir, c"cgroup.freeze", value)
    }

    fn events(&self) -> Result<Events> {
        let doing = "ask for the state of the cgroup";
        match file::open(&self.dir, c"cgroup.events", OFlags::RDONLY).and_then(read_events) {
            Ok(events) => Ok(events),
            Err(fault) if is_gone(fault) => Ok(Events::default()),
            Err(fault) => Err(self.fault(doing, "cgroup.events", fault)),
        }
    }

    /// Waits for a state without turning the processor: the kernel wakes us at every change.
    fn wait_until(&self, limit: Duration, reached: impl Fn(Events) -> bool) -> Result<bool> {
        let until = Instant::now() + limit;
        let wait = || -> std::result::Result<bool, Fault> {
            let fd = file::open(&self.dir, c"cgroup.events", OFlags::RDONLY)?;
            loop {
                // Reading arms the poll: a change after it is not missed.
                if reached(read_events(&fd)?) {
                    return Ok(true);
                }
                let left = until.saturating_duration_since(Instant::now()).as_millis();
                if left == 0 {
                    return Ok(false);
                }
                file::has_changed_within(&fd, u32::try_from(left).unwrap_or(u32::MAX))?;
            }
        };
        match wait() {
            Ok(answer) => Ok(answer),
            Err(fault) if is_gone(fault) => Ok(reached(Events::default())),
            Err(fault) => Err(self.fault("wait for the cgroup", "cgroup.events", fault)),
        }
    }

    pub(super) fn fault(&self, doing: &str, name: &str, fault: Fault) -> Error {
        Error::file(doing, self.path.join(name), fault)
    }
}

pub(super) fn read_events(fd: impl std::os::fd::AsFd) -> std::result::Result<Events, Fault> {
    let mut buffer = [0; 256];
    let text = String::from_utf8_lossy(file::read_again(fd, &mut buffer)?).into_owned();
    let is_one = |key| value_of(&text, key) == Some(1);
    Ok(Events {
        populated: is_one("populated"),
        frozen: is_one("frozen"),
    })
}

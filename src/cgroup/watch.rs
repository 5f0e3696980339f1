//! The events of a group as they come: processes killed for want of memory, and the end of the last one.

use super::freeze::read_events;
use super::{Cgroup, is_gone, value_of};
use crate::error::Result;
use crate::sys::{Fault, file};
use rustix::fs::OFlags;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The kernel has killed a process for want of memory.
    OutOfMemory,
    /// No process is left.
    Empty,
    /// Nothing, within the time.
    Nothing,
}

/// An eye on a group.
#[derive(Debug)]
pub struct Watch<'a> {
    cgroup: &'a Cgroup,
    events: OwnedFd,
    /// `memory.events`, where the group has the memory controller.
    memory: Option<OwnedFd>,
    kills: u64,
}

impl Cgroup {
    /// Begins to watch; `None` where the group is gone.
    ///
    /// # Errors
    /// As openat(2).
    pub fn watch(&self) -> Result<Option<Watch<'_>>> {
        let events = match file::open(&self.dir, c"cgroup.events", OFlags::RDONLY) {
            Err(fault) if is_gone(fault) => return Ok(None),
            other => {
                other.map_err(|fault| self.fault("watch the cgroup", "cgroup.events", fault))?
            }
        };
        let mut watch = Watch {
            cgroup: self,
            events,
            memory: None,
            kills: 0,
        };
        // Those from before are not news.
        watch.kills = watch.count();
        Ok(Some(watch))
    }
}

impl Watch<'_> {
    /// Waits for the next event, for at most `limit`.
    ///
    /// # Errors
    /// As read(2) and poll(2).
    pub fn next_within(&mut self, limit: Duration) -> Result<Event> {
        // Reading arms the poll: a change after it is not missed.
        if let Some(event) = self.look()? {
            return Ok(event);
        }
        let limit = u32::try_from(limit.as_millis()).unwrap_or(u32::MAX);
        let changed = match &self.memory {
            Some(memory) => file::either_has_changed_within(&self.events, memory, limit),
            None => file::has_changed_within(&self.events, limit),
        };
        changed.map_err(|fault| self.fault(fault))?;
        Ok(self.look()?.unwrap_or(Event::Nothing))
    }

    fn look(&mut self) -> Result<Option<Event>> {
        // Before the end, which it may have caused.
        let kills = self.count();
        if kills > self.kills {
            self.kills = kills;
            return Ok(Some(Event::OutOfMemory));
        }
        match read_events(&self.events) {
            Ok(events) if events.populated => Ok(None),
            Ok(_) => Ok(Some(Event::Empty)),
            Err(fault) if is_gone(fault) => Ok(Some(Event::Empty)),
            Err(fault) => Err(self.fault(fault)),
        }
    }

    fn count(&mut self) -> u64 {
        if self.memory.is_none() {
            // An update may give the group the controller later.
            self.memory = file::open(&self.cgroup.dir, c"memory.events", OFlags::RDONLY).ok();
        }
        let mut buffer = [0; 1024];
        let memory = self.memory.as_ref();
        let text = memory.and_then(|memory| file::read_again(memory, &mut buffer).ok());
        let text = String::from_utf8_lossy(text.unwrap_or_default());
        value_of(&text, "oom_kill").unwrap_or(self.kills)
    }

    fn fault(&self, fault: Fault) -> crate::error::Error {
        self.cgroup
            .fault("watch the cgroup", "cgroup.events", fault)
    }
}

//! What became of a container.

use super::wish::Wish;
use crate::engine::ids::Ids;
use crate::linux::look;
use crate::state::record::Process;
use crate::sys::proc::Proc;
use serde::{Deserialize, Serialize};

/// Exit status of a container whose end nobody saw, as its monitor was killed.
pub(crate) const UNSEEN: i32 = 255;

/// record.json.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Record {
    /// 64 hexadecimal digits.
    pub(crate) id: String,
    /// What people call it.
    pub(crate) name: String,
    /// What it was made from, as it was typed.
    pub(crate) image: String,
    /// When; RFC 3339.
    pub(crate) created: String,
    /// What was asked for.
    pub(crate) wish: Wish,
    /// The ids that it was given; empty where it has the host's.
    pub(crate) ids: Ids,
    /// What became of it.
    pub(crate) life: Life,
}

/// One life; `start` begins another.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Life {
    /// The first process.
    pub(crate) process: Option<Born>,
    /// Who watches it.
    pub(crate) monitor: Option<Born>,
    /// When its program began; RFC 3339, empty before.
    pub(crate) started: String,
    /// When it ended; RFC 3339, empty before.
    pub(crate) finished: String,
    /// Its exit status, 128 and the signal's number where one ended it.
    pub(crate) exit: i32,
    /// Why it could not begin.
    pub(crate) error: String,
    /// What the network gave it.
    pub(crate) network: serde_json::Value,
    /// Volumes without a name, which go with it.
    pub(crate) own_volumes: Vec<String>,
}

/// A process that will be known again: its pid, and its birth in clock ticks since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Born {
    /// Its pid.
    pub(crate) pid: i32,
    /// proc_pid_stat(5), starttime.
    pub(crate) began: u64,
}

/// What a container is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It has not begun.
    Created,
    /// It runs, or is paused.
    Running,
    /// It has ended.
    Exited,
}

impl Status {
    /// docker's word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Status::Created => "created",
            Status::Running => "running",
            Status::Exited => "exited",
        }
    }
}

impl Born {
    /// The process of this pid, if there is one.
    pub(crate) fn of(pid: i32) -> Option<Born> {
        let found = look::look(&Proc::open().ok()?, pid).ok()??;
        Some(Born {
            pid,
            began: found.start_time,
        })
    }

    /// Whether it still runs.
    pub(crate) fn lives(self) -> bool {
        let process = Process {
            pid: self.pid,
            start_time: self.began,
        };
        Proc::open().is_ok_and(|proc| matches!(look::alive(&proc, process), Ok(Some(_))))
    }
}

impl Record {
    /// The process that runs now, if one does.
    pub(crate) fn running(&self) -> Option<Born> {
        self.life.process.filter(|process| process.lives())
    }

    /// Whoever watches it now, if somebody does.
    pub(crate) fn watched(&self) -> Option<Born> {
        self.life.monitor.filter(|monitor| monitor.lives())
    }

    /// What it is doing, as the kernel says.
    pub(crate) fn status(&self) -> Status {
        if self.running().is_some() {
            return Status::Running;
        }
        let begun = !self.life.started.is_empty() || !self.life.finished.is_empty();
        match begun || self.life.process.is_some() {
            true => Status::Exited,
            false => Status::Created,
        }
    }

    /// Its exit status; of an end that nobody saw [`UNSEEN`].
    pub(crate) fn exit(&self) -> i32 {
        match self.life.finished.is_empty() && self.status() == Status::Exited {
            true => UNSEEN,
            false => self.life.exit,
        }
    }

    /// The twelve digits that people see.
    pub(crate) fn short(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }
}

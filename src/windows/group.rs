//! The container's job, as `life/` uses a group.

use crate::error::{Error, Object, Result};
use crate::state::Record;
use crate::sys::Fault;
use crate::sys::job::Job;
use std::time::{Duration, Instant};

/// A job that was found by its name.
#[derive(Debug)]
pub struct Group {
    /// The job.
    pub job: Job,
    /// Its name.
    pub name: String,
}

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A process got no more memory. Windows tells that to the process alone.
    OutOfMemory,
    /// No process is left.
    Empty,
    /// Nothing, within the time.
    Nothing,
}

impl Record {
    /// The container's job, opened; `None` when it has none or it is gone.
    ///
    /// # Errors
    /// A job of another user's.
    pub fn group(&self) -> Result<Option<Group>> {
        let Some(kept) = &self.job else {
            return Ok(None);
        };
        let told = |fault| {
            Error::new(
                "find the container's job",
                Object::Container(self.id.clone()),
                crate::error::Cause::from(fault),
            )
        };
        let found = Job::open(&kept.name).map_err(told)?;
        Ok(found.map(|job| Group {
            job,
            name: kept.name.clone(),
        }))
    }
}

impl Group {
    /// The pids of all its processes.
    ///
    /// # Errors
    /// As QueryInformationJobObject.
    pub fn processes(&self) -> Result<Vec<i32>> {
        let pids = self
            .job
            .pids()
            .map_err(|fault| self.fault("list the processes", fault))?;
        Ok(pids.into_iter().map(u32::cast_signed).collect())
    }

    /// Whether it has any.
    ///
    /// # Errors
    /// As QueryInformationJobObject.
    pub fn is_populated(&self) -> Result<bool> {
        let pids = self
            .job
            .pids()
            .map_err(|fault| self.fault("list the processes", fault))?;
        Ok(!pids.is_empty())
    }

    /// Ends all of them, and waits until they are gone, for ten seconds.
    ///
    /// # Errors
    /// As TerminateJobObject; processes that do not go.
    pub fn kill_all(&self) -> Result<()> {
        /// As a shell tells of SIGKILL: 128 and 9.
        const KILLED: u32 = 137;
        let told = |fault| self.fault("end the processes", fault);
        self.job.terminate(KILLED).map_err(told)?;
        let limit = Instant::now() + Duration::from_secs(10);
        while self.is_populated()? {
            if Instant::now() > limit {
                let why = "its processes did not end within 10 s of TerminateJobObject".to_owned();
                let object = Object::Argument(format!("the job {}", self.name));
                return Err(Error::new(
                    "end the processes",
                    object,
                    crate::error::Cause::Refused(why),
                ));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Begins to watch.
    ///
    /// # Errors
    /// None; the group of Linux may be gone.
    pub fn watch(&self) -> Result<Option<Watch<'_>>> {
        Ok(Some(Watch(self)))
    }

    /// A failure about this job.
    #[must_use]
    pub fn fault(&self, doing: &str, fault: Fault) -> Error {
        Error::new(
            doing,
            Object::Argument(format!("the job {}", self.name)),
            fault.into(),
        )
    }
}

/// An eye on a job.
#[derive(Debug)]
pub struct Watch<'a>(&'a Group);

impl Watch<'_> {
    /// Waits for the next event, for at most `limit`.
    ///
    /// # Errors
    /// As QueryInformationJobObject.
    pub fn next_within(&mut self, limit: Duration) -> Result<Event> {
        const OFTEN: Duration = Duration::from_millis(50);
        let end = Instant::now() + limit;
        loop {
            if !self.0.is_populated()? {
                return Ok(Event::Empty);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Event::Nothing);
            }
            std::thread::sleep(left.min(OFTEN));
        }
    }
}

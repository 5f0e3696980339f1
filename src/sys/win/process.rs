//! Processes: opened, timed, waited for.

use super::handle::own;
use super::job::Job;
use super::{Call, Fault, error, yes};
use std::os::windows::io::{AsHandle, AsRawHandle, OwnedHandle};
use windows_sys::Win32::Foundation::{
    DuplicateHandle, FILETIME, HANDLE, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use windows_sys::Win32::System::ProcessStatus::{GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS};
use windows_sys::Win32::System::Threading as win;

/// The right to wait for an object; winnt.h.
const SYNCHRONIZE: u32 = 0x0010_0000;

/// A process, opened. It stays the same one, whoever gets its pid after it.
#[derive(Debug)]
pub struct Process(pub(super) OwnedHandle);

impl Process {
    /// Opens a process to look at it and to wait for it; `None` where there is none; OpenProcess.
    ///
    /// # Errors
    /// ERROR_ACCESS_DENIED for one of another user.
    pub fn open(pid: u32) -> Result<Option<Process>, Fault> {
        let rights = SYNCHRONIZE | win::PROCESS_QUERY_LIMITED_INFORMATION;
        // SAFETY: it takes numbers only.
        let raw = unsafe { win::OpenProcess(rights, 0, pid) };
        match own(raw) {
            Some(handle) => Ok(Some(Process(handle))),
            None => match Fault::last(Call::OpenProcess) {
                fault if fault.errno == error::INVALID_PARAMETER => Ok(None),
                fault => Err(fault),
            },
        }
    }

    /// The same, to end it, too.
    ///
    /// # Errors
    /// As [`Process::open`].
    pub fn open_to_end(pid: u32) -> Result<Option<Process>, Fault> {
        let rights = SYNCHRONIZE | win::PROCESS_QUERY_LIMITED_INFORMATION | win::PROCESS_TERMINATE;
        // SAFETY: it takes numbers only.
        let raw = unsafe { win::OpenProcess(rights, 0, pid) };
        Ok(own(raw).map(Process))
    }

    /// When it was born, in units of 100 ns since 1601; GetProcessTimes.
    ///
    /// # Errors
    /// As GetProcessTimes.
    pub fn born(&self) -> Result<u64, Fault> {
        let mut times = [FILETIME::default(); 4];
        let [born, ended, kernel, user] = &mut times;
        // SAFETY: the handle is open while `self` is, and the four times live across the call.
        let done = unsafe { win::GetProcessTimes(self.raw(), born, ended, kernel, user) };
        yes(done, Call::GetProcessTimes)?;
        Ok(u64::from(times[0].dwHighDateTime) << 32 | u64::from(times[0].dwLowDateTime))
    }

    /// Its status, once it has ended within so many milliseconds; WaitForSingleObject.
    ///
    /// # Errors
    /// As WaitForSingleObject and GetExitCodeProcess.
    pub fn ended_within(&self, milliseconds: u32) -> Result<Option<u32>, Fault> {
        // SAFETY: the handle is open while `self` is.
        match unsafe { win::WaitForSingleObject(self.raw(), milliseconds) } {
            WAIT_OBJECT_0 => {}
            WAIT_TIMEOUT => return Ok(None),
            _ => return Err(Fault::last(Call::Wait)),
        }
        let mut status = 0;
        // SAFETY: the handle is open while `self` is, and the number lives across the call.
        let done = unsafe { win::GetExitCodeProcess(self.raw(), &raw mut status) };
        yes(done, Call::Wait)?;
        Ok(Some(status))
    }

    /// Bytes that it has committed; 0 where that cannot be told; GetProcessMemoryInfo.
    #[must_use]
    pub fn committed(&self) -> u64 {
        let mut counters = PROCESS_MEMORY_COUNTERS::default();
        let size = super::size::<PROCESS_MEMORY_COUNTERS>();
        // SAFETY: the handle is open while `self` is, and the structure has the size that is told.
        let done = unsafe { GetProcessMemoryInfo(self.raw(), &raw mut counters, size) };
        match done {
            0 => 0,
            _ => u64::try_from(counters.PagefileUsage).unwrap_or_default(),
        }
    }

    /// Gives it a handle of the job with which nothing can be done but wait: while the process lives, the job and
    /// its name do; DuplicateHandle. The process must be one that we have just made.
    ///
    /// # Errors
    /// As DuplicateHandle.
    pub fn hold(&self, job: &Job) -> Result<(), Fault> {
        // SAFETY: it returns a constant that means this process.
        let us = unsafe { win::GetCurrentProcess() };
        let mut theirs: HANDLE = std::ptr::null_mut();
        let job = job.as_handle().as_raw_handle();
        // SAFETY: both processes and the job are open across the call; the new handle is the other process's.
        let done =
            unsafe { DuplicateHandle(us, job, self.raw(), &raw mut theirs, SYNCHRONIZE, 0, 0) };
        yes(done, Call::DuplicateHandle)
    }

    /// Ends it, and it alone: for one that was made a moment ago and is not to be; TerminateProcess.
    pub fn abandon(&self) {
        // SAFETY: the handle is open while `self` is. One that has ended already is what was wanted, ignored.
        unsafe { win::TerminateProcess(self.raw(), 1) };
    }

    pub(super) fn raw(&self) -> HANDLE {
        self.0.as_raw_handle()
    }
}

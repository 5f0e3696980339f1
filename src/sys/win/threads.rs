//! All processes and threads of the machine, to stop those of a job and to let them go on.

use super::handle::own;
use super::{Call, Fault, error, size};
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use windows_sys::Win32::System::Diagnostics::ToolHelp as win;
use windows_sys::Win32::System::Threading::{
    OpenThread, ResumeThread, SuspendThread, THREAD_SUSPEND_RESUME,
};

/// A process as the list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its pid.
    pub pid: u32,
    /// Its parent's pid.
    pub parent: u32,
    /// How many threads it has.
    pub threads: u32,
    /// The name of its program's file.
    pub name: String,
}

/// All processes; CreateToolhelp32Snapshot.
///
/// # Errors
/// As CreateToolhelp32Snapshot.
pub fn processes() -> Result<Vec<Listed>, Fault> {
    let snapshot = snapshot(win::TH32CS_SNAPPROCESS)?;
    let mut entry = win::PROCESSENTRY32W {
        dwSize: size::<win::PROCESSENTRY32W>(),
        ..Default::default()
    };
    let mut all = Vec::new();
    // SAFETY: the snapshot is open, and the entry says its size.
    let mut more = unsafe { win::Process32FirstW(snapshot.as_raw_handle(), &raw mut entry) };
    while more != 0 {
        let name = entry
            .szExeFile
            .split(|unit| *unit == 0)
            .next()
            .unwrap_or_default();
        all.push(Listed {
            pid: entry.th32ProcessID,
            parent: entry.th32ParentProcessID,
            threads: entry.cntThreads,
            name: String::from_utf16_lossy(name),
        });
        // SAFETY: the snapshot is still open, and the entry still says its size.
        more = unsafe { win::Process32NextW(snapshot.as_raw_handle(), &raw mut entry) };
    }
    Ok(all)
}

/// The threads of these processes; CreateToolhelp32Snapshot.
///
/// # Errors
/// As CreateToolhelp32Snapshot.
pub fn of(pids: &[u32]) -> Result<Vec<u32>, Fault> {
    let snapshot = snapshot(win::TH32CS_SNAPTHREAD)?;
    let mut entry = win::THREADENTRY32 {
        dwSize: size::<win::THREADENTRY32>(),
        ..Default::default()
    };
    let mut threads = Vec::new();
    // SAFETY: the snapshot is open, and the entry says its size.
    let mut more = unsafe { win::Thread32First(snapshot.as_raw_handle(), &raw mut entry) };
    while more != 0 {
        if pids.contains(&entry.th32OwnerProcessID) {
            threads.push(entry.th32ThreadID);
        }
        // SAFETY: the snapshot is still open, and the entry still says its size.
        more = unsafe { win::Thread32Next(snapshot.as_raw_handle(), &raw mut entry) };
    }
    Ok(threads)
}

fn snapshot(what: u32) -> Result<OwnedHandle, Fault> {
    // SAFETY: it takes numbers only.
    let raw = unsafe { win::CreateToolhelp32Snapshot(what, 0) };
    own(raw).ok_or(Fault::last(Call::CreateSnapshot))
}

/// Stops a thread; `false` where it has ended. It counts how often; SuspendThread.
///
/// # Errors
/// As OpenThread and SuspendThread.
pub fn suspend(thread: u32) -> Result<bool, Fault> {
    let Some(handle) = open(thread)? else {
        return Ok(false);
    };
    // SAFETY: the handle is open across the call.
    match unsafe { SuspendThread(handle.as_raw_handle()) } {
        u32::MAX => Err(Fault::last(Call::SuspendThread)),
        _ => Ok(true),
    }
}

/// Takes one stop of a thread back, and says how many there were: 1 where it goes on now; `None` where the thread
/// has ended; ResumeThread.
///
/// # Errors
/// As OpenThread and ResumeThread.
pub fn resume(thread: u32) -> Result<Option<u32>, Fault> {
    let Some(handle) = open(thread)? else {
        return Ok(None);
    };
    // SAFETY: the handle is open across the call.
    match unsafe { ResumeThread(handle.as_raw_handle()) } {
        u32::MAX => Err(Fault::last(Call::ResumeThread)),
        count => Ok(Some(count)),
    }
}

fn open(thread: u32) -> Result<Option<OwnedHandle>, Fault> {
    // SAFETY: it takes numbers only.
    let raw = unsafe { OpenThread(THREAD_SUSPEND_RESUME, 0, thread) };
    match own(raw) {
        Some(handle) => Ok(Some(handle)),
        None => match Fault::last(Call::OpenThread) {
            fault if fault.errno == error::INVALID_PARAMETER => Ok(None),
            fault => Err(fault),
        },
    }
}

//! Handles: streams, files for children, text for Windows.

use super::{At, Call, Fault, yes};
use std::fs::OpenOptions;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use windows_sys::Win32::Foundation::{
    DUPLICATE_SAME_ACCESS, DuplicateHandle, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::System::Console::{
    GetStdHandle, STD_ERROR_HANDLE, STD_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE,
};
use windows_sys::Win32::System::Threading::GetCurrentProcess;

/// Text as Windows takes it: UTF-16 with an end mark.
#[must_use]
pub fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// Takes over a handle that a function has just made; `None` for the two values that are none.
pub(super) fn own(raw: HANDLE) -> Option<OwnedHandle> {
    if raw.is_null() || raw == INVALID_HANDLE_VALUE {
        return None;
    }
    // SAFETY: our callers hand over what a function has just returned to them alone.
    Some(unsafe { OwnedHandle::from_raw_handle(raw) })
}

/// Copies of our three standard streams that a child may inherit; one that is closed is NUL.
///
/// # Errors
/// As DuplicateHandle.
pub fn streams() -> Result<[OwnedHandle; 3], Fault> {
    let stream = |which: STD_HANDLE| {
        // SAFETY: it reads a value of this process's own; the handle stays the process's.
        let raw = unsafe { GetStdHandle(which) };
        if raw.is_null() || raw == INVALID_HANDLE_VALUE {
            let null = OpenOptions::new().read(true).write(true).open("NUL");
            return inheritable(&null.at(Call::CreateFile)?);
        }
        duplicate(raw)
    };
    Ok([
        stream(STD_INPUT_HANDLE)?,
        stream(STD_OUTPUT_HANDLE)?,
        stream(STD_ERROR_HANDLE)?,
    ])
}

/// A copy that a child may inherit; DuplicateHandle.
///
/// # Errors
/// As DuplicateHandle.
pub fn inheritable(handle: &impl AsRawHandle) -> Result<OwnedHandle, Fault> {
    duplicate(handle.as_raw_handle())
}

fn duplicate(raw: HANDLE) -> Result<OwnedHandle, Fault> {
    // SAFETY: it returns a constant that means this process.
    let us = unsafe { GetCurrentProcess() };
    let mut copy: HANDLE = std::ptr::null_mut();
    // SAFETY: `copy` takes the new handle; a `raw` that is none is answered by an error.
    let done = unsafe { DuplicateHandle(us, raw, us, &raw mut copy, 0, 1, DUPLICATE_SAME_ACCESS) };
    yes(done, Call::DuplicateHandle)?;
    own(copy).ok_or(Fault::last(Call::DuplicateHandle))
}

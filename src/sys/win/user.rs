//! Users: the caller, and accounts that need no password.

use super::handle::{own, wide};
use super::{Call, Fault, yes};
use std::os::windows::io::OwnedHandle;
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Security as win;
use windows_sys::Win32::System::WindowsProgramming::GetUserNameW;

/// Longest name with its end mark; lmcons.h, UNLEN.
const LONGEST: usize = 257;

/// The caller's name; GetUserNameW.
///
/// # Errors
/// As GetUserNameW.
pub fn name() -> Result<String, Fault> {
    let mut buffer = [0u16; LONGEST];
    let mut length = u32::try_from(LONGEST).unwrap_or_default();
    // SAFETY: the buffer has as many units as is told.
    let done = unsafe { GetUserNameW(buffer.as_mut_ptr(), &raw mut length) };
    yes(done, Call::GetUserName)?;
    let name = buffer.split(|unit| *unit == 0).next().unwrap_or_default();
    Ok(String::from_utf16_lossy(name))
}

/// A token of an account below NT AUTHORITY that logs on as a service, without a password; LogonUserW.
///
/// # Errors
/// ERROR_PRIVILEGE_NOT_HELD for callers that may not; as LogonUserW.
pub fn service(name: &str) -> Result<OwnedHandle, Fault> {
    let (name, domain) = (wide(name), wide("NT AUTHORITY"));
    let mut token: HANDLE = std::ptr::null_mut();
    let (kind, provider) = (win::LOGON32_LOGON_SERVICE, win::LOGON32_PROVIDER_DEFAULT);
    let no_password = std::ptr::null();
    // SAFETY: both names end with their marks, and the handle's place lives across the call.
    let done = unsafe {
        win::LogonUserW(
            name.as_ptr(),
            domain.as_ptr(),
            no_password,
            kind,
            provider,
            &raw mut token,
        )
    };
    yes(done, Call::LogonUser)?;
    own(token).ok_or(Fault::last(Call::LogonUser))
}

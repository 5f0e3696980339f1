//! Windows that are asked to close, as by the cross in their corner.

use windows_sys::Win32::Foundation::{HWND, LPARAM};
use windows_sys::Win32::UI::WindowsAndMessaging as win;
use windows_sys::core::BOOL;

/// Whom to ask, and how many windows were.
struct Asked<'a> {
    pids: &'a [u32],
    windows: usize,
}

/// Posts WM_CLOSE to every window of these processes; how many there were; EnumWindows, PostMessageW.
#[must_use]
pub fn ask(pids: &[u32]) -> usize {
    let mut asked = Asked { pids, windows: 0 };
    let address = (&raw mut asked).expose_provenance().cast_signed();
    // SAFETY: `each` is called only within this call, with the address of `asked`, which lives across it.
    unsafe { win::EnumWindows(Some(each), address) };
    asked.windows
}

unsafe extern "system" fn each(window: HWND, address: LPARAM) -> BOOL {
    let asked: *mut Asked<'_> = std::ptr::with_exposed_provenance_mut(address.cast_unsigned());
    // SAFETY: `ask` passes the address of its own, which nobody else uses meanwhile.
    let asked = unsafe { &mut *asked };
    let mut pid = 0;
    // SAFETY: the number lives across the call; a window that has gone is answered by 0.
    unsafe { win::GetWindowThreadProcessId(window, &raw mut pid) };
    // SAFETY: it takes numbers only.
    if asked.pids.contains(&pid) && unsafe { win::PostMessageW(window, win::WM_CLOSE, 0, 0) } != 0 {
        asked.windows += 1;
    }
    1
}

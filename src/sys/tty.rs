//! Pseudo-terminals; pty(7). The slave is opened through its master (TIOCGPTPEER), never by a name
//! that the container could have exchanged (CVE-2025-52565).

use super::{At, Call, Fault, answer};
use rustix::pty::OpenptFlags;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// Unlocks a master's slave; ioctl_tty(2), TIOCSPTLCK.
///
/// # Errors
/// ENOTTY for a descriptor that is no master.
pub fn unlock(master: BorrowedFd<'_>) -> Result<(), Fault> {
    rustix::pty::unlockpt(master).at(Call::PtyUnlock)
}

/// Opens a master's slave; ioctl_tty(2), TIOCGPTPEER.
///
/// # Errors
/// EIO while it is locked, ENOTTY for a descriptor that is no master.
pub fn peer(master: BorrowedFd<'_>) -> Result<OwnedFd, Fault> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    rustix::pty::ioctl_tiocgptpeer(master, flags).at(Call::PtyPeer)
}

/// Makes the terminal the controlling one of this session; ioctl_tty(2), TIOCSCTTY.
///
/// # Errors
/// EPERM where this process does not lead its session or has a terminal already.
pub fn control(terminal: impl AsFd) -> Result<(), Fault> {
    rustix::process::ioctl_tiocsctty(terminal).at(Call::Tiocsctty)
}

/// Sets the size in characters; ioctl_tty(2), TIOCSWINSZ.
///
/// # Errors
/// As ioctl(2).
pub fn resize(terminal: impl AsFd, rows: u16, columns: u16) -> Result<(), Fault> {
    let size = libc::winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let fd = terminal.as_fd().as_raw_fd();
    // SAFETY: TIOCSWINSZ reads one winsize, which lives across the call.
    let value = unsafe { libc::ioctl(fd, libc::TIOCSWINSZ as _, &raw const size) };
    answer(value.into(), Call::Tiocswinsz).map(|_| ())
}

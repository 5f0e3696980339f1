//! Processes by descriptor: a pidfd never means another process than the one it was opened for.

use super::{At, Call, Fault, answer};
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It exited with this status, 0 to 255.
    Exited(i32),
    /// This signal ended it.
    Signalled(i32),
}

impl End {
    /// The status by which a shell would report it: 128 and the signal for a signalled one.
    #[must_use]
    pub const fn status(self) -> i32 {
        match self {
            End::Exited(status) => status,
            End::Signalled(signal) => 128 + signal,
        }
    }
}

/// Opens the process `pid` of this pid namespace; pidfd_open(2).
///
/// # Errors
/// ESRCH where there is none, EINVAL for a number that is no pid.
pub fn open(pid: i32) -> Result<OwnedFd, Fault> {
    let Some(pid) = Pid::from_raw(pid).filter(|_| pid > 0) else {
        return Err(Fault {
            call: Call::PidfdOpen,
            errno: libc::EINVAL,
        });
    };
    rustix::process::pidfd_open(pid, PidfdFlags::empty()).at(Call::PidfdOpen)
}

/// Sends a signal, 1 to 64; pidfd_send_signal(2).
///
/// # Errors
/// ESRCH where the process has ended, EPERM, EINVAL for a number that is no signal.
pub fn signal(pidfd: impl AsFd, number: i32) -> Result<(), Fault> {
    let fd = pidfd.as_fd().as_raw_fd();
    let none = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: a null siginfo asks for the default one; the rest are numbers.
    let value = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, number, none, 0) };
    answer(value, Call::PidfdSendSignal).map(|_| ())
}

/// Waits for a child to end and reaps it; waitid(2), P_PIDFD.
///
/// # Errors
/// ECHILD where it is no child of ours or has been reaped.
pub fn wait(pidfd: BorrowedFd<'_>) -> Result<End, Fault> {
    // __WALL: a sibling made by a helper sends no SIGCHLD and would be overlooked otherwise.
    let options = WaitIdOptions::EXITED | WaitIdOptions::from_bits_retain(libc::__WALL as u32);
    let status =
        rustix::io::retry_on_intr(|| rustix::process::waitid(WaitId::PidFd(pidfd), options))
            .at(Call::Waitid)?;
    let end = status.and_then(
        |status| match (status.exit_status(), status.terminating_signal()) {
            (Some(status), _) => Some(End::Exited(status)),
            (None, Some(signal)) => Some(End::Signalled(signal)),
            (None, None) => None,
        },
    );
    end.ok_or(Fault {
        call: Call::Waitid,
        errno: libc::ECHILD,
    })
}

/// Waits until the process has ended, without reaping it, for at most `milliseconds` (-1: for ever).
/// True when it has ended.
///
/// # Errors
/// As poll(2).
pub fn has_ended_within(pidfd: BorrowedFd<'_>, milliseconds: i32) -> Result<bool, Fault> {
    let mut poll = libc::pollfd {
        fd: pidfd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    loop {
        // SAFETY: one pollfd, which lives across the call.
        let value = unsafe { libc::poll(&raw mut poll, 1, milliseconds) };
        match answer(value.into(), Call::Poll) {
            Err(Fault {
                errno: libc::EINTR, ..
            }) => {}
            other => return other.map(|ready| ready > 0),
        }
    }
}

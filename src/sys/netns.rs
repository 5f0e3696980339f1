//! Network namespaces that a name keeps, as ip-netns(8) makes them; network_namespaces(7).
//!
//! Threads have namespaces of their own, so whatever happens in another one happens in a thread that ends with it:
//! there is no way back that could fail.

use super::proc::Proc;
use super::{At, Call, Fault, file, mount, process};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::UnmountFlags;
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// `CLONE_NEWNET` of linux/sched.h.
const NETWORK: u32 = 0x4000_0000;

/// Makes a network namespace that the new file `path` keeps; its loopback device is up.
///
/// # Errors
/// EEXIST where the file exists, EPERM without CAP_SYS_ADMIN; nothing is left then.
pub fn make(path: &CStr) -> Result<OwnedFd, Fault> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDONLY | OFlags::CLOEXEC;
    let target =
        rustix::fs::openat(CWD, path, flags, Mode::from_raw_mode(0o400)).at(Call::Openat)?;
    let made = fresh().and_then(|namespace| {
        let copy = mount::copy_tree(&namespace, c"", mount::Depth::One)?;
        mount::attach(copy, &target)?;
        Ok(namespace)
    });
    if made.is_err() {
        remove(path)?;
    }
    made
}

/// A network namespace that lives as long as its descriptor.
///
/// # Errors
/// EPERM without CAP_SYS_ADMIN, ENOSPC where the host's limit is reached.
pub fn fresh() -> Result<OwnedFd, Fault> {
    elsewhere(|| {
        process::unshare_network()?;
        process::loopback_up(process::network_socket()?.as_fd())?;
        current()
    })
}

/// The network namespace of the calling thread.
///
/// # Errors
/// A /proc that is none.
pub fn current() -> Result<OwnedFd, Fault> {
    Proc::open()?.namespace_of_thread(c"net")
}

/// Opens the one that a file keeps.
///
/// # Errors
/// As openat(2).
pub fn open(path: &CStr) -> Result<OwnedFd, Fault> {
    file::open(CWD, path, OFlags::RDONLY)
}

/// Takes the name away; the namespace ends with its last process. One that is gone is not an error.
///
/// # Errors
/// EPERM, EBUSY.
pub fn remove(path: &CStr) -> Result<(), Fault> {
    match rustix::mount::unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
        // EINVAL: a file on which nothing is mounted, as after a crash between the two.
        Ok(()) | Err(Errno::NOENT | Errno::INVAL) => {}
        Err(other) => return Err(other).at(Call::Umount),
    }
    match rustix::fs::unlinkat(CWD, path, rustix::fs::AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(other) => Err(other).at(Call::Unlinkat),
    }
}

/// Does something in a network namespace, in a thread of its own.
///
/// # Errors
/// EINVAL for a descriptor of something else, EPERM without CAP_SYS_ADMIN over it; what `act` answers.
pub fn within<T: Send>(
    namespace: BorrowedFd<'_>,
    act: impl FnOnce() -> Result<T, Fault> + Send,
) -> Result<T, Fault> {
    elsewhere(|| {
        process::join(namespace, NETWORK)?;
        act()
    })
}

fn elsewhere<T: Send>(act: impl FnOnce() -> Result<T, Fault> + Send) -> Result<T, Fault> {
    let died = Fault {
        call: Call::Clone3,
        errno: libc::EAGAIN,
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, act);
        thread.map_err(|_| died)?.join().unwrap_or(Err(died))
    })
}

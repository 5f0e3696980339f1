//! What a process says about itself: ids, session, limits, names.

use super::{At, Call, Fault, answer};
use rustix::process::{Gid, Uid};
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Leaves at once, without flushing what belongs to the parent; _exit(2).
pub fn exit_now(status: i32) -> ! {
    // SAFETY: _exit has no precondition and does not return.
    unsafe { libc::_exit(status) }
}

/// Whether others may look into this process by ptrace or /proc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dumpable {
    /// Only a privileged process of the initial user namespace (SUID_DUMP_DISABLE).
    No,
    /// As credentials permit.
    Yes,
}

/// Sets PR_SET_DUMPABLE; prctl(2).
///
/// # Errors
/// As prctl(2).
pub fn set_dumpable(dumpable: Dumpable) -> Result<(), Fault> {
    use rustix::process::DumpableBehavior;
    let behavior = match dumpable {
        Dumpable::No => DumpableBehavior::NotDumpable,
        Dumpable::Yes => DumpableBehavior::Dumpable,
    };
    rustix::process::set_dumpable_behavior(behavior).at(Call::PrctlDumpable)
}

/// Names this thread as ps shows it, 15 bytes at most; PR_SET_NAME.
pub fn set_name(name: &CStr) {
    // A name is a courtesy to whoever reads ps: an error is of no consequence, ignored.
    let _ = rustix::thread::set_name(name);
}

/// A new session and process group without a controlling terminal; setsid(2).
///
/// # Errors
/// EPERM where the process leads a group already.
pub fn new_session() -> Result<(), Fault> {
    rustix::process::setsid().at(Call::Setsid).map(|_| ())
}

/// Real, effective and saved group id; setresgid(2).
///
/// # Errors
/// EINVAL for an id without a mapping, EPERM without CAP_SETGID.
pub fn set_gid(gid: u32) -> Result<(), Fault> {
    let gid = Gid::from_raw(gid);
    rustix::thread::set_thread_res_gid(gid, gid, gid).at(Call::Setresgid)
}

/// Real, effective and saved user id; setresuid(2).
///
/// # Errors
/// EINVAL for an id without a mapping, EPERM without CAP_SETUID, EAGAIN at RLIMIT_NPROC.
pub fn set_uid(uid: u32) -> Result<(), Fault> {
    let uid = Uid::from_raw(uid);
    rustix::thread::set_thread_res_uid(uid, uid, uid).at(Call::Setresuid)
}

/// The supplementary groups; setgroups(2).
///
/// # Errors
/// EPERM without CAP_SETGID or where the user namespace denies setgroups, EINVAL for an unmapped id.
pub fn set_groups(groups: &[u32]) -> Result<(), Fault> {
    // SAFETY: gid_t is u32 on Linux; the pointer and the length are of one slice. The raw call is
    // made because libc's wrapper would signal other threads, and this process has none.
    let value = unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) };
    answer(value, Call::Setgroups).map(|_| ())
}

/// The file mode creation mask, 0o000 to 0o777; umask(2).
pub fn set_umask(mask: u32) -> u32 {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask)).as_raw_mode()
}

/// Sets a soft and a hard limit of process `pid` (0: this one); prlimit(2).
///
/// # Errors
/// EPERM for a hard limit raised without CAP_SYS_RESOURCE, EINVAL for soft above hard.
pub fn set_limit(pid: i32, resource: u32, soft: u64, hard: u64) -> Result<(), Fault> {
    let limit = libc::rlimit64 {
        rlim_cur: soft,
        rlim_max: hard,
    };
    let none = std::ptr::null_mut::<libc::rlimit64>();
    // SAFETY: `limit` lives across the call; a null old limit asks for nothing.
    let value =
        unsafe { libc::syscall(libc::SYS_prlimit64, pid, resource, &raw const limit, none) };
    answer(value, Call::Prlimit).map(|_| ())
}

/// The host name of this UTS namespace, 64 bytes at most; sethostname(2).
///
/// # Errors
/// EINVAL for a longer name, EPERM without CAP_SYS_ADMIN over the namespace.
pub fn set_host_name(name: &CStr) -> Result<(), Fault> {
    rustix::system::sethostname(name.to_bytes()).at(Call::Sethostname)
}

/// The NIS domain name of this UTS namespace, 64 bytes at most; setdomainname(2).
///
/// # Errors
/// As [`set_host_name`].
pub fn set_domain_name(name: &CStr) -> Result<(), Fault> {
    rustix::system::setdomainname(name.to_bytes()).at(Call::Setdomainname)
}

/// Joins the namespace that `fd` shows; `kind` is its `CLONE_NEW*` flag, checked by the kernel; setns(2).
///
/// # Errors
/// EINVAL for a namespace of another kind, EPERM without CAP_SYS_ADMIN over it.
pub fn join(fd: BorrowedFd<'_>, kind: u32) -> Result<(), Fault> {
    use std::os::fd::AsRawFd;
    // SAFETY: setns takes a descriptor and a number; this process has one thread.
    let value = unsafe { libc::syscall(libc::SYS_setns, fd.as_raw_fd(), kind) };
    answer(value, Call::Setns).map(|_| ())
}

/// Leaves the caller's session keyring for one of this name, which its user may search; keyctl(2),
/// KEYCTL_JOIN_SESSION_KEYRING and KEYCTL_SETPERM.
///
/// # Errors
/// ENOSYS or EPERM where a kernel or an outer filter has no keyrings, EDQUOT at the quota of keys.
pub fn join_session_keyring(name: &CStr) -> Result<(), Fault> {
    // SAFETY: the name is a C string that outlives the call.
    let value = unsafe {
        libc::syscall(
            libc::SYS_keyctl,
            libc::KEYCTL_JOIN_SESSION_KEYRING,
            name.as_ptr(),
        )
    };
    let keyring = answer(value, Call::Keyctl)?;
    // SAFETY: setperm takes two numbers.
    let value = unsafe {
        libc::syscall(
            libc::SYS_keyctl,
            libc::KEYCTL_SETPERM,
            keyring,
            NEW_KEYRING | USER_SEARCH,
        )
    };
    answer(value, Call::Keyctl).map(|_| ())
}

/// What the kernel gives a new session keyring: all to its possessor; view, read and link to its user.
const NEW_KEYRING: u32 = 0x3f13_0000;

/// KEY_USR_SEARCH: the user finds keys in it, and a second process joins it by its name.
const USER_SEARCH: u32 = 0x0008_0000;

/// Enters the directory `fd`; fchdir(2).
///
/// # Errors
/// EACCES where the caller may not search it.
pub fn enter(fd: impl AsFd) -> Result<(), Fault> {
    rustix::process::fchdir(fd).at(Call::Fchdir)
}

/// Enters this process's root directory; chdir(2).
///
/// # Errors
/// EACCES where the caller may not search it.
pub fn enter_root() -> Result<(), Fault> {
    rustix::process::chdir(c"/").at(Call::Chdir)
}

/// Whether the working directory can be reached from this process's root: getcwd(2) answers with
/// `(unreachable)` before the path otherwise (since Linux 2.6.36; CVE-2024-21626).
///
/// # Errors
/// ENOENT where the directory has been removed.
pub fn cwd_is_reachable() -> Result<bool, Fault> {
    let mut buffer = [0u8; 4096];
    // SAFETY: the buffer is as long as said, and the kernel writes no more than that.
    let length = unsafe { libc::syscall(libc::SYS_getcwd, buffer.as_mut_ptr(), buffer.len()) };
    answer(length, Call::Getcwd)?;
    Ok(buffer.first() == Some(&b'/'))
}

/// A socket of this network namespace, to speak about its devices; socket(2).
///
/// # Errors
/// EMFILE and the like, EAFNOSUPPORT in a kernel without networking.
pub fn network_socket() -> Result<OwnedFd, Fault> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
    let (family, kind) = (AddressFamily::INET, SocketType::DGRAM);
    socket_with(family, kind, SocketFlags::CLOEXEC, None).at(Call::Socket)
}

/// Brings the loopback device of the socket's network namespace up; netdevice(7), SIOCSIFFLAGS.
///
/// # Errors
/// EPERM without CAP_NET_ADMIN over the namespace.
pub fn loopback_up(socket: BorrowedFd<'_>) -> Result<(), Fault> {
    // SAFETY: ifreq is plain memory, for which zeroes are valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = from.cast_signed() as libc::c_char;
    }
    // 0x41: both flags fit the field.
    request.ifr_ifru.ifru_flags =
        libc::c_short::try_from(libc::IFF_UP | libc::IFF_RUNNING).unwrap_or_default();
    use std::os::fd::AsRawFd;
    // SAFETY: SIOCSIFFLAGS reads one ifreq, which lives across the call.
    let value = unsafe {
        libc::ioctl(
            socket.as_raw_fd(),
            libc::SIOCSIFFLAGS as _,
            &raw const request,
        )
    };
    answer(value.into(), Call::Siocsifflags).map(|_| ())
}

/// The network namespace of the socket; ioctl_ns(2)'s kin SIOCGSKNS, since Linux 4.9.
///
/// # Errors
/// EPERM without CAP_NET_ADMIN over the namespace.
pub fn network_of(socket: BorrowedFd<'_>) -> Result<OwnedFd, Fault> {
    use std::os::fd::{AsRawFd, FromRawFd};
    const SIOCGSKNS: u16 = 0x894c;
    // SAFETY: SIOCGSKNS takes no argument.
    let value = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGSKNS.into()) };
    answer(value.into(), Call::Siocgskns)?;
    // SAFETY: the kernel has opened it for us, with O_CLOEXEC, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(value) })
}

/// The execution domain and its flags; personality(2).
///
/// # Errors
/// EINVAL where the kernel does not know it.
pub fn set_personality(domain: libc::c_ulong) -> Result<(), Fault> {
    // SAFETY: personality takes a number.
    let value = unsafe { libc::personality(domain) };
    answer(value.into(), Call::Personality).map(|_| ())
}

/// Undoes what Rust's start and the caller left in this process's signals: SIGPIPE ends a process
/// again, and none is blocked; signal(7).
pub fn reset_signals() {
    // SAFETY: SIG_DFL is a valid disposition, and no thread of ours relies on the old one.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    // SAFETY: sigset_t is plain memory, for which zeroes (no signal) are valid.
    let none: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set lives across the call; a null old set asks for nothing.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut()) };
}

extern "C" fn end_on_signal(signal: libc::c_int) {
    exit_now(128 + signal);
}

/// Lets the signals that end a process end this one even as pid 1, which the kernel shields from
/// signals without a handler; pid_namespaces(7). Execve undoes it.
pub fn end_on_signals() {
    const ENDING: [libc::c_int; 8] = [
        libc::SIGHUP,
        libc::SIGINT,
        libc::SIGQUIT,
        libc::SIGUSR1,
        libc::SIGUSR2,
        libc::SIGALRM,
        libc::SIGTERM,
        libc::SIGPIPE,
    ];
    let handler: extern "C" fn(libc::c_int) = end_on_signal;
    for signal in ENDING {
        // SAFETY: the handler only calls _exit, which is async-signal-safe.
        unsafe { libc::signal(signal, handler as *const () as libc::sighandler_t) };
    }
}

/// Puts this process into a new process group of its own; setpgid(2).
///
/// # Errors
/// EPERM for a session leader.
pub fn new_group() -> Result<(), Fault> {
    // SAFETY: setpgid takes two numbers.
    let value = unsafe { libc::setpgid(0, 0) };
    answer(value.into(), Call::Setsid).map(|_| ())
}

/// Sends a signal to a whole process group; kill(2) with a negative pid.
///
/// # Errors
/// ESRCH where the group is empty.
pub fn signal_group(group: i32, signal: i32) -> Result<(), Fault> {
    // SAFETY: kill takes two numbers.
    let value = unsafe { libc::kill(-group, signal) };
    answer(value.into(), Call::PidfdSendSignal).map(|_| ())
}

/// This process's pid, as its own pid namespace sees it; getpid(2).
#[must_use]
pub fn own_pid() -> i32 {
    // SAFETY: getpid has no precondition.
    unsafe { libc::getpid() }
}

/// Makes a new time namespace for children of this process, which itself stays where it is; unshare(2),
/// time_namespaces(7).
///
/// # Errors
/// EPERM without CAP_SYS_ADMIN, EINVAL where the kernel has no time namespaces.
pub fn unshare_time() -> Result<(), Fault> {
    const NEWTIME: libc::c_int = 0x80;
    // SAFETY: CLONE_NEWTIME changes nothing that another thread or a borrowed descriptor relies on.
    let value = unsafe { libc::unshare(NEWTIME) };
    answer(value.into(), Call::Unshare).map(|_| ())
}

/// Takes a copy of all mounts into a new mount namespace; unshare(2), mount_namespaces(7).
///
/// # Errors
/// EPERM without CAP_SYS_ADMIN.
pub fn unshare_mounts() -> Result<(), Fault> {
    // SAFETY: CLONE_NEWNS changes nothing that another thread or a borrowed descriptor relies on.
    let value = unsafe { libc::unshare(libc::CLONE_NEWNS) };
    answer(value.into(), Call::Unshare).map(|_| ())
}

/// Makes a new network namespace, for the calling thread alone; unshare(2), network_namespaces(7).
///
/// # Errors
/// EPERM without CAP_SYS_ADMIN, ENOSPC at the limit of namespaces.
pub fn unshare_network() -> Result<(), Fault> {
    // SAFETY: CLONE_NEWNET changes nothing that another thread or a borrowed descriptor relies on.
    let value = unsafe { libc::unshare(libc::CLONE_NEWNET) };
    answer(value.into(), Call::Unshare).map(|_| ())
}

/// Makes a new cgroup namespace, rooted at this process's group; unshare(2), cgroup_namespaces(7).
///
/// # Errors
/// EPERM without CAP_SYS_ADMIN.
pub fn unshare_cgroup() -> Result<(), Fault> {
    // SAFETY: CLONE_NEWCGROUP changes nothing that another thread or a borrowed descriptor relies on.
    let value = unsafe { libc::unshare(libc::CLONE_NEWCGROUP) };
    answer(value.into(), Call::Unshare).map(|_| ())
}

/// Goes into a new user namespace, without any ids yet; unshare(2), user_namespaces(7).
///
/// # Errors
/// EPERM where the host forbids it, ENOSPC at the limit of namespaces, EINVAL with more than one thread.
pub fn unshare_user() -> Result<(), Fault> {
    // SAFETY: the kernel refuses CLONE_NEWUSER where there is another thread.
    let value = unsafe { libc::unshare(libc::CLONE_NEWUSER) };
    answer(value.into(), Call::Unshare).map(|_| ())
}

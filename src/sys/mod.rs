//! The only home of `unsafe`, and of every syscall that the rest of orbital makes by hand.
//!
//! Rules of this folder:
//!
//! * one wrapper per act, each naming its man page; descriptors are `OwnedFd`/`BorrowedFd` and
//!   close on exec from birth;
//! * a wrapper never allocates, so that the container's child may call it after the clone;
//! * a wrapper never decides: it returns a [`Fault`] (which call, which errno) and its caller
//!   knows which step of the life that was;
//! * paths below a root file system go through [`path`], `/proc` through [`proc`].

/// The first steps: C's `main`, with descriptors 0 to 2 open.
pub mod start;

/// The file that this program's memory comes from, exchanged while it runs.
pub mod image;

/// The global allocator with a seal: after the clone the child has no heap.
pub mod heap;

/// `clone3(2)`: a child, its pidfd, straight into a cgroup.
pub mod clone;

/// Look-ups below a root that never leave it, and the making of what is missing.
pub mod path;

/// A path on the stack.
mod text;

/// Nodes, links, owners, by the descriptor of their directory.
pub mod node;

/// A directory's content, copied into another.
pub mod copy;

/// Mounts by descriptor: `fsopen`, `open_tree`, `mount_setattr`, `move_mount`.
pub mod mount;

/// Which mount is meant.
pub mod mount_id;

/// A `/proc` that is proved to be procfs before anything is read or written.
pub mod proc;

/// One thread beside the first.
pub mod thread;

/// Records and descriptors over SEQPACKET sockets.
pub mod socket;

/// Network devices over rtnetlink: found, moved, addressed.
pub mod netlink;

/// Network namespaces that a name keeps.
#[cfg(feature = "engine")]
pub mod netns;

/// Ports that are held.
#[cfg(feature = "engine")]
pub mod port;

/// Signals by their names.
pub mod signal;

/// Ids, sessions, limits, names, personality: what a process says about itself.
pub mod process;

/// Scheduling, I/O priority, memory policy.
pub mod sched;

/// Seccomp filters.
pub mod seccomp;

/// Capability sets and `no_new_privs`.
pub mod caps;

/// Pseudo-terminals from the container's own devpts.
pub mod tty;

/// Waiting for children and signalling them by pidfd.
pub mod pidfd;

/// `execve(2)` from ready argument arrays, and what must be true of the descriptors before.
pub mod exec;

/// Small files and memory files: whole reads, whole writes, seals.
pub mod file;

/// Directories of kernel file systems by descriptor: open, make, list, remove.
pub mod dir;

/// The directory of containers, and that of one.
pub mod folder;

/// Numbers of errors in words.
pub mod words;

/// The time of day as RFC 3339, for records and logs.
pub mod clock;

/// Device filters of cgroup v2, as `bpf(2)` programs.
pub mod bpf;

macro_rules! calls {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// A system call, as it is named in section 2 of the manual.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Call { $(#[doc = $name] $variant),+ }

        impl Call {
            const ALL: &[Call] = &[$(Call::$variant),+];

            /// The name in the manual, with the sub-command in brackets where one call does many things.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Call::$variant => $name),+ }
            }
        }
    };
}

calls! {
    None = "nothing",
    Accept = "accept4",
    Bind = "bind",
    Bpf = "bpf",
    Capset = "capset",
    Chdir = "chdir",
    Chroot = "chroot",
    Clone3 = "clone3",
    CloseRange = "close_range",
    Close = "close",
    Connect = "connect",
    Dup2 = "dup3",
    Execve = "execve",
    Faccessat = "faccessat",
    Fchdir = "fchdir",
    Fchmod = "fchmodat",
    Fchown = "fchownat",
    Fcntl = "fcntl",
    Flock = "flock",
    Fgetxattr = "fgetxattr",
    Flistxattr = "flistxattr",
    FsconfigChange = "fsconfig (reconfigure)",
    FsconfigCreate = "fsconfig (create)",
    FsconfigSet = "fsconfig (set)",
    Fsmount = "fsmount",
    Fsetxattr = "fsetxattr",
    Fsopen = "fsopen",
    Fspick = "fspick",
    Fstat = "fstat",
    Fstatfs = "fstatfs",
    Ftruncate = "ftruncate",
    Getcwd = "getcwd",
    Getdents = "getdents64",
    Keyctl = "keyctl",
    IoprioSet = "ioprio_set",
    Linkat = "linkat",
    Listen = "listen",
    MemfdCreate = "memfd_create",
    Mkdirat = "mkdirat",
    Mknodat = "mknodat",
    Mmap = "mmap",
    MountSetattr = "mount_setattr",
    MoveMount = "move_mount",
    Mremap = "mremap",
    OpenTree = "open_tree",
    NftChain = "nfnetlink (NFT_MSG_NEWCHAIN)",
    NftCommit = "nfnetlink (commit)",
    NftDump = "nfnetlink (NFT_MSG_GETCHAIN)",
    NftRule = "nfnetlink (NFT_MSG_NEWRULE)",
    NftTable = "nfnetlink (NFT_MSG_NEWTABLE)",
    Openat = "openat",
    Openat2 = "openat2",
    Personality = "personality",
    PidfdGetfd = "pidfd_getfd",
    PidfdOpen = "pidfd_open",
    PidfdSendSignal = "pidfd_send_signal",
    PivotRoot = "pivot_root",
    Poll = "poll",
    PrctlAmbient = "prctl (PR_CAP_AMBIENT)",
    PrctlBounding = "prctl (PR_CAPBSET_DROP)",
    PrctlDumpable = "prctl (PR_SET_DUMPABLE)",
    PrctlKeepCaps = "prctl (PR_SET_KEEPCAPS)",
    PrctlNnp = "prctl (PR_SET_NO_NEW_PRIVS)",
    PrctlSeccomp = "prctl (PR_SET_SECCOMP)",
    PrctlSetMm = "prctl (PR_SET_MM_MAP)",
    Prlimit = "prlimit64",
    PtyPeer = "ioctl (TIOCGPTPEER)",
    PtyUnlock = "ioctl (TIOCSPTLCK)",
    Read = "read",
    Readlinkat = "readlinkat",
    Recvmsg = "recvmsg",
    Renameat = "renameat",
    Rmdir = "unlinkat (directory)",
    RtmDellink = "rtnetlink (RTM_DELLINK)",
    RtmGetaddr = "rtnetlink (RTM_GETADDR)",
    RtmGetlink = "rtnetlink (RTM_GETLINK)",
    RtmGetroute = "rtnetlink (RTM_GETROUTE)",
    RtmNewaddr = "rtnetlink (RTM_NEWADDR)",
    RtmNewlink = "rtnetlink (RTM_NEWLINK)",
    RtmNewroute = "rtnetlink (RTM_NEWROUTE)",
    RtmSetlink = "rtnetlink (RTM_SETLINK)",
    SchedSetaffinity = "sched_setaffinity",
    SchedSetattr = "sched_setattr",
    Seccomp = "seccomp",
    Sendmsg = "sendmsg",
    SetMempolicy = "set_mempolicy",
    Setdomainname = "setdomainname",
    Setgroups = "setgroups",
    Sethostname = "sethostname",
    Setns = "setns",
    Setresgid = "setresgid",
    Setresuid = "setresuid",
    Setsid = "setsid",
    Setsockopt = "setsockopt",
    Signal = "rt_sigprocmask",
    Siocgskns = "ioctl (SIOCGSKNS)",
    Siocsifflags = "ioctl (SIOCSIFFLAGS)",
    Socket = "socket",
    Socketpair = "socketpair",
    Statx = "statx",
    Symlinkat = "symlinkat",
    Tiocsctty = "ioctl (TIOCSCTTY)",
    Tiocswinsz = "ioctl (TIOCSWINSZ)",
    Umask = "umask",
    Umount = "umount2",
    Unlinkat = "unlinkat",
    Unshare = "unshare",
    Utimensat = "utimensat",
    Waitid = "waitid",
    Write = "write",
}

impl Call {
    /// The call with this number, as it travels in a child's failure record.
    #[must_use]
    pub fn from_number(number: u8) -> Call {
        Call::ALL
            .get(usize::from(number))
            .copied()
            .unwrap_or(Call::None)
    }
}

/// A system call that did not do what was asked: which one, and the errno it answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The call that answered.
    pub call: Call,
    /// The errno, as in errno(3); 0 where the call succeeded and its answer was refused.
    pub errno: i32,
}

impl Fault {
    /// There is no such file.
    #[must_use]
    pub const fn is_missing(self) -> bool {
        self.errno == libc::ENOENT
    }

    /// There is one already.
    #[must_use]
    pub const fn is_there(self) -> bool {
        self.errno == libc::EEXIST
    }

    /// Somebody else has it, and we would have had to wait.
    #[must_use]
    pub const fn is_taken(self) -> bool {
        self.errno == libc::EWOULDBLOCK
    }

    /// Something is still in it.
    #[must_use]
    pub const fn is_not_empty(self) -> bool {
        self.errno == libc::ENOTEMPTY
    }
}

/// Names the call on the way up.
pub trait At<T> {
    /// Turns a bare errno into a [`Fault`] of `call`.
    fn at(self, call: Call) -> Result<T, Fault>;
}

impl<T> At<T> for rustix::io::Result<T> {
    fn at(self, call: Call) -> Result<T, Fault> {
        self.map_err(|errno| Fault {
            call,
            errno: errno.raw_os_error(),
        })
    }
}

impl<T> At<T> for nix::Result<T> {
    fn at(self, call: Call) -> Result<T, Fault> {
        self.map_err(|errno| Fault {
            call,
            errno: errno as i32,
        })
    }
}

impl<T> At<T> for std::io::Result<T> {
    fn at(self, call: Call) -> Result<T, Fault> {
        self.map_err(|error| Fault {
            call,
            errno: error.raw_os_error().unwrap_or(libc::EIO),
        })
    }
}

/// The answer of a raw `syscall(2)`: a value, or the thread's errno.
fn answer(value: libc::c_long, call: Call) -> Result<libc::c_long, Fault> {
    if value < 0 {
        return Err(Fault {
            call,
            errno: nix::errno::Errno::last_raw(),
        });
    }
    Ok(value)
}

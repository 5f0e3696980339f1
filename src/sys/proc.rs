//! A `/proc` that is proved to be procfs.
//!
//! Ids maps, oom_score_adj, sysctl and labels are written through files of /proc; a mount over it,
//! or over a part of it, would turn such a write into something else (CVE-2019-19921,
//! CVE-2025-52881). So one descriptor of the host's /proc is opened early and proved, and every
//! file is opened below it without crossing a mount and without following any link.

use super::text::Text;
use super::{At, Call, Fault};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Inode of procfs's root; include/linux/proc_fs.h, PROC_ROOT_INO.
const ROOT_INODE: u64 = 1;

/// A directory that is procfs's own root.
#[derive(Debug)]
pub struct Proc(OwnedFd);

impl Proc {
    /// Opens /proc and proves it.
    ///
    /// # Errors
    /// As openat(2); errno 0 of fstatfs(2) where it is not procfs or not its root.
    pub fn open() -> Result<Proc, Fault> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd =
            rustix::fs::openat(rustix::fs::CWD, c"/proc", flags, Mode::empty()).at(Call::Openat)?;
        let magic = rustix::fs::fstatfs(&fd).at(Call::Fstatfs)?.f_type;
        let inode = super::path::look(&fd)?.st_ino;
        if magic as u64 != rustix::fs::PROC_SUPER_MAGIC as u64 || inode != ROOT_INODE {
            return Err(Fault {
                call: Call::Fstatfs,
                errno: 0,
            });
        }
        Ok(Proc(fd))
    }

    /// Opens the file `path` of this procfs: no mount crossed, no link followed. `path` is relative.
    ///
    /// # Errors
    /// As openat2(2): EXDEV for a mount on the way, ELOOP for a link, ENOENT, EACCES.
    pub fn open_file(&self, path: &CStr, flags: OFlags) -> Result<OwnedFd, Fault> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS;
        // openat2 refuses what O_PATH gives no meaning to.
        let extra = if flags.contains(OFlags::PATH) {
            OFlags::empty()
        } else {
            OFlags::NOCTTY
        };
        let flags = flags | OFlags::CLOEXEC | extra;
        match rustix::fs::openat2(&self.0, path, flags, Mode::empty(), resolve) {
            // Where openat2 is denied, O_NOFOLLOW and the proof of the root are what is left.
            Err(rustix::io::Errno::NOSYS) => {
                rustix::fs::openat(&self.0, path, flags | OFlags::NOFOLLOW, Mode::empty())
                    .at(Call::Openat)
            }
            other => other.at(Call::Openat2),
        }
    }

    /// Opens one of this process's own namespaces, by its name in /proc/PID/ns: the last component is a
    /// magic link, so its directory is proved and the link alone is followed.
    ///
    /// # Errors
    /// As openat2(2); ENOENT for a kind that the kernel does not have.
    pub fn namespace(&self, name: &CStr) -> Result<OwnedFd, Fault> {
        let directory = self.own(b"/ns")?;
        let directory = self.open_file(directory.as_c(), OFlags::PATH | OFlags::DIRECTORY)?;
        super::file::open(directory, name, OFlags::RDONLY)
    }

    /// Opens a namespace of process `pid`.
    ///
    /// # Errors
    /// As [`Proc::namespace`]; ENOENT also for a process that is gone, EACCES for one that we may not look into.
    pub fn namespace_of(&self, pid: i32, name: &CStr) -> Result<OwnedFd, Fault> {
        let mut text = Text::default();
        text.push_number(pid.unsigned_abs())?;
        text.push(b"/ns")?;
        let directory = self.open_file(text.as_c(), OFlags::PATH | OFlags::DIRECTORY)?;
        super::file::open(directory, name, OFlags::RDONLY)
    }

    /// Opens the file `name` of this process's own directory.
    ///
    /// # Errors
    /// As [`Proc::open_file`].
    pub fn open_own(&self, name: &CStr, flags: OFlags) -> Result<OwnedFd, Fault> {
        let mut path = self.own(b"/")?;
        path.push(name.to_bytes())?;
        self.open_file(path.as_c(), flags)
    }

    /// Opens the root directory of process `pid`.
    ///
    /// # Errors
    /// As [`Proc::namespace_of`].
    pub fn root_of(&self, pid: i32) -> Result<OwnedFd, Fault> {
        let directory = self.directory(pid, b"")?;
        super::file::open(directory, c"root", OFlags::PATH | OFlags::DIRECTORY)
    }

    /// The path of an open file of this process, as its mount namespace has it. It allocates: not for a child.
    ///
    /// # Errors
    /// As readlinkat(2).
    pub fn path_of(&self, fd: impl AsFd) -> Result<Vec<u8>, Fault> {
        use std::os::fd::AsRawFd;
        let directory = self.own(b"/fd")?;
        let directory = self.open_file(directory.as_c(), OFlags::PATH | OFlags::DIRECTORY)?;
        let mut name = Text::default();
        name.push_number(fd.as_fd().as_raw_fd().unsigned_abs())?;
        let shown = rustix::fs::readlinkat(directory, name.as_c(), Vec::new());
        Ok(shown.at(Call::Readlinkat)?.into_bytes())
    }

    /// What process `pid` has open. It allocates: not for a child.
    ///
    /// # Errors
    /// ENOENT for a process that is gone, EACCES for one that we may not look into.
    pub fn descriptors_of(&self, pid: i32) -> Result<Vec<Open>, Fault> {
        let directory = self.directory(pid, b"/fd")?;
        let names = rustix::fs::Dir::read_from(&directory).at(Call::Getdents)?;
        let mut found = Vec::new();
        for entry in names.flatten() {
            let Some(number) = entry
                .file_name()
                .to_str()
                .ok()
                .and_then(|name| name.parse().ok())
            else {
                continue;
            };
            let shown = rustix::fs::readlinkat(&directory, entry.file_name(), Vec::new());
            let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
            let stat = rustix::fs::statat(&directory, entry.file_name(), flags);
            // One that was closed meanwhile is not open.
            if let (Ok(shown), Ok(stat)) = (shown, stat) {
                found.push(Open {
                    number,
                    shown: shown.into_bytes(),
                    is_read: stat.st_mode & 0o400 != 0,
                    is_written: stat.st_mode & 0o200 != 0,
                });
            }
        }
        Ok(found)
    }

    fn directory(&self, pid: i32, more: &[u8]) -> Result<OwnedFd, Fault> {
        let mut text = Text::default();
        text.push_number(pid.unsigned_abs())?;
        text.push(more)?;
        self.open_file(text.as_c(), OFlags::RDONLY | OFlags::DIRECTORY)
    }

    /// Opens a namespace of the calling thread, which may have left those of its process.
    ///
    /// # Errors
    /// As [`Proc::namespace`].
    #[cfg(feature = "engine")]
    pub fn namespace_of_thread(&self, name: &CStr) -> Result<OwnedFd, Fault> {
        let mut buffer = [std::mem::MaybeUninit::<u8>::uninit(); 48];
        let (place, _) = rustix::fs::readlinkat_raw(&self.0, c"thread-self", &mut buffer)
            .at(Call::Readlinkat)?;
        let mut directory = Text::new(place)?;
        directory.push(b"/ns")?;
        let directory = self.open_file(directory.as_c(), OFlags::PATH | OFlags::DIRECTORY)?;
        super::file::open(directory, name, OFlags::RDONLY)
    }

    /// Writes `bytes` to the file `path` of this procfs in one write.
    ///
    /// # Errors
    /// As [`Proc::open_file`] and write(2).
    pub fn write(&self, path: &CStr, bytes: &[u8]) -> Result<(), Fault> {
        let fd = self.open_file(path, OFlags::WRONLY)?;
        super::file::write_once(fd, bytes)
    }

    /// Writes `bytes` to the file `name` of this process's own directory in one write.
    ///
    /// # Errors
    /// As [`Proc::write`].
    pub fn write_own(&self, name: &CStr, bytes: &[u8]) -> Result<(), Fault> {
        super::file::write_once(self.open_own(name, OFlags::WRONLY)?, bytes)
    }

    /// Reads the start of the file `name` of this process's own directory into `buffer`.
    ///
    /// # Errors
    /// As [`Proc::read`].
    pub fn read_own<'b>(&self, name: &CStr, buffer: &'b mut [u8]) -> Result<&'b [u8], Fault> {
        super::file::read_some(self.open_own(name, OFlags::RDONLY)?, buffer)
    }

    /// `PID` and `more`, PID being this process as *this* procfs numbers it: in a child it is not what
    /// getpid(2) answers. The link is read, never followed.
    fn own(&self, more: &[u8]) -> Result<Text, Fault> {
        let mut buffer = [std::mem::MaybeUninit::<u8>::uninit(); 16];
        let (number, _) =
            rustix::fs::readlinkat_raw(&self.0, c"self", &mut buffer).at(Call::Readlinkat)?;
        let mut text = Text::new(number)?;
        text.push(more)?;
        Ok(text)
    }

    /// Reads the start of the file `path` into `buffer`.
    ///
    /// # Errors
    /// As [`Proc::open_file`] and read(2).
    pub fn read<'b>(&self, path: &CStr, buffer: &'b mut [u8]) -> Result<&'b [u8], Fault> {
        let fd = self.open_file(path, OFlags::RDONLY)?;
        super::file::read_some(fd, buffer)
    }
}

/// An open file of a process; proc_pid_fd(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its number.
    pub number: i32,
    /// Its path, or a word for what has none, such as `pipe:[4711]`.
    pub shown: Vec<u8>,
    /// Open for reading.
    pub is_read: bool,
    /// Open for writing.
    pub is_written: bool,
}

impl AsFd for Proc {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

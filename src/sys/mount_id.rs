//! Which mount is meant: its numbers, and where it is mounted now; statx(2), proc_pid_mountinfo(5).

use super::proc::Proc;
use super::{At, Call, Fault, file};
use rustix::fs::{AtFlags, OFlags, StatxFlags};
use serde::{Deserialize, Serialize};
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};

/// `STATX_MNT_ID_UNIQUE`, Linux 6.8; statx(2).
const UNIQUE: StatxFlags = StatxFlags::from_bits_retain(0x4000);

/// A mount, so that no later one is taken for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountId {
    /// The number in mountinfo, which the kernel gives again to others.
    pub id: u64,
    /// The number that it never gives again; 0 before Linux 6.8.
    pub unique: u64,
    /// Inode of its root.
    pub inode: u64,
    /// Device of its root, major and minor.
    pub device: (u32, u32),
}

impl MountId {
    /// The mount that `fd` lies on, as seen from there: its root, where `fd` is that.
    ///
    /// # Errors
    /// As statx(2).
    pub fn of(fd: impl AsFd) -> Result<MountId, Fault> {
        let ask = |what| {
            rustix::fs::statx(&fd, c"", AtFlags::EMPTY_PATH, what | StatxFlags::INO).at(Call::Statx)
        };
        let (plain, more) = (ask(StatxFlags::MNT_ID)?, ask(UNIQUE)?);
        let is_unique = more.stx_mask & UNIQUE.bits() != 0;
        Ok(MountId {
            id: plain.stx_mnt_id,
            unique: if is_unique { more.stx_mnt_id } else { 0 },
            inode: plain.stx_ino,
            device: (plain.stx_dev_major, plain.stx_dev_minor),
        })
    }

    /// Opens its root where it is mounted in this namespace; `None` where it is mounted no more. Not for the
    /// child: it allocates.
    ///
    /// # Errors
    /// EBUSY where another mount lies over it.
    pub fn open(&self, proc: &Proc) -> Result<Option<OwnedFd>, Fault> {
        let list = file::read_all(proc.open_own(c"mountinfo", OFlags::RDONLY)?)?;
        let Some(path) = place(&list, self.id) else {
            return Ok(None);
        };
        let path = CString::new(path).unwrap_or_default();
        let found = file::open(rustix::fs::CWD, &path, OFlags::PATH | OFlags::NOFOLLOW)?;
        let there = MountId::of(&found)?;
        match there.id == self.id {
            true if there == *self => Ok(Some(found)),
            // The number has been given to another mount.
            true => Ok(None),
            false => Err(Fault {
                call: Call::Statx,
                errno: libc::EBUSY,
            }),
        }
    }
}

/// The mount point in the line of mount `id`: the first and the fifth field.
fn place(list: &[u8], id: u64) -> Option<Vec<u8>> {
    let wanted = id.to_string();
    let mut lines = list.split(|byte| *byte == b'\n');
    let fields = lines.find_map(|line| {
        let mut fields = line.split(|byte| *byte == b' ');
        (fields.next() == Some(wanted.as_bytes())).then_some(fields)
    });
    fields?.nth(3).map(unescaped)
}

/// Space, tab, line end and backslash are written as three octal digits behind a backslash.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, more @ ..] = rest {
        rest = more;
        match (first, more) {
            (
                b'\\',
                [
                    a @ b'0'..=b'3',
                    b @ b'0'..=b'7',
                    c @ b'0'..=b'7',
                    after @ ..,
                ],
            ) => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = after;
            }
            _ => out.push(*first),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_mount_says_where_it_is() {
        let list = b"21 1 0:5 / /proc rw - proc proc rw\n211 21 8:1 /a /with\\040space\\134x rw - ext4 /dev/sda rw\n";
        assert_eq!(place(list, 21).unwrap(), b"/proc");
        assert_eq!(place(list, 211).unwrap(), b"/with space\\x");
        assert_eq!(place(list, 2), None);
        assert_eq!(place(b"", 21), None);
    }

    #[test]
    fn the_mount_of_proc_is_found_and_no_other_is_taken_for_it() {
        let proc = Proc::open().unwrap();
        let own = MountId::of(&proc).unwrap();
        let found = own.open(&proc).unwrap().unwrap();
        assert_eq!(MountId::of(&found).unwrap(), own);
        let later = MountId {
            inode: own.inode + 1,
            ..own
        };
        assert!(later.open(&proc).unwrap().is_none());
        let gone = MountId {
            id: u64::MAX,
            ..own
        };
        assert!(gone.open(&proc).unwrap().is_none());
    }
}

//! Hard links of a layer whose first name a lower layer has, as docker and podman let archives have them: they unpack a
//! layer onto those below it. Here layers are unpacked side by side, so such a link is made when all lower ones are
//! there, and as overlay would make it: the file comes up into this layer under its first name, with owner, mode,
//! attributes and time, and gets its second name there.

use super::tree::clean;
use super::worker::say;
use super::{Overlay, Said, employ, silent};
use crate::engine::{rootfs, userns};
use crate::error::{Error, Result};
use crate::sys::path::{self, Leaf, Links};
use crate::sys::{Fault, copy, file, process};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ffi::CString;
use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;

/// The word that makes this program a worker for it.
pub const WORD: &str = "__borrow";

/// A directory of our own, in which a file is until it has the name that it is to have.
const ASIDE: &str = ".orbital-borrowed";

/// What the worker is told, as JSON on its standard input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Loan {
    /// The layer.
    pub own: PathBuf,
    /// Those below it, the top one first.
    pub lower: Vec<PathBuf>,
    /// Each new name, and the first one, in the archive's order.
    pub links: Vec<(Vec<u8>, Vec<u8>)>,
    /// In whose words the lower ones hide things.
    pub overlay: Overlay,
}

/// Makes the links; returns directories that were made for them, and that a lower layer describes.
///
/// # Errors
/// A first name that no layer has; a full disk.
pub fn borrow(loan: &Loan, name: &str) -> Result<Vec<String>> {
    let doing = format!("unpack {name}");
    let told =
        |error: &std::io::Error| Error::io(&doing, "the links to lower layers", "write", error);
    let memory = file::memory(c"links")
        .map_err(|fault| told(&std::io::Error::from_raw_os_error(fault.errno)))?;
    let mut memory = File::from(memory);
    let text = serde_json::to_vec(loan).unwrap_or_default();
    memory
        .write_all(&text)
        .and_then(|()| memory.rewind())
        .map_err(|error| told(&error))?;
    match employ(&[WORD], memory, &doing, &mut |_| {})? {
        Said::Linked(directories) => Ok(directories),
        _ => Err(silent(doing)),
    }
}

/// Carries out the loan; the exit status of the worker.
#[must_use]
pub fn work() -> u8 {
    // Whoever began it is gone: then nobody waits for the layer.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let mut entry = String::new();
    let last = match carry_out(&mut entry) {
        Ok(directories) => Said::Linked(directories),
        Err(why) => Said::Wrong { entry, why },
    };
    let done = matches!(last, Said::Linked(_));
    say(&last);
    u8::from(!done)
}

fn words(fault: Fault) -> String {
    format!(
        "{}, from {}",
        crate::sys::words::of_error(fault.errno),
        fault.call.name()
    )
}

fn errno(errno: rustix::io::Errno) -> String {
    crate::sys::words::of_error(errno.raw_os_error())
}

fn carry_out(entry: &mut String) -> std::result::Result<Vec<String>, String> {
    let loan: Loan =
        serde_json::from_reader(std::io::stdin()).map_err(|error| error.to_string())?;
    userns::enter(|| say(&Said::Waiting)).map_err(|error| error.one_line())?;
    if loan.overlay == Overlay::User {
        process::unshare_mounts().map_err(words)?;
    }
    process::set_umask(0);
    let lower = match loan.lower.as_slice() {
        [] => None,
        [only] => Some(open(only)?),
        several => Some(rootfs::layered(several).map_err(words)?),
    };
    let mut library = Library {
        own: open(&loan.own)?,
        lower,
        made: BTreeSet::new(),
        directories: BTreeSet::new(),
    };
    for (name, first) in &loan.links {
        *entry = String::from_utf8_lossy(name).into_owned();
        library.link(name, first)?;
    }
    let text = |path: Vec<u8>| String::from_utf8(path).ok();
    Ok(library.directories.into_iter().filter_map(text).collect())
}

fn open(path: &PathBuf) -> std::result::Result<OwnedFd, String> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(errno)
}

/// The layer, and all below it as a container would see them.
struct Library {
    own: OwnedFd,
    lower: Option<OwnedFd>,
    /// Names that are in the layer by a loan, or were before one.
    made: BTreeSet<Vec<u8>>,
    directories: BTreeSet<Vec<u8>>,
}

fn c(bytes: &[u8]) -> CString {
    CString::new(bytes).unwrap_or_default()
}

fn split(path: &[u8]) -> (&[u8], CString) {
    let cut = path.iter().rposition(|byte| *byte == b'/');
    let name = path.get(cut.map_or(0, |cut| cut + 1)..).unwrap_or_default();
    (path.get(..cut.unwrap_or(0)).unwrap_or_default(), c(name))
}

impl Library {
    fn link(&mut self, name: &[u8], first: &[u8]) -> std::result::Result<(), String> {
        let path = clean(first).map_err(|error| error.to_string())?;
        let (new_parent, new_name) = split(name);
        let to = self.directory(new_parent)?;
        let (parent, first_name) = split(&path);
        if !self.made.contains(&path) {
            let from = self.lent(parent, &first_name, first)?;
            // What the archive put there later, or hid, is another file; and a directory of ours would hide a link.
            if !self.is_free(&path) || !self.is_direct(parent) {
                return copied(&from, &first_name, &to, &new_name);
            }
            let own = self.directory(parent)?;
            copy::named(from.as_fd(), own.as_fd(), &first_name).map_err(words)?;
            self.made.insert(path.clone());
        }
        let own = self.directory(parent)?;
        rustix::fs::linkat(&own, &first_name, &to, &new_name, AtFlags::empty()).map_err(errno)?;
        self.made.insert(name.to_vec());
        Ok(())
    }

    fn is_free(&self, path: &[u8]) -> bool {
        path::find(self.own.as_fd(), &c(path), Links::LastItself).is_err()
    }

    /// Whether lower layers reach it without any link.
    fn is_direct(&self, parent: &[u8]) -> bool {
        let lower = self.lower.as_ref();
        lower.is_some_and(|lower| path::find(lower.as_fd(), &c(parent), Links::Refuse).is_ok())
    }

    /// The directory in which a lower layer has the file.
    fn lent(
        &self,
        parent: &[u8],
        name: &CString,
        first: &[u8],
    ) -> std::result::Result<OwnedFd, String> {
        let shown = String::from_utf8_lossy(first).into_owned();
        let missing = || {
            format!("it is a hard link to {shown:?}, which neither this layer nor one below it has")
        };
        let lower = self.lower.as_ref().ok_or_else(missing)?;
        let found = path::find(lower.as_fd(), &c(parent), Links::Inside).map_err(|_| missing())?;
        let look =
            rustix::fs::statat(&found, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|_| missing())?;
        match path::kind(&look) {
            FileType::Directory => Err(format!(
                "it is a hard link to {shown:?}, which is a directory"
            )),
            // In a single layer a whiteout is seen as it is.
            FileType::CharacterDevice if look.st_rdev == 0 => Err(missing()),
            _ => Ok(found),
        }
    }

    /// A directory of the layer, made where it is missing.
    fn directory(&mut self, path: &[u8]) -> std::result::Result<OwnedFd, String> {
        if let Ok(found) = path::find(self.own.as_fd(), &c(path), Links::Inside) {
            return Ok(found);
        }
        let ends = path
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'/')
            .map(|(at, _)| at);
        for end in ends.chain([path.len()]) {
            let part = path.get(..end).unwrap_or_default();
            if path::find(self.own.as_fd(), &c(part), Links::Inside).is_err() {
                self.directories.insert(part.to_vec());
            }
        }
        path::find_or_make(
            self.own.as_fd(),
            &c(path),
            Links::Inside,
            Leaf::Directory(0o755),
        )
        .map_err(words)
    }
}

/// A copy under another name.
fn copied(
    from: &OwnedFd,
    name: &CString,
    to: &OwnedFd,
    new_name: &CString,
) -> std::result::Result<(), String> {
    rustix::fs::mkdirat(to, ASIDE, Mode::RWXU).map_err(errno)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let aside = rustix::fs::openat(to, ASIDE, flags, Mode::empty()).map_err(errno)?;
    copy::named(from.as_fd(), aside.as_fd(), name).map_err(words)?;
    rustix::fs::renameat(&aside, name, to, new_name).map_err(errno)?;
    rustix::fs::unlinkat(to, ASIDE, AtFlags::REMOVEDIR).map_err(errno)
}

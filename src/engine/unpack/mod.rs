//! A layer's archive → a directory, by a process of its own behind walls.
//!
//! ```text
//!  engine                                worker (the same program, started anew)
//!  ──────                                ──────
//!  blob, open for reading ── stdin ────▶ user namespace (for a user), no network, chroot, Landlock
//!                                        stream: decompress → hash → tar → tree
//!  progress, then the sum ◀─ stdout ──── {"read":…} … {"done":{…}}
//! ```
//!
//! An archive is hostile: its names, links and sizes are what an attacker chooses. The worker sees nothing
//! but the new directory, and every name is resolved by the kernel inside it (`sys/path.rs`). What comes out
//! is not trusted before its digest is compared. What it does not do: decide where a layer lies (`store/`).

/// The archive's entries, one after the other: headers, PAX, GNU, sparse.
mod tar;

/// Entries made in the tree.
mod tree;

/// Whiteouts: an archive's words for what a lower layer has, in overlay's form.
mod whiteout;

/// gzip, zstd or nothing, counted and hashed on the way.
mod stream;

/// Second names of files that a lower layer has.
pub mod borrow;

/// What the worker does.
pub mod worker;

/// The worker's walls.
mod walls;

use super::digest::Digest;
use super::userns;
use crate::error::{Cause, Error, Object, Result};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};

/// The word that makes this program a worker.
pub const WORD: &str = "__unpack";

/// What the worker is told, as JSON in its second word.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// The directory to fill: empty, and there.
    pub target: String,
    /// Most bytes that may come out.
    pub most: u64,
    /// In whose words overlay is told.
    pub overlay: Overlay,
}

/// Whose extended attributes overlay reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Overlay {
    /// `trusted.overlay.*`: root's.
    Trusted,
    /// `user.overlay.*`: with the mount option userxattr, in a user namespace.
    User,
    /// Nobody's: the archive is no layer, and a whiteout's name is a name like any other.
    None,
}

/// What came out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unpacked {
    /// Of the archive without compression.
    pub diff_id: Digest,
    /// Bytes of the archive without compression.
    pub size: u64,
    /// How many entries it has.
    pub entries: u64,
    /// Directories that it names only by what lies in them, parents first: what a lower layer says of them counts.
    pub implied: Vec<String>,
    /// Hard links whose first name a lower layer has: each new name, and that one.
    #[serde(default)]
    pub borrowed: Vec<(Vec<u8>, Vec<u8>)>,
    /// What was let go, and how often: devices and owners that a user cannot make.
    pub notes: Vec<String>,
}

/// What the worker says: one JSON object a line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Said {
    /// It is in a new user namespace, and waits for its ids.
    Waiting,
    /// So many bytes of the blob have been read.
    Read(u64),
    /// All is there.
    Done(Unpacked),
    /// The links are there, and these directories were made for them.
    Linked(Vec<String>),
    /// It cannot: the entry, where it was one, and why.
    Wrong {
        /// The entry's name.
        entry: String,
        /// Why.
        why: String,
    },
}

/// Unpacks `blob` into the empty directory `target`, telling `read` how far it is; `name` is for messages.
///
/// # Errors
/// What is wrong with the archive, or with this host; the directory is then to be thrown away.
pub fn unpack(
    blob: File,
    order: &Order,
    name: &str,
    read: &mut dyn FnMut(u64),
) -> Result<Unpacked> {
    let doing = format!("unpack {name}");
    let words = serde_json::to_string(order).unwrap_or_default();
    match employ(&[WORD, &words], blob, &doing, read)? {
        Said::Done(unpacked) => Ok(unpacked),
        _ => Err(silent(doing)),
    }
}

/// A tar of no image, such as a person brings: below the directory `prefix` of `root`, whose links lead nowhere else.
/// `owner` gives the host's ids for those of the archive.
///
/// # Errors
/// What is wrong with the archive, in words.
pub(crate) fn spill(
    root: OwnedFd,
    prefix: &str,
    input: File,
    owner: impl Fn(u32, u32) -> (u32, u32),
) -> std::io::Result<()> {
    let mut tree = tree::Tree::new(root, Overlay::None);
    let mut heard = |_| {};
    let mut archive = tar::Archive::new(stream::Stream::open(input, u64::MAX, &mut heard)?);
    while let Some(mut entry) = archive.next()? {
        let below = |path: &[u8]| [prefix.as_bytes(), b"/", path].concat();
        if entry
            .path
            .split(|byte| *byte == b'/')
            .all(|part| part.is_empty() || part == b".")
        {
            // What the directory itself is like is not the archive's to say.
            continue;
        }
        entry.path = below(&entry.path);
        (entry.uid, entry.gid) = owner(entry.uid, entry.gid);
        if entry.kind == tar::Kind::HardLink {
            entry.link = below(&entry.link);
        }
        let name = String::from_utf8_lossy(&entry.path).into_owned();
        let told = |error| std::io::Error::other(format!("{name}: {error}"));
        tree.make(&entry, &mut archive).map_err(told)?;
    }
    tree.finish().map(drop)
}

/// What is plain in a file that may be compressed, into another.
///
/// # Errors
/// A compression that is broken or unknown; a full disk.
pub(crate) fn decompress(from: File, to: &mut File) -> std::io::Result<()> {
    let mut heard = |_| {};
    let mut plain = stream::Stream::open(from, u64::MAX, &mut heard)?;
    std::io::copy(&mut plain, to).map(drop)
}

/// Starts a worker on `input`, and returns the last thing that it says.
fn employ(words: &[&str], input: File, doing: &str, read: &mut dyn FnMut(u64)) -> Result<Said> {
    let program = own_program(doing)?;
    let mut child = Command::new(&program)
        .args(words)
        .env_clear()
        .stdin(input)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Error::io(doing, &program, "execve", &error))?;
    let pid = child.id();
    let said = listen(child.stdout.take(), pid, doing, read);
    if said.is_err() {
        // It may wait for what will not come.
        let _ = child.kill();
    }
    let status = child
        .wait()
        .map_err(|error| Error::io(doing, &program, "wait4", &error))?;
    match said? {
        Some(Said::Wrong { entry, why }) if entry.is_empty() => {
            Err(Error::new(doing, Object::Nothing, Cause::Answer(why)))
        }
        Some(Said::Wrong { entry, why }) => Err(Error::new(
            doing,
            Object::Argument(format!("entry {entry}")),
            Cause::Answer(why),
        )),
        Some(last) if status.success() => Ok(last),
        _ => Err(Error::new(doing, Object::Nothing, ended(status))),
    }
}

/// A worker that has said something, but not what it was asked for.
fn silent(doing: String) -> Error {
    let why = "the worker did not say what came out".to_owned();
    Error::new(doing, Object::Nothing, Cause::Protocol(why))
}

/// This very program, also when its file has been replaced.
pub(crate) fn own_program(doing: &str) -> Result<std::path::PathBuf> {
    let own = Path::new("/proc/self/exe");
    match std::fs::read_link(own) {
        Ok(_) => Ok(own.to_owned()),
        Err(error) => Err(Error::io(doing, own, "readlink", &error)),
    }
}

/// The last thing that a worker says.
fn listen(
    from: Option<std::process::ChildStdout>,
    pid: u32,
    doing: &str,
    read: &mut dyn FnMut(u64),
) -> Result<Option<Said>> {
    let Some(from) = from else { return Ok(None) };
    for line in BufReader::new(from).lines() {
        let line = line.map_err(|error| Error::io(doing, "the worker's words", "read", &error))?;
        match serde_json::from_str(&line) {
            Ok(Said::Waiting) => userns::give_ids(pid, doing)?,
            Ok(Said::Read(bytes)) => read(bytes),
            Ok(last) => return Ok(Some(last)),
            Err(_) => return Ok(None),
        }
    }
    Ok(None)
}

fn ended(status: std::process::ExitStatus) -> Cause {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (_, Some(signal)) => Cause::Killed { signal, oom: false },
        (code, None) => Cause::Exited {
            status: code.unwrap_or_default(),
            last_line: None,
        },
    }
}

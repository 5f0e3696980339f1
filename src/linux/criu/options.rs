//! Members that `checkpoint` and `restore` share, and where the images and the log are.

use super::wire::Message;
use crate::cli::checkpoint::Images;
use crate::error::{Error, Result};
use crate::plan::annotations::CRIU_CONFIG;
use crate::sys::dir;
use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

// Fields of `criu_opts` that are used (rpc.proto); those of switches stand beside their flags.
const IMAGES_DIR_FD: u32 = 1;
/// The process whose tree is written.
pub const PID: u32 = 2;
/// Devices by another path where theirs is covered.
pub const EVASIVE_DEVICES: u32 = 6;
const LOG_LEVEL: u32 = 9;
const LOG_FILE: u32 = 10;
/// Who takes the pages: [`ADDRESS`], [`PORT`].
pub const PAGE_SERVER: u32 = 11;
/// Of [`PAGE_SERVER`].
pub const ADDRESS: u32 = 1;
/// Of [`PAGE_SERVER`].
pub const PORT: u32 = 2;
const NOTIFY_SCRIPTS: u32 = 12;
/// The root directory.
pub const ROOT: u32 = 13;
/// Images to build on.
pub const PARENT_IMAGES: u32 = 14;
/// Watch which pages change.
pub const TRACK_MEMORY: u32 = 15;
const WORK_DIR_FD: u32 = 17;
/// A mount from outside: [`KEY`], and the value.
pub const EXTERNAL_MOUNT: u32 = 23;
const MANAGE_CGROUPS: u32 = 24;
/// Another group for the one that is in the images: the controller, the path.
pub const CGROUP_ROOT: u32 = 25;
/// The processes become children of CRIU's parent.
pub const AS_SIBLING: u32 = 26;
/// A descriptor of CRIU's own for one of the images: [`KEY`], its number.
pub const INHERITED: u32 = 27;
/// First member of a pair.
pub const KEY: u32 = 1;
/// Second member of a pair.
pub const VALUE: u32 = 2;
const MANAGE_CGROUPS_MODE: u32 = 34;
/// Something from outside, by kind and number.
pub const EXTERNAL: u32 = 37;
const EMPTY_NAMESPACES: u32 = 38;
/// A namespace to join: its kind, its file.
pub const JOINED: u32 = 39;
/// The group to freeze.
pub const FREEZE_CGROUP: u32 = 44;
const ORPHAN_PTS_MASTER: u32 = 50;
const CONFIG_FILE: u32 = 51;
/// Another security profile.
pub const LSM_PROFILE: u32 = 53;
/// Another SELinux context of mounts.
pub const LSM_MOUNT_CONTEXT: u32 = 63;

/// CRIU's own words for its most talkative level.
const EVERYTHING: i64 = 4;

/// Open folders.
#[derive(Debug)]
pub struct Folders {
    images: OwnedFd,
    work: Option<OwnedFd>,
    /// Where CRIU writes what it does.
    pub log: PathBuf,
    log_name: &'static str,
}

impl Folders {
    /// Makes what is missing and opens both; the log will be called `log_name`.
    ///
    /// # Errors
    /// A folder that cannot be made or opened.
    pub fn make(images: &Images, log_name: &'static str) -> Result<Folders> {
        make(&images.path)?;
        Folders::open(images, log_name)
    }

    /// Opens them; only the work folder is made, as the images must be there.
    ///
    /// # Errors
    /// A folder that is not there.
    pub fn open(images: &Images, log_name: &'static str) -> Result<Folders> {
        // containerd's work folder is a link.
        let opened = |path: &Path| {
            dir::open_named(path)
                .map_err(|fault| Error::file("open the folder of images", path, fault))
        };
        if let Some(work) = &images.work {
            make(work)?;
        }
        let log = images.work.as_ref().unwrap_or(&images.path).join(log_name);
        // What an earlier attempt has complained of is not to be told again.
        let _ = std::fs::remove_file(&log);
        Ok(Folders {
            images: opened(&images.path)?,
            work: images.work.as_deref().map(opened).transpose()?,
            log,
            log_name,
        })
    }
}

fn make(path: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    made.map_err(|error| Error::io("make the folder of images", path, "mkdir", &error))
}

/// What both verbs say, on top.
#[must_use]
pub fn shared(
    message: Message,
    images: &Images,
    folders: &Folders,
    annotations: &BTreeMap<String, String>,
) -> Message {
    let mut options = message
        .number(IMAGES_DIR_FD, folders.images.as_raw_fd().into())
        .number(LOG_LEVEL, EVERYTHING)
        .text(LOG_FILE, folders.log_name)
        .on(NOTIFY_SCRIPTS)
        .on(MANAGE_CGROUPS)
        .number(MANAGE_CGROUPS_MODE, images.cgroups.number())
        // What is in a network namespace was put there by others, and is theirs to put there again.
        .number(EMPTY_NAMESPACES, libc::CLONE_NEWNET.into())
        .on(ORPHAN_PTS_MASTER);
    if let Some(work) = &folders.work {
        options = options.number(WORK_DIR_FD, work.as_raw_fd().into());
    }
    // By this name administrators know the file that overrules what a runtime asks for.
    let config = annotations.get(CRIU_CONFIG).map(String::as_str);
    match config.unwrap_or("/etc/criu/runc.conf") {
        "" => {}
        path => options = options.text(CONFIG_FILE, path),
    }
    for switch in &images.switches {
        options = options.on(switch.field);
    }
    options
}

/// A pair, as several members are.
#[must_use]
pub fn pair(first: impl AsRef<[u8]>, second: impl AsRef<[u8]>) -> Message {
    Message::default().text(KEY, first).text(VALUE, second)
}

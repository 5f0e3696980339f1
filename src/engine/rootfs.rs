//! The container's root directory: one that is there, or an overlay of layers under one of its own.
//!
//! The overlay is mounted neither in the host's mount namespace nor by config.json, but in the mount namespace
//! of the container's monitor, in which the monitor also calls the runtime. So the host's mount table never
//! shows it, whoever is killed: with the monitor and the container gone, the kernel takes it away. A user's
//! monitor has its own user namespace as well, where the kernel allows the mount at all. config.json could not
//! do it: the runtime opens the root before it mounts anything, and names of users must be looked up in it.

/// Files under a container's own owners.
pub(crate) mod owners;

use super::container::file::make_private;
use super::container::record::Record;
use super::container::shelf::Shelf;
use super::container::wish::{MountKind, Root, Switch};
use super::places::{Who, who};
use crate::error::{Cause, Error, Object, Result};
use crate::sys::mount::{self, Attributes, Depth};
use crate::sys::proc::Proc;
use crate::sys::{Fault, path};
use nix::sched::{CloneFlags, unshare};
use rustix::fs::{CWD, Mode, OFlags};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// The root, ready.
#[derive(Debug)]
pub(crate) struct Rooted {
    /// Its path, in this mount namespace.
    pub(crate) path: PathBuf,
    /// Opened.
    pub(crate) fd: OwnedFd,
}

/// Puts this process into a mount namespace of its own, for root; a user has one already.
///
/// Mounts of the host go on to appear and to vanish here, so that volumes may propagate; only the mount that
/// the engine's store lies on is cut off, and what is mounted in the store stays here.
///
/// # Errors
/// EPERM without privilege.
pub(crate) fn own_mounts(shelf: &Shelf) -> Result<()> {
    if rustix::process::geteuid().is_root() && who() == Who::Root {
        unshare(CloneFlags::CLONE_NEWNS).map_err(|errno| {
            let cause = Cause::Os {
                call: "unshare",
                errno: errno as i32,
                on: None,
            };
            Error::new("make a mount namespace", Object::Nothing, cause)
        })?;
    }
    let store = &shelf.places.store;
    let cut = || -> std::result::Result<(), Fault> {
        let around = path::root_of_mount(open_dir(store)?)?;
        let private = Attributes {
            propagation: libc::MS_PRIVATE,
            ..Attributes::default()
        };
        mount::set_attributes(around, Depth::One, &private)
    };
    cut().map_err(|fault| Error::file("cut the store's mount off from the host", store, fault))
}

/// The mount namespace that this process was born in.
#[derive(Debug)]
pub(crate) struct Mounts(Option<OwnedFd>);

impl Mounts {
    /// Remembers it.
    pub(crate) fn remember() -> Mounts {
        let found = Proc::open().and_then(|proc| proc.namespace(c"mnt"));
        Mounts(found.ok())
    }

    /// Goes back there. Nobody else being left in our own, the kernel takes away what is mounted in it.
    pub(crate) fn return_to(self) {
        const NEWNS: u32 = 0x2_0000;
        if let Some(host) = self.0 {
            // Whoever stays only has the mounts a little longer, ignored.
            let _ = crate::sys::process::join(host.as_fd(), NEWNS);
        }
    }
}

/// Makes the root: of a directory itself, of layers an overlay.
///
/// # Errors
/// A directory that is not there; what the kernel has against the overlay.
pub(crate) fn prepare(shelf: &Shelf, record: &Record) -> Result<Rooted> {
    let (folder, ids) = (shelf.folder(&record.id), &record.ids);
    let path = match &record.wish.root {
        Root::None => {
            let why = Cause::Refused("the container has none".to_owned());
            return Err(Error::new(
                "find the root file system",
                Object::Nothing,
                why,
            ));
        }
        Root::Directory { path } if owners::are_shown(ids) => {
            owners::shown(ids, std::slice::from_ref(path), &folder.join("root"))?
                .pop()
                .unwrap_or_default()
        }
        Root::Directory { path } => path.clone(),
        Root::Layers { lower } if owners::are_shown(ids) => {
            let lower = owners::shown(ids, lower, &folder.join("lower"))?;
            overlay(&folder, &lower, record)?
        }
        Root::Layers { lower } => overlay(&folder, lower, record)?,
    };
    let fd =
        open_dir(&path).map_err(|fault| Error::file("open the root file system", &path, fault))?;
    if let Root::Layers { .. } = &record.wish.root
        && !owners::are_shown(ids)
    {
        owners::give(ids, &fd, &folder.join("given"))?;
    }
    Ok(Rooted { path, fd })
}

/// Puts the images that are mounted into a container in place, in this mount namespace: where each lies, by its target.
///
/// # Errors
/// As [`prepare`].
pub(crate) fn images(shelf: &Shelf, record: &Record) -> Result<BTreeMap<String, PathBuf>> {
    let mut all = BTreeMap::new();
    let wanted = record
        .wish
        .mounts
        .iter()
        .filter(|mount| mount.kind == MountKind::Image);
    for (number, mount) in wanted.enumerate() {
        let folder = shelf
            .folder(&record.id)
            .join("images")
            .join(number.to_string());
        let shown = match owners::are_shown(&record.ids) {
            true => owners::shown(&record.ids, &mount.layers, &folder)?,
            false => mount.layers.clone(),
        };
        let path = match shown.as_slice() {
            // Of one layer there is nothing to lay over each other.
            [only] => only.clone(),
            layers => {
                let place = folder.join("all");
                make_private(&place)?;
                Overlay {
                    lower: layers,
                    upper: None,
                    user: who() == Who::User,
                }
                .attach(&place)?;
                place
            }
        };
        all.insert(mount.target.clone(), path);
    }
    Ok(all)
}

/// Directories over each other, the top one first, as they would be seen: read-only, mounted nowhere.
///
/// # Errors
/// What the kernel has against it; it wants two at least.
pub(crate) fn layered(lower: &[PathBuf]) -> std::result::Result<OwnedFd, Fault> {
    let user = who() == Who::User;
    Overlay {
        lower,
        upper: None,
        user,
    }
    .mount()
}

/// Takes the overlay away again, where there is one.
pub(crate) fn release(shelf: &Shelf, record: &Record) {
    if let Root::Layers { .. } = record.wish.root {
        let place = shelf.folder(&record.id).join("rootfs");
        // In another mount namespace it is not mounted, ignored.
        let _ = rustix::mount::unmount(&place, rustix::mount::UnmountFlags::DETACH);
    }
}

fn open_dir(path: &Path) -> std::result::Result<OwnedFd, Fault> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(CWD, path, flags, Mode::empty());
    crate::sys::At::at(opened, crate::sys::Call::Openat)
}

fn overlay(folder: &Path, lower: &[PathBuf], record: &Record) -> Result<PathBuf> {
    let (place, upper) = (folder.join("rootfs"), folder.join("upper"));
    let is_new = !upper.exists();
    for name in ["upper", "work", "rootfs"] {
        make_private(&folder.join(name))?;
    }
    if is_new {
        open_to_all(&upper)?;
        owners::of_root(&record.ids, &upper)?;
    }
    let options = Overlay {
        lower,
        upper: Some(Upper {
            upper,
            work: folder.join("work"),
            volatile: record.wish.has(Switch::Remove),
        }),
        user: who() == Who::User,
    };
    options.attach(&place)?;
    Ok(place)
}

impl Overlay<'_> {
    fn attach(&self, place: &Path) -> Result<()> {
        let attached = self
            .mount()
            .and_then(|tree| mount::attach(tree, open_dir(place)?));
        attached.map_err(|fault| {
        let error = Error::file("mount the overlay", place, fault);
        match fault.errno {
            libc::EPERM if self.user => error.hint("an overlay in a user namespace needs Linux 5.11; orbital doctor says more"),
            libc::EINVAL if self.user => error.hint("a user can lay an overlay only over a directory with no other mounts in it, which / is not; name another by --rootfs"),
            libc::EINVAL => error.hint("the store's file system must be able to hold an upper directory: tmpfs, ext4, xfs or btrfs, and no overlay itself; choose one by --store"),
            _ => error,
        }
        })
    }
}

/// The root of a container is for all its users to enter.
fn open_to_all(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
        .map_err(|error| Error::io("open the root to all users", path, "chmod", &error))
}

struct Overlay<'a> {
    lower: &'a [PathBuf],
    upper: Option<Upper>,
    user: bool,
}

/// Where it can be written.
struct Upper {
    upper: PathBuf,
    work: PathBuf,
    volatile: bool,
}

impl Overlay<'_> {
    fn mount(&self) -> std::result::Result<OwnedFd, Fault> {
        match self.configured(false) {
            // Before Linux 6.5 all lower directories are one option.
            Err(Fault {
                errno: libc::EINVAL,
                ..
            }) => self.configured(true),
            other => other,
        }
    }

    fn configured(&self, joined: bool) -> std::result::Result<OwnedFd, Fault> {
        let filesystem = mount::open_filesystem(c"overlay")?;
        let set = |key: &CStr, value: &[u8]| {
            let value = CString::new(value).unwrap_or_default();
            mount::set_option(filesystem.as_fd(), key, Some(&value))
        };
        if joined {
            let escaped: Vec<Vec<u8>> = self.lower.iter().map(|path| escape(path)).collect();
            set(c"lowerdir", &escaped.join(&b':'))?;
        } else {
            for path in self.lower {
                set(c"lowerdir+", path.as_os_str().as_bytes())?;
            }
        }
        if let Some(Upper {
            upper,
            work,
            volatile,
        }) = &self.upper
        {
            set(c"upperdir", upper.as_os_str().as_bytes())?;
            set(c"workdir", work.as_os_str().as_bytes())?;
            if *volatile {
                mount::set_option(filesystem.as_fd(), c"volatile", None)?;
            }
        }
        if self.user {
            mount::set_option(filesystem.as_fd(), c"userxattr", None)?;
        }
        mount::make_filesystem(filesystem.as_fd())?;
        mount::detached_mount(filesystem.as_fd(), 0)
    }
}

/// A colon separates directories, so one in a name stands behind a backslash.
fn escape(path: &Path) -> Vec<u8> {
    let mut escaped = Vec::new();
    for byte in path.as_os_str().as_bytes() {
        if b":\\".contains(byte) {
            escaped.push(b'\\');
        }
        escaped.push(*byte);
    }
    escaped
}

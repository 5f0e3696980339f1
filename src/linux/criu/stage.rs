//! A mount namespace in which a container's root is a mount point, as CRIU wants it: the host's own one
//! never sees that mount, and a runtime that is killed leaves none behind.

use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::plan::mounts::{Missing, MountOp, Source, SourceLink};
use crate::plan::root::Root;
use crate::sys::mount::{self, Depth};
use crate::sys::path::{self, Leaf, Links};
use crate::sys::proc::Proc;
use crate::sys::{At, Call, Fault, dir, file, process};
use rustix::fs::{CWD, OFlags};
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

const DOING: &str = "make the root file system a mount point for criu";

/// Does `act`, which learns the path of the mount point, in such a namespace, and returns. `place` is a
/// directory that is covered there.
///
/// # Errors
/// What mounting answered, or `act`.
pub fn within<T>(
    root: &Root,
    place: &Path,
    proc: &Proc,
    act: impl FnOnce(&Path) -> Result<T>,
) -> Result<T> {
    let told = |fault| Error::file(DOING, place, fault);
    let home = proc.namespace(c"mnt").map_err(told)?;
    let here = file::open(CWD, c".", OFlags::PATH).map_err(told)?;
    process::unshare_mounts().map_err(told)?;
    let done = set(root, place).map_err(told).and_then(|path| act(&path));
    let back = process::join(home.as_fd(), libc::CLONE_NEWNS.cast_unsigned())
        .and_then(|()| process::enter(here))
        .map_err(|fault| Error::file("return to the host's mounts", "/", fault));
    match (done, back) {
        (Err(error), Err(second)) => Err(error.also([second])),
        (done, back) => back.and(done),
    }
}

/// A root must not lie on a mount that it covers itself, so a new file system is laid below it.
fn set(root: &Root, place: &Path) -> std::result::Result<PathBuf, Fault> {
    const NAME: &CStr = c"root";
    mount::set_root_propagation(Depth::Tree, libc::MS_SLAVE)?;
    let filesystem = mount::open_filesystem(c"tmpfs")?;
    mount::make_filesystem(filesystem.as_fd())?;
    let ground = mount::detached_mount(filesystem.as_fd(), 0)?;
    dir::make(&ground, NAME)?;
    // Before the ground covers it: the root may lie below.
    let tree = mount::copy_tree(CWD, &root.path, Depth::Tree)?;
    mount::attach(&ground, dir::open_path(place)?)?;
    mount::attach(tree, dir::open(&ground, NAME)?)?;
    Ok(place.join("root"))
}

/// Makes the mount points that the root file system lacks, as `create` does: an image of the container's
/// files may have come here without them.
///
/// # Errors
/// A directory or file that cannot be made.
pub fn make_points(plan: &Plan) -> Result<()> {
    let root = open(&plan.root.path)
        .map_err(|fault| Error::file("open the root file system", text(&plan.root.path), fault))?;
    for (index, op) in plan.mounts.iter().enumerate() {
        let before = plan.mounts.get(..index).unwrap_or_default();
        point(op, before, &root).map_err(|fault| {
            Error::new(
                "make the mount point",
                crate::error::Object::config(&op.pointer),
                fault.into(),
            )
        })?;
    }
    Ok(())
}

/// In the root, or in the source of the bind that will cover the place; what is below a new file system is in the images.
fn point(op: &MountOp, before: &[MountOp], root: &OwnedFd) -> std::result::Result<(), Fault> {
    let leaf = match (&op.source, op.missing) {
        (Source::Again { .. }, _)
        | (
            Source::Bind {
                link: SourceLink::Copy,
                ..
            },
            _,
        ) => return Ok(()),
        (Source::Bind { path, .. }, Missing::LikeSource) => {
            match path::is_directory(file::open(CWD, path, OFlags::PATH)?)? {
                true => Leaf::Directory(0o755),
                false => Leaf::File(0o644),
            }
        }
        _ => Leaf::Directory(0o755),
    };
    let below = |outer: &MountOp| below(&op.target, &outer.target);
    let (ground, target) = match before
        .iter()
        .rev()
        .find_map(|outer| Some((outer, below(outer)?)))
    {
        None => (root.try_clone(), op.target.clone()),
        Some((outer, rest)) => match &outer.source {
            Source::Bind { path, .. } => (Ok(open(path)?), rest),
            _ => return Ok(()),
        },
    };
    let ground = ground.at(Call::Fcntl)?;
    path::find_or_make(ground.as_fd(), &target, Links::Inside, leaf).map(drop)
}

/// What is left of `path` below `outer`, if it is.
fn below(path: &CStr, outer: &CStr) -> Option<CString> {
    let rest = path.to_bytes().strip_prefix(outer.to_bytes())?;
    CString::new(rest.strip_prefix(b"/")?).ok()
}

fn open(path: &CStr) -> std::result::Result<OwnedFd, Fault> {
    file::open(CWD, path, OFlags::PATH)
}

fn text(path: &CStr) -> PathBuf {
    PathBuf::from(path.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn by_whole_names() {
        assert_eq!(below(c"data/a/b", c"data").as_deref(), Some(c"a/b"));
        assert_eq!(below(c"database", c"data"), None);
        assert_eq!(below(c"data", c"data"), None);
    }
}

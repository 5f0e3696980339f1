//! The kernel's own look-up (openat2) is the oracle of the walk; what must never happen is that either
//! leads out of the root or makes something there.

use super::*;
use proptest::prelude::*;
use std::ffi::CString;
use std::os::unix::fs::symlink;
use std::path::Path;

fn open(path: &Path) -> OwnedFd {
    std::fs::File::open(path).unwrap().into()
}

fn c(text: &str) -> CString {
    CString::new(text).unwrap()
}

/// A root with links of every kind beside a canary that nobody may reach.
fn tree() -> (tempfile::TempDir, OwnedFd) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    std::fs::create_dir_all(root.join("a/b/c")).unwrap();
    std::fs::create_dir(dir.path().join("outside")).unwrap();
    std::fs::write(root.join("a/file"), "").unwrap();
    for (name, target) in [
        ("absolute", "/a/b"),
        ("a/up", "../.."),
        ("a/b/relative", "../file"),
        ("climb", "../../../../outside"),
        ("host", "/outside"),
        ("loop", "loop"),
        ("dangling", "later/there"),
        ("a/dangling", "../new/file"),
        ("chain", "a/b/relative"),
        ("proc", "/proc/self/fd"),
    ] {
        symlink(target, root.join(name)).unwrap();
    }
    let fd = open(&root);
    (dir, fd)
}

fn identity(result: Result<OwnedFd, Fault>) -> Result<(u64, u64), i32> {
    let stat = look(result.map_err(|fault| fault.errno)?).unwrap();
    Ok((stat.st_dev, stat.st_ino))
}

#[test]
fn the_walk_agrees_with_the_kernel() {
    let (_dir, root) = tree();
    for path in [
        "",
        ".",
        "/",
        "a",
        "/a/b/c",
        "a/file",
        "a/file/",
        "a//b/./c",
        "absolute/c",
        "a/up/a",
        "a/b/relative",
        "climb",
        "host",
        "loop",
        "dangling",
        "chain",
        "..",
        "../../..",
        "a/b/../../a/file",
        "absolute/../file",
        "a/file/x",
        "nothing",
    ] {
        let kernel = identity(find(root.as_fd(), &c(path), Links::Inside));
        let walked = identity(walk(root.as_fd(), &c(path), Links::Inside, Leaf::MustExist));
        match (path, &kernel) {
            // A slash after a file: the kernel says ENOTDIR, and the walk finds the file. Both are inside.
            ("a/file/", _) => {}
            _ => assert_eq!(walked, kernel, "{path:?}"),
        }
    }
}

#[test]
fn what_is_missing_is_made_inside() {
    let (dir, root) = tree();
    let make = |path: &str, leaf| find_or_make(root.as_fd(), &c(path), Links::Inside, leaf);
    for (path, real) in [
        ("x/y/z", "x/y/z"),
        ("dangling/deep", "later/there/deep"),
        ("climb/evil", "outside/evil"),
        ("host/evil", "outside/evil"),
        ("../../escape", "escape"),
        ("a/up/beside", "beside"),
    ] {
        assert!(
            is_directory(make(path, Leaf::Directory(0o755)).unwrap()).unwrap(),
            "{path}"
        );
        assert!(
            dir.path().join("root").join(real).is_dir(),
            "{path} is root/{real}"
        );
    }
    make("a/dangling", Leaf::File(0o644)).unwrap();
    assert!(dir.path().join("root/new/file").is_file());
    let outside = std::fs::read_dir(dir.path().join("outside")).unwrap();
    assert_eq!(outside.count(), 0, "something was made outside of the root");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn refused_links_are_refused_in_every_component() {
    let (_dir, root) = tree();
    for path in [
        "absolute",
        "absolute/c",
        "a/b/relative",
        "loop",
        "dangling/x",
    ] {
        for leaf in [Leaf::MustExist, Leaf::Directory(0o755)] {
            let found = identity(find_or_make(root.as_fd(), &c(path), Links::Refuse, leaf));
            assert_eq!(found, Err(libc::ELOOP), "{path} {leaf:?}");
            let walked = identity(walk(root.as_fd(), &c(path), Links::Refuse, leaf));
            assert_eq!(walked, Err(libc::ELOOP), "walk: {path} {leaf:?}");
        }
    }
    assert!(
        find_or_make(
            root.as_fd(),
            c"a/b/new",
            Links::Refuse,
            Leaf::Directory(0o755)
        )
        .is_ok()
    );
}

#[test]
fn the_root_of_a_mount_is_found_upwards() {
    let root = root_of_mount(open(Path::new("/proc/self/task"))).unwrap();
    assert_eq!(look(root).unwrap().st_ino, 1, "procfs's own root");
}

proptest! {
    /// Random links and look-ups: the walk answers as the kernel does, for whatever exists.
    #[test]
    fn random_trees(
        links in proptest::collection::vec((0usize..4, "[abc./]{1,6}"), 0..6),
        paths in proptest::collection::vec("[abc./l0123]{1,10}", 1..12),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir_all(root.join("a/b/c")).unwrap();
        std::fs::create_dir_all(root.join("b/a")).unwrap();
        for (number, target) in &links {
            // Of two of one name the first stays.
            let _ = symlink(target, root.join(format!("l{number}")));
        }
        let fd = open(&root);
        for path in &paths {
            let kernel = identity(find(fd.as_fd(), &c(path), Links::Inside));
            let walked = identity(walk(fd.as_fd(), &c(path), Links::Inside, Leaf::MustExist));
            prop_assert_eq!(walked, kernel, "{} with {:?}", path, links);
            // Making may succeed or not; it must not reach beside the root.
            let _ = find_or_make(fd.as_fd(), &c(path), Links::Inside, Leaf::Directory(0o755));
            prop_assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        }
    }
}

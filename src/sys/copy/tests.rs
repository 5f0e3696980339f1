use super::*;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

fn opened(path: &Path) -> OwnedFd {
    fs::File::open(path).unwrap().into()
}

fn copied(from: &Path, to: &Path) -> Result<(), Fault> {
    content(opened(from).as_fd(), opened(to).as_fd(), Top::Alike)
}

#[test]
fn files_links_modes_and_times() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (from, to) = (from.path(), to.path());
    fs::create_dir_all(from.join("a/b")).unwrap();
    fs::write(from.join("a/b/file"), vec![7; 100_000]).unwrap();
    fs::set_permissions(from.join("a/b/file"), fs::Permissions::from_mode(0o4511)).unwrap();
    fs::set_permissions(from.join("a"), fs::Permissions::from_mode(0o1711)).unwrap();
    fs::set_permissions(from, fs::Permissions::from_mode(0o750)).unwrap();
    symlink("/etc/passwd", from.join("outside")).unwrap();
    let fifo = path::find(opened(from).as_fd(), c"a", path::Links::Inside).unwrap();
    node::make_node(fifo.as_fd(), c"fifo", libc::S_IFIFO | 0o600, 0).unwrap();

    copied(from, to).unwrap();

    assert_eq!(fs::read(to.join("a/b/file")).unwrap(), vec![7; 100_000]);
    assert_eq!(
        fs::read_link(to.join("outside")).unwrap(),
        Path::new("/etc/passwd")
    );
    for name in ["", "a", "a/b", "a/b/file", "a/fifo"] {
        let (want, have) = (from.join(name), to.join(name));
        let (want, have) = (
            want.symlink_metadata().unwrap(),
            have.symlink_metadata().unwrap(),
        );
        assert_eq!(have.mode(), want.mode(), "{name}");
        assert_eq!(have.mtime(), want.mtime(), "{name}");
        assert_eq!(have.mtime_nsec(), want.mtime_nsec(), "{name}");
    }
}

#[test]
fn what_is_there_already_is_not_written_to() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(from.path().join("file"), "new").unwrap();
    let outside = to.path().join("outside");
    fs::write(&outside, "old").unwrap();
    symlink(&outside, to.path().join("file")).unwrap();
    let fault = copied(from.path(), to.path()).unwrap_err();
    assert_eq!(fault.errno, libc::EEXIST);
    assert_eq!(fs::read_to_string(outside).unwrap(), "old");
}

#[test]
fn too_many_directories_in_each_other() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir_all(from.path().join("d/".repeat(64))).unwrap();
    copied(from.path(), to.path()).unwrap();
    let more = tempfile::tempdir().unwrap();
    fs::create_dir_all(from.path().join("d/".repeat(65))).unwrap();
    let fault = copied(from.path(), more.path()).unwrap_err();
    assert_eq!(fault.errno, libc::ELOOP);
}

//! A cgroup2 that is not mounted where it is expected: /proc/self/mountinfo knows where.

use crate::sys::file;
use crate::sys::proc::Proc;
use rustix::fs::OFlags;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// The places that show cgroup2 from its root on. Nothing where /proc cannot be read: who asks has an
/// error of his own to tell then.
pub(super) fn mounted() -> Vec<PathBuf> {
    let text = text();
    text.split(|byte| *byte == b'\n')
        .filter_map(place)
        .collect()
}

/// The options of the file system that is mounted at `path`, cgroup2's own ones.
pub(super) fn options(path: &Path) -> Vec<String> {
    let text = text();
    let found = text
        .split(|byte| *byte == b'\n')
        .find(|line| place(line).as_deref() == Some(path));
    let last = found.and_then(|line| line.rsplit(|byte| *byte == b' ').next());
    let last = String::from_utf8_lossy(last.unwrap_or_default()).into_owned();
    last.split(',').map(str::to_owned).collect()
}

fn text() -> Vec<u8> {
    // By number: /proc/self is a link, and links are refused there.
    let name = CString::new(format!("{}/mountinfo", std::process::id())).unwrap_or_default();
    let text = Proc::open()
        .and_then(|proc| proc.open_file(&name, OFlags::RDONLY))
        .and_then(file::read_all);
    text.unwrap_or_default()
}

/// `ID PARENT DEVICE ROOT TARGET … - TYPE SOURCE OPTIONS`; proc_pid_mountinfo(5).
fn place(line: &[u8]) -> Option<PathBuf> {
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let dash = words.iter().position(|word| *word == b"-")?;
    let (root, target, kind) = (words.get(3)?, words.get(4)?, words.get(dash + 1)?);
    (*root == b"/" && *kind == b"cgroup2").then(|| PathBuf::from(OsString::from_vec(plain(target))))
}

/// Blanks, tabs, line breaks and backslashes are written as three octal digits there.
fn plain(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (
                b'\\',
                [
                    a @ b'0'..=b'3',
                    b @ b'0'..=b'7',
                    c @ b'0'..=b'7',
                    after @ ..,
                ],
            ) => {
                plain.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = after;
            }
            _ => {
                plain.push(*first);
                rest = tail;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_cgroup2_is_a_place() {
        let found = |line: &str| place(line.as_bytes());
        let at = |path: &str| Some(PathBuf::from(path));
        assert_eq!(
            found("30 24 0:26 / /cg rw shared:9 - cgroup2 none rw"),
            at("/cg")
        );
        assert_eq!(
            found("30 24 0:26 / /my\\040cg rw - cgroup2 none rw"),
            at("/my cg")
        );
        assert_eq!(found("30 24 0:26 /sub /cg rw - cgroup2 none rw"), None);
        assert_eq!(found("30 24 0:26 / /cg rw - cgroup none rw,memory"), None);
        assert_eq!(found(""), None);
    }
}

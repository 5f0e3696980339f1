//! Users and groups, as the container's own passwd(5) and group(5) name them. The files are hostile: they are
//! opened below the root, must be regular, and are read only so far.

use crate::error::{Cause, Error, Object, Result};
use crate::sys::{Fault, path};
use rustix::fs::{FileType, OFlags};
use std::ffi::CStr;
use std::io::Read as _;
use std::os::fd::{AsFd, OwnedFd};

/// Bytes of a file that are read at most.
const MOST: u64 = 4 << 20;

/// Who a process is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct User {
    /// User id.
    pub(crate) uid: u32,
    /// Group id.
    pub(crate) gid: u32,
    /// Other groups.
    pub(crate) groups: Vec<u32>,
    /// The home directory; empty where passwd(5) does not name the user.
    pub(crate) home: String,
}

/// Finds `user[:group]` and more groups, each a name or a number.
///
/// # Errors
/// A name that is in none of the files, or a number that is none.
pub(crate) fn resolve(root: &OwnedFd, user: &str, more: &[String]) -> Result<User> {
    let passwd = read(root, c"etc/passwd");
    let needs_groups = !more.is_empty() || !user.is_empty();
    let group = needs_groups
        .then(|| read(root, c"etc/group"))
        .unwrap_or_default();
    let (name, group_word) = match user.split_once(':') {
        Some((name, group)) => (name, Some(group).filter(|group| !group.is_empty())),
        None => (user, None),
    };
    let name = if name.is_empty() { "0" } else { name };
    let mut found = by_word(&passwd, name)?;
    if let Some(word) = group_word {
        found.1.gid = group_id(&group, word)?;
    } else if let Some(login) = &found.0 {
        found.1.groups = memberships(&group, login, found.1.gid);
    }
    for word in more {
        let id = group_id(&group, word)?;
        if !found.1.groups.contains(&id) {
            found.1.groups.push(id);
        }
    }
    Ok(found.1)
}

/// Each line's fields.
fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().map(|line| line.split(':').collect())
}

fn by_word(passwd: &str, word: &str) -> Result<(Option<String>, User)> {
    let number = word.parse::<u32>().ok();
    let is_it = |fields: &Vec<&str>| {
        let id = fields.get(2).and_then(|id| id.parse::<u32>().ok());
        fields.first() == Some(&word) || (number.is_some() && id == number)
    };
    let line = lines(passwd).filter(|fields| fields.len() > 3).find(is_it);
    if let Some(fields) = line {
        let id = |index: usize| fields.get(index).and_then(|id| id.parse::<u32>().ok());
        let user = User {
            uid: number.or(id(2)).unwrap_or_default(),
            gid: id(3).unwrap_or_default(),
            groups: Vec::new(),
            home: fields.get(5).copied().unwrap_or_default().to_owned(),
        };
        return Ok((fields.first().map(|name| (*name).to_owned()), user));
    }
    match number {
        Some(uid) => Ok((
            None,
            User {
                uid,
                ..User::default()
            },
        )),
        None => Err(unknown("user", word, "/etc/passwd")),
    }
}

fn group_id(group: &str, word: &str) -> Result<u32> {
    if let Ok(id) = word.parse() {
        return Ok(id);
    }
    let line = lines(group).find(|fields| fields.first() == Some(&word));
    line.and_then(|fields| fields.get(2).and_then(|id| id.parse().ok()))
        .ok_or_else(|| unknown("group", word, "/etc/group"))
}

fn memberships(group: &str, login: &str, gid: u32) -> Vec<u32> {
    let is_member = |fields: &Vec<&str>| {
        let members = fields.get(3).copied().unwrap_or_default();
        members.split(',').any(|member| member == login)
    };
    let mut found: Vec<u32> = lines(group)
        .filter(is_member)
        .filter_map(|fields| fields.get(2)?.parse().ok())
        .filter(|id| *id != gid)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn unknown(what: &str, word: &str, file: &str) -> Error {
    Error::new(
        format!("find the {what}"),
        Object::Argument(word.to_owned()),
        Cause::Refused(format!("the container's {file} does not name it")),
    )
    .hint(format!(
        "name one that is there, or give the {what}'s number"
    ))
}

/// The file's text; empty where there is none that is regular.
fn read(root: &OwnedFd, name: &CStr) -> String {
    read_checked(root, name).unwrap_or_default()
}

fn read_checked(root: &OwnedFd, name: &CStr) -> std::result::Result<String, Fault> {
    let file = path::open_file(root.as_fd(), name, OFlags::RDONLY | OFlags::NONBLOCK)?;
    if path::kind(&path::look(&file)?) != FileType::RegularFile {
        return Ok(String::new());
    }
    let mut bytes = Vec::new();
    // What cannot be read names nobody, ignored.
    let _ = std::fs::File::from(file).take(MOST).read_to_end(&mut bytes);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{User, resolve};
    use std::os::fd::OwnedFd;

    fn root() -> (tempfile::TempDir, OwnedFd) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        let passwd = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34::/srv:/bin/false\nbad\n";
        std::fs::write(dir.path().join("etc/passwd"), passwd).unwrap();
        let group = "root:x:0:\ntty:x:5:web,other\nweb:x:34:web\nlogs:x:4:other,web\n";
        std::fs::write(dir.path().join("etc/group"), group).unwrap();
        let fd = std::fs::File::open(dir.path()).unwrap().into();
        (dir, fd)
    }

    #[test]
    fn names_numbers_and_both() {
        let (_dir, root) = root();
        let who = |word: &str| {
            resolve(&root, word, &[]).map(|user| (user.uid, user.gid, user.groups, user.home))
        };
        let none = Vec::new;
        assert_eq!(who("").unwrap(), (0, 0, none(), "/root".into()));
        assert_eq!(who("web").unwrap(), (33, 34, vec![4, 5], "/srv".into()));
        assert_eq!(who("33").unwrap(), (33, 34, vec![4, 5], "/srv".into()));
        assert_eq!(who("web:logs").unwrap(), (33, 4, none(), "/srv".into()));
        assert_eq!(who("1000:7").unwrap(), (1000, 7, none(), String::new()));
        assert!(
            who("nobody")
                .unwrap_err()
                .to_string()
                .contains("/etc/passwd")
        );
        assert!(
            who("web:nogroup")
                .unwrap_err()
                .to_string()
                .contains("/etc/group")
        );
    }

    #[test]
    fn a_link_out_of_the_root_leads_nowhere() {
        let (dir, root) = root();
        std::fs::remove_file(dir.path().join("etc/passwd")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("etc/passwd")).unwrap();
        assert_eq!(resolve(&root, "", &[]).unwrap(), User::default());
    }

    #[test]
    fn more_groups() {
        let (_dir, root) = root();
        let more = ["logs".to_owned(), "99".to_owned()];
        assert_eq!(resolve(&root, "7:7", &more).unwrap().groups, [4, 99]);
    }
}

//! Mount options: one table from words to flags (config.md, "Linux mount options"; mount(8)).
//!
//! A word that is not in the table is data for the file system's own parser, as the specification
//! wants it; whether the file system knows it, only the kernel can say.

use super::cstrings;
use super::mounts::op::{AttrChange, FsOption, Recursive, SourceLink};
use crate::error::{Error, Pointer, Result};
use std::ffi::CString;

/// The options of one mount, sorted by who is to obey them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Attributes of the mount itself.
    pub attributes: AttrChange,
    /// Attributes of the mount and all below it (`rro` and its family).
    pub tree_attributes: AttrChange,
    /// Propagation changes, in order: `MS_SHARED` … with `MS_REC`.
    pub propagation: Vec<u64>,
    /// Whether `bind` or `rbind` is among them; `rbind` wins.
    pub bind: Option<Recursive>,
    /// Flags of the superblock, such as `sync`; a bind has no superblock of its own and leaves them.
    pub superblock: Vec<FsOption>,
    /// Data for the file system's own parser, in order.
    pub data: Vec<FsOption>,
    /// What orbital does beside the mount, each with its index.
    pub extras: Extras,
}

/// Options that are neither flags of the kernel nor data of a file system; the index of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// `remount`.
    pub remount: Option<u16>,
    /// `tmpcopyup`.
    pub copy_up: Option<u16>,
    /// `idmap` or `ridmap`, with ranges of their own or without; `ridmap` wins.
    pub map_ids: Option<(Recursive, u16)>,
    /// `src-nofollow` or `copy-symlink`.
    pub source_link: Option<(SourceLink, u16)>,
    /// `dest-nofollow`.
    pub no_follow: Option<u16>,
}

/// How far an attribute reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Top,
    Tree,
}

/// What one word does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// Sets an attribute.
    Set(Reach, u64),
    /// Clears it.
    Clear(Reach, u64),
    /// Chooses an access time mode, of which there is always exactly one.
    Choose(Reach, u64),
    /// Gives that mode up, for the kernel's own choice (relatime), unless another one was chosen before.
    GiveUp(Reach, u64),
    /// Changes the propagation.
    Propagate(u64),
    /// Makes it a bind mount.
    Bind(Recursive),
    /// Sets a flag of the superblock; its name for fsconfig(2) is the word itself.
    Flag,
    /// Takes such a flag back.
    NoFlag(&'static str),
    /// Changes a mount that is there already.
    Remount,
    /// Fills a tmpfs with what it covers.
    CopyUp,
    /// Maps the ids of the files.
    MapIds(Recursive),
    /// What happens to a source that is a symbolic link.
    Source(SourceLink),
    /// A destination that is a symbolic link is itself covered.
    NoFollow,
    /// Asks for what is so anyway.
    Nothing,
}

use Effect::{
    Bind, Choose, Clear, CopyUp, Flag, GiveUp, MapIds, NoFlag, NoFollow, Nothing, Propagate,
    Remount, Set, Source,
};
use Reach::{Top, Tree};
use libc::{
    MOUNT_ATTR__ATIME as ATIME, MOUNT_ATTR_NOATIME as NOATIME, MOUNT_ATTR_NODEV as NODEV,
    MOUNT_ATTR_NODIRATIME as NODIRATIME, MOUNT_ATTR_NOEXEC as NOEXEC, MOUNT_ATTR_NOSUID as NOSUID,
    MOUNT_ATTR_NOSYMFOLLOW as NOSYMFOLLOW, MOUNT_ATTR_RDONLY as RDONLY,
    MOUNT_ATTR_RELATIME as RELATIME, MOUNT_ATTR_STRICTATIME as STRICTATIME, MS_PRIVATE, MS_REC,
    MS_SHARED, MS_SLAVE, MS_UNBINDABLE,
};

/// Every word that is not data. `silent`, `iversion` and their opposites ask for nothing: fsconfig(2)
/// has no such flags, it is silent anyway, and since Linux 6.0 file systems that can count changes
/// do. `norelatime` takes nothing away: relatime is what the kernel does when no mode is chosen.
#[rustfmt::skip]
const TABLE: &[(&str, Effect)] = &[
    ("defaults", Nothing),
    ("ro", Set(Top, RDONLY)),                   ("rro", Set(Tree, RDONLY)),
    ("rw", Clear(Top, RDONLY)),                 ("rrw", Clear(Tree, RDONLY)),
    ("nosuid", Set(Top, NOSUID)),               ("rnosuid", Set(Tree, NOSUID)),
    ("suid", Clear(Top, NOSUID)),               ("rsuid", Clear(Tree, NOSUID)),
    ("nodev", Set(Top, NODEV)),                 ("rnodev", Set(Tree, NODEV)),
    ("dev", Clear(Top, NODEV)),                 ("rdev", Clear(Tree, NODEV)),
    ("noexec", Set(Top, NOEXEC)),               ("rnoexec", Set(Tree, NOEXEC)),
    ("exec", Clear(Top, NOEXEC)),               ("rexec", Clear(Tree, NOEXEC)),
    ("nosymfollow", Set(Top, NOSYMFOLLOW)),     ("rnosymfollow", Set(Tree, NOSYMFOLLOW)),
    ("symfollow", Clear(Top, NOSYMFOLLOW)),     ("rsymfollow", Clear(Tree, NOSYMFOLLOW)),
    ("nodiratime", Set(Top, NODIRATIME)),       ("rnodiratime", Set(Tree, NODIRATIME)),
    ("diratime", Clear(Top, NODIRATIME)),       ("rdiratime", Clear(Tree, NODIRATIME)),
    ("noatime", Choose(Top, NOATIME)),          ("rnoatime", Choose(Tree, NOATIME)),
    ("atime", GiveUp(Top, NOATIME)),            ("ratime", GiveUp(Tree, NOATIME)),
    ("relatime", Choose(Top, RELATIME)),        ("rrelatime", Choose(Tree, RELATIME)),
    ("norelatime", Nothing),                    ("rnorelatime", Nothing),
    ("strictatime", Choose(Top, STRICTATIME)),  ("rstrictatime", Choose(Tree, STRICTATIME)),
    ("nostrictatime", GiveUp(Top, STRICTATIME)), ("rnostrictatime", GiveUp(Tree, STRICTATIME)),

    ("shared", Propagate(MS_SHARED)),           ("rshared", Propagate(MS_SHARED | MS_REC)),
    ("slave", Propagate(MS_SLAVE)),             ("rslave", Propagate(MS_SLAVE | MS_REC)),
    ("private", Propagate(MS_PRIVATE)),         ("rprivate", Propagate(MS_PRIVATE | MS_REC)),
    ("unbindable", Propagate(MS_UNBINDABLE)),   ("runbindable", Propagate(MS_UNBINDABLE | MS_REC)),

    ("bind", Bind(Recursive::No)),              ("rbind", Bind(Recursive::Yes)),

    ("sync", Flag),                             ("async", NoFlag("sync")),
    ("dirsync", Flag),
    ("lazytime", Flag),                         ("nolazytime", NoFlag("lazytime")),
    ("mand", Flag),                             ("nomand", NoFlag("mand")),
    ("iversion", Nothing),                      ("noiversion", Nothing),
    ("silent", Nothing),                        ("loud", Nothing),

    ("remount", Remount),                       ("tmpcopyup", CopyUp),
    ("idmap", MapIds(Recursive::No)),           ("ridmap", MapIds(Recursive::Yes)),
    ("src-nofollow", Source(SourceLink::Itself)), ("copy-symlink", Source(SourceLink::Copy)),
    ("dest-nofollow", NoFollow),
];

/// Every option word that [`parse`] obeys, for `orbital features` and for suggestions.
pub fn known() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(word, _)| *word)
}

/// Sorts the options of the mount at `pointer` (`/mounts/N`).
///
/// # Errors
/// A NUL byte, a value without a name, two words about the links of one source.
pub fn parse(options: &[String], pointer: &Pointer) -> Result<Options> {
    let mut sorted = Options::default();
    for (number, word) in options.iter().enumerate() {
        // Made only for a refusal: there are many options, and hardly ever one that is wrong.
        let at = || pointer.at("options").at(number);
        let Ok(index) = u16::try_from(number) else {
            return Err(Error::refused(
                "read the mount options",
                at(),
                "there are more than 65535",
            ));
        };
        match TABLE.iter().find(|(known, _)| known == word) {
            Some((_, effect)) => sorted.obey(word, *effect, index, &at)?,
            None => match ranges(word) {
                Some((depth, _)) => sorted.extras.map_ids(depth, index),
                None => sorted.add_data(word, index, &at)?,
            },
        }
    }
    Ok(sorted)
}

/// `idmap=…` or `ridmap=…`, as podman hands on what users write behind a volume: the ranges themselves.
#[must_use]
pub fn ranges(word: &str) -> Option<(Recursive, &str)> {
    match word.split_once('=')? {
        ("idmap", ranges) => Some((Recursive::No, ranges)),
        ("ridmap", ranges) => Some((Recursive::Yes, ranges)),
        _ => None,
    }
}

/// The place of an option, for a refusal.
type At<'a> = dyn Fn() -> Pointer + 'a;

impl Options {
    fn obey(&mut self, word: &str, effect: Effect, index: u16, at: &At<'_>) -> Result<()> {
        match effect {
            Set(reach, bits) => self.attributes_of(reach).switch_on(bits),
            Clear(reach, bits) => self.attributes_of(reach).switch_off(bits),
            Choose(reach, mode) => self.attributes_of(reach).choose_access_time(mode),
            GiveUp(reach, mode) => self.attributes_of(reach).give_up_access_time(mode),
            Propagate(flags) => self.propagation.push(flags),
            Bind(depth) if self.bind != Some(Recursive::Yes) => self.bind = Some(depth),
            Bind(_) | Nothing => {}
            Flag => self.superblock.push(option(word, index, at)?),
            NoFlag(flag) => self
                .superblock
                .retain(|set| set.key.as_bytes() != flag.as_bytes()),
            Remount => self.extras.remount = Some(index),
            CopyUp => self.extras.copy_up = Some(index),
            MapIds(depth) => self.extras.map_ids(depth, index),
            Source(link) => return self.extras.source(link, index, at),
            NoFollow => self.extras.no_follow = Some(index),
        }
        Ok(())
    }

    fn attributes_of(&mut self, reach: Reach) -> &mut AttrChange {
        match reach {
            Top => &mut self.attributes,
            Tree => &mut self.tree_attributes,
        }
    }

    /// mount(2) takes data as one string with commas, so that one word may hold several options.
    fn add_data(&mut self, word: &str, index: u16, at: &At<'_>) -> Result<()> {
        for part in split(word).into_iter().filter(|part| !part.is_empty()) {
            self.data.push(option(part, index, at)?);
        }
        Ok(())
    }
}

impl Extras {
    fn map_ids(&mut self, depth: Recursive, index: u16) {
        if !matches!(self.map_ids, Some((Recursive::Yes, _))) {
            self.map_ids = Some((depth, index));
        }
    }

    fn source(&mut self, link: SourceLink, index: u16, at: &At<'_>) -> Result<()> {
        if let Some((other, _)) = self.source_link
            && other != link
        {
            let why = "a link is either copied or mounted itself";
            let hint = "keep one of copy-symlink and src-nofollow";
            return Err(Error::refused("read the mount options", at(), why).hint(hint));
        }
        self.source_link = Some((link, index));
        Ok(())
    }
}

impl AttrChange {
    const fn switch_on(&mut self, bits: u64) {
        self.set |= bits;
        self.clear &= !bits;
    }

    const fn switch_off(&mut self, bits: u64) {
        self.set &= !bits;
        self.clear |= bits;
    }

    /// The mode is a field, not a bit: mount_setattr(2) wants all of it cleared where it is set. Of several
    /// the strongest counts, as with the flags of mount(2): strictatime, noatime, relatime.
    const fn choose_access_time(&mut self, mode: u64) {
        if mode > self.set & ATIME {
            self.set = self.set & !ATIME | mode;
        }
        self.clear |= ATIME;
    }

    const fn give_up_access_time(&mut self, mode: u64) {
        if self.clear & ATIME == 0 || self.set & ATIME == mode {
            self.set &= !ATIME;
            self.clear |= ATIME;
        }
    }
}

/// `key` or `key=value`; quotes around the value served to protect its commas.
fn option(word: &str, index: u16, at: &At<'_>) -> Result<FsOption> {
    let doing = "read the mount options";
    let (key, value) = match word.split_once('=') {
        Some((key, value)) => (key, Some(unquoted(value))),
        None => (word, None),
    };
    if key.is_empty() {
        return Err(Error::refused(doing, at(), "there is no name before the ="));
    }
    let text = |word| CString::new(word).or_else(|_| cstrings::text(word, doing, &at()));
    let value = value.map(text).transpose()?;
    Ok(FsOption {
        key: text(key)?,
        value,
        index,
    })
}

fn unquoted(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value)
}

/// At commas that stand neither in quotes (SELinux contexts) nor behind a backslash (overlay paths).
fn split(word: &str) -> Vec<&str> {
    let (mut parts, mut from, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, letter) in word.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(&word[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&word[from..]);
    parts
}

#[cfg(test)]
mod tests;

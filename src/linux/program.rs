//! Why the kernel would not execute a program: its first bytes, read once it has failed.
//!
//! What is read may be hostile: the file is found by descriptors inside the root, only a regular one is read, and
//! only its first page. Where nothing certain can be said, the table of hints has a sentence for it.

use super::failure::Failure;
use super::step::Step;
use crate::plan::Plan;
use crate::plan::mounts::Source;
use crate::sys::path::{self, Links};
use crate::sys::{Fault, file};
use rustix::fs::{CWD, FileType, OFlags};
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};

/// Where a program was looked for, and what is there.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// In words, with their preposition.
    words: &'a str,
    /// Whether it has a file of this absolute path.
    has: &'a dyn Fn(&str) -> bool,
}

/// Advice about the process's program, where its file can be seen from the host.
#[must_use]
pub fn of_container(plan: &Plan, failure: &Failure) -> Option<String> {
    let errno = failure.miss.fault.errno;
    if failure.step != Step::Execute || !matches!(errno, libc::ENOENT | libc::ENOEXEC) {
        return None;
    }
    let candidate = plan
        .process
        .candidates
        .get(usize::from(failure.miss.item))?;
    let head = head(&seen(plan, candidate)?)?;
    let has = |path: &str| CString::new(path).is_ok_and(|path| seen(plan, &path).is_some());
    let place = Place {
        words: "in the root file system",
        has: &has,
    };
    advice(&candidate.to_string_lossy(), &head, errno, place)
}

/// Advice about a hook's program, which is the host's.
#[must_use]
pub fn of_host(program: &CStr) -> Option<String> {
    let opened = file::open(CWD, program, OFlags::PATH).ok()?;
    let has = |path: &str| std::path::Path::new(path).exists();
    let place = Place {
        words: "on the host",
        has: &has,
    };
    let head = head(&opened)?;
    let name = program.to_string_lossy();
    advice(&name, &head, libc::ENOENT, place).or_else(|| advice(&name, &head, libc::ENOEXEC, place))
}

/// The container's file of this path: in the root file system, or in what is bound over it.
fn seen(plan: &Plan, path: &CStr) -> Option<OwnedFd> {
    let wanted = path.to_bytes().strip_prefix(b"/")?;
    let rest_below = |target: &[u8]| match wanted.strip_prefix(target)? {
        [] => Some(c".".to_owned()),
        [b'/', rest @ ..] => CString::new(rest).ok(),
        _ => None,
    };
    let mut mounts = plan.mounts.iter().rev();
    let over = mounts.find_map(|op| Some((op, rest_below(op.target.to_bytes())?)));
    let (root, rest) = match &over {
        Some((op, rest)) => match &op.source {
            Source::Bind { path, .. } => (path, rest.clone()),
            Source::New { .. } | Source::Again { .. } => return None,
        },
        None => (&plan.root.path, CString::new(wanted).ok()?),
    };
    let root = file::open(CWD, root, OFlags::PATH).ok()?;
    if rest.as_c_str() == c"." {
        return Some(root);
    }
    path::find(root.as_fd(), &rest, Links::Inside).ok()
}

/// The first page of a regular file.
fn head(file: &OwnedFd) -> Option<Vec<u8>> {
    if path::kind(&path::look(file).ok()?) != FileType::RegularFile {
        return None;
    }
    let read = || -> Result<Vec<u8>, Fault> {
        let mut buffer = [0; 4096];
        let opened = file::reopen(file, OFlags::RDONLY | OFlags::NONBLOCK)?;
        Ok(file::read_some(opened, &mut buffer)?.to_vec())
    };
    read().ok()
}

fn advice(name: &str, head: &[u8], errno: i32, place: Place<'_>) -> Option<String> {
    match head {
        [] => Some(format!("put a program at {name}: the file is empty")),
        [0xef, 0xbb, 0xbf, ..] => Some(format!(
            "save {name} without the byte order mark: #! must be its very beginning"
        )),
        [b'#', b'!', rest @ ..] => of_script(name, rest, place),
        [0x7f, b'E', b'L', b'F', ..] if errno == libc::ENOEXEC => {
            let machine = machine(head)?;
            let own = machine == std::env::consts::ARCH;
            (!own).then(|| format!("build or choose {name} for this machine: it is for {machine}"))
        }
        [0x7f, b'E', b'L', b'F', ..] => {
            let loader = printable(loader(head)?)?;
            (!(place.has)(&loader)).then(|| {
                format!(
                    "install {loader} {}, and the libraries of {name}; or link it statically",
                    place.words
                )
            })
        }
        _ => None,
    }
}

/// `rest` comes behind the `#!`.
fn of_script(name: &str, rest: &[u8], place: Place<'_>) -> Option<String> {
    let line = rest.split(|byte| *byte == b'\n').next()?;
    if line.ends_with(b"\r") {
        return Some(format!(
            "save {name} with the line ends of Unix: its first line ends in a carriage return, which becomes a part of the interpreter's name"
        ));
    }
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t'));
    let interpreter = printable(words.find(|word| !word.is_empty())?)?;
    (!(place.has)(&interpreter)).then(|| {
        format!(
            "install {interpreter} {}: the first line of {name} names it",
            place.words
        )
    })
}

/// A path that can be told: no control characters, and no longer than one.
fn printable(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let plain = text.len() < 256 && !text.chars().any(char::is_control);
    plain.then(|| text.to_owned())
}

/// For which machine an ELF file is; elf(5), `e_machine`.
fn machine(head: &[u8]) -> Option<&'static str> {
    let number = match head.get(5)? {
        2 => u16::from_be_bytes(array(head, 18)?),
        _ => u16::from_le_bytes(array(head, 18)?),
    };
    Some(match number {
        3 => "x86",
        8 => "mips",
        20 => "powerpc",
        21 => "powerpc64",
        22 => "s390x",
        40 => "arm",
        62 => "x86_64",
        183 => "aarch64",
        243 => "riscv64",
        258 => "loongarch64",
        _ => "another one",
    })
}

/// The dynamic loader that an ELF file of 64 bits and this byte order asks for: its `PT_INTERP`, where the first page has it.
fn loader(head: &[u8]) -> Option<&[u8]> {
    const PT_INTERP: u32 = 3;
    let native = if cfg!(target_endian = "little") { 1 } else { 2 };
    if head.get(4..6)? != [2, native] {
        return None;
    }
    let table = usize::try_from(u64::from_ne_bytes(array(head, 32)?)).ok()?;
    let size = usize::from(u16::from_ne_bytes(array(head, 54)?));
    let count = usize::from(u16::from_ne_bytes(array(head, 56)?));
    let entry = (0..count.min(64)).find_map(|index| {
        let entry = head.get(table.checked_add(index * size)?..)?;
        (u32::from_ne_bytes(array(entry, 0)?) == PT_INTERP).then_some(entry)
    })?;
    let offset = usize::try_from(u64::from_ne_bytes(array(entry, 8)?)).ok()?;
    let text = head.get(offset..)?;
    text.split(|byte| *byte == 0).next()
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests;

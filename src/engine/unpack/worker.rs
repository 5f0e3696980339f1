//! What the worker does: walls up, then one pass over the archive. It says how far it is, and at last what
//! came out or what is wrong.

use super::stream::Stream;
use super::tar::Archive;
use super::tree::Tree;
use super::{Order, Said, Unpacked, walls};
use crate::engine::userns;
use crate::error::Result as Reported;
use std::io::{Result, Write};
use std::path::Path;

/// Carries out the order; the exit status of the worker.
#[must_use]
pub fn work(words: &str) -> u8 {
    // Whoever began it is gone: then nobody waits for the layer.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let last = match serde_json::from_str::<Order>(words) {
        Ok(order) => carry_out(&order),
        Err(error) => Said::Wrong {
            entry: String::new(),
            why: error.to_string(),
        },
    };
    let done = matches!(last, Said::Done(_));
    say(&last);
    u8::from(!done)
}

pub(super) fn say(what: &Said) {
    let line = serde_json::to_string(what).unwrap_or_default() + "\n";
    // Nobody listens any more: then nobody needs it, ignored.
    let _ = std::io::stdout().write_all(line.as_bytes());
    let _ = std::io::stdout().flush();
}

fn carry_out(order: &Order) -> Said {
    let mut entry = String::new();
    let ready: Reported<()> = userns::enter(|| say(&Said::Waiting));
    if let Err(error) = ready {
        return Said::Wrong {
            entry,
            why: error.one_line(),
        };
    }
    crate::sys::process::set_umask(0);
    match walls::raise(Path::new(&order.target)) {
        Err(why) => Said::Wrong { entry, why },
        Ok(root) => match fill(Tree::new(root, order.overlay), order.most, &mut entry) {
            Ok(unpacked) => Said::Done(unpacked),
            Err(error) => Said::Wrong {
                entry,
                why: error.to_string(),
            },
        },
    }
}

fn fill(mut tree: Tree, most: u64, current: &mut String) -> Result<Unpacked> {
    let mut tell = |read| say(&Said::Read(read));
    let stdin = std::fs::File::from(rustix::io::dup(std::io::stdin())?);
    let stream = Stream::open(stdin, most, &mut tell)?;
    let mut archive = Archive::new(stream);
    while let Some(entry) = archive.next()? {
        *current = String::from_utf8_lossy(&entry.path).into_owned();
        tree.make(&entry, &mut archive)?;
    }
    current.clear();
    let finished = tree.finish()?;
    // What follows the archive's end belongs to the digest as well.
    let (diff_id, size) = archive.into_inner().finish()?;
    Ok(Unpacked {
        diff_id,
        size,
        entries: finished.entries,
        implied: finished.implied,
        borrowed: finished.borrowed,
        notes: finished.notes,
    })
}

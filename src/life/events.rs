//! `orbital events`: what a container uses, line by line, until it ends.

use super::{Verb, check, status};
use crate::backend::{Event, Group, look};
use crate::cli::Watch;
use crate::error::{Error, Result};
use crate::state::record::without_group;
use crate::state::{Home, Record};
use serde::Serialize;
use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

/// A line, in runc's words and order.
#[derive(Serialize)]
struct Line<'a, T: Serialize> {
    r#type: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
}

/// Whether anybody reads on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Listens,
    Gone,
}

/// Prints what the container uses, and when it ran out of memory, to standard output: lines come as they are.
///
/// # Errors
/// A container that does not exist or does not live, or has no cgroup; what cannot be read or written.
pub fn events(id: &str, watch: Watch, home: &Home) -> Result<()> {
    let seat = home.find(&format!("watch {id}"), id)?;
    let now = status::now(&seat)?;
    check(Verb::Events, id, now.status, now.pid)?;
    let Some(record) = now.record else {
        return Err(without_group("watch", id));
    };
    let Some(group) = record.group()? else {
        return Err(without_group("watch", id));
    };
    match watch {
        Watch::Once => stats(&record, &group).map(|_| ()),
        Watch::Every(interval) => follow(&record, &group, interval),
    }
}

fn follow(record: &Record, group: &Group, interval: Duration) -> Result<()> {
    let Some(mut watch) = group.watch()? else {
        return Ok(());
    };
    let mut due = Instant::now() + interval;
    loop {
        let left = due.saturating_duration_since(Instant::now());
        let reader = match watch.next_within(left)? {
            Event::OutOfMemory => print(&Line::<()> {
                r#type: "oom",
                id: &record.id,
                data: None,
            })?,
            Event::Empty => return Ok(()),
            Event::Nothing if Instant::now() < due => Reader::Listens,
            Event::Nothing => {
                due += interval;
                stats(record, group)?
            }
        };
        if reader == Reader::Gone {
            return Ok(());
        }
    }
}

fn stats(record: &Record, group: &Group) -> Result<Reader> {
    let Some(stats) = look::stats(record, group)? else {
        return Ok(Reader::Gone);
    };
    print(&Line {
        r#type: "stats",
        id: &record.id,
        data: Some(stats),
    })
}

/// One line in one write, so that readers see whole ones.
fn print(line: &impl Serialize) -> Result<Reader> {
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    let mut out = std::io::stdout().lock();
    match out.write_all(&text).and_then(|()| out.flush()) {
        Ok(()) => Ok(Reader::Listens),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(Error::io(
            "write the events",
            "standard output",
            "write",
            &error,
        )),
    }
}

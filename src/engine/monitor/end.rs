//! The end: the runtime's remains deleted, the network taken back, the record closed; with `--rm`, all removed.
//! The monitor does it, or, where that was killed, whoever removes the container.

use super::net;
use crate::engine::container::record::Record;
use crate::engine::container::shelf::Shelf;
use crate::engine::container::wish::Switch;
use crate::engine::runtime::Runtime;
use crate::engine::store::Store;
use crate::engine::{rootfs, volume};
use crate::error::Result;
use crate::sys::clock;

/// Tidies what ran, and records the exit status. Each act is tried whatever became of the one before.
pub(crate) fn finish(shelf: &Shelf, id: &str, status: i32) {
    if let Ok(runtime) = Runtime::find(shelf) {
        // One that was never created, or is deleted already, is what is wanted, ignored.
        let _ = runtime.ask(&["delete", "--force", id]);
    }
    net::disconnect(shelf, id);
    let closed = shelf.change(id, |record| {
        record.life.finished = clock::now_rfc3339();
        record.life.exit = status;
    });
    let Ok(record) = closed else {
        return;
    };
    rootfs::release(shelf, &record);
    if record.wish.has(Switch::Remove) {
        // What cannot be removed now is found again by ps -a and rm, ignored.
        let _ = remove(shelf, &record);
    }
}

/// Takes away what is left of a container that has no record any more, or not yet.
///
/// # Errors
/// As unlinkat(2).
pub(crate) fn clear(shelf: &Shelf, id: &str) -> Result<()> {
    if let Ok(runtime) = Runtime::find(shelf) {
        // It may never have come that far, ignored.
        let _ = runtime.ask(&["delete", "--force", id]);
    }
    net::disconnect(shelf, id);
    Store::open(&shelf.places)?.unpin(id)?;
    shelf.remove(id)
}

/// Removes what is left of a container that does not run, and volumes that were only its own.
///
/// # Errors
/// As unlinkat(2).
pub(crate) fn remove(shelf: &Shelf, record: &Record) -> Result<()> {
    Store::open(&shelf.places)?.unpin(&record.id)?;
    shelf.remove(&record.id)?;
    for name in &record.life.own_volumes {
        // Another container may have taken it into use, ignored.
        let _ = volume::remove(&shelf.places, name, &shelf.all()?);
    }
    Ok(())
}

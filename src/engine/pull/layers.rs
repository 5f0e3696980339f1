//! Layers, fetched and unpacked side by side, and then put in their places from the bottom up.

use crate::engine::digest::Digest;
use crate::engine::image::{Descriptor, ImageConfig, Manifest};
use crate::engine::progress::Progress;
use crate::engine::source::Source;
use crate::engine::store::{Fresh, Store, chain_id};
use crate::error::{Cause, Error, Object, Result};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// What is to be fetched.
pub(super) struct Order<'a> {
    pub(super) source: &'a Source,
    pub(super) manifest: &'a Manifest,
    pub(super) config: &'a ImageConfig,
    /// Most bytes that a layer may unpack to.
    pub(super) most: Option<u64>,
}

/// How many are fetched at once; as many are unpacked as there are processors.
const AT_ONCE: usize = 6;

/// A layer that is not larger may unpack to this much: what a system of its own may have.
const SMALL: u64 = 1 << 30;

/// Larger ones may unpack to so many times their size. gzip reaches a thousand, with zeros only.
const RATIO: u64 = 100;

/// One layer of the image.
struct Job<'a> {
    layer: &'a Descriptor,
    diff_id: &'a Digest,
    chain: Digest,
}

/// What has become of it.
enum Made {
    /// It has its place, under this name.
    Placed(String),
    /// It waits for those below it.
    Fresh(Fresh),
}

/// The names of all layers, bottom first, and the bytes of their archives.
pub(super) fn fetch(
    store: &Store,
    order: &Order<'_>,
    progress: &Progress,
) -> Result<(Vec<String>, u64)> {
    let jobs = jobs(order);
    let made = side_by_side(store, order, &jobs, progress)?;
    let mut names: Vec<String> = Vec::new();
    let mut size = 0;
    for (job, made) in jobs.iter().zip(made) {
        let name = match (made, store.placed(job.diff_id, &job.chain)) {
            // Another layer of this image may be the same.
            (_, Some(name)) | (Made::Placed(name), None) => name,
            (Made::Fresh(fresh), None) => {
                notes(&fresh, progress);
                store.place(fresh, &names, &job.chain)?
            }
        };
        size += store.layer(&name).map_or(0, |layer| layer.size);
        names.push(name);
    }
    Ok((names, size))
}

fn jobs<'a>(order: &Order<'a>) -> Vec<Job<'a>> {
    let mut below: Option<Digest> = None;
    let pairs = order
        .manifest
        .layers
        .iter()
        .zip(&order.config.rootfs.diff_ids);
    let jobs = pairs.map(|(layer, diff_id)| {
        let chain = chain_id(below.as_ref(), diff_id);
        below = Some(chain.clone());
        Job {
            layer,
            diff_id,
            chain,
        }
    });
    jobs.collect()
}

fn notes(fresh: &Fresh, progress: &Progress) {
    for note in fresh
        .layer()
        .map(|layer| layer.notes.as_slice())
        .unwrap_or_default()
    {
        progress.say(&format!("note: {note}"));
    }
}

/// Counts who unpacks.
struct Seats {
    free: Mutex<usize>,
    changed: Condvar,
}

impl Seats {
    fn with<T>(&self, work: impl FnOnce() -> T) -> T {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            free = self
                .changed
                .wait(free)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        drop(free);
        let done = work();
        *self.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_one();
        done
    }
}

fn side_by_side(
    store: &Store,
    order: &Order<'_>,
    jobs: &[Job<'_>],
    progress: &Progress,
) -> Result<Vec<Made>> {
    // The largest begin, so that none of them is the last one to be waited for.
    let mut line: Vec<usize> = (0..jobs.len()).collect();
    line.sort_by_key(|at| std::cmp::Reverse(jobs.get(*at).map_or(0, |job| job.layer.size)));
    let seats = Seats {
        free: Mutex::new(thread::available_parallelism().map_or(2, Into::into)),
        changed: Condvar::new(),
    };
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let results: Mutex<Vec<Option<Result<Made>>>> = Mutex::new(jobs.iter().map(|_| None).collect());
    let work = || {
        while !failed.load(Ordering::Relaxed) {
            let Some(at) = line.get(next.fetch_add(1, Ordering::Relaxed)) else {
                return;
            };
            let Some(job) = jobs.get(*at) else { return };
            let result = one(store, order, job, &seats, progress);
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            if let Some(place) = results
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_mut(*at)
            {
                *place = Some(result);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(jobs.len()) {
            scope.spawn(work);
        }
    });
    let all = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (mut made, mut errors) = (Vec::new(), Vec::new());
    for result in all.into_iter().flatten() {
        match result {
            Ok(one) => made.push(one),
            Err(error) => errors.push(error),
        }
    }
    let mut errors = errors.into_iter();
    match errors.next() {
        Some(first) => Err(first.also(errors)),
        None if made.len() == jobs.len() => Ok(made),
        None => Err(Error::new(
            "fetch the layers",
            Object::Nothing,
            Cause::Protocol("one is missing".to_owned()),
        )),
    }
}

fn one(
    store: &Store,
    order: &Order<'_>,
    job: &Job<'_>,
    seats: &Seats,
    progress: &Progress,
) -> Result<Made> {
    let Job {
        layer,
        diff_id,
        chain,
    } = job;
    let item = progress.item(&layer.digest, layer.size);
    let here = || store.placed(diff_id, chain).map(Made::Placed);
    if let Some(placed) = here() {
        item.done("already here");
        return Ok(placed);
    }
    item.at("waiting", 0);
    let _held = store.lock(layer.digest.hex())?;
    if let Some(placed) = here() {
        item.done("already here");
        return Ok(placed);
    }
    let mut partial = store.begin(layer)?;
    item.at("downloading", partial.length());
    order
        .source
        .blob(&mut partial, &mut |length| item.at("downloading", length))?;
    let blob = partial.finish()?;
    let most = order
        .most
        .unwrap_or_else(|| layer.size.saturating_mul(RATIO).max(SMALL));
    let mut read = |bytes| item.at("unpacking", bytes);
    let fresh = seats.with(|| store.unpack(blob, &layer.digest, most, Some(diff_id), &mut read))?;
    // It depends on nothing below: then nobody needs to wait for it to be named.
    let free = fresh
        .layer()
        .is_some_and(|layer| layer.implied.is_empty() && layer.borrowed.is_empty())
        || chain == *diff_id;
    let made = if free {
        notes(&fresh, progress);
        Made::Placed(store.place(fresh, &[], chain)?)
    } else {
        Made::Fresh(fresh)
    };
    item.done("done");
    Ok(made)
}

//! The allocator with a seal.
//!
//! After the clone the child shares nothing with its parent but a copy of its memory; the heap's
//! locks may be held by nobody who could free them, and whatever the child builds there is policy
//! that belonged into the plan. So the child's first act is [`seal`], and any later allocation, in
//! our code or in a dependency, ends it with [`SEALED_STATUS`], which the parent reports as a bug.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};

/// Exit status of a child that touched the sealed heap; no step of ours exits with it otherwise.
pub const SEALED_STATUS: i32 = 113;

static SEALED: AtomicBool = AtomicBool::new(false);

/// Ends this process at the next allocation.
pub fn seal() {
    SEALED.store(true, Ordering::Relaxed);
}

/// The system allocator behind a flag.
#[derive(Debug)]
pub struct Sealable;

// SAFETY: every call goes unchanged to `System`, which keeps GlobalAlloc's contract; the sealed
// branch does not return.
unsafe impl GlobalAlloc for Sealable {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        refuse_if_sealed();
        // SAFETY: `layout` has a non-zero size: our own caller promised it.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `alloc` above, that is from `System`, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        refuse_if_sealed();
        // SAFETY: `pointer` and `layout` are of an allocation of `System`, `size` is not zero.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn refuse_if_sealed() {
    if SEALED.load(Ordering::Relaxed) {
        super::process::exit_now(SEALED_STATUS);
    }
}

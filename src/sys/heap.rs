//! The allocator: an arena for a short life, and a seal.
//!
//! Most verbs live for less than a millisecond, and a general allocator spends a good part of that on
//! mapping and unmapping its groups. So memory is first cut off one arena in the program's own zeroed
//! data: taking is an addition, only the block cut last is given back, and the process's end frees the
//! rest. What the arena has no room for is the system's, so that a `run` of weeks grows no further.
//!
//! After the clone the child shares nothing with its parent but a copy of its memory; the heap's
//! locks may be held by nobody who could free them, and whatever the child builds there is policy
//! that belonged into the plan. So the child's first act is [`seal`], and any later allocation, in
//! our code or in a dependency, ends it with [`SEALED_STATUS`], which the parent reports as a bug.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Exit status of a child that touched the sealed heap; no step of ours exits with it otherwise.
pub const SEALED_STATUS: i32 = 113;

static SEALED: AtomicBool = AtomicBool::new(false);

/// Ends this process at the next allocation.
pub fn seal() {
    SEALED.store(true, Ordering::Relaxed);
}

/// Four times what a `create` of the default bundle takes; pages that nobody touches cost nothing.
const ROOM: usize = 1 << 20;

static ARENA: Arena<ROOM> = Arena::new();

/// The arena, then the system's allocator, behind a flag.
#[derive(Debug)]
pub struct Sealable;

// SAFETY: a block is of the arena, which gives every byte to one owner at a time, or of `System`, which
// keeps GlobalAlloc's contract; `Arena::holds` tells the two apart by address. The sealed branch does
// not return.
unsafe impl GlobalAlloc for Sealable {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        refuse_if_sealed();
        match ARENA.take(layout) {
            Some(block) => block,
            // SAFETY: `layout` has a non-zero size: our own caller promised it.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if ARENA.holds(block) {
            ARENA.give_back(block, layout.size());
            return;
        }
        // SAFETY: `block` came from `alloc` above with this layout, and not from the arena.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        refuse_if_sealed();
        if !ARENA.holds(block) {
            // SAFETY: `block` and `layout` are of an allocation of `System`, `size` is not zero.
            return unsafe { System.realloc(block, layout, size) };
        }
        if ARENA.resize(block, layout.size(), size) || size <= layout.size() {
            return block;
        }
        // SAFETY: our own caller promised that `size`, rounded up to the alignment, does not overflow.
        let larger = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: `larger` is not empty: `size` is above the old one.
        let fresh = unsafe { self.alloc(larger) };
        if !fresh.is_null() {
            // SAFETY: both blocks are of at least the old size, and do not overlap: one was taken just now.
            unsafe { std::ptr::copy_nonoverlapping(block, fresh, layout.size()) };
            ARENA.give_back(block, layout.size());
        }
        fresh
    }
}

fn refuse_if_sealed() {
    if SEALED.load(Ordering::Relaxed) {
        super::process::exit_now(SEALED_STATUS);
    }
}

/// Memory that is cut from one end; whatever lies below `cut` has an owner, or had one.
#[repr(align(64))]
struct Arena<const SIZE: usize> {
    bytes: UnsafeCell<[u8; SIZE]>,
    cut: AtomicUsize,
}

// SAFETY: `bytes` is only ever handed out as blocks that do not overlap; `cut`, which decides that, is
// changed by compare-and-exchange alone.
unsafe impl<const SIZE: usize> Sync for Arena<SIZE> {}

impl<const SIZE: usize> Arena<SIZE> {
    const fn new() -> Self {
        Arena {
            bytes: UnsafeCell::new([0; SIZE]),
            cut: AtomicUsize::new(0),
        }
    }

    fn base(&self) -> *mut u8 {
        self.bytes.get().cast()
    }

    fn holds(&self, block: *const u8) -> bool {
        self.offset(block) < SIZE
    }

    /// Beyond `SIZE` for whatever is not of the arena.
    fn offset(&self, block: *const u8) -> usize {
        block.addr().wrapping_sub(self.base().addr())
    }

    /// Cuts off a block, or nothing where too little is left.
    fn take(&self, layout: Layout) -> Option<*mut u8> {
        loop {
            let cut = self.cut.load(Ordering::Relaxed);
            let start = self
                .base()
                .addr()
                .checked_add(cut)?
                .checked_next_multiple_of(layout.align())?;
            let start = start - self.base().addr();
            let end = start
                .checked_add(layout.size())
                .filter(|end| *end <= SIZE)?;
            if self.move_cut(cut, end) {
                return Some(self.base().wrapping_add(start));
            }
        }
    }

    /// Takes back the block cut last; any other stays where it is.
    fn give_back(&self, block: *mut u8, size: usize) {
        let start = self.offset(block);
        self.move_cut(start + size, start);
    }

    /// Whether the block was the one cut last and has the new size now, at the same place.
    fn resize(&self, block: *mut u8, size: usize, new: usize) -> bool {
        let start = self.offset(block);
        let end = start.checked_add(new).filter(|end| *end <= SIZE);
        end.is_some_and(|end| self.move_cut(start + size, end))
    }

    /// The new owner of what was given back must see what its old one wrote: acquire and release.
    fn move_cut(&self, from: usize, to: usize) -> bool {
        self.cut
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{Arena, Layout};

    fn bytes(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    #[test]
    fn blocks_are_aligned_and_do_not_overlap() {
        let arena: Arena<256> = Arena::new();
        let first = arena.take(bytes(3, 1)).unwrap();
        let second = arena.take(bytes(16, 16)).unwrap();
        assert_eq!((arena.offset(first), arena.offset(second)), (0, 16));
        assert!(second.addr().is_multiple_of(16));
        assert!(arena.holds(first) && arena.holds(second));
        assert!(
            !arena.holds(first.wrapping_sub(1)) && !arena.holds(arena.base().wrapping_add(256))
        );
    }

    #[test]
    fn only_the_last_block_comes_back_or_grows_in_place() {
        let arena: Arena<256> = Arena::new();
        let first = arena.take(bytes(32, 8)).unwrap();
        let last = arena.take(bytes(32, 8)).unwrap();
        assert!(!arena.resize(first, 32, 64));
        assert!(arena.resize(last, 32, 64));
        arena.give_back(first, 32);
        arena.give_back(last, 64);
        assert_eq!(arena.take(bytes(8, 8)).unwrap(), last);
    }

    #[test]
    fn what_does_not_fit_is_left_to_the_system() {
        let arena: Arena<256> = Arena::new();
        assert_eq!(arena.take(bytes(257, 1)), None);
        let all = arena.take(bytes(200, 1)).unwrap();
        assert_eq!(arena.take(bytes(57, 1)), None);
        assert!(!arena.resize(all, 200, 257));
        assert_eq!(arena.take(bytes(usize::MAX / 4, 1)), None);
        assert!(arena.take(bytes(56, 1)).is_some());
    }

    #[test]
    fn threads_get_different_blocks() {
        let arena: Arena<65536> = Arena::new();
        let take = || {
            (0..500)
                .map(|_| arena.take(bytes(16, 16)).unwrap().addr())
                .collect::<Vec<_>>()
        };
        let mut all = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap())
                .collect::<Vec<_>>()
        });
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[1] - pair[0] >= 16));
        assert_eq!(all.len(), 2000);
    }
}

//! One thread beside the first, without what the standard library's brings: a mapping for its stack and the pages that
//! guard it, a name, a place for a panic, memory of the system's allocator. It runs a few system calls, no more.

use super::sched;
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

/// Room for system calls and their arguments, also where nothing is optimized, beside what the C library keeps there.
const ROOM: usize = 64 << 10;

#[repr(C, align(64))]
struct Stack(UnsafeCell<[u8; ROOM]>);

// SAFETY: whoever sets `TAKEN` owns it.
unsafe impl Sync for Stack {}

/// In the program's own zeroed data: pages that nobody touches cost nothing.
static STACK: Stack = Stack(UnsafeCell::new([0; ROOM]));

/// Whether there is, or was, a thread on it: there is one such thread in the life of a process.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// What the thread does, and what came of it.
struct Work<T, R> {
    line: fn(T) -> R,
    argument: Option<T>,
    answer: Option<R>,
}

/// The thread. Where this is dropped, the thread goes on by itself.
#[derive(Debug)]
pub struct Thread<T, R> {
    handle: libc::pthread_t,
    work: *mut Work<T, R>,
}

/// Begins `line` in a thread of its own, on another CPU than this one where there is one; `pthread_create(3)`. None where
/// there was one before, or none can be had. A panic of `line` ends the program.
///
/// The scheduler may leave a new thread on the CPU where it was begun, to wait there until its maker waits, while another
/// CPU has nothing to do: then nothing would be done beside anything.
pub fn begin<T: Send + 'static, R: Send + 'static>(
    argument: T,
    line: fn(T) -> R,
) -> Option<Thread<T, R>> {
    if TAKEN.swap(true, Ordering::Relaxed) {
        return None;
    }
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: the attributes live across the call, which fills them.
    if unsafe { libc::pthread_attr_init(attributes.as_mut_ptr()) } != 0 {
        return None;
    }
    let room = STACK.0.get().cast();
    // SAFETY: the stack is a static of that many bytes, and nobody else uses it: TAKEN was not set.
    if unsafe { libc::pthread_attr_setstack(attributes.as_mut_ptr(), room, ROOM) } != 0 {
        return None;
    }
    let work = Box::into_raw(Box::new(Work {
        line,
        argument: Some(argument),
        answer: None,
    }));
    let mut handle = MaybeUninit::uninit();
    // SAFETY: attributes and handle are valid; `run` gets what it expects, alone until it is joined.
    let begun = unsafe {
        libc::pthread_create(
            handle.as_mut_ptr(),
            attributes.as_ptr(),
            run::<T, R>,
            work.cast(),
        )
    };
    if begun != 0 {
        // SAFETY: no thread has begun, so it is still ours.
        drop(unsafe { Box::from_raw(work) });
        return None;
    }
    // SAFETY: pthread_create has succeeded, and so has written it.
    let handle = unsafe { handle.assume_init() };
    if let Some(others) = sched::other_cpus() {
        // Where it stays here it runs all the same, ignored.
        // SAFETY: the thread has not been joined; the set is read, of that size.
        let _ = unsafe {
            libc::pthread_setaffinity_np(handle, size_of_val(&others), &raw const others)
        };
    }
    Some(Thread { handle, work })
}

extern "C" fn run<T, R>(work: *mut c_void) -> *mut c_void {
    // SAFETY: `begin` made it, of these types, and touches it no more until this thread has ended.
    let own = unsafe { &mut *work.cast::<Work<T, R>>() };
    own.answer = own.argument.take().map(own.line);
    std::ptr::null_mut()
}

impl<T, R> Thread<T, R> {
    /// Waits for its end; pthread_join(3). What it came to.
    #[must_use]
    pub fn join(self) -> Option<R> {
        // SAFETY: the handle is that of a thread that nobody else joins: `self` is taken.
        if unsafe { libc::pthread_join(self.handle, std::ptr::null_mut()) } != 0 {
            return None;
        }
        // SAFETY: the thread has ended, so nobody else has it; it came of a Box.
        unsafe { Box::from_raw(self.work) }.answer
    }
}

#[cfg(test)]
mod tests {
    use crate::sys::sched::other_cpus;
    use std::time::{Duration, Instant};

    fn count(set: Option<libc::cpu_set_t>) -> i32 {
        // SAFETY: it reads the set.
        set.map_or(0, |set| unsafe { libc::CPU_COUNT(&set) })
    }

    /// How many others this thread has, once it has no more than so many.
    fn others(wanted: i32) -> i32 {
        let end = Instant::now() + Duration::from_secs(5);
        loop {
            let found = count(other_cpus());
            if found <= wanted || Instant::now() > end {
                return found;
            }
        }
    }

    #[test]
    fn there_is_one_on_another_cpu_and_its_answer_is_had() {
        let here = count(other_cpus());
        let wanted = (here - 1).max(0);
        let thread = super::begin(wanted, others).unwrap();
        assert!(super::begin((), |()| ()).is_none());
        assert_eq!(thread.join(), Some(wanted), "the maker has {here} others");
        assert!(super::begin((), |()| ()).is_none());
    }
}

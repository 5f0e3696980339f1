//! The program's first steps: C's `main`, in place of the standard library's own.
//!
//! That one installs handlers for stack overflows and asks the kernel some twenty things. What orbital
//! relies on of it is done here: descriptors 0 to 2 are open, a closed pipe is an error and no signal,
//! and the arguments are kept, which the standard library does not do by itself on musl.

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;

static ARGUMENTS: OnceLock<Vec<OsString>> = OnceLock::new();

/// That the program has just begun: there is one thread, and nothing of the process has been changed.
/// Made once; whoever is given it uses it before anything else, or lets it go.
#[derive(Debug)]
pub struct Beginning {
    words: Range<usize>,
}

impl Beginning {
    /// The addresses of the words of the command line, as the kernel laid them out: one after the other.
    #[must_use]
    pub fn words(&self) -> Range<usize> {
        self.words.clone()
    }
}

/// Makes `program`, a `fn(Beginning) -> i32`, what runs when the program starts; what it returns is the exit
/// status. What it prints must end with a line's end: nothing is flushed after it.
#[macro_export]
macro_rules! entry {
    ($program:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn main(
            count: ::std::ffi::c_int,
            arguments: *const *const ::std::ffi::c_char,
        ) -> ::std::ffi::c_int {
            // SAFETY: the C library calls `main` once, with its arguments as the C standard has them.
            unsafe { $crate::sys::start::begin(count, arguments, $program) }
        }
    };
}

/// Prepares the process and runs `program`.
///
/// # Safety
/// `arguments` points to `count` C strings that live, unchanged, as long as the process; no other
/// thread has begun.
pub unsafe fn begin(
    count: c_int,
    arguments: *const *const c_char,
    program: fn(Beginning) -> i32,
) -> c_int {
    open_streams();
    // SAFETY: SIG_IGN is no code of ours, and no other thread sets handlers meanwhile.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let word = |index| {
        // SAFETY: `index` is below `count`: our caller promised that many.
        let text = unsafe { *arguments.add(index) };
        // SAFETY: our caller promised a C string that lives as long as the process.
        unsafe { CStr::from_ptr(text) }
    };
    let words = (0..usize::try_from(count).unwrap_or_default()).map(word);
    let address = |word: &CStr| word.as_ptr().addr();
    let start = words.clone().next().map_or(0, address);
    let end = words
        .clone()
        .next_back()
        .map_or(0, |word| address(word) + word.count_bytes() + 1);
    let copy = |word: &CStr| OsStr::from_bytes(word.to_bytes()).to_owned();
    // Set once: this is the one place, and it runs once.
    let _ = ARGUMENTS.set(words.map(copy).collect());
    program(Beginning { words: start..end })
}

/// The words of the command line, the program's own name first.
pub fn arguments() -> &'static [OsString] {
    ARGUMENTS.get_or_init(|| std::env::args_os().collect())
}

/// A caller that closed one of the three streams would have the next file of ours take its number, and
/// messages written into it. /dev/null takes its place, as the lowest number that is free.
fn open_streams() {
    for stream in 0..3 {
        if !super::exec::is_open(stream) {
            // SAFETY: the path is a C string. Without /dev/null nothing better is to be had, ignored.
            unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) };
        }
    }
}

//! The program's first steps: C's `main`, as on Linux, so that `main.rs` is the same.

use std::ffi::OsString;
use std::sync::OnceLock;

static ARGUMENTS: OnceLock<Vec<OsString>> = OnceLock::new();

/// That the program has just begun.
#[derive(Debug)]
pub struct Beginning(());

/// Makes `program`, a `fn(Beginning) -> i32`, what runs when the program starts; what it returns is the exit
/// status. What it prints must end with a line's end: nothing is flushed after it.
#[macro_export]
macro_rules! entry {
    ($program:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn main(
            _count: ::std::ffi::c_int,
            _arguments: *const *const ::std::ffi::c_char,
        ) -> ::std::ffi::c_int {
            $crate::sys::start::begin($program)
        }
    };
}

/// Runs the program. Its arguments are not those of C's, which are not Unicode.
pub fn begin(program: fn(Beginning) -> i32) -> i32 {
    program(Beginning(()))
}

/// The words of the command line, the program's own name first.
pub fn arguments() -> &'static [OsString] {
    ARGUMENTS.get_or_init(|| std::env::args_os().collect())
}

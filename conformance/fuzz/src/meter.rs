//! How much memory one execution may take.
//!
//! The parsers build trees of what they read: a few bytes of JSON (`{"a":1}`) become a node of a map with room
//! for eleven members, so a factor is needed; what may not be is growth that is more than linear.

use cap::Cap;
use std::alloc::System;

/// Bytes for whatever does not depend on the input: tables, the command line's definitions.
const ANYWAY: usize = 4 << 20;

/// Bytes for each byte of input.
const EACH: usize = 400;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// Sets the limit for an execution on `size` bytes of input. Beyond it an allocation fails, which ends the process.
pub fn limit(size: usize) {
    let most = HEAP.allocated() + ANYWAY + EACH * size;
    // Only refused where more is taken already, which the sum rules out.
    let _ = HEAP.set_limit(most);
}

/// Takes the limit away.
pub fn release() {
    let _ = HEAP.set_limit(usize::MAX);
}

/// Lets a panic say what it has to say: its words take memory too.
pub fn unlimited_in_a_panic() {
    let say = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |what| {
        release();
        say(what);
    }));
}

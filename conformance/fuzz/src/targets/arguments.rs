//! Command lines: words with NUL between them.

use super::Depth;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

pub(super) fn run(input: &[u8]) -> Depth {
    let words = input
        .split(|byte| *byte == 0)
        .map(|word| OsString::from_vec(word.to_vec()));
    let Err(misuse) = orbital::cli::parse(words) else {
        return Depth::Done;
    };
    let line = misuse.error.one_line();
    assert!(!line.is_empty() && !line.contains('\n'), "{line:?}");
    Depth::Refused
}

//! Command lines: words with NUL between them.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

pub(super) fn run(input: &[u8]) {
    let words = input
        .split(|byte| *byte == 0)
        .map(|word| OsString::from_vec(word.to_vec()));
    if let Err(misuse) = orbital::cli::parse(words) {
        let line = misuse.error.one_line();
        assert!(!line.is_empty() && !line.contains('\n'), "{line:?}");
    }
}

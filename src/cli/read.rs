//! A whole command line → [`Request`]: what is plain without clap, the rest by it.

use super::{Global, Misuse, Request, quick, request};
use std::ffi::OsString;

/// Reads a whole command line, its first word being the program's own name: a link called `runc`
/// is told apart only by what `--version` prints.
///
/// # Errors
/// A [`Misuse`]: what is wrong, and the global flags that were understood before it.
pub fn parse(argv: impl IntoIterator<Item = OsString>) -> Result<(Global, Request), Box<Misuse>> {
    let argv: Vec<OsString> = argv.into_iter().collect();
    match quick::parse(argv.get(1..).unwrap_or_default()) {
        Some(found) => Ok(found),
        None => request::by_clap(&argv),
    }
}

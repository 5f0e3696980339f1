//! Numbers of errors in words, as the manual has them. Not for the child: it allocates.

use nix::errno::Errno;

/// An errno as `ENOENT: no such file or directory`.
#[must_use]
pub fn of_error(errno: i32) -> String {
    let known = Errno::from_raw(errno);
    if known == Errno::UnknownErrno {
        return format!("errno {errno}");
    }
    let text = known.desc();
    let mut letters = text.chars();
    // The table writes "No such file"; an acronym at the start stays as it is.
    let lowered = match (letters.next(), text.chars().nth(1)) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    };
    format!("{known:?}: {lowered}")
}

/// The name of a call as the manual has it.
#[must_use]
pub const fn of_call(call: &'static str) -> &'static str {
    call
}

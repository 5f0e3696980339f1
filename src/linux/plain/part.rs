//! What the explanation is made of.

use super::flags::words;
use std::ffi::CString;

/// One thing that is done: what, by which calls, and because of which place in config.json.
pub(super) struct Part {
    /// In words.
    pub(super) what: String,
    /// The system calls, by their names in the manual.
    pub(super) call: &'static str,
    /// A pointer; empty for what orbital does for every container.
    pub(super) from: String,
}

impl Part {
    /// Something that every container gets.
    pub(super) fn always(what: impl Into<String>, call: &'static str) -> Part {
        Part {
            what: what.into(),
            call,
            from: String::new(),
        }
    }

    /// Something that config.json asks for.
    pub(super) fn asked(
        what: impl Into<String>,
        call: &'static str,
        from: impl Into<String>,
    ) -> Part {
        Part {
            what: what.into(),
            call,
            from: from.into(),
        }
    }

    /// Something that is done only when it is asked for.
    pub(super) fn when(asked: bool, what: &str, call: &'static str, from: &str) -> Vec<Part> {
        if asked {
            vec![Part::asked(what, call, from)]
        } else {
            Vec::new()
        }
    }
}

/// A command as a shell would take it.
pub(super) fn command(argv: &[CString]) -> String {
    let quoted = argv.iter().map(|argument| {
        let text = words(argument);
        let plain = |one: char| one.is_alphanumeric() || "/.-_=:,+@%".contains(one);
        if !text.is_empty() && text.chars().all(plain) {
            text
        } else {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

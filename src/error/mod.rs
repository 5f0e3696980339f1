//! How a failure is told.
//!
//! One error type, because a program has one reader. It says what orbital was doing, about which
//! object (most often a place in config.json), why it could not, and what to change; each once.
//! Nothing here decides or logs: errors are returned, and `main` prints them.

/// What a failure was about: a place in config.json, a file, a container.
pub mod object;

/// The known word that was probably meant.
mod nearest;

/// Text for people, one line for callers.
pub mod render;

pub use nearest::nearest;
pub use object::{Object, Pointer};
use std::path::PathBuf;

/// A failure, as its reader needs it.
#[derive(Debug)]
pub struct Error(Box<Report>);

/// The parts of an [`Error`].
#[derive(Debug)]
pub struct Report {
    /// What could not be done, in words that complete "cannot …".
    pub doing: String,
    /// What it was about.
    pub object: Object,
    /// The step of the child, where the failure was in the container.
    pub step: Option<InStep>,
    /// Why.
    pub cause: Cause,
    /// What the reader can do about it, as one imperative sentence.
    pub hint: Option<String>,
    /// Failures of the clean-up that followed.
    pub also: Vec<Error>,
}

/// A step of the child's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InStep {
    /// Its number, from 1.
    pub number: u8,
    /// How many there are.
    pub of: u8,
}

/// Why something could not be done.
#[derive(Debug)]
pub enum Cause {
    /// The kernel answered with an errno.
    Os {
        /// The call, by its name in the manual.
        call: &'static str,
        /// The errno, as in errno(3).
        errno: i32,
        /// On what, where the object does not say it.
        on: Option<String>,
    },
    /// orbital itself, or the specification, refuses it.
    Refused(String),
    /// Somebody else refused it or did not keep to the rules: what was seen, as a sentence.
    Answer(String),
    /// The text is not the JSON that it should be; line and column count from 1.
    Json {
        /// Line of the first wrong byte.
        line: usize,
        /// Column of the first wrong byte.
        column: usize,
        /// What is wrong there.
        what: String,
    },
    /// A helper or hook exited with this status; the last line it printed.
    Exited {
        /// Its exit status.
        status: i32,
        /// The last line of its output, empty where it printed nothing; none where nobody saw the output.
        last_line: Option<String>,
    },
    /// A process was ended by a signal.
    Killed {
        /// The signal's number.
        signal: i32,
        /// Whether the cgroup counted an OOM kill at that time.
        oom: bool,
    },
    /// Both ends of a gate disagree: a bug.
    Protocol(String),
}

/// What every fallible function of the parent returns.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure of `doing` (words that complete "cannot …") about `object`.
    #[must_use]
    pub fn new(doing: impl Into<String>, object: Object, cause: Cause) -> Error {
        let doing = doing.into();
        Error(Box::new(Report {
            doing,
            object,
            step: None,
            cause,
            hint: None,
            also: Vec::new(),
        }))
    }

    /// A refusal of what config.json says at `pointer`.
    #[must_use]
    pub fn refused(
        doing: impl Into<String>,
        pointer: impl Into<Pointer>,
        why: impl Into<String>,
    ) -> Error {
        Error::new(doing, Object::config(pointer), Cause::Refused(why.into()))
    }

    /// A refusal about a container.
    #[must_use]
    pub fn container(doing: impl Into<String>, id: &str, why: impl Into<String>) -> Error {
        Error::new(
            doing,
            Object::Container(id.to_owned()),
            Cause::Refused(why.into()),
        )
    }

    /// A system call's answer about a file.
    #[must_use]
    pub fn file(
        doing: impl Into<String>,
        path: impl Into<PathBuf>,
        fault: crate::sys::Fault,
    ) -> Error {
        Error::new(doing, Object::File(path.into()), fault.into())
    }

    /// The same for what `std` reports; `call` is its name in the manual.
    #[must_use]
    pub fn io(
        doing: impl Into<String>,
        path: impl Into<PathBuf>,
        call: &'static str,
        error: &std::io::Error,
    ) -> Error {
        let cause = match error.raw_os_error() {
            Some(errno) => Cause::Os {
                call,
                errno,
                on: None,
            },
            None => Cause::Refused(error.to_string()),
        };
        Error::new(doing, Object::File(path.into()), cause)
    }

    /// Says that it was about something else: a flag, where a planner of config.json's saw its value.
    #[must_use]
    pub fn about(mut self, object: Object) -> Error {
        self.0.object = object;
        self
    }

    /// Says what was being done, where a reader of config.json read something else.
    #[must_use]
    pub fn doing(mut self, doing: &str) -> Error {
        doing.clone_into(&mut self.0.doing);
        self
    }

    /// Adds what the reader can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    /// Says in which step of the child it happened: its number, from 1, and that of the last.
    #[must_use]
    pub fn in_step(mut self, number: u8, of: u8) -> Error {
        self.0.step = Some(InStep { number, of });
        self
    }

    /// Adds failures of the clean-up; they never replace the first one.
    #[must_use]
    pub fn also(mut self, more: impl IntoIterator<Item = Error>) -> Error {
        self.0.also.extend(more);
        self
    }

    /// Quotes the value at a config.json pointer from the raw bytes, where that is not done yet.
    #[must_use]
    pub fn quoting(mut self, raw: &[u8]) -> Error {
        self.0.object.quote(raw);
        self
    }

    /// The parts.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.0
    }

    /// The errno, where the kernel was the cause.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        match self.0.cause {
            Cause::Os { errno, .. } => Some(errno),
            _ => None,
        }
    }
}

impl From<crate::sys::Fault> for Cause {
    fn from(fault: crate::sys::Fault) -> Cause {
        Cause::Os {
            call: fault.call.name(),
            errno: fault.errno,
            on: None,
        }
    }
}

impl std::error::Error for Error {}

/// The first of two failures, with the second beside it.
///
/// # Errors
/// Either.
pub(crate) fn both(first: Result<()>, second: Result<()>) -> Result<()> {
    match (first, second) {
        (Err(first), Err(second)) => Err(first.also([second])),
        (first, second) => first.and(second),
    }
}

//! What a failure was about.

use std::fmt::Write;
use std::path::PathBuf;

/// A JSON pointer into config.json (RFC 6901), such as `/mounts/3/options/2`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pointer(String);

impl Pointer {
    /// The pointer one level below: a property's name or an index.
    #[must_use]
    pub fn at(&self, part: impl std::fmt::Display) -> Pointer {
        /// Room for most parts, so that it is allocated once.
        const PART: usize = 16;
        let mut text = String::with_capacity(self.0.len() + PART);
        text.push_str(&self.0);
        text.push('/');
        let from = text.len();
        // A string takes whatever is written to it.
        let _ = write!(text, "{part}");
        if text.as_bytes()[from..]
            .iter()
            .any(|byte| matches!(byte, b'~' | b'/'))
        {
            let escaped = text[from..].replace('~', "~0").replace('/', "~1");
            text.truncate(from);
            text.push_str(&escaped);
        }
        Pointer(text)
    }

    /// The text of the pointer.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Pointer {
    fn from(text: &str) -> Pointer {
        Pointer(text.to_owned())
    }
}

impl From<String> for Pointer {
    fn from(text: String) -> Pointer {
        Pointer(text)
    }
}

impl From<&Pointer> for Pointer {
    fn from(pointer: &Pointer) -> Pointer {
        pointer.clone()
    }
}

/// What a failure was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// Nothing that could be named beside the act.
    Nothing,
    /// A place in config.json, and the value there as it is written, once it has been quoted.
    Config {
        /// Where.
        pointer: Pointer,
        /// The value as written, on one line; `None` when absent or not quoted yet.
        value: Option<String>,
    },
    /// A file or a directory of the host.
    File(PathBuf),
    /// A container, by its id.
    Container(String),
    /// A process, by its pid.
    Process(i32),
    /// An image, by its name.
    Image(String),
    /// Something typed on the command line.
    Argument(String),
}

impl Object {
    /// A place in config.json, to be quoted later.
    #[must_use]
    pub fn config(pointer: impl Into<Pointer>) -> Object {
        Object::Config {
            pointer: pointer.into(),
            value: None,
        }
    }

    /// Reads the value at the pointer out of the raw bytes. Long values are cut.
    pub fn quote(&mut self, raw: &[u8]) {
        const LONGEST: usize = 200;
        let Object::Config {
            pointer,
            value: value @ None,
        } = self
        else {
            return;
        };
        let Ok(document) = serde_json::from_slice::<serde_json::Value>(raw) else {
            return;
        };
        let Some(found) = document
            .pointer(pointer.as_str())
            .filter(|_| !pointer.0.is_empty())
        else {
            return;
        };
        let mut text = found.to_string();
        if text.chars().count() > LONGEST {
            text = text.chars().take(LONGEST).chain("…".chars()).collect();
        }
        *value = Some(text);
    }
}

//! What a reader of the command line has found, by the names of flags and words.

use clap::ArgMatches;
use std::ffi::OsString;

/// Takes out one after the other.
pub(super) trait Found {
    /// Whatever was typed there.
    fn value(&mut self, name: &str) -> Option<OsString>;

    /// One of the words that it knows.
    fn word(&mut self, name: &str) -> Option<String>;

    /// A number.
    fn number(&mut self, name: &str) -> Option<u32>;

    /// All values of a flag that may come several times, or all words from one on; in order.
    fn all(&mut self, name: &str) -> Vec<OsString>;

    /// Whether the switch is on.
    fn is_on(&self, name: &str) -> bool;
}

impl Found for ArgMatches {
    fn value(&mut self, name: &str) -> Option<OsString> {
        self.remove_one(name)
    }

    fn word(&mut self, name: &str) -> Option<String> {
        self.remove_one(name)
    }

    fn number(&mut self, name: &str) -> Option<u32> {
        self.remove_one(name)
    }

    fn all(&mut self, name: &str) -> Vec<OsString> {
        self.remove_many(name).into_iter().flatten().collect()
    }

    fn is_on(&self, name: &str) -> bool {
        self.get_flag(name)
    }
}

//! A runtime, and the words that it is called with.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::bundle::Bundle;

/// A runtime.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// How the report and the explanations call it.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// Its state directory.
    pub(crate) root: PathBuf,
}

impl Program {
    /// The words of `create`, without the id.
    pub(crate) fn create(&self, bundle: &Bundle, pid_file: &Path) -> Vec<OsString> {
        let mut words = self.verb("create", "--bundle");
        words.extend([bundle.arg().into(), "--pid-file".into(), pid_file.into()]);
        words
    }

    /// The words of a verb with one more.
    pub(crate) fn verb(&self, verb: &str, word: &str) -> Vec<OsString> {
        let root = self.root.clone().into_os_string();
        vec!["--root".into(), root, verb.into(), word.into()]
    }

    /// What removes the container whatever its state.
    pub(crate) fn removal(&self, id: &str) -> Vec<OsString> {
        let mut words = self.verb("delete", "--force");
        words.push(id.into());
        words
    }
}

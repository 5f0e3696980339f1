//! A store of its own, and the program run in it.

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// One test's place.
pub(crate) struct Lab {
    folder: TempDir,
    settings: Vec<(String, String)>,
}

/// What a run has left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

pub(crate) fn program() -> PathBuf {
    let named = std::env::var_os("ORBITAL_ENGINE").map(PathBuf::from);
    let named = named.expect("ORBITAL_ENGINE names the program");
    assert!(named.exists(), "{} is missing", named.display());
    named
}

impl Lab {
    pub(crate) fn new() -> Lab {
        let folder = tempfile::tempdir().expect("a folder");
        Lab {
            folder,
            settings: Vec::new(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path().join("store")
    }

    /// Writes a file of the lab, and returns its path as a word.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("mkdir");
        std::fs::write(&path, bytes).expect("write");
        path.display().to_string()
    }

    /// A variable of the environment for all runs from here on.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.settings.push((name.to_owned(), value.into()));
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(program());
        let word = |name: &str| self.path().join(name);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
            .env("HOME", self.path())
            .env("XDG_RUNTIME_DIR", word("run"))
            .env("ORBITAL_SILENCE_MS", "700");
        command.env("CONTAINERS_REGISTRIES_CONF", word("registries.conf"));
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
            .arg("--store")
            .arg(self.store())
            .arg("--state")
            .arg(word("state"));
        command.current_dir(self.path());
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        self.run_with(words, b"")
    }

    pub(crate) fn run_with(&self, words: &[&str], input: &[u8]) -> Ran {
        let mut command = self.command();
        command
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        // Who does not read it has closed it.
        let _ = child.stdin.take().expect("stdin").write_all(input);
        let output = child.wait_with_output().expect("the program ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Ran {
            status: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// The same, which must succeed; what it prints.
    #[track_caller]
    pub(crate) fn good(&self, words: &[&str]) -> String {
        let ran = self.run(words);
        assert_eq!(ran.status, 0, "{words:?}: {}", ran.err);
        ran.out.trim_end().to_owned()
    }

    /// The same, which must fail as the engine fails, with these words; all of what it says.
    #[track_caller]
    pub(crate) fn bad(&self, words: &[&str], why: &str) -> String {
        let ran = self.run(words);
        assert_eq!(ran.status, 125, "{words:?}: {ran:?}");
        assert!(
            ran.err.contains("error: cannot ") && ran.err.contains(why),
            "{words:?} says: {}",
            ran.err
        );
        ran.err
    }

    #[track_caller]
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.good(words)).expect("JSON")
    }

    /// The directories of an image's layers, bottom first.
    #[track_caller]
    pub(crate) fn layers(&self, name: &str) -> Vec<PathBuf> {
        let about = self.json(&["inspect", name]);
        let layers = about[0]["GraphDriver"]["Data"]["Layers"]
            .as_array()
            .expect("layers");
        layers
            .iter()
            .map(|layer| layer.as_str().expect("a path").into())
            .collect()
    }

    /// What is in a folder of the store.
    pub(crate) fn listed(&self, folder: &str) -> Vec<String> {
        let listed = std::fs::read_dir(self.store().join(folder))
            .into_iter()
            .flatten()
            .flatten();
        let mut names: Vec<String> = listed
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }
}

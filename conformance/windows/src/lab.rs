//! A runtime, a root of its own, bundles, and what was said. What is printed goes to files: a container keeps the
//! streams of whoever created it, and a pipe would not end before it does.

use serde_json::{Value, json};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A place for one case.
pub(crate) struct Lab {
    runtime: PathBuf,
    dweller: PathBuf,
    /// Folders with bundles and the messages that they must cause.
    pub(crate) goldens: PathBuf,
    /// A folder that is gone after the case.
    pub(crate) folder: PathBuf,
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    /// Its status.
    pub(crate) status: i32,
    /// Its standard output.
    pub(crate) out: String,
    /// Its standard error.
    pub(crate) err: String,
}

impl Said {
    /// Its output, where it succeeded.
    pub(crate) fn good(self) -> Result<String, String> {
        match self.status {
            0 => Ok(self.out),
            status => Err(format!("it exited with {status}\n{}{}", self.out, self.err)),
        }
    }

    /// Its message, where it did not.
    pub(crate) fn bad(self) -> Result<String, String> {
        match self.status {
            0 => Err(format!("it succeeded, and should not\n{}", self.out)),
            _ => Ok(self.err),
        }
    }
}

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(40);

impl Lab {
    pub(crate) fn new(
        name: &str,
        runtime: &Path,
        dweller: &Path,
        goldens: &Path,
    ) -> Result<Lab, String> {
        let folder = std::env::temp_dir()
            .join(format!("windows-suite-{}", std::process::id()))
            .join(name.replace('/', "-"));
        // One of a run that was ended, by a process of the same pid.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Lab {
            runtime: runtime.to_owned(),
            dweller: dweller.to_owned(),
            goldens: goldens.to_owned(),
            folder,
        })
    }

    /// A path in the folder, as text.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    /// The dweller's file.
    pub(crate) fn dweller(&self) -> String {
        self.dweller.to_string_lossy().into_owned()
    }

    /// A copy of the dweller in a folder of the lab, by another name, with the libraries that lie beside it.
    pub(crate) fn lodge(&self, folder: &str, name: &str) -> Result<String, String> {
        let told = |error: std::io::Error| format!("{folder}: {error}");
        let place = self.folder.join(folder);
        std::fs::create_dir_all(&place).map_err(told)?;
        std::fs::copy(&self.dweller, place.join(name)).map_err(told)?;
        let beside = self.dweller.parent().unwrap_or(&self.dweller);
        for entry in std::fs::read_dir(beside).map_err(told)?.flatten() {
            if entry
                .path()
                .extension()
                .is_some_and(|ending| ending == "dll")
            {
                std::fs::copy(entry.path(), place.join(entry.file_name())).map_err(told)?;
            }
        }
        Ok(place.to_string_lossy().into_owned())
    }

    /// Runs orbital and waits for it.
    pub(crate) fn call(&self, words: &[&str]) -> Result<Said, String> {
        let call = self.begin(words)?;
        call.finish()
    }

    /// The same, where it must succeed.
    pub(crate) fn good(&self, words: &[&str]) -> Result<String, String> {
        let said = self.call(words)?;
        said.good()
            .map_err(|why| format!("orbital {}: {why}", words.join(" ")))
    }

    /// The same, where it must not: its message.
    pub(crate) fn bad(&self, words: &[&str]) -> Result<String, String> {
        let said = self.call(words)?;
        said.bad()
            .map_err(|why| format!("orbital {}: {why}", words.join(" ")))
    }

    /// Begins to run orbital.
    pub(crate) fn begin(&self, words: &[&str]) -> Result<Call, String> {
        let told = |error: std::io::Error| format!("orbital {}: {error}", words.join(" "));
        let unique = Instant::now().elapsed().as_nanos() + u128::from(next());
        let [out, err] = ["out", "err"].map(|end| self.folder.join(format!("said-{unique}.{end}")));
        let mut command = Command::new(&self.runtime);
        command
            .arg("--root")
            .arg(self.folder.join("root"))
            .args(words);
        command.current_dir(&self.folder).stdin(Stdio::null());
        command.stdout(File::create(&out).map_err(told)?);
        command.stderr(File::create(&err).map_err(told)?);
        Ok(Call {
            child: command.spawn().map_err(told)?,
            out,
            err,
        })
    }

    /// Makes a bundle whose process is the dweller with these words; `more` is merged into config.json.
    pub(crate) fn bundle(&self, name: &str, words: &[&str], more: Value) -> Result<String, String> {
        let mut args = vec![self.dweller()];
        args.extend(words.iter().map(|word| (*word).to_owned()));
        let mut config = json!({
            "ociVersion": "1.2.0",
            "process": {"args": args, "cwd": self.path(""), "env": ["NAME=value"]},
        });
        merge(&mut config, more);
        self.write_bundle(name, &config)
    }

    /// Makes a bundle of this config.json.
    pub(crate) fn write_bundle(&self, name: &str, config: &Value) -> Result<String, String> {
        let folder = self.folder.join(name);
        let written = std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(folder.join("config.json"), config.to_string()));
        written.map_err(|error| format!("{name}: {error}"))?;
        Ok(folder.to_string_lossy().into_owned())
    }

    /// The state document.
    pub(crate) fn state(&self, id: &str) -> Result<Value, String> {
        let text = self.good(&["state", id])?;
        serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))
    }

    /// The status in it.
    pub(crate) fn status(&self, id: &str) -> Result<String, String> {
        let state = self.state(id)?;
        Ok(state["status"].as_str().unwrap_or_default().to_owned())
    }

    /// Removes what the case has left, and tells what that was.
    pub(crate) fn close(self) -> Result<(), String> {
        let text = self.call(&["list", "--quiet"])?.good()?;
        let ids: Vec<&str> = text.split_whitespace().collect();
        for id in &ids {
            self.good(&["delete", "--force", id])?;
        }
        let root = self.folder.join("root");
        let rest = std::fs::read_dir(&root).into_iter().flatten().flatten();
        let rest: Vec<_> = rest.map(|entry| entry.file_name()).collect();
        // An ended process may keep its files for a moment.
        until("the case's folder can be removed", || {
            Ok(std::fs::remove_dir_all(&self.folder).is_ok() || !self.folder.exists())
        })?;
        match (ids.as_slice(), rest.as_slice()) {
            ([], []) => Ok(()),
            (ids, rest) => Err(format!("left behind: containers {ids:?}, files {rest:?}")),
        }
    }
}

fn next() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (name, value) in more {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more,
    }
}

/// An orbital that runs.
#[derive(Debug)]
pub(crate) struct Call {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Call {
    /// Waits for it, and tells what it said.
    pub(crate) fn finish(mut self) -> Result<Said, String> {
        let limit = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().map_err(|error| error.to_string())? {
                Some(status) => break status,
                None if Instant::now() > limit => {
                    let _ = self.child.kill();
                    return Err("it did not end in time".to_owned());
                }
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let read = |path: &Path| {
            let bytes = std::fs::read(path).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Ok(Said {
            status: status.code().unwrap_or(-1),
            out: read(&self.out),
            err: read(&self.err),
        })
    }

    /// Ends it as a crash would.
    pub(crate) fn crash(mut self) -> Result<(), String> {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        ended.map(drop).map_err(|error| error.to_string())
    }
}

/// Waits until something is so.
pub(crate) fn until(
    what: &str,
    mut is_so: impl FnMut() -> Result<bool, String>,
) -> Result<(), String> {
    let limit = Instant::now() + PATIENCE;
    while !is_so()? {
        if Instant::now() > limit {
            return Err(format!("waited in vain until {what}"));
        }
        std::thread::sleep(Duration::from_millis(15));
    }
    Ok(())
}

/// The count of a dweller that ticks.
pub(crate) fn count(file: &str) -> Option<u64> {
    let text = std::fs::read_to_string(Path::new(file).with_extension("count")).ok()?;
    text.parse().ok()
}

/// Whether the dweller that ticked there is gone: its lock is free.
pub(crate) fn is_gone(file: &str) -> bool {
    match File::options().read(true).write(true).open(file) {
        Ok(file) => file.try_lock().is_ok(),
        Err(_) => false,
    }
}

/// Fails with what was found, unless it is so.
pub(crate) fn ensure(is_so: bool, found: impl Into<String>) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(found.into()) }
}

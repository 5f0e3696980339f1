//! A bundle of the command line alone: `orbital run -- powershell`. The process is the caller's in everything but
//! that it is a container: its directory, its environment, its console.

use crate::cli::Create;
use crate::error::Result;
use crate::spec::default::VERSION;
use crate::spec::{self, Bundle};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The bundle of a request.
///
/// # Errors
/// As [`spec::load`].
pub(super) fn of(request: &Create) -> Result<Bundle> {
    if request.command.is_empty() {
        return spec::load(&request.bundle);
    }
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from(r"C:\"));
    // Names that begin with = hold a current directory for each drive, and are no variables of the user's.
    let env = std::env::vars().filter(|(name, _)| !name.starts_with('=') && !name.is_empty());
    let env: Vec<String> = env.map(|(name, value)| format!("{name}={value}")).collect();
    let mut config = json!({
        "ociVersion": VERSION,
        "process": {
            "args": request.command,
            "cwd": here,
            "env": env,
        },
    });
    if let Some(line) = of_cmd(&request.command) {
        config["process"]["commandLine"] = Value::from(line);
    }
    spec::from_bytes(config.to_string().into_bytes(), here)
}

/// cmd reads what follows /c by its own rules, which know nothing of escaped quotation marks: its words are handed
/// on as they were typed.
fn of_cmd(words: &[String]) -> Option<String> {
    let name = words.first()?.to_ascii_lowercase();
    let name = name.rsplit(['\\', '/']).next()?;
    matches!(name, "cmd" | "cmd.exe").then(|| words.join(" "))
}

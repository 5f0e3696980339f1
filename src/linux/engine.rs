//! The engine's program, found and executed, as git does with its own.

use super::ask;
use crate::cli::front::Host;
use crate::error::Error;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the program is called.
const ENGINE: &str = "orbital-engine";

/// What to do about an engine that is not there.
pub const ABSENT: &str = "images and run IMAGE are orbital-engine's, which is neither beside orbital nor on PATH: make engine, then make install";

/// This host, asked only where the words leave it open.
#[derive(Debug)]
pub struct Here;

impl Host for Here {
    fn has_bundle_here(&self) -> bool {
        Path::new("config.json").exists()
    }

    fn has_container(&self, id: &OsStr) -> bool {
        let id = id.to_str().filter(|id| !id.contains('/') && !id.is_empty());
        let home = ask::home().ok();
        id.zip(home)
            .is_some_and(|(id, home)| home.join(id).is_dir())
    }
}

/// Executes orbital-engine with these words: the one beside this program, else the one on PATH. Returns only
/// where there is none (`None`), or where it cannot be executed.
#[must_use]
pub fn execute(words: &[OsString]) -> Option<Error> {
    let program = beside().or_else(on_path)?;
    let error = Command::new(&program).args(words).exec();
    Some(Error::io("start the engine", program, "execve", &error))
}

fn beside() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    is_program(own.with_file_name(ENGINE))
}

fn on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        // An empty part would mean the caller's folder, which anybody may have filled.
        .filter(|folder| folder.is_absolute())
        .find_map(|folder| is_program(folder.join(ENGINE)))
}

fn is_program(path: PathBuf) -> Option<PathBuf> {
    use rustix::fs::{Access, access};
    (path.is_file() && access(&path, Access::EXEC_OK).is_ok()).then_some(path)
}

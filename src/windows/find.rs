//! From a program's name to its file. CreateProcessW would look beside orbital's own file and in the caller's
//! current directory first: whoever may write there would choose the container's program. So it is looked for here.

use crate::error::{Error, Result};
use crate::plan::job::{Process, command};
use std::path::{Path, PathBuf};

/// The endings that CreateProcessW can execute; a name without one of them gets the first.
const ENDINGS: [&str; 2] = ["exe", "com"];

const DOING: &str = "execute the process";

/// The file of this process's program.
///
/// # Errors
/// A program that is not there; a script for cmd, which has to be named with its interpreter.
pub(super) fn program(process: &Process) -> Result<String> {
    let name = Path::new(&process.program);
    let ending = name
        .extension()
        .map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    if matches!(ending.as_deref(), Some("bat" | "cmd")) {
        // cmd would read the arguments by rules of its own: what is quoted here is not there (CVE-2024-24576).
        let why = "it is a script for cmd, which would read its arguments in another way than they are written";
        return Err(Error::refused(DOING, &process.pointer, why)
            .hint("name the interpreter in commandLine: cmd.exe /d /c \"…\""));
    }
    let found = candidates(process, name)
        .into_iter()
        .find(|path| path.is_file());
    match found {
        Some(path) => Ok(path.to_string_lossy().into_owned()),
        None => {
            // Callers look for these very words.
            let why = format!(
                "exec: {:?}: executable file not found in $PATH",
                process.program
            );
            Err(Error::refused(DOING, &process.pointer, why)
                .hint("give the program's whole path, or set PATH in /process/env"))
        }
    }
}

fn candidates(process: &Process, name: &Path) -> Vec<PathBuf> {
    let folders = match process.program.contains(['\\', '/', ':']) {
        true => vec![PathBuf::from(&process.cwd)],
        false => folders(&process.env),
    };
    let known = name.extension().is_some_and(|ending| {
        ENDINGS
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    });
    let mut names = Vec::new();
    if known {
        names.push(name.as_os_str().to_owned());
    } else {
        for ending in ENDINGS {
            let mut longer = name.as_os_str().to_owned();
            longer.push(".");
            longer.push(ending);
            names.push(longer);
        }
        names.push(name.as_os_str().to_owned());
    }
    let all = folders
        .iter()
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    all.collect()
}

/// The absolute folders of the process's PATH, then Windows' own.
fn folders(env: &[String]) -> Vec<PathBuf> {
    let path = env.iter().find_map(|variable| {
        let (name, value) = variable.split_once('=')?;
        name.eq_ignore_ascii_case("PATH").then_some(value)
    });
    let given = path
        .unwrap_or_default()
        .split(';')
        .map(|folder| folder.trim_matches('"'));
    let mut folders: Vec<PathBuf> = given
        .filter(|folder| command::is_absolute(folder))
        .map(PathBuf::from)
        .collect();
    let root = PathBuf::from(system_root());
    folders.push(root.join("System32"));
    folders.push(root);
    folders
}

/// The environment with SystemRoot in it, without which Windows' own libraries do not work.
pub(super) fn completed(env: &[String]) -> Vec<String> {
    let has = env.iter().any(|variable| {
        variable
            .split('=')
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("SystemRoot"))
    });
    let mut env = env.to_vec();
    if !has {
        env.push(format!("SystemRoot={}", system_root()));
    }
    env
}

fn system_root() -> String {
    let root = std::env::var("SystemRoot")
        .ok()
        .filter(|root| !root.is_empty());
    root.unwrap_or_else(|| r"C:\Windows".to_owned())
}

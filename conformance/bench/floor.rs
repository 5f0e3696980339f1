//! Builds the floor program, floor.c, beside this binary.
//!
//! Its C library is part of what it measures: starting glibc costs a multiple of starting musl,
//! so a floor without musl is a lenient one, and the report says which it was.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SOURCE: &str = include_str!("floor.c");

/// The built program.
#[derive(Debug)]
pub(crate) struct Floor {
    pub(crate) path: PathBuf,
    /// The compiler that served.
    pub(crate) made_with: &'static str,
}

/// Tries musl-gcc, then cc; always anew, so that it cannot be older than its source.
pub(crate) fn build() -> Result<Floor, String> {
    let me = std::env::current_exe().map_err(|e| format!("cannot find this program: {e}"))?;
    let path = me.with_file_name("floor");
    let mut reasons = Vec::new();
    for compiler in ["musl-gcc", "cc"] {
        match compile(compiler, &path) {
            Ok(()) => {
                return Ok(Floor {
                    path,
                    made_with: compiler,
                });
            }
            Err(reason) => reasons.push(format!("{compiler}: {reason}")),
        }
    }
    Err(format!(
        "cannot build the floor program ({}); Debian's musl-tools has a compiler for it",
        reasons.join("; ")
    ))
}

fn compile(compiler: &str, output: &Path) -> Result<(), String> {
    let mut child = Command::new(compiler)
        .args(["-static", "-O2", "-x", "c", "-o"])
        .arg(output)
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| e.to_string())?;
    if let Some(mut input) = child.stdin.take() {
        // A compiler that ends early says more by its exit than the broken pipe does.
        let _ = input.write_all(SOURCE.as_bytes());
    }
    let done = child.wait_with_output().map_err(|e| e.to_string())?;
    match done.status.success() {
        true => Ok(()),
        false => Err(first_line(&done.stderr, &done.status.to_string())),
    }
}

/// The first line that says something, or the other text.
pub(crate) fn first_line(bytes: &[u8], otherwise: &str) -> String {
    String::from_utf8_lossy(bytes)
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or(otherwise)
        .to_owned()
}

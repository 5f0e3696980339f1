//! Completions, each where its shell looks for it.

use crate::PROGRAM;
use clap_complete::{Shell, generate};
use orbital::cli::help::whole;
use std::path::PathBuf;

/// Every script: its path below share, its bytes.
pub(crate) fn all() -> Vec<(PathBuf, Vec<u8>)> {
    let scripts = [
        (Shell::Bash, "bash-completion/completions/orbital"),
        (Shell::Zsh, "zsh/site-functions/_orbital"),
        (Shell::Fish, "fish/vendor_completions.d/orbital.fish"),
    ];
    let script = |(shell, path)| {
        let mut bytes = Vec::new();
        generate(shell, &mut whole(PROGRAM), PROGRAM, &mut bytes);
        (PathBuf::from(path), bytes)
    };
    scripts.map(script).into()
}

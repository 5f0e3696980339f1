//! Completions, each where its shell looks for it.

use crate::PROGRAM;
use clap_complete::{Shell, generate};
use std::path::PathBuf;

/// All that may be typed.
#[cfg(not(feature = "engine"))]
pub(crate) fn typed() -> clap::Command {
    orbital::cli::help::whole(PROGRAM)
}

#[cfg(feature = "engine")]
pub(crate) use crate::engine::typed;

/// Every script: its path below share, its bytes.
pub(crate) fn all() -> Vec<(PathBuf, Vec<u8>)> {
    let scripts = [
        (Shell::Bash, "bash-completion/completions/orbital"),
        (Shell::Zsh, "zsh/site-functions/_orbital"),
        (Shell::Fish, "fish/vendor_completions.d/orbital.fish"),
    ];
    let script = |(shell, path)| {
        let mut bytes = Vec::new();
        generate(shell, &mut typed(), PROGRAM, &mut bytes);
        (PathBuf::from(path), bytes)
    };
    scripts.map(script).into()
}

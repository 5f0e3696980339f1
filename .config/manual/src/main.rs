//! `manual DIR`: writes the man pages (one for orbital, one per verb) and the completions for bash, zsh and fish
//! below DIR, as `make install` puts them under PREFIX/share. They come from the definitions that orbital parses
//! its command line with (`src/cli/args.rs`, and with the feature `engine` those below `src/engine/cli`), so they
//! cannot say anything else.

use std::path::Path;
use std::process::ExitCode;

/// Pages of section 1.
mod pages;

/// The engine's, beside the runtime's.
#[cfg(feature = "engine")]
mod engine;

/// Completions.
mod shells;

#[cfg(test)]
mod tests;

/// As it is typed.
const PROGRAM: &str = "orbital";

fn main() -> ExitCode {
    let Some(dir) = std::env::args_os().nth(1) else {
        eprintln!("usage: manual DIR");
        return ExitCode::from(2);
    };
    match write(Path::new(&dir)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("manual: cannot write below {}: {error}", dir.display());
            ExitCode::FAILURE
        }
    }
}

fn write(dir: &Path) -> std::io::Result<()> {
    let mut files = pages::all()?;
    #[cfg(feature = "engine")]
    files.extend(engine::pages()?);
    files.extend(shells::all());
    for (name, bytes) in files {
        let path = dir.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, bytes)?;
    }
    Ok(())
}

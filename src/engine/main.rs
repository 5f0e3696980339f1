//! argv → one verb of `engine/cli` → exit status.

use orbital::engine::cli;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::carry_out(&std::env::args_os().collect::<Vec<_>>()) {
        Ok(status) => status.into(),
        Err(failed) => {
            // Who closed standard error does not want to know.
            let _ = writeln!(std::io::stderr(), "error: {}", failed.error);
            failed.status.into()
        }
    }
}

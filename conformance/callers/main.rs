//! `callers`: what people do with podman, containerd, Docker and buildah, with one runtime after the other below.
//!
//! Each case is an act of a user and what they would notice. It is told here once and goes through every runtime
//! named on the command line; the last of them is judged, those before it are its peers, which show that the case
//! is right. The callers are the machine's own programs: this must be run as root on a machine with unified
//! cgroups and systemd, such as the one in `vm/`. What this does *not* do: look at the runtime's command line or
//! files; that is the suite's. How to read the report, and how to add a case: callers/README.md.

use std::process::ExitCode;

/// The command line.
mod args;

/// Words of a failure.
#[path = "../src/check.rs"]
#[allow(dead_code, reason = "the suite uses the rest")]
mod check;

/// A case: its name, what it needs, who is known to do otherwise.
mod case;

/// All callers, and all their cases.
mod all;

/// A shell's script, and what came of it.
mod said;

/// The image that all callers load, made from busybox.
mod image;

/// Where one case works, for one runtime.
mod place;

/// What a case has left behind.
mod left;

/// Cases of podman, as root and as a user.
mod podman;

/// A daemon that serves all cases of a runtime.
mod daemon;

/// Cases of docker.
mod docker;

/// Cases of containerd and its shim.
mod containerd;

/// Cases of buildah.
mod buildah;

/// Cases of conmon, called by hand.
mod conmon;

/// All cases through all runtimes.
mod lanes;

/// The table, for people and for the exit status.
mod report;

use args::Args;

fn main() -> ExitCode {
    match args::parse(std::env::args().skip(1)).and_then(|args| judge(&args)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("callers: {message}");
            ExitCode::from(2)
        }
    }
}

/// The whole run: whether the judged runtime does all that its peers do.
fn judge(args: &Args) -> Result<bool, String> {
    let cases = all::chosen(&args.filters);
    if args.list {
        cases.iter().for_each(|case| println!("{case}"));
        return Ok(true);
    }
    if cases.is_empty() {
        return Err(format!(
            "no case has {} in its name",
            args.filters.join(" or ")
        ));
    }
    if !nix::unistd::geteuid().is_root() {
        return Err("cannot make containers: run it as root".to_owned());
    }
    let table = lanes::run(args, &cases)?;
    let (good, counts) = (table.is_good(), table.counts());
    println!("{}", table.markdown());
    if let Some(file) = &args.report {
        let earlier = std::fs::read_to_string(file).unwrap_or_default();
        let table = table.with_rows_of(&all::chosen(&[]), &earlier);
        std::fs::write(file, table.document())
            .map_err(|e| format!("cannot write {}: {e}", file.display()))?;
    }
    println!("{counts}");
    Ok(good)
}

//! Orbital, and whoever is there to be compared with.

use std::path::PathBuf;

use crate::args::Args;
use crate::check::{Outcome, ensure};
use crate::draw::Draw;
use crate::program::Program;
use crate::report::Report;
use crate::stage::Stage;

/// Orbital, and those of its peers that can run the plainest bundle on this host. The reference
/// driver is one of them where it has been built beside this program.
pub(crate) fn gather(
    args: &Args,
    stage: &Stage,
    report: &mut Report,
) -> Outcome<(Program, Vec<Program>)> {
    let mut named = args.peers.clone();
    for name in ["crun", "runc"] {
        if named.iter().all(|(other, _)| other != name) {
            named.extend(installed(name).map(|path| (name.to_owned(), path)));
        }
    }
    let reference = std::env::current_exe()?.with_file_name("reference");
    if reference.exists() && named.iter().all(|(other, _)| other != "reference") {
        named.push(("reference".to_owned(), reference));
    }
    let program = |name: String, path: PathBuf| -> Outcome<Program> {
        let root = stage.folder(&format!("state-{name}"))?;
        Ok(Program { name, path, root })
    };
    let ours = program("orbital".to_owned(), args.orbital.clone())?;
    let plain = Draw::plain();
    let view = stage.play(&plain, &ours)?;
    ensure!(
        view.ran,
        "orbital cannot run the plainest bundle: {}",
        view.text
    );
    let mut peers = Vec::new();
    for (name, path) in named {
        let peer = program(name, path)?;
        let view = stage.play(&plain, &peer)?;
        if view.ran {
            peers.push(peer);
        } else {
            report.left_out(&peer, &view.text);
        }
    }
    ensure!(
        !peers.is_empty(),
        "there is nobody to compare with: install runc or crun"
    );
    Ok((ours, peers))
}

/// The program of that name on PATH, or in the places of system programs.
fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from))
        .map(|dir| dir.join(name))
        .find(|file| file.is_file())
}

//! A user without privileges whom no host knows, and so without a range of ids.

use super::lab::is_root;
use std::path::Path;
use std::process::Command;

/// Their id, as user and as group.
pub(super) const ID: u32 = 54_321;

/// The engine's copy in this folder, which is their home, to be run by them, or by whoever runs the tests if that is
/// not root; nothing else of ours is in the environment.
pub(super) fn engine(home: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if is_root() {
        let id = ID.to_string();
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"]);
    }
    command
        .arg(home.join("orbital-engine"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", home)
        .current_dir(home);
    command
}

/// Its exit status, and what it printed to both streams.
pub(super) fn said(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), text)
}

/// Whether this host lets them make user namespaces; where not, that the test is left out is said.
pub(super) fn may_make_user_namespaces() -> bool {
    let id = ID.to_string();
    let words = ["--reuid", &id, "--clear-groups", "unshare", "-U", "true"];
    let tried = Command::new("setpriv").args(words).status();
    let may = tried.is_ok_and(|status| status.success());
    if !may {
        println!("skipped: this host lets no user make user namespaces");
    }
    may
}

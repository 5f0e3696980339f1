//! Passwords: login, logout.

use super::{Verb, say, switch, text, value, word};
use crate::cli::flags::Extent;
use crate::engine::Outcome;
use crate::engine::auth::{AuthFile, Credentials, default_file, files};
use crate::engine::places::Places;
use crate::engine::registry::Client;
use crate::engine::registry::settings::{Endpoint, Trust};
use crate::error::{Cause, Error, Object, Result};
use clap::builder::PossibleValuesParser;
use clap::{ArgMatches, Command};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

/// The verbs of this family.
pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: "login",
        line: "keep a password for a registry",
        extent: Extent::End,
        define: define_login,
        run: login,
    },
    Verb {
        name: "logout",
        line: "forget it",
        extent: Extent::End,
        define: define_logout,
        run: logout,
    },
];

const DEFAULT: &str = "docker.io";

fn define_login(command: Command) -> Command {
    command
        .arg(word("registry", "REGISTRY", "HOST[:PORT] [docker.io]"))
        .arg(value("username", "USER", "who; asked for where it is not given").short('u'))
        .arg(
            value(
                "password",
                "PASSWORD",
                "the password, which others on this machine may see",
            )
            .short('p'),
        )
        .arg(switch(
            "password-stdin",
            "read the password from standard input",
        ))
        .arg(value(
            "authfile",
            "FILE",
            "where it is kept [$REGISTRY_AUTH_FILE, or podman's own]",
        ))
        .arg(
            value(
                "tls-verify",
                "BOOL",
                "false: any certificate will do, and plain HTTP [true]",
            )
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(PossibleValuesParser::new(["true", "false"])),
        )
        .about(
            "\
Ask a registry whether user and password are right, and keep them: in the file that podman, buildah
and skopeo read as well, or with the program that this file names.",
        )
        .after_help("Example:\n  orbital login --username ana --password-stdin quay.io < secret")
}

/// The registry's name, as it is typed: an address is let pass.
fn host(found: &ArgMatches) -> String {
    let typed = text(found, "registry").unwrap_or_else(|| DEFAULT.to_owned());
    let bare = typed
        .strip_prefix("https://")
        .or(typed.strip_prefix("http://"))
        .unwrap_or(&typed);
    bare.trim_end_matches('/').to_owned()
}

fn login(found: &ArgMatches, _: &Places) -> Outcome {
    let place = host(found);
    let user = match text(found, "username") {
        Some(user) => user,
        None => ask("Username: ", Echo::On)?,
    };
    let password = match text(found, "password") {
        Some(password) => password,
        None if found.get_flag("password-stdin") => line()?,
        None => ask("Password: ", Echo::Off)?,
    };
    let credentials = Credentials::Password { user, password };
    let name = place.split('/').next().unwrap_or_default();
    let server = if name == DEFAULT {
        "registry-1.docker.io"
    } else {
        name
    };
    let trust = match found.get_one::<String>("tls-verify").map(String::as_str) {
        Some("false") => Trust::Insecure,
        Some(_) => Trust::Verified,
        None => Trust::ByAddress,
    };
    let endpoint = Endpoint {
        host: server.to_owned(),
        path: String::new(),
        trust,
    };
    Client::new(endpoint, credentials.clone())?.ping()?;
    let file = text(found, "authfile").map_or_else(default_file, PathBuf::from);
    AuthFile::open(&file)?.keep(&place, &credentials)?;
    say(&format!("logged in to {place}"))
}

fn define_logout(command: Command) -> Command {
    command
        .arg(word("registry", "REGISTRY", "HOST[:PORT] [docker.io]"))
        .arg(switch("all", "all registries").short('a'))
        .arg(value("authfile", "FILE", "where it is kept"))
        .about("Forget the password for a registry.")
        .after_help("Example:\n  orbital logout quay.io")
}

fn logout(found: &ArgMatches, _: &Places) -> Outcome {
    let all = text(found, "authfile").map_or_else(files, |file| vec![PathBuf::from(file)]);
    let place = host(found);
    let mut known = false;
    for path in all {
        let Some(mut file) = AuthFile::read(&path)? else {
            continue;
        };
        if found.get_flag("all") {
            file.forget_all()?;
            known = true;
        } else {
            known |= file.forget(&place)?;
        }
    }
    if !known {
        let why = Cause::Refused("no password for it is kept".to_owned());
        return Err(Error::new("log out", Object::Argument(place), why).into());
    }
    say(&format!("logged out of {place}"))
}

/// Whether what is typed can be seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Echo {
    On,
    Off,
}

fn ask(question: &str, echo: Echo) -> Result<String> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let why = Cause::Refused("there is no terminal to ask at".to_owned());
        return Err(
            Error::new("ask for user and password", Object::Nothing, why)
                .hint("use --username and --password-stdin"),
        );
    }
    // A question that nobody sees is answered by nobody.
    let _ = write!(std::io::stderr(), "{question}");
    let before = tcgetattr(&stdin).ok();
    if let Some(mut silent) = before.clone().filter(|_| echo == Echo::Off) {
        silent.local_modes.remove(LocalModes::ECHO);
        let _ = tcsetattr(&stdin, OptionalActions::Now, &silent);
    }
    let answer = line();
    if let Some(before) = before.filter(|_| echo == Echo::Off) {
        let _ = tcsetattr(&stdin, OptionalActions::Now, &before);
        let _ = writeln!(std::io::stderr());
    }
    answer
}

fn line() -> Result<String> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| {
        Error::io(
            "ask for user and password",
            "standard input",
            "read",
            &error,
        )
    })?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

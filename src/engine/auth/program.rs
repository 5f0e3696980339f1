//! docker-credential-NAME: programs that keep passwords (docker-credential-helpers' protocol).

use super::Credentials;
use crate::error::{Cause, Error, Object, Result};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// Whoever has a token in place of a password is called so.
const TOKEN_USER: &str = "<token>";

/// What the program knows of this server.
pub(super) fn get(helper: &str, server: &str) -> Result<Option<Credentials>> {
    let (good, text) = call(helper, "get", server)?;
    if !good {
        if text.contains("not found") {
            return Ok(None);
        }
        return Err(failed(helper, &text));
    }
    let answer: Value =
        serde_json::from_str(&text).map_err(|_| failed(helper, "its answer is no JSON"))?;
    let part = |name: &str| {
        answer
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (user, password) = (part("Username"), part("Secret"));
    Ok(match user.as_str() {
        _ if password.is_empty() => None,
        TOKEN_USER => Some(Credentials::Token(password)),
        _ => Some(Credentials::Password { user, password }),
    })
}

/// Gives it a password to keep.
pub(super) fn store(helper: &str, server: &str, credentials: &Credentials) -> Result<()> {
    let (user, secret) = match credentials {
        Credentials::Anonymous => return Ok(()),
        Credentials::Password { user, password } => (user.as_str(), password),
        Credentials::Token(token) => (TOKEN_USER, token),
    };
    let asked = json!({"ServerURL": server, "Username": user, "Secret": secret}).to_string();
    match call(helper, "store", &asked)? {
        (true, _) => Ok(()),
        (false, text) => Err(failed(helper, &text)),
    }
}

/// Lets it forget a password.
pub(super) fn erase(helper: &str, server: &str) -> Result<()> {
    match call(helper, "erase", server)? {
        (false, text) if !text.contains("not found") => Err(failed(helper, &text)),
        _ => Ok(()),
    }
}

fn call(helper: &str, verb: &str, input: &str) -> Result<(bool, String)> {
    let program = format!("docker-credential-{helper}");
    if helper.contains('/') {
        return Err(failed(helper, "the name of a program has no slash"));
    }
    let io = |error: &std::io::Error| {
        Error::io("ask for a password", &program, "execve", error)
            .hint("install this program, or take its name out of the file that names it")
    };
    let mut child = Command::new(&program)
        .arg(verb)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| io(&error))?;
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever does not read it says why, ignored.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| io(&error))?;
    Ok((
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    ))
}

fn failed(helper: &str, why: &str) -> Error {
    let object = Object::Argument(format!("docker-credential-{helper}"));
    Error::new(
        "ask for a password",
        object,
        Cause::Answer(format!("it says {why:?}")),
    )
}

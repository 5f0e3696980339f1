//! Who we are to a registry: files and programs that docker and podman know as well.
//!
//! Looked for in this order: `--creds`; `$REGISTRY_AUTH_FILE`; `$XDG_RUNTIME_DIR/containers/auth.json`
//! (for root /run/containers/0/auth.json); `$XDG_CONFIG_HOME/containers/auth.json`;
//! `$DOCKER_CONFIG/config.json`. The first that knows the registry counts. What is written goes into the
//! first file that may be written: podman reads it, too.

/// The files: `auths`, `credHelpers`, `credsStore`.
mod file;

/// docker-credential-NAME.
mod program;

pub use file::{AuthFile, default_file, files};

use crate::engine::reference::Reference;
use crate::error::{Cause, Error, Object, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Who we are.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Nobody.
    Anonymous,
    /// A user with a password.
    Password {
        /// The name.
        user: String,
        /// The password, never shown.
        password: String,
    },
    /// Somebody who has been given a token to ask for tokens (`identitytoken`).
    Token(String),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Credentials::Anonymous => f.write_str("Anonymous"),
            Credentials::Password { user, .. } => write!(f, "Password of {user}"),
            Credentials::Token(_) => f.write_str("Token"),
        }
    }
}

impl Credentials {
    /// Reads `USER:PASSWORD`.
    ///
    /// # Errors
    /// A text without a colon.
    pub fn parse(typed: &str) -> Result<Credentials> {
        match typed.split_once(':') {
            Some((user, password)) if !user.is_empty() => Ok(Credentials::Password {
                user: user.to_owned(),
                password: password.to_owned(),
            }),
            _ => {
                let why = Cause::Refused("it is USER:PASSWORD".to_owned());
                Err(Error::new(
                    "read the credentials",
                    Object::Argument("--creds".to_owned()),
                    why,
                ))
            }
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        *self == Credentials::Anonymous
    }

    /// The value of Authorization for user and password.
    #[must_use]
    pub fn basic(&self) -> Option<String> {
        match self {
            Credentials::Password { user, password } => Some(format!(
                "Basic {}",
                STANDARD.encode(format!("{user}:{password}"))
            )),
            _ => None,
        }
    }
}

/// What the files and programs know for this image's registry.
///
/// # Errors
/// A file that is no JSON, a program that fails.
pub fn look_up(image: &Reference) -> Result<Credentials> {
    for path in files() {
        if let Some(file) = AuthFile::read(&path)?
            && let Some(found) = file.find(&image.repository())?
        {
            return Ok(found);
        }
    }
    Ok(Credentials::Anonymous)
}

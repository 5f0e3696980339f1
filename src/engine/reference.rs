//! An image's name, by Docker's rules: `alpine` is `docker.io/library/alpine:latest`.

use super::digest::Digest;
use crate::error::{Cause, Error, Object, Result};
use std::fmt::{Display, Formatter};

/// A name in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The registry as it is named: `docker.io`, `localhost:5000`.
    pub host: String,
    /// The repository: `library/alpine`.
    pub path: String,
    /// The tag; `latest` where neither tag nor digest is given.
    pub tag: Option<String>,
    /// What the manifest must be.
    pub digest: Option<Digest>,
}

const DEFAULT_HOST: &str = "docker.io";
const DEFAULT_PATH: &str = "library/";
const DEFAULT_TAG: &str = "latest";

/// Longest name without tag, and longest tag: distribution's reference grammar.
const LONGEST_NAME: usize = 255;
const LONGEST_TAG: usize = 128;

impl Reference {
    /// Reads a name as it is typed.
    ///
    /// # Errors
    /// A name that Docker's rules refuse, and why.
    pub fn parse(typed: &str) -> Result<Reference> {
        read(typed).map_err(|why| refused(typed, &why))
    }

    /// The part that may be told apart from others: without tag and digest.
    #[must_use]
    pub fn repository(&self) -> String {
        format!("{}/{}", self.host, self.path)
    }

    /// As people write it: without `docker.io/library/`.
    #[must_use]
    pub fn familiar(&self) -> String {
        familiar(&self.repository()).to_owned()
    }

    /// The tag, or the digest: what the registry is asked for. The digest wins.
    #[must_use]
    pub fn wanted(&self) -> &str {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.as_str(),
            (None, Some(tag)) => tag,
            (None, None) => DEFAULT_TAG,
        }
    }
}

/// A repository as people write it.
#[must_use]
pub fn familiar(repository: &str) -> &str {
    let Some(path) = repository.strip_prefix("docker.io/") else {
        return repository;
    };
    match path.strip_prefix(DEFAULT_PATH) {
        Some(short) if !short.contains('/') => short,
        _ => path,
    }
}

impl Display for Reference {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.host, self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

fn refused(typed: &str, why: &str) -> Error {
    Error::new(
        "read the name of an image",
        Object::Argument(typed.to_owned()),
        Cause::Refused(why.to_owned()),
    )
}

fn read(typed: &str) -> std::result::Result<Reference, String> {
    let (rest, digest) = match typed.split_once('@') {
        Some((rest, text)) => {
            let digest = Digest::parse(text);
            let digest = digest.ok_or_else(|| format!("{text:?} is no sha256 digest"))?;
            (rest, Some(digest))
        }
        None => (typed, None),
    };
    // A colon before the last slash is a port's.
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (rest, None),
    };
    if name.is_empty() {
        return Err("there is no name in it".to_owned());
    }
    if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
        return Err(format!("{tag:?} is no tag"));
    }
    let (host, path) = match name.split_once('/') {
        Some((host, path)) if is_host(host) => (host, path.to_owned()),
        _ => (DEFAULT_HOST, name.to_owned()),
    };
    let host = if host == "index.docker.io" {
        DEFAULT_HOST
    } else {
        host
    };
    check_host(host)?;
    check_path(&path)?;
    let path = if host == DEFAULT_HOST && !path.contains('/') {
        format!("{DEFAULT_PATH}{path}")
    } else {
        path
    };
    if host.len() + 1 + path.len() > LONGEST_NAME {
        return Err(format!("it is longer than {LONGEST_NAME} letters"));
    }
    let tag = match (tag, &digest) {
        (None, None) => Some(DEFAULT_TAG.to_owned()),
        (tag, _) => tag.map(str::to_owned),
    };
    Ok(Reference {
        host: host.to_owned(),
        path,
        tag,
        digest,
    })
}

/// Whether the first part of a name is a registry's.
fn is_host(part: &str) -> bool {
    part.contains(['.', ':']) || part == "localhost" || part.chars().any(|c| c.is_ascii_uppercase())
}

fn check_host(host: &str) -> std::result::Result<(), String> {
    let wrong = || format!("{host:?} is no host");
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, after)) => {
            address.parse::<std::net::Ipv6Addr>().map_err(|_| wrong())?;
            let port = if after.is_empty() {
                None
            } else {
                Some(after.strip_prefix(':').ok_or_else(wrong)?)
            };
            (None, port)
        }
        None => match host.split_once(':') {
            Some((name, port)) => (Some(name), Some(port)),
            None => (Some(host), None),
        },
    };
    let label = |label: &str| {
        let inside = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        !label.is_empty()
            && label.bytes().all(inside)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let good = name.is_none_or(|name| name.split('.').all(label))
        && port.is_none_or(|port| port.parse::<u16>().is_ok());
    if good { Ok(()) } else { Err(wrong()) }
}

fn check_path(path: &str) -> std::result::Result<(), String> {
    if path.chars().any(|c| c.is_ascii_uppercase()) {
        return Err("a repository's name has no capital letters".to_owned());
    }
    if path.len() == 64 && path.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("64 letters of hexadecimal would be taken for an image's id".to_owned());
    }
    match path.split('/').find(|part| !is_component(part)) {
        None => Ok(()),
        Some("") => Err("a part of its name is empty".to_owned()),
        Some(part) => Err(format!("{part:?} is no part of a repository's name")),
    }
}

/// Letters and digits; between them one of `.`, `_`, `__`, or any number of `-`.
fn is_component(part: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let separators = part.split(|c: char| plain(u8::try_from(c).unwrap_or(b'!')));
    let between = |s: &str| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|b| b == b'-');
    let ends =
        part.bytes().next().is_some_and(plain) && part.bytes().next_back().is_some_and(plain);
    ends && separators.into_iter().all(between)
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= LONGEST_TAG
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

#[cfg(test)]
mod tests;

//! Where an image comes from: a registry, or a file or folder of this machine.

/// A folder in the form of image-spec's image-layout.md, or such a folder in one tar.
mod layout;

/// A tar as `docker save` writes it.
mod docker;

/// The files in a tar, by name.
mod members;

use super::auth::{self, Credentials};
use super::digest::Digest;
use super::image::Descriptor;
use super::reference::Reference;
use super::registry::Client;
use super::registry::settings::{Settings, Trust};
use super::store::Partial;
use crate::error::{Cause, Error, Object, Result};
use std::path::PathBuf;

/// What is typed for an image to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// `docker://NAME`, or a name alone.
    Registry(Reference),
    /// `oci:FOLDER[:TAG]`.
    Layout(PathBuf, Option<String>),
    /// `oci-archive:FILE[:TAG]`.
    LayoutArchive(PathBuf, Option<String>),
    /// `docker-archive:FILE[:NAME]`.
    DockerArchive(PathBuf, Option<String>),
}

impl Name {
    /// Reads it.
    ///
    /// # Errors
    /// A name of an image that is none.
    pub fn parse(typed: &str) -> Result<Name> {
        let split = |rest: &str| match rest.split_once(':') {
            Some((path, tag)) if !tag.is_empty() => (PathBuf::from(path), Some(tag.to_owned())),
            Some((path, _)) => (PathBuf::from(path), None),
            None => (PathBuf::from(rest), None),
        };
        if let Some(rest) = typed.strip_prefix("docker://") {
            return Reference::parse(rest).map(Name::Registry);
        }
        for (prefix, make) in [
            ("oci:", Name::Layout as fn(PathBuf, Option<String>) -> Name),
            ("oci-archive:", Name::LayoutArchive),
            ("docker-archive:", Name::DockerArchive),
        ] {
            if let Some(rest) = typed
                .strip_prefix(prefix)
                .filter(|rest| is_path(prefix, rest))
            {
                let (path, tag) = split(rest);
                return Ok(make(path, tag));
            }
        }
        Reference::parse(typed).map(Name::Registry)
    }
}

/// `oci:latest` could be an image called oci; a path with a slash, or one that exists, could not.
fn is_path(prefix: &str, rest: &str) -> bool {
    let path = rest.split(':').next().unwrap_or_default();
    prefix != "oci:" || path.contains('/') || std::path::Path::new(path).exists()
}

/// The images of a tar, by whatever made it.
///
/// # Errors
/// A file that is neither docker's nor the OCI's.
pub fn in_archive(path: &std::path::Path) -> Result<Vec<Name>> {
    Ok(match docker::names(path)? {
        None => vec![Name::LayoutArchive(path.to_owned(), None)],
        Some(names) => names
            .into_iter()
            .map(|name| Name::DockerArchive(path.to_owned(), name))
            .collect(),
    })
}

/// How it is fetched.
#[derive(Clone, Debug)]
pub struct Access {
    /// `--creds`.
    pub credentials: Option<Credentials>,
    /// `--tls-verify`, where it was given.
    pub trust: Option<Trust>,
}

/// An image's documents and blobs.
#[derive(Debug)]
pub enum Source {
    /// A registry.
    Registry(Client, Reference),
    /// A folder or a tar, and what it calls the image.
    File(layout::Layout),
}

impl Source {
    /// All places where this may be, best first.
    ///
    /// # Errors
    /// Settings or passwords that cannot be read; files that are not what they are said to be.
    pub fn open(name: &Name, access: &Access) -> Result<Vec<Source>> {
        match name {
            Name::Registry(image) => {
                let credentials = match &access.credentials {
                    Some(given) => given.clone(),
                    None => auth::look_up(image)?,
                };
                let endpoints = Settings::read()?.endpoints(image)?;
                let own = endpoints.len() - 1;
                let clients = endpoints.into_iter().enumerate().map(|(at, mut endpoint)| {
                    endpoint.trust = access.trust.unwrap_or(endpoint.trust);
                    // The password is the registry's, not its mirrors'.
                    let credentials = if at == own {
                        credentials.clone()
                    } else {
                        mirror(&endpoint.host)?
                    };
                    Ok(Source::Registry(
                        Client::new(endpoint, credentials)?,
                        image.clone(),
                    ))
                });
                clients.collect()
            }
            Name::Layout(path, tag) => Ok(vec![Source::File(layout::Layout::folder(
                path,
                tag.as_deref(),
            )?)]),
            Name::LayoutArchive(path, tag) => Ok(vec![Source::File(layout::Layout::archive(
                path,
                tag.as_deref(),
            )?)]),
            Name::DockerArchive(path, tag) => {
                Ok(vec![Source::File(docker::open(path, tag.as_deref())?)])
            }
        }
    }

    /// What it calls itself, for messages and as the image's first name.
    #[must_use]
    pub fn reference(&self) -> Option<Reference> {
        match self {
            Source::Registry(_, image) => Some(image.clone()),
            Source::File(layout) => layout.name.clone(),
        }
    }

    /// The document that the name means.
    ///
    /// # Errors
    /// What the registry answers, or the file lacks.
    pub fn root(&self) -> Result<Vec<u8>> {
        match self {
            Source::Registry(client, image) => client.manifest(image.wanted()),
            Source::File(layout) => layout.root(),
        }
    }

    /// A manifest that an index names.
    ///
    /// # Errors
    /// As [`Source::root`].
    pub fn manifest(&self, digest: &Digest) -> Result<Vec<u8>> {
        match self {
            Source::Registry(client, _) => client.manifest(digest.as_str()),
            Source::File(layout) => layout.document(digest),
        }
    }

    /// A config.
    ///
    /// # Errors
    /// As [`Source::root`].
    pub fn config(&self, config: &Descriptor) -> Result<Vec<u8>> {
        match self {
            Source::Registry(client, _) => client.document(&config.digest),
            Source::File(layout) => layout.document(&config.digest),
        }
    }

    /// A layer.
    ///
    /// # Errors
    /// As [`Source::root`], and a disk that is full.
    pub fn blob(&self, partial: &mut Partial, grown: &mut dyn FnMut(u64)) -> Result<()> {
        match self {
            Source::Registry(client, _) => client.blob(partial, grown),
            Source::File(layout) => layout.blob(partial, grown),
        }
    }
}

fn mirror(host: &str) -> Result<Credentials> {
    let place = Reference {
        host: host.to_owned(),
        path: "mirror".to_owned(),
        tag: None,
        digest: None,
    };
    auth::look_up(&place)
}

fn broken(path: &std::path::Path, why: impl Into<String>) -> Error {
    Error::new(
        "read the image",
        Object::File(path.to_owned()),
        Cause::Answer(why.into()),
    )
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn what_is_typed_says_where_it_comes_from() {
        let layout = |path: &str, tag: Option<&str>| (path.into(), tag.map(str::to_owned));
        for (typed, expected) in [
            ("oci:./dir", layout("./dir", None)),
            ("oci:/a/dir:v1", layout("/a/dir", Some("v1"))),
            ("oci:/a/dir:", layout("/a/dir", None)),
        ] {
            assert_eq!(
                Name::parse(typed).unwrap(),
                Name::Layout(expected.0, expected.1),
                "{typed}"
            );
        }
        let archive = Name::parse("docker-archive:x.tar:alpine:3").unwrap();
        assert_eq!(
            archive,
            Name::DockerArchive("x.tar".into(), Some("alpine:3".into()))
        );
        assert!(matches!(
            Name::parse("oci:latest").unwrap(),
            Name::Registry(_)
        ));
        assert!(matches!(
            Name::parse("docker://quay.io/x").unwrap(),
            Name::Registry(_)
        ));
        assert!(Name::parse("docker://UPPER").is_err());
    }
}

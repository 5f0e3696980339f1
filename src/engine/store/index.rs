//! Names and images: images.json, read as a whole, replaced as a whole, changed under a lock.

use super::{Store, replace};
use crate::engine::digest::Digest;
use crate::engine::image::Platform;
use crate::engine::reference::Reference;
use crate::error::{Cause, Error, Object, Result};
use serde::{Deserialize, Serialize};
use std::fs;

/// One image, as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The digest of its config: what it is called by people as an id.
    pub id: Digest,
    /// `docker.io/library/alpine:latest`; none for one whose names went to others.
    pub names: Vec<String>,
    /// What its manifest hashes to, and that of the index that led to it.
    pub digests: Vec<Digest>,
    /// The repositories that these digests are known in.
    pub repositories: Vec<String>,
    /// For which machine it is.
    pub platform: Platform,
    /// When it was made, RFC 3339, as its config says.
    pub created: String,
    /// Bytes of its layers, unpacked.
    pub size: u64,
    /// The names of its layers' directories, bottom first.
    pub layers: Vec<String>,
}

impl Image {
    /// Whether the reference means this image: by its name, or by a digest known in its repository.
    #[must_use]
    pub fn is_called(&self, reference: &Reference) -> bool {
        match &reference.digest {
            Some(digest) => {
                self.digests.contains(digest) && self.repositories.contains(&reference.repository())
            }
            None => self.names.contains(&reference.to_string()),
        }
    }
}

/// images.json.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Names {
    /// Its form; 1.
    pub version: u32,
    /// In the order in which they came.
    pub images: Vec<Image>,
}

/// The form that this program writes.
const VERSION: u32 = 1;

impl Names {
    /// Adds an image, or what is new of one that is there; its names are taken from all others.
    pub fn add(&mut self, image: Image) {
        for other in &mut self.images {
            if other.id != image.id {
                other.names.retain(|name| !image.names.contains(name));
            }
        }
        match self.images.iter_mut().find(|known| known.id == image.id) {
            None => self.images.push(image),
            Some(known) => {
                union(&mut known.names, image.names);
                union(&mut known.digests, image.digests);
                union(&mut known.repositories, image.repositories);
                known.layers = image.layers;
            }
        }
    }
}

fn union<T: PartialEq>(known: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !known.contains(&one) {
            known.push(one);
        }
    }
}

impl Store {
    pub(super) fn index(&self) -> Result<Names> {
        let path = self.root().join("images.json");
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Names {
                    version: VERSION,
                    images: Vec::new(),
                });
            }
            read => {
                read.map_err(|error| Error::io("read the images' names", &path, "read", &error))?
            }
        };
        let index: Names = serde_json::from_slice(&bytes).map_err(|error| {
            let cause = Cause::Json {
                line: error.line(),
                column: error.column(),
                what: error.to_string(),
            };
            Error::new("read the images' names", Object::File(path.clone()), cause)
        })?;
        if index.version == VERSION {
            return Ok(index);
        }
        let why = format!(
            "its form is {}, and this version knows {VERSION}",
            index.version
        );
        Err(Error::new(
            "read the images' names",
            Object::File(path),
            Cause::Refused(why),
        ))
    }

    /// Changes images.json; nobody else changes it meanwhile.
    ///
    /// # Errors
    /// What `change` refuses; a file that cannot be read or written.
    pub fn change<T>(&self, change: impl FnOnce(&mut Names) -> Result<T>) -> Result<T> {
        let _held = self.lock("images")?;
        let mut index = self.index()?;
        let changed = change(&mut index)?;
        let text = serde_json::to_vec_pretty(&index).unwrap_or_default();
        replace(&self.root().join("images.json"), &text, 0o600)?;
        Ok(changed)
    }
}

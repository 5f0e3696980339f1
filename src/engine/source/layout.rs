//! A folder in the form of image-spec's image-layout.md, or such a folder in one tar.

use super::broken;
use super::members::Members;
use crate::engine::digest::Digest;
use crate::engine::image::Descriptor;
use crate::engine::image::manifest::LARGEST_DOCUMENT;
use crate::engine::reference::Reference;
use crate::engine::store::Partial;
use crate::error::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Where names stand in an index: image-spec's annotations.md.
const NAME: &str = "org.opencontainers.image.ref.name";

/// Where the files are.
#[derive(Debug)]
enum Place {
    Folder,
    Tar(Members),
}

/// An image of files.
#[derive(Debug)]
pub struct Layout {
    path: PathBuf,
    place: Place,
    /// What it is called, where that is a name.
    pub(super) name: Option<Reference>,
    root: Root,
}

/// The document that was asked for.
#[derive(Debug)]
enum Root {
    Blob(Digest),
    Made {
        bytes: Vec<u8>,
        blobs: BTreeMap<Digest, String>,
    },
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

impl Layout {
    /// A folder.
    pub(super) fn folder(path: &Path, tag: Option<&str>) -> Result<Layout> {
        let root = Root::Blob(Digest::of(b""));
        let layout = Layout {
            path: path.to_owned(),
            place: Place::Folder,
            name: None,
            root,
        };
        layout.choose(tag)
    }

    /// A tar of such a folder.
    pub(super) fn archive(path: &Path, tag: Option<&str>) -> Result<Layout> {
        let root = Root::Blob(Digest::of(b""));
        let place = Place::Tar(Members::open(path)?);
        Layout {
            path: path.to_owned(),
            place,
            name: None,
            root,
        }
        .choose(tag)
    }

    /// Of another form, with a manifest made for it and the files that its blobs are.
    pub(super) fn made(
        path: &Path,
        members: Members,
        name: Option<Reference>,
        bytes: Vec<u8>,
        blobs: BTreeMap<Digest, String>,
    ) -> Layout {
        Layout {
            path: path.to_owned(),
            place: Place::Tar(members),
            name,
            root: Root::Made { bytes, blobs },
        }
    }

    fn choose(mut self, tag: Option<&str>) -> Result<Layout> {
        let (_, file) = self.open("index.json").map_err(|error| {
            error.hint(
                "an OCI layout has an index.json; a file of docker save is docker-archive:FILE",
            )
        })?;
        let bytes = self.small(file)?;
        let index: Index = serde_json::from_slice(&bytes)
            .map_err(|error| broken(&self.path, format!("index.json: {error}")))?;
        let named = |entry: &&Descriptor| match tag {
            Some(tag) => entry.annotations.get(NAME).is_some_and(|name| name == tag),
            None => true,
        };
        let mut fitting = index.manifests.iter().filter(named);
        let chosen = match (fitting.next(), fitting.next()) {
            (Some(one), None) => one,
            (None, _) => {
                let why = tag.map_or("there is no image in it".to_owned(), |tag| {
                    format!("it has no image called {tag}")
                });
                return Err(broken(&self.path, why).hint(names(&index.manifests)));
            }
            (Some(_), Some(_)) => {
                return Err(
                    broken(&self.path, "it has several images").hint(names(&index.manifests))
                );
            }
        };
        let stem = self
            .path
            .file_stem()
            .map(|stem| stem.to_string_lossy().to_lowercase())
            .unwrap_or_default();
        let annotated = chosen.annotations.get(NAME).map(String::as_str);
        // A whole name, or a tag alone, to be put behind the folder's.
        let whole = annotated
            .filter(|name| name.contains(['/', ':']))
            .and_then(|name| Reference::parse(name).ok());
        let own = || {
            Reference::parse(&format!(
                "localhost/{stem}:{}",
                annotated.unwrap_or("latest")
            ))
            .ok()
        };
        self.name = whole.or_else(own);
        self.root = Root::Blob(chosen.digest.clone());
        Ok(self)
    }

    fn open(&self, name: &str) -> Result<(u64, Box<dyn Read + '_>)> {
        match &self.place {
            Place::Tar(members) => {
                let (size, read) = members.read(name)?;
                Ok((size, Box::new(read)))
            }
            Place::Folder => {
                let path = self.path.join(name);
                let io =
                    |error: &std::io::Error| Error::io("read the image", &path, "openat", error);
                let file = File::open(&path).map_err(|error| io(&error))?;
                let size = file.metadata().map_err(|error| io(&error))?.len();
                Ok((size, Box::new(file)))
            }
        }
    }

    fn small(&self, file: impl Read) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = file.take(LARGEST_DOCUMENT + 1).read_to_end(&mut bytes);
        read.map_err(|error| Error::io("read the image", &self.path, "read", &error))?;
        if bytes.len() as u64 > LARGEST_DOCUMENT {
            return Err(broken(
                &self.path,
                format!("a document in it has more than {LARGEST_DOCUMENT} bytes"),
            ));
        }
        Ok(bytes)
    }

    fn file_of(&self, digest: &Digest) -> String {
        match &self.root {
            Root::Made { blobs, .. } if blobs.contains_key(digest) => {
                blobs.get(digest).cloned().unwrap_or_default()
            }
            _ => format!("blobs/sha256/{}", digest.hex()),
        }
    }

    pub(super) fn root(&self) -> Result<Vec<u8>> {
        match &self.root {
            Root::Blob(digest) => self.document(digest),
            Root::Made { bytes, .. } => Ok(bytes.clone()),
        }
    }

    pub(super) fn document(&self, digest: &Digest) -> Result<Vec<u8>> {
        let bytes = self.small(self.open(&self.file_of(digest))?.1)?;
        if Digest::of(&bytes) == *digest {
            return Ok(bytes);
        }
        Err(broken(
            &self.path,
            format!(
                "the document {digest} in it hashes to {}",
                Digest::of(&bytes)
            ),
        ))
    }

    pub(super) fn blob(&self, partial: &mut Partial, grown: &mut dyn FnMut(u64)) -> Result<()> {
        let (_, mut file) = self.open(&self.file_of(&partial.wanted().digest))?;
        partial.restart()?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            let count = file
                .read(&mut buffer)
                .map_err(|error| Error::io("read the image", &self.path, "read", &error))?;
            if count == 0 {
                return Ok(());
            }
            partial.push(buffer.get(..count).unwrap_or_default())?;
            grown(partial.length());
        }
    }
}

fn names(all: &[Descriptor]) -> String {
    let names: Vec<&str> = all
        .iter()
        .filter_map(|entry| entry.annotations.get(NAME))
        .map(String::as_str)
        .collect();
    match names.as_slice() {
        [] => "its images have no names".to_owned(),
        names => format!("name one after a colon: {}", names.join(", ")),
    }
}

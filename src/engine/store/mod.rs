//! What is kept of images: blobs by their digest, layers unpacked, and the names.
//!
//! ```text
//!  images.json              names → images; replaced as a whole, under a lock
//!  blobs/sha256/HEX         manifests and configs; HEX.part is a download that may be resumed
//!  layers/NAME/fs           a layer's files, in overlay's form; NAME/layer.json what is known of it
//!  pins/WHO                 the image that a container uses, which no sweep takes away
//!  locks/…                  one per blob or layer that is being made; `sweep` is shared by all who make
//! ```
//!
//! A layer lies under its diff id, since overlay's layers do not depend on those below. Only where an
//! archive leaves out directories that a lower layer describes, it lies under its chain id, with these
//! directories as below. A layer's compressed blob is not kept once it is unpacked. Nothing is visible
//! before its digest was compared: everything is made beside its place, and renamed.
//! What is not done: fsync. After a power failure a layer may lack what had not reached the disk.

/// Names and images: images.json.
mod index;

/// Locks: who makes what.
mod lock;

/// Documents and downloads.
mod blobs;

/// Unpacked layers.
mod layers;

/// What nobody needs any more.
pub mod sweep;

pub use blobs::Partial;
pub use index::{Image, Names};
pub use layers::{Fresh, Layer, chain_id};
pub use lock::Lock;
pub use sweep::Swept;

use super::digest::Digest;
use super::image::ImageConfig;
use super::image::manifest::LARGEST_DOCUMENT;
use super::places::{Places, Who, who};
use crate::engine::reference::Reference;
use crate::engine::unpack::Overlay;
use crate::error::{Cause, Error, Object, Result};
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// What is known of a layer, beside its files.
const LAYER: &str = "layer.json";

/// The store.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// Opens it, and makes what is missing of it. Only its owner may look into it: layers have set-id programs.
    ///
    /// # Errors
    /// Directories that cannot be made.
    pub fn open(places: &Places) -> Result<Store> {
        let store = Store {
            root: places.store.clone(),
        };
        for part in ["", "blobs/sha256", "layers", "pins", "locks"] {
            let path = store.root.join(part);
            let mode = if part.is_empty() { 0o711 } else { 0o700 };
            let made = fs::DirBuilder::new()
                .recursive(true)
                .mode(mode)
                .create(&path);
            made.map_err(|error| Error::io("make the store", &path, "mkdir", &error))?;
        }
        Ok(store)
    }

    /// Its directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// In whose words layers tell overlay what is hidden: mount with `userxattr` for [`Overlay::User`].
    #[must_use]
    pub fn overlay() -> Overlay {
        match who() {
            Who::Root => Overlay::Trusted,
            Who::User => Overlay::User,
        }
    }

    /// All images, newest first.
    ///
    /// # Errors
    /// images.json that cannot be read.
    pub fn images(&self) -> Result<Vec<Image>> {
        let mut images = self.index()?.images;
        images.reverse();
        Ok(images)
    }

    /// The image of this name, digest, or beginning of an id; `None` where there is none.
    ///
    /// # Errors
    /// A name that is none, a beginning of several ids, images.json that cannot be read.
    pub fn find(&self, name: &str) -> Result<Option<Image>> {
        let images = self.index()?.images;
        if let Ok(reference) = Reference::parse(name) {
            let named = images.iter().find(|image| image.is_called(&reference));
            if let Some(image) = named {
                return Ok(Some(image.clone()));
            }
        }
        let id = name.strip_prefix("sha256:").unwrap_or(name);
        if id.len() < 3 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            // What is neither a name nor an id is told as the name that it is not.
            return Reference::parse(name).map(|_| None);
        }
        let mut fitting = images
            .into_iter()
            .filter(|image| image.id.hex().starts_with(id));
        match (fitting.next(), fitting.next()) {
            (found, None) => Ok(found),
            _ => {
                let why = Cause::Refused("the ids of several images begin so".to_owned());
                Err(
                    Error::new("find the image", Object::Image(name.to_owned()), why)
                        .hint("give more of the id's letters"),
                )
            }
        }
    }

    /// The same, where it must be there.
    ///
    /// # Errors
    /// As [`Store::find`], and an image that is not there.
    pub fn get(&self, name: &str) -> Result<Image> {
        self.find(name)?.ok_or_else(|| {
            let why = Cause::Refused("there is no such image".to_owned());
            Error::new("find the image", Object::Image(name.to_owned()), why).hint(format!(
                "orbital images shows those that are here, orbital pull {name} fetches it"
            ))
        })
    }

    /// The directories of an image's layers, bottom first, as overlay's lowerdir wants them in reverse.
    #[must_use]
    pub fn layers(&self, image: &Image) -> Vec<PathBuf> {
        image
            .layers
            .iter()
            .map(|layer| self.root.join("layers").join(layer).join(layers::FILES))
            .collect()
    }

    /// What an image says about its containers.
    ///
    /// # Errors
    /// A config that is gone or broken.
    pub fn config(&self, image: &Image) -> Result<ImageConfig> {
        ImageConfig::read(&self.document(&image.id)?, image.id.as_str())
    }

    /// A manifest or a config.
    ///
    /// # Errors
    /// A document that is gone or broken.
    pub fn document(&self, digest: &Digest) -> Result<Vec<u8>> {
        let path = self.blob(digest);
        let bytes = fs::read(&path)
            .map_err(|error| Error::io("read a document of an image", &path, "read", &error))?;
        if bytes.len() as u64 > LARGEST_DOCUMENT || Digest::of(&bytes) != *digest {
            let why = Cause::Answer("it is not what it was when it was stored".to_owned());
            return Err(Error::new(
                "read a document of an image",
                Object::File(path),
                why,
            ));
        }
        Ok(bytes)
    }

    /// Notes that `who` (a container's id) uses the image, its first or another: no sweep takes its layers.
    ///
    /// # Errors
    /// A note that cannot be written.
    pub fn pin(&self, image: &Image, who: &str, number: usize) -> Result<()> {
        let _held = self.share()?;
        let path = self.root.join("pins").join(match number {
            0 => who.to_owned(),
            number => format!("{who}+{number}"),
        });
        fs::write(&path, image.id.as_str())
            .map_err(|error| Error::io("note the image's use", path, "write", &error))
    }

    /// Takes all notes of `who` back; one that is not there is as good.
    ///
    /// # Errors
    /// A note that cannot be removed.
    pub fn unpin(&self, who: &str) -> Result<()> {
        let own = |(name, _): &(String, Digest)| name.split('+').next() == Some(who);
        for (name, _) in self.pins()?.iter().filter(|pin| own(pin)) {
            let path = self.root.join("pins").join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io("forget the image's use", path, "unlink", &error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Who uses the image.
    ///
    /// # Errors
    /// Notes that cannot be read.
    pub fn users(&self, image: &Image) -> Result<Vec<String>> {
        let pins = self.pins()?.into_iter();
        let mut users: Vec<String> = pins
            .filter(|(_, id)| *id == image.id)
            .map(|(who, _)| who.split('+').next().unwrap_or_default().to_owned())
            .collect();
        users.dedup();
        Ok(users)
    }

    fn pins(&self) -> Result<Vec<(String, Digest)>> {
        let path = self.root.join("pins");
        let entries = fs::read_dir(&path)
            .map_err(|error| Error::io("read the images' uses", path, "getdents64", &error))?;
        let pins = entries.flatten().filter_map(|entry| {
            let id = fs::read_to_string(entry.path()).ok()?;
            Some((
                entry.file_name().into_string().ok()?,
                Digest::parse(id.trim())?,
            ))
        });
        Ok(pins.collect())
    }
}

/// Writes a file beside its place and renames it there, so that nobody reads half of it.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let fresh = path.with_added_extension(format!("new-{}", std::process::id()));
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&fresh)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&fresh, path));
    written.map_err(|error| {
        // What cannot be removed either was never made, ignored.
        let _ = fs::remove_file(&fresh);
        Error::io("write a file", path, "write", &error)
    })
}

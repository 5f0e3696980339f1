//! Unpacked layers: made beside their place and renamed, and what a lower layer says of the directories
//! that an archive leaves out.

use super::{LAYER, Partial, Store};
use crate::engine::digest::{Digest, Hasher};
use crate::engine::unpack::borrow::{Loan, borrow};
use crate::engine::unpack::{Order, Unpacked, unpack};
use crate::error::{Cause, Error, Object, Result};
use crate::sys::path::{self, Links};
use rustix::fs::{Gid, Mode, OFlags, Timespec, Timestamps, Uid};
use serde::{Deserialize, Serialize};
use std::ffi::CString;
use std::fs::{self, File};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// A layer's files, in its directory.
pub(super) const FILES: &str = "fs";

/// A layer that is there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Layer {
    /// Of the archive without compression.
    pub diff_id: Digest,
    /// Bytes of that archive.
    pub size: u64,
    /// The blobs that it came from.
    pub blobs: Vec<Digest>,
    /// Directories that only a lower layer describes.
    pub implied: Vec<String>,
    /// Hard links to files of lower layers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub borrowed: Vec<(Vec<u8>, Vec<u8>)>,
    /// What was let go when it was unpacked.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// The layer as it is called among those below it: image-spec's config.md, "Layer ChainID".
#[must_use]
pub fn chain_id(below: Option<&Digest>, diff_id: &Digest) -> Digest {
    let Some(below) = below else {
        return diff_id.clone();
    };
    let mut hasher = Hasher::default();
    hasher.update(format!("{below} {diff_id}").as_bytes());
    hasher.finish()
}

impl Store {
    fn layer_path(&self, name: &str) -> PathBuf {
        self.root().join("layers").join(name)
    }

    /// What is known of the layer of this name, if it is there.
    #[must_use]
    pub fn layer(&self, name: &str) -> Option<Layer> {
        let bytes = fs::read(self.layer_path(name).join(LAYER)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Unpacks a blob into a directory beside its place; nobody sees it yet.
    ///
    /// # Errors
    /// What the worker finds wrong; another diff id than `expected`.
    pub fn unpack(
        &self,
        blob: File,
        from: &Digest,
        most: u64,
        expected: Option<&Digest>,
        read: &mut dyn FnMut(u64),
    ) -> Result<Fresh> {
        let place = self.layer_path(&format!("new-{}-{}", std::process::id(), from.hex()));
        let files = place.join(FILES);
        let fresh = Fresh {
            place,
            store: self.clone(),
            layer: None,
        };
        fs::create_dir_all(&files)
            .map_err(|error| Error::io("make a layer", &files, "mkdir", &error))?;
        set_mode(&files)?;
        let order = Order {
            target: files.display().to_string(),
            most,
            overlay: Store::overlay(),
        };
        let name = format!("layer {}", from.short());
        let unpacked = unpack(blob, &order, &name, read)?;
        if let Some(expected) = expected.filter(|expected| **expected != unpacked.diff_id) {
            let why = format!(
                "its content hashes to {}, and its image says {expected}",
                unpacked.diff_id
            );
            return Err(Error::new(
                format!("verify {name}"),
                Object::Nothing,
                Cause::Answer(why),
            ));
        }
        Ok(fresh.with(unpacked, from))
    }

    /// Puts a fresh layer in its place: by its diff id, or, where it leaves directories out that one of
    /// `below` (bottom first) has, by its chain id. Returns the name it lies under.
    ///
    /// # Errors
    /// A directory that cannot be renamed or described.
    pub fn place(&self, fresh: Fresh, below: &[String], chain: &Digest) -> Result<String> {
        let Some(mut layer) = fresh.layer.clone() else {
            return Err(Error::new(
                "place a layer",
                Object::Nothing,
                Cause::Protocol("nothing was unpacked".to_owned()),
            ));
        };
        let borrows = !layer.borrowed.is_empty();
        if borrows {
            layer
                .implied
                .extend(self.borrow(&fresh.place, &layer, below)?);
        }
        let described = self.describe(&fresh.place, &layer.implied, below)?;
        let name = if described || borrows {
            chain_name(chain)
        } else {
            layer.diff_id.hex().to_owned()
        };
        let text = serde_json::to_vec_pretty(&layer).unwrap_or_default();
        super::replace(&fresh.place.join(LAYER), &text, 0o600)?;
        let target = self.layer_path(&name);
        match fs::rename(&fresh.place, &target) {
            // Whoever was quicker has made the same.
            Err(_) if self.layer(&name).is_some() => {}
            renamed => {
                renamed.map_err(|error| Error::io("place a layer", &target, "rename", &error))?
            }
        }
        for blob in &layer.blobs {
            // A download that stays is removed by the next sweep, ignored.
            let _ = fs::remove_file(Partial::path_of(self, blob));
        }
        Ok(name)
    }

    /// The name under which a layer of this diff id lies already, in this chain.
    #[must_use]
    pub fn placed(&self, diff_id: &Digest, chain: &Digest) -> Option<String> {
        let names = [chain_name(chain), diff_id.hex().to_owned()];
        names.into_iter().find(|name| {
            let layer = self.layer(name);
            // One that leaves directories out is for another chain, unless it is the lowest.
            layer.is_some_and(|layer| {
                name.starts_with("chain-") || layer.implied.is_empty() || chain == diff_id
            })
        })
    }

    fn borrow(&self, fresh: &Path, layer: &Layer, below: &[String]) -> Result<Vec<String>> {
        let loan = Loan {
            own: fresh.join(FILES),
            lower: below
                .iter()
                .rev()
                .map(|name| self.layer_path(name).join(FILES))
                .collect(),
            links: layer.borrowed.clone(),
            overlay: Store::overlay(),
        };
        borrow(&loan, &format!("layer {}", layer.diff_id.short()))
    }

    /// Gives directories that the archive left out the owner, mode and time that the highest lower layer has
    /// for them. Whether there was any.
    fn describe(&self, fresh: &Path, implied: &[String], below: &[String]) -> Result<bool> {
        let mut described = false;
        if implied.is_empty() || below.is_empty() {
            return Ok(false);
        }
        let own = open(&fresh.join(FILES))?;
        let lower = below
            .iter()
            .rev()
            .map(|name| open(&self.layer_path(name).join(FILES)));
        let lower: Vec<OwnedFd> = lower.collect::<Result<_>>()?;
        for directory in implied {
            let name = CString::new(directory.as_str()).unwrap_or_default();
            let find = |root: &OwnedFd| path::find(root.as_fd(), &name, Links::LastItself).ok();
            let found = lower.iter().find_map(find);
            let known = found
                .and_then(|found| path::look(&found).ok())
                .filter(|known| path::kind(known).is_dir());
            if let (Some(known), Some(own)) = (known, find(&own)) {
                describe_as(&own, &known).map_err(|errno| {
                    Error::io("describe a directory", directory, "fchmod", &errno.into())
                })?;
                described = true;
            }
        }
        Ok(described)
    }
}

fn chain_name(chain: &Digest) -> String {
    format!("chain-{}", chain.hex())
}

fn open(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
        .map_err(|errno| Error::io("open a layer", path, "openat", &errno.into()))
}

fn describe_as(own: &OwnedFd, known: &rustix::fs::Stat) -> rustix::io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let own = rustix::fs::openat(own, c".", flags, Mode::empty())?;
    // A user's layers have owners that only a worker could give; the mode is what programs stumble over.
    let _ = rustix::fs::fchown(
        &own,
        Some(Uid::from_raw(known.st_uid)),
        Some(Gid::from_raw(known.st_gid)),
    );
    rustix::fs::fchmod(&own, Mode::from_raw_mode(known.st_mode & 0o7777))?;
    let time = Timespec {
        tv_sec: known.st_mtime,
        tv_nsec: i64::try_from(known.st_mtime_nsec).unwrap_or_default(),
    };
    rustix::fs::futimens(
        &own,
        &Timestamps {
            last_access: time,
            last_modification: time,
        },
    )
}

/// A root directory that its image does not describe may be entered by everybody.
fn set_mode(files: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let set = fs::set_permissions(files, fs::Permissions::from_mode(0o755));
    set.map_err(|error| Error::io("make a layer", files, "chmod", &error))
}

/// A layer that is unpacked and not placed; thrown away if it never is.
#[derive(Debug)]
pub struct Fresh {
    place: PathBuf,
    store: Store,
    layer: Option<Layer>,
}

impl Fresh {
    fn with(mut self, unpacked: Unpacked, from: &Digest) -> Fresh {
        self.layer = Some(Layer {
            diff_id: unpacked.diff_id,
            size: unpacked.size,
            blobs: vec![from.clone()],
            implied: unpacked.implied,
            borrowed: unpacked.borrowed,
            notes: unpacked.notes,
        });
        self
    }

    /// What is known of it.
    #[must_use]
    pub fn layer(&self) -> Option<&Layer> {
        self.layer.as_ref()
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if self.place.exists() {
            // What cannot be removed now is removed by the next sweep, ignored.
            let _ = super::sweep::remove_tree(&self.store, &self.place);
        }
    }
}

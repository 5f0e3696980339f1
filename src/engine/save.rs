//! Images → one tar, as `docker save` writes it. The store has layers unpacked, not as they came: their archives are
//! written anew, so an image that is saved and loaded has the same files under another id.

use super::digest::{Digest, Hasher};
use super::pack::{Pack, plain};
use super::store::{Image, Store};
use crate::error::{Error, Result};
use rustix::fs::{CWD, Mode, OFlags};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek as _, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use tar::Builder;

/// A layer's archive, on its way into the tar.
struct Packed {
    digest: Digest,
    file: File,
}

/// Counts a digest of what is written.
struct Hashed {
    file: File,
    hasher: Hasher,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hasher.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Writes the images, each under all of its names.
///
/// # Errors
/// A layer that cannot be read; whoever reads the tar is gone; a full disk.
pub(crate) fn save(store: &Store, images: &[Image], out: impl Write) -> Result<()> {
    let io = |error: std::io::Error| Error::io("save the image", "the archive", "write", &error);
    let mut tar = Builder::new(out);
    let mut written: BTreeMap<String, Digest> = BTreeMap::new();
    let mut manifest = Vec::new();
    for image in images {
        for (name, directory) in image.layers.iter().zip(store.layers(image)) {
            if !written.contains_key(name) {
                let mut packed = pack(store, &directory)?;
                let size = packed.file.stream_position().map_err(io)?;
                packed.file.rewind().map_err(io)?;
                let path = format!("{}.tar", packed.digest.hex());
                tar.append_data(&mut plain(size), path, packed.file)
                    .map_err(io)?;
                written.insert(name.clone(), packed.digest);
            }
        }
        let digests: Vec<&Digest> = image
            .layers
            .iter()
            .filter_map(|name| written.get(name))
            .collect();
        let mut config: Value =
            serde_json::from_slice(&store.document(&image.id)?).unwrap_or_default();
        if let Some(layers) = config.get_mut("rootfs") {
            *layers = json!({ "type": "layers", "diff_ids": digests });
        }
        let bytes = config.to_string().into_bytes();
        let name = format!("{}.json", Digest::of(&bytes).hex());
        tar.append_data(&mut plain(bytes.len() as u64), &name, bytes.as_slice())
            .map_err(io)?;
        let layers: Vec<String> = digests
            .iter()
            .map(|digest| format!("{}.tar", digest.hex()))
            .collect();
        manifest.push(json!({ "Config": name, "RepoTags": image.names, "Layers": layers }));
    }
    let bytes = Value::from(manifest).to_string().into_bytes();
    tar.append_data(
        &mut plain(bytes.len() as u64),
        "manifest.json",
        bytes.as_slice(),
    )
    .map_err(io)?;
    tar.into_inner().and_then(|mut out| out.flush()).map_err(io)
}

/// A file without a name in the store, which has room for a layer if any place has.
fn pack(store: &Store, directory: &Path) -> Result<Packed> {
    let io = |call, error: &std::io::Error| Error::io("save a layer", directory, call, error);
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = rustix::fs::openat(CWD, store.root(), flags, Mode::RUSR | Mode::WUSR)
        .map_err(|errno| io("openat", &errno.into()))?;
    let hashed = Hashed {
        file: file.into(),
        hasher: Hasher::default(),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let layer: OwnedFd = rustix::fs::openat(CWD, directory, flags, Mode::empty())
        .map_err(|errno| io("openat", &errno.into()))?;
    let mut pack = Pack::new(hashed, Store::overlay());
    let done = pack.content(&layer, b"").and_then(|()| pack.finish());
    let Hashed { file, hasher } = done.map_err(|error| io("read", &error))?;
    Ok(Packed {
        digest: hasher.finish(),
        file,
    })
}

//! What nobody needs any more: everything that neither an image nor a container names is removed. A mark and
//! a sweep, since counters go wrong and this cannot.

use super::{LAYER, Store};
use crate::engine::digest::Digest;
use crate::engine::image::Document;
use crate::engine::{unpack, userns};
use crate::error::{Cause, Error, Object, Result};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The word that makes this program remove a directory with a user's own ids.
pub const WORD: &str = "__remove";

/// What a sweep has removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Layers.
    pub layers: u64,
    /// Documents and downloads.
    pub blobs: u64,
    /// Bytes that these layers' archives had.
    pub bytes: u64,
}

impl Store {
    /// Removes what no image in images.json and no pin needs. Waits until nobody makes anything.
    ///
    /// # Errors
    /// What cannot be read or removed.
    pub fn sweep(&self) -> Result<Swept> {
        let _alone = self.alone()?;
        let index = self.index()?;
        let (mut layers, mut blobs) = (BTreeSet::new(), BTreeSet::new());
        let pinned: BTreeSet<Digest> = self.pins()?.into_iter().map(|(_, id)| id).collect();
        for image in &index.images {
            layers.extend(image.layers.iter().cloned());
            blobs.extend(image.digests.iter().map(|digest| digest.hex().to_owned()));
            blobs.insert(image.id.hex().to_owned());
            // An index leads to the manifest of this image.
            for digest in &image.digests {
                blobs.extend(self.named_by(digest, &image.digests));
            }
        }
        let mut swept = Swept::default();
        let gone = |kept: &BTreeSet<String>, name: &str| !kept.contains(name);
        for (name, path) in entries(&self.root().join("layers"))? {
            if gone(&layers, &name) && !self.is_pinned(&name, &pinned, &index.images) {
                let size = self.layer(&name).map_or(0, |layer| layer.size);
                remove_tree(self, &path)?;
                swept.layers += 1;
                swept.bytes += size;
            }
        }
        for (name, path) in entries(&self.root().join("blobs/sha256"))? {
            if gone(&blobs, &name) {
                fs::remove_file(&path)
                    .map_err(|error| Error::io("remove a blob", path, "unlink", &error))?;
                swept.blobs += 1;
            }
        }
        Ok(swept)
    }

    /// Documents that an index of this image names and that are among its digests.
    fn named_by(&self, digest: &Digest, known: &[Digest]) -> Vec<String> {
        let read = self
            .document(digest)
            .ok()
            .and_then(|bytes| Document::read(&bytes, digest.as_str()).ok());
        match read {
            Some(Document::Manifest(manifest)) => vec![manifest.config.digest.hex().to_owned()],
            Some(Document::Index(all)) => {
                let own = all.iter().filter(|entry| known.contains(&entry.digest));
                own.map(|entry| entry.digest.hex().to_owned()).collect()
            }
            None => Vec::new(),
        }
    }

    /// An image that is pinned stays in images.json without names, so its layers are named there.
    fn is_pinned(&self, layer: &str, pinned: &BTreeSet<Digest>, images: &[super::Image]) -> bool {
        let own = |image: &super::Image| {
            pinned.contains(&image.id) && image.layers.iter().any(|name| name == layer)
        };
        images.iter().any(own)
    }
}

fn entries(directory: &Path) -> Result<Vec<(String, std::path::PathBuf)>> {
    let listed = fs::read_dir(directory)
        .map_err(|error| Error::io("read the store", directory, "getdents64", &error))?;
    let named = listed
        .flatten()
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())));
    Ok(named.collect())
}

/// Removes a layer's directory. A user's layers belong to ids that only a user namespace of theirs may touch.
pub(super) fn remove_tree(store: &Store, path: &Path) -> Result<()> {
    let failed = |error: &std::io::Error| Error::io("remove a layer", path, "unlinkat", error);
    // Nobody takes it for a layer from here on.
    let _ = fs::remove_file(path.join(LAYER));
    match fs::remove_dir_all(path) {
        Err(error)
            if error.kind() == std::io::ErrorKind::PermissionDenied
                && Store::overlay() == unpack::Overlay::User =>
        {
            by_worker(store, path)
        }
        removed => removed.map_err(|error| failed(&error)),
    }
}

fn by_worker(store: &Store, path: &Path) -> Result<()> {
    use std::io::{BufRead, BufReader};
    let doing = "remove a layer";
    let failed = |error: &std::io::Error| Error::io(doing, store.root(), "execve", error);
    let mut child = Command::new(unpack::own_program(doing)?)
        .arg(WORD)
        .arg(path)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&error))?;
    let (pid, out) = (child.id(), child.stdout.take());
    if out
        .map(BufReader::new)
        .is_some_and(|out| out.lines().next().is_some_and(|line| line.is_ok()))
    {
        userns::give_ids(pid, doing)?;
    }
    let status = child.wait().map_err(|error| failed(&error))?;
    if status.success() {
        return Ok(());
    }
    let cause = Cause::Exited {
        status: status.code().unwrap_or_default(),
        last_line: None,
    };
    Err(Error::new(doing, Object::File(path.to_owned()), cause))
}

/// The worker's part: into the user's own ids, then everything below is removed, whatever its mode.
#[must_use]
pub fn work(path: &Path) -> u8 {
    let waiting = || println!("waiting");
    if userns::enter(waiting).is_err() {
        return 1;
    }
    open_up(path);
    u8::from(fs::remove_dir_all(path).is_err())
}

/// Directories that not even their owner may enter.
fn open_up(path: &Path) {
    let Ok(listed) = fs::read_dir(path).or_else(|_| {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
            .and_then(|()| fs::read_dir(path))
    }) else {
        return;
    };
    for entry in listed.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

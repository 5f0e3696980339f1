//! A root tar that becomes an image: one layer, and a config that says what is asked for.

use crate::engine::digest::{Digest, Hasher};
use crate::engine::image::config::{RootFs, Settings};
use crate::engine::image::manifest::{OCI_CONFIG, OCI_LAYER, OCI_MANIFEST};
use crate::engine::image::{Descriptor, ImageConfig, Manifest, Platform};
use crate::engine::reference::Reference;
use crate::engine::store::{Image, Store};
use crate::error::{Cause, Error, Object, Result};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Import {
    /// A file, or `-` for standard input.
    pub file: String,
    /// What it will be called.
    pub name: Option<Reference>,
    /// For which machine.
    pub platform: Platform,
    /// For the containers.
    pub settings: Settings,
    /// Most bytes that it may unpack to.
    pub most: Option<u64>,
}

/// Makes it, and names it in the store.
///
/// # Errors
/// A file that is no tar, or leads out of it; a full disk.
pub fn import(store: &Store, wish: &Import) -> Result<Image> {
    let _share = store.share()?;
    let (blob, digest, size) = open(store, wish)?;
    let _held = store.lock(digest.hex())?;
    let most = wish.most.unwrap_or(u64::MAX);
    let fresh = store.unpack(blob, &digest, most, None, &mut |_| {})?;
    let layer = fresh.layer().cloned();
    let diff_id = layer
        .as_ref()
        .map_or_else(|| digest.clone(), |layer| layer.diff_id.clone());
    let name = match store.placed(&diff_id, &diff_id) {
        Some(name) => name,
        None => store.place(fresh, &[], &diff_id)?,
    };
    let config = ImageConfig {
        created: crate::sys::clock::now_rfc3339(),
        platform: wish.platform.clone(),
        config: wish.settings.clone(),
        rootfs: RootFs {
            kind: "layers".to_owned(),
            diff_ids: vec![diff_id],
        },
        ..ImageConfig::default()
    };
    let config_text = serde_json::to_vec(&config).unwrap_or_default();
    let id = store.keep(&config_text)?;
    let describe = |kind: &str, digest: &Digest, size: u64| Descriptor {
        media_type: kind.to_owned(),
        digest: digest.clone(),
        size,
        platform: None,
        annotations: BTreeMap::new(),
    };
    let manifest = Manifest {
        schema_version: 2,
        media_type: OCI_MANIFEST.to_owned(),
        config: describe(OCI_CONFIG, &id, config_text.len() as u64),
        layers: vec![describe(OCI_LAYER, &digest, size)],
    };
    let manifest = store.keep(&serde_json::to_vec(&manifest).unwrap_or_default())?;
    let image = Image {
        id,
        names: wish.name.iter().map(ToString::to_string).collect(),
        digests: vec![manifest],
        repositories: wish.name.iter().map(Reference::repository).collect(),
        platform: config.platform,
        created: config.created,
        size: layer.map_or(0, |layer| layer.size),
        layers: vec![name],
    };
    store.change(|index| {
        index.add(image.clone());
        Ok(())
    })?;
    Ok(image)
}

/// The file, from its beginning, with its digest and size. What comes by a pipe is put into the store first.
fn open(store: &Store, wish: &Import) -> Result<(File, Digest, u64)> {
    let io =
        |call, error: &std::io::Error| Error::io("import the archive", &wish.file, call, error);
    let mut file = if wish.file == "-" {
        spool(store)?
    } else {
        File::open(&wish.file).map_err(|error| io("openat", &error))?
    };
    let (mut hasher, mut size) = (Hasher::default(), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer).map_err(|error| io("read", &error))?;
        if count == 0 {
            break;
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
        size += count as u64;
    }
    file.seek(SeekFrom::Start(0))
        .map_err(|error| io("lseek", &error))?;
    if size == 0 {
        let why = Cause::Answer("it is empty".to_owned());
        return Err(Error::new(
            "import the archive",
            Object::File(wish.file.clone().into()),
            why,
        ));
    }
    Ok((file, hasher.finish(), size))
}

/// Standard input in a file without a name.
fn spool(store: &Store) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = store.root();
    let io = |call, error: &std::io::Error| Error::io("import the archive", path, call, error);
    let flags = rustix::fs::OFlags::TMPFILE.bits().cast_signed();
    let made = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(flags)
        .mode(0o600)
        .open(path);
    let mut file = made.map_err(|error| io("openat", &error))?;
    std::io::copy(&mut std::io::stdin().lock(), &mut file).map_err(|error| io("write", &error))?;
    file.flush()
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .map_err(|error| io("lseek", &error))?;
    Ok(file)
}

/// `NAME value` as a Dockerfile has it: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR.
///
/// # Errors
/// Another word, or a value that it cannot have.
pub fn change(settings: &mut Settings, line: &str) -> Result<()> {
    let (word, value) = line
        .trim()
        .split_once([' ', '\t', '='])
        .unwrap_or((line, ""));
    let value = value.trim();
    let refused = |why: &str| {
        let object = Object::Argument(format!("--change {line:?}"));
        Error::new("read the changes", object, Cause::Refused(why.to_owned()))
    };
    if value.is_empty() {
        return Err(refused(
            "it is a word of a Dockerfile and a value, such as CMD [\"/bin/sh\"]",
        ));
    }
    let set = set(settings, word, value);
    set.map_err(refused)
}

fn set(settings: &mut Settings, word: &str, value: &str) -> std::result::Result<(), &'static str> {
    const NO_LIST: &str = "it is no list of strings";
    let pair = || value.split_once('=').ok_or("it has no NAME=value");
    let empty = || serde_json::Value::Object(serde_json::Map::new());
    match word.to_ascii_uppercase().as_str() {
        "CMD" => settings.cmd = command(value).ok_or(NO_LIST)?,
        "ENTRYPOINT" => settings.entrypoint = command(value).ok_or(NO_LIST)?,
        "ENV" => {
            pair()?;
            settings.env.push(value.to_owned());
        }
        "LABEL" => {
            let (name, value) = pair()?;
            settings
                .labels
                .insert(name.to_owned(), value.trim_matches('"').to_owned());
        }
        "EXPOSE" => {
            let port = if value.contains('/') {
                value.to_owned()
            } else {
                format!("{value}/tcp")
            };
            settings.exposed_ports.insert(port, empty());
        }
        "VOLUME" => {
            settings.volumes.insert(value.to_owned(), empty());
        }
        "STOPSIGNAL" => value.clone_into(&mut settings.stop_signal),
        "USER" => value.clone_into(&mut settings.user),
        "WORKDIR" => value.clone_into(&mut settings.working_dir),
        _ => {
            return Err(
                "only CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME and WORKDIR can be set",
            );
        }
    }
    Ok(())
}

/// A JSON list, or words for the image's shell.
fn command(value: &str) -> Option<Vec<String>> {
    if value.starts_with('[') {
        return serde_json::from_str(value).ok();
    }
    Some(vec![
        "/bin/sh".to_owned(),
        "-c".to_owned(),
        value.to_owned(),
    ])
}

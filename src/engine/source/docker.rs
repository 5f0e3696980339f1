//! A tar as `docker save` writes it: manifest.json names a config and the layers' files. It has no digests of
//! these, so they are hashed once; what they must unpack to the config says.

use super::broken;
use super::layout::Layout;
use super::members::Members;
use crate::engine::digest::{Digest, Hasher};
use crate::engine::image::manifest::{LARGEST_DOCUMENT, OCI_CONFIG, OCI_LAYER, OCI_MANIFEST};
use crate::engine::image::{Descriptor, Manifest};
use crate::engine::reference::Reference;
use crate::error::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// The names in it, an image without one being the only one; none where it is not docker's.
pub(super) fn names(path: &Path) -> Result<Option<Vec<Option<String>>>> {
    let members = Members::open(path)?;
    if !members.has("manifest.json") {
        return Ok(None);
    }
    let all = listed(path, &members)?;
    let mut names: Vec<Option<String>> = all
        .iter()
        .flat_map(|saved| saved.repo_tags.iter().flatten())
        .cloned()
        .map(Some)
        .collect();
    if names.is_empty() {
        names.push(None);
    }
    Ok(Some(names))
}

fn listed(path: &Path, members: &Members) -> Result<Vec<Saved>> {
    let (size, file) = members.read("manifest.json")?;
    let text = read(path, size, file)?;
    serde_json::from_slice(&text).map_err(|error| broken(path, format!("manifest.json: {error}")))
}

/// Opens it: the only image in it, or the one of this name.
pub(super) fn open(path: &Path, name: Option<&str>) -> Result<Layout> {
    let members = Members::open(path)?;
    if !members.has("manifest.json") {
        return Err(broken(path, "there is no manifest.json in it")
            .hint("a tar of an OCI layout is oci-archive:FILE"));
    }
    let all = listed(path, &members)?;
    let saved = choose(path, &all, name)?;
    let named = match name {
        Some(name) => Some(Reference::parse(name)?),
        None => saved
            .repo_tags
            .iter()
            .flatten()
            .next()
            .and_then(|name| Reference::parse(name).ok()),
    };
    let mut blobs = BTreeMap::new();
    let mut describe = |file: &str, kind: &str| -> Result<Descriptor> {
        let (size, read) = members.read(file)?;
        let digest = hash(path, read)?;
        blobs.insert(digest.clone(), file.to_owned());
        let media_type = kind.to_owned();
        Ok(Descriptor {
            media_type,
            digest,
            size,
            platform: None,
            annotations: BTreeMap::new(),
        })
    };
    let config = describe(&saved.config, OCI_CONFIG)?;
    let layers = saved
        .layers
        .iter()
        .map(|file| describe(file, OCI_LAYER))
        .collect::<Result<_>>()?;
    let manifest = Manifest {
        schema_version: 2,
        media_type: OCI_MANIFEST.to_owned(),
        config,
        layers,
    };
    let bytes = serde_json::to_vec(&manifest).unwrap_or_default();
    Ok(Layout::made(path, members, named, bytes, blobs))
}

fn choose<'a>(path: &Path, all: &'a [Saved], name: Option<&str>) -> Result<&'a Saved> {
    let tags = |saved: &'a Saved| saved.repo_tags.iter().flatten();
    let known: Vec<&str> = all.iter().flat_map(tags).map(String::as_str).collect();
    let hint = format!("name one after a colon: {}", known.join(", "));
    match (name, all) {
        (None, [one]) => Ok(one),
        (None, []) => Err(broken(path, "there is no image in it")),
        (None, _) => Err(broken(path, "it has several images").hint(hint)),
        (Some(name), all) => {
            let wanted = Reference::parse(name)?;
            let same = |tag: &String| Reference::parse(tag).is_ok_and(|tag| tag == wanted);
            let found = all.iter().find(|saved| tags(saved).any(same));
            found.ok_or_else(|| broken(path, format!("it has no image called {name}")).hint(hint))
        }
    }
}

fn read(path: &Path, size: u64, file: impl Read) -> Result<Vec<u8>> {
    if size > LARGEST_DOCUMENT {
        return Err(broken(
            path,
            format!("manifest.json has {size} bytes; {LARGEST_DOCUMENT} are the most"),
        ));
    }
    let mut bytes = Vec::new();
    let read = file.take(LARGEST_DOCUMENT).read_to_end(&mut bytes);
    read.map_err(|error| Error::io("read the image", path, "read", &error))?;
    Ok(bytes)
}

fn hash(path: &Path, mut file: impl Read) -> Result<Digest> {
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file
            .read(&mut buffer)
            .map_err(|error| Error::io("read the image", path, "read", &error))?
        {
            0 => return Ok(hasher.finish()),
            count => hasher.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

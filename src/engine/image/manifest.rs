//! Indexes and manifests, of the OCI and of Docker (schema 2). What is older, encrypted or kept elsewhere is
//! refused with a reason.

use super::Platform;
use crate::engine::digest::Digest;
use crate::error::{Cause, Error, Object, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Media types that are asked for, best first.
pub const ACCEPTED: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// The OCI's manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The OCI's config.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The OCI's layer without compression.
pub const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

const CONFIGS: [&str; 3] = [
    OCI_CONFIG,
    "application/vnd.docker.container.image.v1+json",
    "application/octet-stream",
];

/// Largest index, manifest or config, in bytes; 4 MiB, as distribution allows.
pub const LARGEST_DOCUMENT: u64 = 4 << 20;

/// Most layers of an image. Overlay takes 500.
const MOST_LAYERS: usize = 500;

/// A blob: what it is, what it must hash to, how long it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is.
    #[serde(default)]
    pub media_type: String,
    /// What its bytes hash to.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
    /// In an index: for which machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// In an OCI layout's index: its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// One image for one machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// 2.
    pub schema_version: u32,
    /// The OCI's or Docker's.
    #[serde(default)]
    pub media_type: String,
    /// The config document.
    pub config: Descriptor,
    /// Bottom first.
    pub layers: Vec<Descriptor>,
}

/// What a registry answers to a name.
#[derive(Clone, Debug)]
pub enum Document {
    /// Many manifests, one for each platform.
    Index(Vec<Descriptor>),
    /// One image.
    Manifest(Manifest),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    schema_version: Option<u32>,
    #[serde(default)]
    media_type: String,
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    fs_layers: Option<serde::de::IgnoredAny>,
    artifact_type: Option<String>,
}

impl Document {
    /// Reads what was fetched as `name`.
    ///
    /// # Errors
    /// JSON that is none; documents that are neither, or both; images of a kind that is refused.
    pub fn read(bytes: &[u8], name: &str) -> Result<Document> {
        let shape: Shape = serde_json::from_slice(bytes).map_err(|error| json(name, &error))?;
        let refuse = |why: &str| refused(name, why.to_owned());
        if shape.schema_version == Some(1)
            || shape.fs_layers.is_some()
            || shape.media_type.contains("manifest.v1+") && shape.media_type.contains("docker")
        {
            return Err(refuse(
                "its manifest is of Docker's schema 1, which has no digests of its layers' content",
            )
            .hint("push the image again with a Docker of 2017 or later"));
        }
        match (shape.manifests, shape.config, shape.layers) {
            // A document that can be read as either may show one to whoever checks it and the other to us.
            (Some(_), None, Some(_)) | (Some(_), Some(_), _) => {
                Err(refuse("its manifest is an index as well"))
            }
            (Some(manifests), None, None) => Ok(Document::Index(manifests)),
            (None, Some(config), Some(layers)) => {
                let media_type = match shape.media_type.as_str() {
                    "" => OCI_MANIFEST.to_owned(),
                    named => named.to_owned(),
                };
                let kind = shape
                    .artifact_type
                    .filter(|_| !CONFIGS.contains(&config.media_type.as_str()));
                let manifest = Manifest {
                    schema_version: 2,
                    media_type,
                    config,
                    layers,
                };
                manifest.check(name, kind.as_deref())?;
                Ok(Document::Manifest(manifest))
            }
            _ => Err(refuse("it is neither a manifest nor an index")),
        }
    }
}

impl Manifest {
    fn check(&self, name: &str, artifact: Option<&str>) -> Result<()> {
        let config = self.config.media_type.as_str();
        if artifact.is_some() || !config.is_empty() && !CONFIGS.contains(&config) {
            let kind = artifact.unwrap_or(config);
            return Err(refused(
                name,
                format!("it is no container image but an artifact of type {kind}"),
            ));
        }
        if self.config.size > LARGEST_DOCUMENT {
            return Err(refused(
                name,
                format!(
                    "its config has {} bytes; {LARGEST_DOCUMENT} are the most",
                    self.config.size
                ),
            ));
        }
        if self.layers.len() > MOST_LAYERS {
            return Err(refused(
                name,
                format!(
                    "it has {} layers; {MOST_LAYERS} are the most",
                    self.layers.len()
                ),
            ));
        }
        match self
            .layers
            .iter()
            .find_map(|layer| wrong_layer(&layer.media_type))
        {
            Some(why) => Err(refused(name, why)),
            None => Ok(()),
        }
    }
}

/// Why a layer of this type cannot be used.
fn wrong_layer(kind: &str) -> Option<String> {
    if kind.contains("encrypted") {
        return Some(format!(
            "a layer is encrypted ({kind}), and orbital holds no keys"
        ));
    }
    if kind.contains("foreign") || kind.contains("nondistributable") {
        return Some(format!(
            "a layer may not be distributed by registries ({kind}); images of Windows have such"
        ));
    }
    let known = kind.is_empty()
        || kind.starts_with("application/vnd.oci.image.layer.v1.tar")
        || kind.starts_with("application/vnd.docker.image.rootfs.diff.tar");
    (!known).then(|| format!("a layer is of type {kind}, which orbital cannot unpack"))
}

pub(crate) fn refused(name: &str, why: String) -> Error {
    Error::new(
        "use the image",
        Object::Image(name.to_owned()),
        Cause::Refused(why),
    )
}

fn json(name: &str, error: &serde_json::Error) -> Error {
    let cause = Cause::Json {
        line: error.line(),
        column: error.column(),
        what: error.to_string(),
    };
    Error::new(
        "read the image's manifest",
        Object::Image(name.to_owned()),
        cause,
    )
}

#[cfg(test)]
mod tests;

//! Layers, configs and manifests of images.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

pub(crate) fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{hex}")
}

/// One layer: as it is sent, and what it is inside.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) kind: String,
    pub(crate) blob: Vec<u8>,
    pub(crate) diff_id: String,
}

impl Layer {
    pub(crate) fn gzip(tar: &[u8]) -> Layer {
        Layer {
            kind: GZIP.to_owned(),
            blob: super::archive::gzip(tar),
            diff_id: digest(tar),
        }
    }

    pub(crate) fn zstd(tar: &[u8]) -> Layer {
        let kind = GZIP.replace("gzip", "zstd");
        Layer {
            kind,
            blob: super::archive::zstd(tar),
            diff_id: digest(tar),
        }
    }

    pub(crate) fn plain(tar: &[u8]) -> Layer {
        Layer {
            kind: GZIP.replace("+gzip", ""),
            blob: tar.to_vec(),
            diff_id: digest(tar),
        }
    }
}

/// One image.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) layers: Vec<Layer>,
    pub(crate) config: Vec<u8>,
    pub(crate) manifest: Vec<u8>,
}

pub(crate) fn described(kind: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": kind, "digest": digest(bytes), "size": bytes.len()})
}

pub(crate) fn image(layers: Vec<Layer>) -> Image {
    image_for("amd64", layers)
}

pub(crate) fn image_for(architecture: &str, layers: Vec<Layer>) -> Image {
    let settings = json!({"Env": ["A=b"], "Cmd": ["/bin/sh"], "Entrypoint": null});
    image_with(architecture, settings, layers)
}

/// The same with what it wishes for its containers.
pub(crate) fn image_with(architecture: &str, settings: Value, layers: Vec<Layer>) -> Image {
    let ids: Vec<&str> = layers.iter().map(|layer| layer.diff_id.as_str()).collect();
    let config = json!({
        "created": "2024-05-06T07:08:09Z",
        "architecture": architecture,
        "os": "linux",
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": ids},
    });
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": described(CONFIG, &config),
        "layers": layers.iter().map(|layer| described(&layer.kind, &layer.blob)).collect::<Vec<_>>(),
    });
    let manifest = manifest.to_string().into_bytes();
    Image {
        layers,
        config,
        manifest,
    }
}

/// An index of images for several machines.
pub(crate) fn index(all: &[(&str, &Image)]) -> Vec<u8> {
    let entries = all.iter().map(|(platform, image)| {
        let mut entry = described(MANIFEST, &image.manifest);
        let (os, architecture) = platform.split_once('/').expect("os/arch");
        entry["platform"] = json!({"os": os, "architecture": architecture});
        entry
    });
    let entries: Vec<Value> = entries.collect();
    json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})
        .to_string()
        .into_bytes()
}

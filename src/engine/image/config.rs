//! What an image says about the containers made from it: image-spec's config.md, and Docker's additions.

use super::Platform;
use crate::engine::digest::Digest;
use crate::error::{Cause, Error, Object, Result};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// An image's config document.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ImageConfig {
    /// When it was made, RFC 3339; empty where it is not said.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub created: String,
    /// Who made it.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub author: String,
    /// For which machine it is.
    #[serde(flatten)]
    pub platform: Platform,
    /// For the containers.
    #[serde(default, deserialize_with = "or_default")]
    pub config: Settings,
    /// Its layers.
    pub rootfs: RootFs,
    /// How each layer came about, as the builder tells it.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub history: Vec<Value>,
}

/// The layers, by what they are when unpacked from their compression.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RootFs {
    /// `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Bottom first.
    #[serde(default, deserialize_with = "or_default")]
    pub diff_ids: Vec<Digest>,
}

/// Defaults for the containers: image-spec's `config` property. Missing ones are empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Settings {
    /// `user[:group]`, names or numbers.
    #[serde(
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub user: String,
    /// `8080/tcp` → `{}`.
    #[serde(
        deserialize_with = "or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub exposed_ports: BTreeMap<String, Value>,
    /// `NAME=value`.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// What is put before the command.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub entrypoint: Vec<String>,
    /// The command, or the entrypoint's arguments.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub cmd: Vec<String>,
    /// Path → `{}`.
    #[serde(
        deserialize_with = "or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub volumes: BTreeMap<String, Value>,
    /// Where the command starts; empty for `/`.
    #[serde(
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub working_dir: String,
    /// For people and programs.
    #[serde(
        deserialize_with = "or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub labels: BTreeMap<String, String>,
    /// Which signal asks it to end; empty for SIGTERM.
    #[serde(
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub stop_signal: String,
    /// Everything else that Docker writes here, kept as it is.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Docker writes null for what is empty.
fn or_default<'de, D, T>(from: D) -> std::result::Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

impl ImageConfig {
    /// Reads the document.
    ///
    /// # Errors
    /// JSON that is none, or none of an image.
    pub fn read(bytes: &[u8], name: &str) -> Result<ImageConfig> {
        serde_json::from_slice(bytes).map_err(|error| {
            let cause = Cause::Json {
                line: error.line(),
                column: error.column(),
                what: error.to_string(),
            };
            Error::new(
                "read the image's config",
                Object::Image(name.to_owned()),
                cause,
            )
        })
    }
}

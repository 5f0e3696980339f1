//! The documents of an image, as they are read: index, manifest, config. Nothing is fetched here.

/// Indexes and manifests, of the OCI and of Docker.
pub mod manifest;

/// For which machine an image is.
pub mod platform;

/// What an image says about the containers made from it.
pub mod config;

pub use config::ImageConfig;
pub use manifest::{Descriptor, Document, Manifest};
pub use platform::Platform;

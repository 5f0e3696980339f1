//! orbital-engine, driven from outside against a registry of the tests' own on the loopback interface.
//!
//! `ORBITAL_ENGINE` names the program. Nothing is asked of the network, and each test has a store of its own.
//! As root they see owners and devices; as a user those that need root are left out, and say so.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test a panic is the report"
)]

/// A store of its own, and the program run in it.
mod lab;

/// Archives, byte by byte: also those that no honest program makes.
mod archive;

/// Layers, configs and manifests of images.
mod image;

/// Images as folders and tars.
mod layout;

/// A registry that answers as it is told to, also wrongly.
mod registry;

/// Images fetched, listed, named and removed.
mod images;

/// What layers become in the store.
mod layers;

/// Hard links to lower layers.
mod links;

/// Passwords and tokens.
mod passwords;

/// Registries behind TLS, Debian's own among them.
mod tls;

/// Registries that fail, and connections that break.
mod failures;

/// Images that are refused.
mod refused;

/// Archives that want out.
mod hostile;

/// Archives that are broken, lie about their sizes, or never end.
mod malformed;

/// Folders and tars in a registry's place.
mod files;

/// Somebody whom no host knows.
mod stranger;

/// A user without privileges.
mod rootless;

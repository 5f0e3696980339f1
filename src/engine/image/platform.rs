//! For which machine an image is: operating system, architecture, variant.

use super::Descriptor;
use crate::error::{Cause, Error, Object, Result};
use serde::{Deserialize, Serialize};
use std::fmt::{Display, Formatter};

/// `linux/arm64/v8`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Platform {
    /// `linux`.
    pub os: String,
    /// As Go names it: `amd64`, `arm64`, `arm`.
    pub architecture: String,
    /// `v7`; empty where there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub variant: String,
}

impl Platform {
    /// This machine's.
    #[must_use]
    pub fn host() -> Platform {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "x86" => "386",
            "aarch64" => "arm64",
            "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
            other => other,
        };
        let variant = if architecture == "arm" { "v7" } else { "" };
        Platform {
            os: "linux".to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
        }
    }

    /// Reads `os/arch[/variant]`, or `arch` alone.
    ///
    /// # Errors
    /// More than three parts, or an empty one.
    pub fn parse(typed: &str) -> Result<Platform> {
        let parts: Vec<&str> = typed.split('/').collect();
        let (os, architecture, variant) = match parts.as_slice() {
            [architecture] => ("linux", *architecture, ""),
            [os, architecture] => (*os, *architecture, ""),
            [os, architecture, variant] => (*os, *architecture, *variant),
            _ => ("", "", ""),
        };
        if os.is_empty() || architecture.is_empty() {
            let why = Cause::Refused(
                "a platform is OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT".to_owned(),
            );
            let object = Object::Argument(format!("--platform {typed}"));
            return Err(
                Error::new("read the platform", object, why).hint("write it like linux/amd64")
            );
        }
        let architecture = match architecture {
            "x86_64" | "x86-64" => "amd64",
            "aarch64" => "arm64",
            "armhf" => "arm",
            other => other,
        };
        Ok(Platform {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
        })
    }

    /// The variant, where leaving it out means one.
    fn full_variant(&self) -> &str {
        match (self.architecture.as_str(), self.variant.as_str()) {
            ("arm64", "") => "v8",
            ("arm", "") => "v7",
            ("amd64", "") => "v1",
            (_, variant) => variant,
        }
    }

    /// How well an image for `other` runs here: 0 is best, `None` not at all.
    fn distance(&self, other: &Platform) -> Option<u32> {
        if self.os != other.os || self.architecture != other.architecture {
            return None;
        }
        let (own, others) = (self.full_variant(), other.full_variant());
        if own == others {
            return Some(0);
        }
        // A newer arm runs what was made for an older one.
        let number = |variant: &str| variant.strip_prefix('v')?.parse::<u32>().ok();
        number(own)?.checked_sub(number(others)?)
    }

    /// The best of an index's manifests for this platform.
    #[must_use]
    pub fn choose<'d>(&self, all: &'d [Descriptor]) -> Option<&'d Descriptor> {
        let distance = |entry: &&Descriptor| self.distance(entry.platform.as_ref()?);
        let fitting = all.iter().filter(|entry| distance(entry).is_some());
        fitting.min_by_key(distance)
    }
}

impl Display for Platform {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match self.variant.as_str() {
            "" => Ok(()),
            variant => write!(f, "/{variant}"),
        }
    }
}

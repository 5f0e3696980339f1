//! A copy of the configuration that a container was made from, for whoever comes later: the bundle may be
//! gone by then, or another one (a process of `exec` must not be confined less than the first was).

use super::Seat;
use crate::error::{Error, Result};
use crate::sys::folder::Put;
use std::ffi::CStr;

/// Its name in the container's directory.
pub(super) const CONFIG: &CStr = c"config.json";

impl Seat {
    /// Keeps the bytes of config.json.
    ///
    /// # Errors
    /// As open(2) and write(2).
    pub fn keep_config(&self, raw: &[u8]) -> Result<()> {
        let kept = self.dir.put(CONFIG, Put::New, raw);
        kept.map_err(|fault| Error::file("keep config.json", self.path.join("config.json"), fault))
    }

    /// The bytes that were kept.
    ///
    /// # Errors
    /// As open(2) and read(2); ENOENT where none were.
    pub fn config(&self) -> Result<Vec<u8>> {
        self.dir.get(CONFIG).map_err(|fault| {
            let path = self.path.join("config.json");
            Error::file("read the container's config.json", path, fault)
        })
    }
}

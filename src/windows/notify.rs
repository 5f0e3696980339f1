//! The container's word that it is ready: sd_notify(3) is systemd's, and nobody here waits for it.

use crate::cli::Notify;
use crate::error::Result;
use crate::state::Seat;

/// A way for that word, of which there is none.
#[derive(Debug)]
pub enum Proxy {}

impl Proxy {
    /// Never called: no request has anybody to notify.
    ///
    /// # Errors
    /// Always.
    pub fn open(_: &Notify) -> Result<Proxy> {
        Err(super::inherit::no_such_thing(
            "NOTIFY_SOCKET",
            "Windows has no systemd",
        ))
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn wait(&self, _: i32) -> Result<()> {
        match *self {}
    }
}

/// None.
///
/// # Errors
/// None.
pub fn of(_: &Seat) -> Result<Option<Proxy>> {
    Ok(None)
}

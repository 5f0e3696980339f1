//! A new network namespace, made ahead of the container's birth.
//!
//! Of all namespaces it is the dearest by far: the kernel takes longer for it than for the rest of the
//! clone. So a thread makes it, and brings lo up in it, while the runtime plans and prepares; the child
//! enters it by its descriptor. Where that cannot be, for whatever reason, the clone makes it as it makes
//! the others, and tells what is wrong. What this file does *not* do: keep the thread. It has ended before
//! the clone, which wants to find a single one.

use crate::plan::birth;
use crate::sys::{Fault, process};
use oci_spec::runtime::Spec;
use std::os::fd::{AsFd, OwnedFd};
use std::thread::{Builder, JoinHandle};

/// Room for three system calls.
const STACK: usize = 32 * 1024;

/// A network namespace on its way.
#[derive(Debug)]
pub struct Ahead(Option<JoinHandle<Result<OwnedFd, Fault>>>);

/// Begins with it, if this container's can be made ahead.
#[must_use]
pub fn begin(spec: &Spec) -> Ahead {
    if birth::network(spec) != birth::NetworkMaker::Ahead {
        return Ahead(None);
    }
    // Without a thread the clone does it, ignored.
    Ahead(Builder::new().stack_size(STACK).spawn(make).ok())
}

impl Ahead {
    /// Waits for it. `None` leaves it to the clone.
    #[must_use]
    pub fn take(self) -> Option<OwnedFd> {
        self.0?.join().ok()?.ok()
    }
}

fn make() -> Result<OwnedFd, Fault> {
    process::unshare_network()?;
    let socket = process::network_socket()?;
    process::loopback_up(socket.as_fd())?;
    process::network_of(socket.as_fd())
}

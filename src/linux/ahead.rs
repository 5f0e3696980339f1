//! A new network namespace, made ahead of the moment when it is needed.
//!
//! Of all namespaces it is the dearest by far: the kernel takes longer for it than for the rest of the
//! clone. So a thread makes it while the runtime plans and the container's process is born, and that one
//! enters it by a descriptor when it comes to mount what shows its devices. Where the thread cannot, for
//! whatever reason, the child makes it, and tells what is wrong. The thread does nothing else: it holds no
//! lock that the child's copy of this memory could miss.

use crate::plan::birth;
use crate::sys::{Fault, process};
use oci_spec::runtime::Spec;
use std::os::fd::{AsFd, OwnedFd};
use std::thread::{Builder, JoinHandle};

/// Room for three system calls.
const STACK: usize = 32 * 1024;

/// A network namespace on its way.
#[derive(Debug)]
pub struct Ahead(JoinHandle<Result<Made, Fault>>);

/// A network namespace.
#[derive(Debug)]
pub struct Made {
    /// For setns(2).
    pub namespace: OwnedFd,
    /// A socket of it, to bring lo up by.
    pub socket: OwnedFd,
}

/// Begins with it, if this container's can be made ahead.
#[must_use]
pub fn begin(spec: &Spec) -> Option<Ahead> {
    if birth::network(spec) == birth::NetworkMaker::Clone {
        return None;
    }
    // Without a thread the clone does it, ignored.
    Builder::new().stack_size(STACK).spawn(make).ok().map(Ahead)
}

impl Ahead {
    /// Waits for it. `None` leaves it to the child.
    #[must_use]
    pub fn take(self) -> Option<Made> {
        self.0.join().ok()?.ok()
    }
}

fn make() -> Result<Made, Fault> {
    process::unshare_network()?;
    let socket = process::network_socket()?;
    let namespace = process::network_of(socket.as_fd())?;
    Ok(Made { namespace, socket })
}

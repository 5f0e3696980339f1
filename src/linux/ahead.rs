//! A new network namespace, made ahead of the moment when it is needed.
//!
//! Of all namespaces it is the dearest by far: the kernel takes longer for it than for the rest of the
//! clone. So a thread makes it while the runtime plans and the container's process is born, and that one
//! enters it by a descriptor when it comes to mount what shows its devices. Where the thread cannot, for
//! whatever reason, the child makes it, and tells what is wrong. The thread does nothing else: it holds no
//! lock that the child's copy of this memory could miss.

use super::failure::{Kind, Record};
use super::gates;
use crate::plan::birth;
use crate::sys::thread::{self, Thread};
use crate::sys::{Fault, process, socket};
use oci_spec::runtime::Spec;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// A network namespace on its way.
#[derive(Debug)]
pub struct Ahead {
    thread: Thread<Arc<OwnedFd>, Result<OwnedFd, Fault>>,
    /// Where the child receives it.
    receiver: OwnedFd,
    /// The thread's end, for the child to close its copy.
    sender: Arc<OwnedFd>,
}

/// Begins with it, if this container's can be made ahead.
#[must_use]
pub fn begin(spec: &Spec) -> Option<Ahead> {
    if birth::network(spec) == birth::NetworkMaker::Clone {
        return None;
    }
    // Without a socket or a thread the clone does it, ignored.
    let (sender, receiver) = socket::pair().ok()?;
    let sender = Arc::new(sender);
    let end = Arc::clone(&sender);
    let thread = thread::begin(end, make);
    Some(Ahead {
        thread: thread?,
        receiver,
        sender,
    })
}

impl Ahead {
    /// In the child: closes its copy of the thread's end, so that it does not keep itself waiting for a runtime
    /// that is gone.
    ///
    /// # Errors
    /// As close(2).
    pub fn forget(&self) -> Result<(), Fault> {
        gates::forget(&*self.sender)
    }

    /// In the child: waits for the namespace. `None` leaves it to the child.
    ///
    /// # Errors
    /// ECANCELED where the runtime is gone; as recvmsg(2).
    pub fn receive(&self) -> Result<Option<OwnedFd>, Fault> {
        gates::pass_with_descriptor(&self.receiver, Kind::Network)
    }

    /// In the runtime: waits for a socket of the namespace. `None` where the child makes it.
    #[must_use]
    pub fn socket(self) -> Option<OwnedFd> {
        self.thread.join()?.ok()
    }
}

/// Makes it, sends it, and keeps a socket of it.
fn make(end: Arc<OwnedFd>) -> Result<OwnedFd, Fault> {
    let made = unshare();
    let word = Record::gate(Kind::Network);
    match &made {
        Ok((_, namespace)) => {
            socket::send_descriptor(&*end, &word.to_bytes(), namespace.as_fd()).map(drop)?;
        }
        Err(_) => gates::announce(&*end, word)?,
    }
    made.map(|(socket, _)| socket)
}

fn unshare() -> Result<(OwnedFd, OwnedFd), Fault> {
    process::unshare_network()?;
    let socket = process::network_socket()?;
    let namespace = process::network_of(socket.as_fd())?;
    Ok((socket, namespace))
}

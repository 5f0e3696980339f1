//! The loopback device of a new network namespace; giving network devices to the container, and taking them back
//! when it is not to be (config-linux.md, "Network Devices"). After `create` they are the namespace's: when it ends, the kernel
//! returns the physical ones and removes the others.

use crate::cgroup::Cgroup;
use crate::error::{Cause, Error, Object, Result};
use crate::linux::ahead::Ahead;
use crate::linux::birth::Born;
use crate::linux::failure::Kind as Word;
use crate::linux::gates;
use crate::plan::Plan;
use crate::plan::birth::Kind;
use crate::plan::net::{LONGEST, Name, NetDevice};
use crate::sys::netlink::{Address, Device, Netlink, State};
use crate::sys::proc::Proc;
use crate::sys::{Call, Fault, path, process};
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A device that was given, with all that is needed to take it back.
#[derive(Debug)]
pub struct Given {
    device: NetDevice,
    inside: CString,
    before: State,
    addresses: Vec<Address>,
    ours: OwnedFd,
    theirs: OwnedFd,
}

/// Moves a device into the network namespace of process `pid`, with its name inside, its addresses, and up.
///
/// # Errors
/// The device by its pointer: one that is not there or cannot leave, a name that is taken. It is ours again then.
pub fn give(device: &NetDevice, pid: i32, proc: &Proc) -> Result<Given> {
    let told = |fault| told(device, fault);
    let own = Kind::Network.file();
    let (ours, theirs) = (
        proc.namespace(own).map_err(told)?,
        proc.namespace_of(pid, own).map_err(told)?,
    );
    if same(&ours, &theirs).map_err(told)? {
        let why = "the container's network namespace is the runtime's own";
        return Err(refused(device, why).hint("give the container a network namespace of its own"));
    }
    let mut here = Netlink::open().map_err(told)?;
    let mut there = open_there(&ours, &theirs).map_err(told)?;
    let Some(found) = here.find(&device.outside).map_err(told)? else {
        return Err(
            refused(device, "the runtime's network namespace has no such device")
                .hint("correct the name: ip link shows those that there are"),
        );
    };
    let given = Given {
        inside: free_name(device, &mut there)?,
        before: found.state,
        // Before it goes down, as that costs it its IPv6 addresses.
        addresses: here.addresses(found.index).map_err(told)?,
        device: device.clone(),
        ours,
        theirs,
    };
    match given.move_in(&mut here, &mut there, found) {
        Ok(()) => Ok(given),
        Err(fault) => Err(told(fault).also(given.take_back().err())),
    }
}

impl Given {
    fn move_in(
        &self,
        here: &mut Netlink,
        there: &mut Netlink,
        found: Device,
    ) -> std::result::Result<(), Fault> {
        // A device that is up keeps its name, and would be seen half moved.
        here.set_state(found.index, State::Down)?;
        here.give(found.index, self.theirs.as_fd(), &self.inside)?;
        let missing = Fault {
            call: crate::sys::Call::RtmGetlink,
            errno: libc::ENODEV,
        };
        let device = there.find(&self.inside)?.ok_or(missing)?;
        arrive(there, device, &self.addresses, State::Up)
    }

    /// Puts the device back to where it was, under its name, with its addresses and its state. One that has
    /// gone, or that never went, is left. Routes over it are not known any more.
    ///
    /// # Errors
    /// As the kernel answers.
    pub fn take_back(&self) -> Result<()> {
        self.back().map_err(|fault| {
            let doing = format!("take the network device {} back", outside(&self.device));
            Error::new(doing, Object::config(&self.device.pointer), fault.into())
        })
    }

    fn back(&self) -> std::result::Result<(), Fault> {
        let mut here = Netlink::open()?;
        let mut there = open_there(&self.ours, &self.theirs)?;
        // A move that fails at the new name leaves the device there under its old one.
        let at = match there.find(&self.inside)? {
            None => there.find(&self.device.outside)?,
            found => found,
        };
        if let Some(device) = at {
            there.set_state(device.index, State::Down)?;
            there.give(device.index, self.ours.as_fd(), &self.device.outside)?;
        }
        match here.find(&self.device.outside)? {
            Some(device) => arrive(&mut here, device, &self.addresses, self.before),
            None => Ok(()),
        }
    }
}

/// Gives a device that has been moved its addresses and its state.
fn arrive(
    place: &mut Netlink,
    device: Device,
    addresses: &[Address],
    state: State,
) -> std::result::Result<(), Fault> {
    for address in addresses {
        match place.add_address(device.index, address) {
            // An address that survived is there already.
            Err(fault) if fault.errno == libc::EEXIST => {}
            other => other?,
        }
    }
    place.set_state(device.index, state)
}

/// Brings lo up in a new network namespace, by a socket of whoever has made it. Entering that would not do: the way back to ours is closed to the
/// root of a user namespace; setns(2).
///
/// # Errors
/// What the child says instead of handing its socket over; EPERM without CAP_NET_ADMIN over the namespace.
pub(super) fn loopback(
    plan: &Plan,
    born: &Born,
    group: Option<&Cgroup>,
    ahead: Option<Ahead>,
) -> Result<()> {
    if !plan.birth.makes(Kind::Network) {
        return Ok(());
    }
    let socket = match ahead.and_then(Ahead::socket) {
        Some(socket) => Ok(socket),
        None => from_child(plan, born, group)?,
    };
    socket
        .and_then(|socket| process::loopback_up(socket.as_fd()))
        .map_err(not_up)
}

/// The child's socket. Without room for one more descriptor the kernel leaves it out.
fn from_child(
    plan: &Plan,
    born: &Born,
    group: Option<&Cgroup>,
) -> Result<std::result::Result<OwnedFd, Fault>> {
    let mut socket = None;
    super::hear_by(plan, born, group, &[Word::Network], || {
        let (arrival, descriptor) = gates::next_with_descriptor(&born.gate)?;
        socket = descriptor;
        Ok(arrival)
    })?;
    Ok(socket.ok_or(Fault {
        call: Call::Recvmsg,
        errno: libc::EMFILE,
    }))
}

/// Brings lo up for process `pid` of a container that is restored, whose namespaces are of CRIU's making.
///
/// # Errors
/// As setns(2); EPERM without CAP_NET_ADMIN over the namespace.
pub fn loopback_of(pid: i32, proc: &Proc) -> Result<()> {
    let own = Kind::Network.file();
    let socket = || {
        let (ours, theirs) = (proc.namespace(own)?, proc.namespace_of(pid, own)?);
        inside(ours.as_fd(), theirs.as_fd(), process::network_socket)
    };
    socket()
        .and_then(|socket| process::loopback_up(socket.as_fd()))
        .map_err(not_up)
}

fn not_up(fault: Fault) -> Error {
    let object = Object::config("/linux/namespaces");
    Error::new("bring the loopback device up", object, fault.into())
}

/// A conversation with the other namespace.
fn open_there(ours: &OwnedFd, theirs: &OwnedFd) -> std::result::Result<Netlink, Fault> {
    inside(ours.as_fd(), theirs.as_fd(), Netlink::open)
}

/// Makes a socket in the other network namespace, to which it belongs from then on, and returns to ours. A pidfd
/// stands for its process's own.
fn inside<T>(
    ours: BorrowedFd<'_>,
    theirs: BorrowedFd<'_>,
    open: impl FnOnce() -> std::result::Result<T, Fault>,
) -> std::result::Result<T, Fault> {
    let kind = Kind::Network.flag();
    process::join(theirs, kind)?;
    let socket = open();
    process::join(ours, kind)?;
    socket
}

/// The name that the device gets, which nothing there has yet: the kernel would notice only after the move.
fn free_name(device: &NetDevice, there: &mut Netlink) -> Result<CString> {
    let told = |fault| told(device, fault);
    let taken = |name: &str| {
        let why = format!("the container's network namespace has a device {name} already");
        refused(device, &why)
    };
    match &device.inside {
        Name::Exactly(name) => match there.find(name).map_err(told)? {
            None => Ok(name.clone()),
            Some(_) => Err(taken(&name.to_string_lossy())
                .hint("choose another \"name\" for it, or one that ends with %d")),
        },
        Name::Numbered(prefix) => {
            for number in 0..u16::MAX {
                let name = format!("{prefix}{number}");
                if name.len() > LONGEST {
                    break;
                }
                let name = CString::new(name).unwrap_or_default();
                if there.find(&name).map_err(told)?.is_none() {
                    return Ok(name);
                }
            }
            Err(taken(&format!("{prefix}N for every number N")))
        }
    }
}

fn same(one: &OwnedFd, other: &OwnedFd) -> std::result::Result<bool, Fault> {
    let (one, other) = (path::look(one)?, path::look(other)?);
    Ok((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}

fn outside(device: &NetDevice) -> String {
    device.outside.to_string_lossy().into_owned()
}

fn doing(device: &NetDevice) -> String {
    format!("move the network device {}", outside(device))
}

fn told(device: &NetDevice, fault: Fault) -> Error {
    let object = Object::config(&device.pointer);
    Error::new(doing(device), object, Cause::from(fault))
}

fn refused(device: &NetDevice, why: &str) -> Error {
    Error::refused(doing(device), &device.pointer, why)
}

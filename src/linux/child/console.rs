//! The terminal: a pseudo-terminal of the container's own devpts, its master sent to the caller.

use super::refuse;
use crate::linux::held::Held;
use crate::plan::Plan;
use crate::plan::console::Console;
use crate::sys::mount::{self, Depth};
use crate::sys::path::{self, Leaf, Links};
use crate::sys::{Call, Fault, exec, node, socket, tty};
use rustix::fs::OFlags;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Whether the terminal is the container's console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// It is bound to /dev/console.
    Console,
    /// It has only its name in /dev/pts: the console is the first process's.
    Pts,
}

/// Makes the terminal, gives it its name, makes it the controlling one and the standard streams.
pub fn attach(p: &Plan, h: &mut Held, root: &OwnedFd, name: Name) -> Result<(), Fault> {
    let Console::Terminal { size } = p.console else {
        return Ok(());
    };
    let master = open_master(root.as_fd())?;
    tty::unlock(master.as_fd())?;
    let slave = tty::peer(master.as_fd())?;
    if let Some((rows, columns)) = size {
        tty::resize(&master, rows, columns)?;
    }
    if p.user.uid != 0 {
        node::set_owner(slave.as_fd(), p.user.uid, path::look(&slave)?.st_gid)?;
    }
    if name == Name::Console {
        bind(&slave, root.as_fd())?;
    }
    if let Some(console) = h.console.take() {
        socket::send_descriptor(console, b"/dev/ptmx", master.as_fd())?;
    }
    tty::control(&slave)?;
    (0..=2).try_for_each(|number| exec::lay_over(&slave, number))
}

fn bind(slave: &OwnedFd, root: BorrowedFd<'_>) -> Result<(), Fault> {
    let copy = mount::copy_tree(slave, c"", Depth::One)?;
    let place = path::find_or_make(root, c"dev/console", Links::Refuse, Leaf::File(0o620))?;
    mount::attach(copy, place)
}

/// The multiplexer, proved to be devpts's own: a rootfs could hold a link or another device there.
fn open_master(root: BorrowedFd<'_>) -> Result<OwnedFd, Fault> {
    let master = path::open_file(root, c"dev/pts/ptmx", OFlags::RDWR)?;
    if path::file_system(&master)? != path::DEVPTS
        || path::look(&master)?.st_rdev != path::device(5, 2)
    {
        return Err(refuse(Call::Fstatfs, libc::ENXIO));
    }
    Ok(master)
}

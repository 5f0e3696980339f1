//! The seccomp agent: it gets the listener of the container's filter, and what it must know of the
//! container (config-linux.md, "The Container Process State").

use crate::error::{Error, Object, Result};
use crate::linux::birth::Born;
use crate::linux::failure::{Kind, Record};
use crate::linux::gates;
use crate::plan::Plan;
use crate::plan::seccomp::Listener;
use crate::spec::default::VERSION;
use crate::sys::{Call, Fault, seccomp, socket};
use rustix::net::SocketType;
use serde_json::{Value, json};
use std::os::fd::{AsFd, OwnedFd};

/// Seconds that a child has for sending a descriptor which it holds already.
const PATIENCE: i64 = 5;

const DOING: &str = "hand the seccomp listener over";

/// Takes the listener of which the child has sent `record`, and gives it to the agent. `state` is the state document.
///
/// # Errors
/// An agent that is not there; a child that cannot be reached because its filter is in the way.
pub fn hand_over(plan: &Plan, born: &Born, record: &Record, state: &[u8]) -> Result<()> {
    let Some(listener) = plan
        .seccomp
        .as_ref()
        .and_then(|filter| filter.listener.as_ref())
    else {
        return Err(super::super::explain::record(plan, record, None));
    };
    let about = |fault: Fault| Error::new(DOING, Object::config(&listener.pointer), fault.into());
    let fd = match seccomp::take_descriptor(&born.pidfd, record.errno) {
        Err(fault) if fault.errno == libc::EPERM => asked_for(born, listener)?,
        other => other.map_err(about)?,
    };
    tell_agent(listener, fd, &process_state(born.pid, listener, state))?;
    gates::announce(&born.gate, Record::gate(Kind::Taken)).map_err(about)
}

/// Without CAP_SYS_PTRACE the child must send it, by a call that its filter may hold up.
fn asked_for(born: &Born, listener: &Listener) -> Result<OwnedFd> {
    let about = |fault: Fault| {
        let error = Error::new(DOING, Object::config(&listener.pointer), fault.into());
        error.hint("permit sendmsg in /linux/seccomp/syscalls: without CAP_SYS_PTRACE the runtime needs it to reach the agent")
    };
    gates::announce(&born.gate, Record::gate(Kind::Hand)).map_err(about)?;
    if !socket::speaks_within(&born.gate, PATIENCE).map_err(about)? {
        return Err(about(Fault {
            call: Call::Sendmsg,
            errno: libc::ETIMEDOUT,
        }));
    }
    let mut buffer = [0u8; 16];
    match socket::receive_descriptor(&born.gate, &mut buffer).map_err(about)? {
        (_, Some(fd)) => Ok(fd),
        (_, None) => Err(about(Fault {
            call: Call::Sendmsg,
            errno: libc::EPERM,
        })),
    }
}

/// The document, as JSON.
fn process_state(pid: i32, listener: &Listener, state: &[u8]) -> Vec<u8> {
    let state: Value = serde_json::from_slice(state).unwrap_or_default();
    let mut document = json!({
        "ociVersion": VERSION,
        "fds": ["seccompFd"],
        "pid": pid,
        "state": state,
    });
    if !listener.metadata.is_empty() {
        document["metadata"] = json!(listener.metadata);
    }
    document.to_string().into_bytes()
}

/// One state for one connection, which is closed then; the descriptor goes with the first bytes.
fn tell_agent(listener: &Listener, fd: OwnedFd, document: &[u8]) -> Result<()> {
    let told = |fault: Fault| {
        let error = Error::new(
            "tell the seccomp agent",
            Object::config(&listener.pointer),
            fault.into(),
        );
        match fault.errno {
            libc::ENOENT | libc::ECONNREFUSED => {
                error.hint("start the seccomp agent that listens there")
            }
            _ => error,
        }
    };
    let agent = socket::connect(&listener.path, SocketType::STREAM).map_err(told)?;
    let sent = socket::send_descriptor(&agent, document, fd.as_fd()).map_err(told)?;
    let rest = document.get(sent..).unwrap_or_default();
    socket::send_all(&agent, rest).map_err(told)
}

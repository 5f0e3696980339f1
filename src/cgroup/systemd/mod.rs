//! A group that systemd makes: a scope, through D-Bus (org.freedesktop.systemd1(5)).
//!
//! ```text
//!  connect                         fails early, before anything is made
//!  clone3                          the process is in its caller's group, and waits at gate A
//!  StartTransientUnit              with its pid and every property: systemd makes the group and moves it there
//!  JobRemoved = done               only now it is where it belongs
//!  /proc/PID/cgroup                where that is: the kernel's word, not a guess from names
//!  the settings                    once more, exactly, and those that systemd does not know
//!  gate A                          only now it goes on, and unshares its cgroup namespace there
//! ```
//!
//! A scope needs a process when it starts, so nobody can be born in it; the move costs an RCU grace
//! period that groups of orbital's own do not. At the end the unit is stopped and, if it has failed,
//! forgotten. An update is told to systemd first, which would write the old limits again at its next
//! `daemon-reload`. What this folder does *not* do: decide names and properties (that is `plan/cgroup/`), or
//! anything where systemd is not asked for.
//!
//! The client is orbital's own, five messages long: of the crates for D-Bus `rustbus` names its uid to
//! the other end, which refuses that of a user namespace (rootless podman), and waits for ever where
//! nobody answers; `zbus` brings an asynchronous executor with it.

/// Bytes of messages.
mod wire;

/// The connection.
pub mod bus;

use crate::error::{Cause, Error, Object, Pointer, Result};
use crate::plan::cgroup::properties::{self, Property};
use crate::plan::cgroup::variant::Variant;
use crate::plan::cgroup::{Scope, Setting};
use crate::plan::facts::Instance;
use bus::{Answer, Bus};
use wire::Body;

const MAKE: &str = "make the cgroup";

/// What systemd calls a unit that is in its way.
const EXISTS: &str = "org.freedesktop.systemd1.UnitExists";

/// What it calls one that it does not know.
const MISSING: &str = "org.freedesktop.systemd1.NoSuchUnit";

/// A scope that has been asked for, and the job that starts it.
#[derive(Debug)]
pub struct Starting {
    job: String,
}

/// A scope that is there.
#[derive(Clone, Copy, Debug)]
pub struct Living<'a> {
    /// Its name.
    pub unit: &'a str,
    /// Whose systemd knows it.
    pub instance: Instance,
}

/// Asks for the scope, with process `pid` in it. What a failed unit of this name has left is reset first.
///
/// # Errors
/// A unit of this name that is in use; a property that systemd does not take, by its pointer.
pub fn ask(bus: &mut Bus, scope: &Scope, pid: i32) -> Result<Starting> {
    match begin(bus, scope, pid)? {
        Answer::Done(job) => return Ok(Starting { job }),
        Answer::Refused(name, _) if name == EXISTS => {}
        Answer::Refused(name, words) => return Err(not_started(scope, &name, &words)),
    }
    // Whether it has failed or lives is known by whether it is there afterwards.
    named(bus, "ResetFailedUnit", &scope.unit)?;
    match begin(bus, scope, pid)? {
        Answer::Done(job) => Ok(Starting { job }),
        Answer::Refused(name, _) if name == EXISTS => {
            let why = format!("systemd has a unit {} already", scope.unit);
            let hint = "delete the container that uses it, or give another cgroupsPath";
            Err(Error::refused(MAKE, "/linux/cgroupsPath", why).hint(hint))
        }
        Answer::Refused(name, words) => Err(not_started(scope, &name, &words)),
    }
}

/// Waits until the scope is there and the process in it.
///
/// # Errors
/// A job that ended with another result than `done`, or not in time.
pub fn wait(bus: &mut Bus, scope: &Scope, starting: &Starting) -> Result<()> {
    match bus.wait_for(&starting.job)?.as_str() {
        "done" => Ok(()),
        result => {
            let why = format!(
                "systemd's job to start {} ended with {result:?}",
                scope.unit
            );
            let hint = format!("see why: {} -u {}", journal(scope.instance), scope.unit);
            Err(Error::refused(MAKE, "/linux/cgroupsPath", why).hint(hint))
        }
    }
}

impl Living<'_> {
    /// Tells systemd of other limits, as far as it knows them. On return it has written what it makes of them
    /// into the group's files, and so writes nothing over what is written there next.
    ///
    /// # Errors
    /// No systemd; a limit that it does not take, by its pointer, and then it has taken none.
    pub fn limit(&self, settings: &[Setting]) -> Result<()> {
        let properties = properties::of_settings(settings);
        let Some(first) = properties.first() else {
            return Ok(());
        };
        let refused = |all: &[Property], name: &str, words: &str| {
            not_taken("update the limits", &first.pointer, all, name, words)
        };
        let mut bus = Bus::connect(self.instance)?;
        let mut body = Body::default();
        body.text(self.unit);
        // Not for the next boot: the unit will not be there.
        body.truth(true);
        body.properties(&properties);
        let answer = bus.manager("SetUnitProperties", "sba(sv)", body)?;
        if let Answer::Refused(name, words) = answer {
            return Err(refused(&properties, &name, &words));
        }
        // It answers first and writes when it comes round, which it has before it answers again.
        match named(&mut bus, "GetUnit", self.unit)? {
            Answer::Refused(name, words) => Err(refused(&[], &name, &words)),
            Answer::Done(_) => Ok(()),
        }
    }
}

/// Stops a scope and has it forgotten if it has failed. One that is gone is stopped.
///
/// # Errors
/// No systemd; a stop that systemd refuses or that does not end.
pub fn stop(unit: &str, instance: Instance) -> Result<()> {
    let mut bus = Bus::connect(instance)?;
    let mut body = Body::default();
    body.text(unit);
    body.text("replace");
    match bus.manager("StopUnit", "ss", body)? {
        Answer::Done(job) => {
            bus.wait_for(&job)?;
        }
        Answer::Refused(name, _) if name == MISSING => return Ok(()),
        Answer::Refused(name, words) => return Err(not_stopped(unit, &name, &words)),
    }
    match named(&mut bus, "ResetFailedUnit", unit)? {
        Answer::Refused(name, words) if name != MISSING => Err(not_stopped(unit, &name, &words)),
        Answer::Done(_) | Answer::Refused(..) => Ok(()),
    }
}

fn begin(bus: &mut Bus, scope: &Scope, pid: i32) -> Result<Answer> {
    let process = Property {
        name: "PIDs".to_owned(),
        value: Variant::List {
            of: "u".to_owned(),
            members: vec![Variant::Uint32(pid.unsigned_abs())],
        },
        pointer: "/linux/cgroupsPath".into(),
    };
    let mut body = Body::default();
    body.text(&scope.unit);
    body.text("replace");
    body.properties(scope.properties.iter().chain([&process]));
    body.nothing_beside();
    bus.manager("StartTransientUnit", "ssa(sv)a(sa(sv))", body)
}

fn named(bus: &mut Bus, member: &str, unit: &str) -> Result<Answer> {
    let mut body = Body::default();
    body.text(unit);
    bus.manager(member, "s", body)
}

fn not_started(scope: &Scope, name: &str, words: &str) -> Error {
    let usual = Pointer::from("/linux/cgroupsPath");
    not_taken(MAKE, &usual, &scope.properties, name, words)
}

/// systemd names the property that it does not take; `usual` is the place where it names none.
fn not_taken(
    doing: &str,
    usual: &Pointer,
    properties: &[Property],
    name: &str,
    words: &str,
) -> Error {
    let is_named = |property: &&Property| {
        let mut parts = words.split(|letter: char| !letter.is_ascii_alphanumeric());
        parts.any(|part| part == property.name)
    };
    let named = properties.iter().rev().find(is_named);
    let pointer = named.map_or(usual, |property| &property.pointer);
    let short = name.rsplit('.').next().unwrap_or(name);
    let why = format!("systemd answers {short}: {words}");
    Error::refused(doing, pointer, why)
}

fn not_stopped(unit: &str, name: &str, words: &str) -> Error {
    let why = format!("systemd answers {name}: {words}");
    let object = Object::File(unit.into());
    Error::new("stop the container's unit", object, Cause::Refused(why))
}

const fn journal(instance: Instance) -> &'static str {
    match instance {
        Instance::System => "journalctl",
        Instance::User => "journalctl --user",
    }
}

//! Where there is no systemd that could make a group.

use crate::case::{Case, Need};
use crate::check::{Outcome, ensure, mentions, same};
use crate::lab::Lab;

pub(super) const CASES: &[Case] = &[Case::new("without-systemd-the-way-out-is-named", absent)
    .needs(&[
        Need::Root,
        Need::OrbitalOnly,
        Need::NoFile("/run/systemd/private"),
        Need::NoFile("/run/dbus/system_bus_socket"),
    ])];

fn absent(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.remove("/linux/cgroupsPath");
    })?;
    let id = lab.id("sd");
    let said = lab.call(&["--systemd-cgroup", "create", "--bundle", bundle.arg(), &id]);
    let said = said.refused()?;
    same("exit status", said.code(), 1)?;
    mentions(
        "the message",
        &said.err,
        &[
            "cannot speak to systemd",
            "/run/systemd/private",
            "--cgroup-manager cgroupfs",
        ],
    )?;
    let known = lab.list()?;
    ensure!(!known.contains(&id), "there is a container now: {known:?}");
    Ok(())
}

//! `/linux/resources/blockIO` and `/rdma` (config-linux.md, "Block IO", "RDMA").

use super::{Otherwise, Wanted};
use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::{LinuxBlockIo, LinuxRdma, LinuxThrottleDevice, LinuxWeightDevice};
use std::collections::HashMap;

pub(super) fn block(block: &LinuxBlockIo, at: &Pointer, wanted: &mut Wanted) -> Result<()> {
    if let Some(weight) = block.weight().filter(|weight| *weight != 0) {
        set_weight("", weight, at.at("weight"), wanted)?;
    }
    if block.leaf_weight().is_some_and(|weight| weight != 0) {
        wanted.warn(&at.at("leafWeight"), "cgroup v2 has no leaf weights");
    }
    for (index, device) in block.weight_device().iter().flatten().enumerate() {
        weight_of(device, &at.at("weightDevice").at(index), wanted)?;
    }
    let throttles = [
        (
            "throttleReadBpsDevice",
            "rbps",
            block.throttle_read_bps_device(),
        ),
        (
            "throttleWriteBpsDevice",
            "wbps",
            block.throttle_write_bps_device(),
        ),
        (
            "throttleReadIOPSDevice",
            "riops",
            block.throttle_read_iops_device(),
        ),
        (
            "throttleWriteIOPSDevice",
            "wiops",
            block.throttle_write_iops_device(),
        ),
    ];
    for (member, key, devices) in throttles {
        for (index, device) in devices.iter().flatten().enumerate() {
            throttle(device, key, at.at(member).at(index), wanted)?;
        }
    }
    Ok(())
}

fn weight_of(device: &LinuxWeightDevice, at: &Pointer, wanted: &mut Wanted) -> Result<()> {
    if device.leaf_weight().is_some_and(|weight| weight != 0) {
        wanted.warn(&at.at("leafWeight"), "cgroup v2 has no leaf weights");
    }
    let Some(weight) = device.weight().filter(|weight| *weight != 0) else {
        return Ok(());
    };
    let numbers = numbers(device.major(), device.minor(), "io.weight", at)?;
    set_weight(&format!("{numbers} "), weight, at.at("weight"), wanted)
}

/// BFQ takes v1's scale of 10 to 1000; without that scheduler the io controller has its own of 1 to
/// 10000, and the one is stretched to the other in a straight line, as runc and crun do.
fn set_weight(device: &str, weight: u16, pointer: Pointer, wanted: &mut Wanted) -> Result<()> {
    if !(10..=1000).contains(&weight) {
        let why = "a weight is from 10 to 1000";
        return Err(Error::refused("set io.bfq.weight", pointer, why));
    }
    let stretched = 1 + (u32::from(weight) - 10) * 9999 / 990;
    let (file, value) = ("io.weight".to_owned(), format!("{device}{stretched}"));
    let otherwise = Otherwise::Write { file, value };
    wanted.set_or(
        "io.bfq.weight",
        format!("{device}{weight}"),
        otherwise,
        pointer,
    );
    Ok(())
}

/// A rate of 0 is "no limit", as under v1; v2 itself would refuse it.
fn throttle(
    device: &LinuxThrottleDevice,
    key: &str,
    at: Pointer,
    wanted: &mut Wanted,
) -> Result<()> {
    let numbers = numbers(device.major(), device.minor(), "io.max", &at)?;
    let rate = match device.rate() {
        0 => "max".to_owned(),
        rate => rate.to_string(),
    };
    wanted.set("io.max", format!("{numbers} {key}={rate}"), at);
    Ok(())
}

fn numbers(major: i64, minor: i64, file: &str, at: &Pointer) -> Result<String> {
    if major < 0 || minor < 0 {
        let why = "the numbers of a device are from 0 on";
        return Err(Error::refused(format!("set {file}"), at, why));
    }
    Ok(format!("{major}:{minor}"))
}

/// Objects of RDMA devices, in order of their names.
pub(super) fn rdma(
    devices: &HashMap<String, LinuxRdma>,
    at: &Pointer,
    wanted: &mut Wanted,
) -> Result<()> {
    let mut devices: Vec<_> = devices.iter().collect();
    devices.sort_by_key(|(name, _)| *name);
    for (name, limits) in devices {
        let at = at.at(name);
        let refuse = |why: &str| Err(Error::refused("set rdma.max", &at, why));
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return refuse("an RDMA device has a name without spaces");
        }
        let mut line = name.clone();
        for (key, value) in [
            ("hca_handle", limits.hca_handles()),
            ("hca_object", limits.hca_objects()),
        ] {
            if let Some(value) = value {
                line.push_str(&format!(" {key}={value}"));
            }
        }
        if line == *name {
            return refuse("it limits neither hcaHandles nor hcaObjects");
        }
        wanted.set("rdma.max", line, at);
    }
    Ok(())
}

#[cfg(test)]
mod tests;

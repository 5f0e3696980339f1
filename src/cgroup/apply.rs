//! The planned (file, value) list, written in its order.

use super::{Cgroup, write};
use crate::error::{Cause, Error, Object, Result};
use crate::plan::cgroup::{Moment, Otherwise, Setting};
use crate::sys::Fault;
use std::ffi::CString;

/// Writes the settings of one moment.
///
/// # Errors
/// The first that the kernel refuses, with its place in config.json.
pub fn write_all(cgroup: &Cgroup, settings: &[Setting], moment: Moment) -> Result<()> {
    settings
        .iter()
        .filter(|setting| setting.moment() == moment)
        .try_for_each(|setting| write_one(cgroup, setting))
}

/// Writes one, or what stands for it on this kernel.
///
/// # Errors
/// What the kernel refuses, with its place in config.json.
pub(super) fn write_one(cgroup: &Cgroup, setting: &Setting) -> Result<()> {
    match put(cgroup, &setting.file, &setting.value) {
        Ok(()) => Ok(()),
        Err(fault) if fault.errno != libc::ENOENT => Err(refused(
            cgroup,
            setting,
            &setting.file,
            &setting.value,
            fault,
        )),
        Err(fault) => match &setting.otherwise {
            Otherwise::Fail => Err(refused(
                cgroup,
                setting,
                &setting.file,
                &setting.value,
                fault,
            )),
            Otherwise::Ignore => {
                tracing::debug!("this kernel has no {}, ignored", setting.file);
                Ok(())
            }
            Otherwise::Write { file, value } => put(cgroup, file, value)
                .map_err(|fault| refused(cgroup, setting, file, value, fault)),
        },
    }
}

fn put(cgroup: &Cgroup, file: &str, value: &str) -> std::result::Result<(), Fault> {
    let name = CString::new(file).unwrap_or_default();
    write(&cgroup.dir, &name, value.as_bytes())
}

fn refused(cgroup: &Cgroup, setting: &Setting, file: &str, value: &str, fault: Fault) -> Error {
    let path = cgroup.path.join(file).display().to_string();
    let cause = Cause::Os {
        call: fault.call.name(),
        errno: fault.errno,
        on: Some(path.clone()),
    };
    let error = Error::new(
        format!("set {file}"),
        Object::config(&setting.pointer),
        cause,
    );
    let pointer = setting.pointer.as_str();
    match fault.errno {
        libc::ENOENT => error.hint(format!("remove {pointer}: this kernel has no {file}")),
        libc::EACCES | libc::EPERM => {
            error.hint(format!("have the owner of {path} delegate it to this user"))
        }
        libc::EINVAL | libc::ERANGE => {
            error.hint(format!("{file} does not take {value:?}: change {pointer}"))
        }
        libc::EBUSY => error.hint(format!("the group uses more than {value} of it already")),
        libc::ENODEV | libc::ENXIO => {
            let device = value.split(' ').next().unwrap_or(value);
            error.hint(format!(
                "{file} knows no device {device}: see /proc/partitions"
            ))
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests;

//! A container's processes as a table: Windows has no program that callers could give options to.

use crate::error::{Cause, Error, Object, Result};
use crate::sys::threads;
use std::ffi::OsString;

/// The heading, and a line for each process: pid, parent, threads, program.
///
/// # Errors
/// Options; as CreateToolhelp32Snapshot.
pub fn lines(pids: &[i32], options: &[OsString]) -> Result<String> {
    if let Some(option) = options.first() {
        let why = "Windows has no ps that would take options".to_owned();
        let object = Object::Argument(option.to_string_lossy().into_owned());
        return Err(Error::new("run ps", object, Cause::Refused(why)).hint("leave them out"));
    }
    let all = threads::processes()
        .map_err(|fault| Error::new("list the processes", Object::Nothing, fault.into()))?;
    let mut lines = vec!["     PID     PPID THREADS NAME".to_owned()];
    for pid in pids {
        let Some(one) = all.iter().find(|one| one.pid == pid.cast_unsigned()) else {
            continue;
        };
        lines.push(format!(
            "{:>8} {:>8} {:>7} {}",
            one.pid, one.parent, one.threads, one.name
        ));
    }
    Ok(lines.join("\n"))
}

//! `orbital ps`: the processes of a container.

use super::{Verb, check, status};
use crate::backend::ps as host;
use crate::cli::ListFormat;
use crate::error::Result;
use crate::state::Home;
use crate::state::record::without_group;
use std::ffi::OsString;

/// Their pids as a JSON array, or the lines that the host's `ps` has for them.
///
/// # Errors
/// A container that does not exist or is not made yet; a host without `ps`; options that it does not take, or
/// with which it prints no pids.
pub fn ps(id: &str, format: ListFormat, options: &[OsString], home: &Home) -> Result<String> {
    let seat = home.find(&format!("ps {id}"), id)?;
    let now = status::now(&seat)?;
    check(Verb::Ps, id, now.status, now.pid)?;
    let group = match &now.record {
        Some(record) => record.group()?,
        None => None,
    };
    let pids = match group {
        Some(group) => group.processes()?,
        None if now.status.lives() => return Err(without_group("ps", id)),
        None => Vec::new(),
    };
    match format {
        ListFormat::Json => Ok(serde_json::Value::from(pids).to_string()),
        _ => host::lines(&pids, options),
    }
}

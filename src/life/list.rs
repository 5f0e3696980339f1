//! `orbital list`: all containers below the root.

use crate::cli::ListFormat;
use crate::error::{Error, Result};
use crate::state::{Home, oci, status};
use crate::sys::proc::Proc;
use serde_json::Value;

/// The list as text for stdout. A container that vanishes meanwhile, or whose record is not ours, is left out.
///
/// # Errors
/// A root directory or a /proc that cannot be read.
pub fn list(format: ListFormat, home: &Home) -> Result<String> {
    let ids = home.ids()?;
    if format == ListFormat::Quiet {
        return Ok(ids.join("\n"));
    }
    let proc = Proc::open().map_err(|fault| Error::file("trust /proc", "/proc", fault))?;
    let states: Vec<Value> = ids.iter().filter_map(|id| one(id, home, &proc)).collect();
    match format {
        ListFormat::Json => Ok(Value::from(states).to_string()),
        _ => Ok(table(&states)),
    }
}

fn one(id: &str, home: &Home, proc: &Proc) -> Option<Value> {
    let seat = home.find("list the containers", id).ok()?;
    let record = seat
        .record()
        .inspect_err(|error| tracing::warn!("{}, ignored", error.one_line()))
        .ok()??;
    let now = status::of(&seat, Some(&record), proc).ok()?;
    Some(oci::state(&record, now))
}

/// runc's columns, as wide as their widest cell.
fn table(states: &[Value]) -> String {
    const COLUMNS: [(&str, &str); 6] = [
        ("ID", "id"),
        ("PID", "pid"),
        ("STATUS", "status"),
        ("BUNDLE", "bundle"),
        ("CREATED", "created"),
        ("OWNER", "owner"),
    ];
    let cell = |state: &Value, key: &str| match &state[key] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut lines = vec![COLUMNS.map(|(head, _)| head.to_owned())];
    lines.extend(
        states
            .iter()
            .map(|state| COLUMNS.map(|(_, key)| cell(state, key))),
    );
    let width = |column: usize| {
        lines
            .iter()
            .filter_map(|line| Some(line.get(column)?.chars().count()))
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let row = |line: &[String; 6]| {
        let cells = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(row).collect::<Vec<_>>().join("\n")
}

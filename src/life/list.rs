//! `orbital list`: all containers below the root.

use super::status;
use crate::backend::look::{self, Host};
use crate::cli::ListFormat;
use crate::error::Result;
use crate::state::{Home, oci};
use serde_json::Value;

/// The list as text for stdout, and warnings. A container that vanishes meanwhile is left out; one whose
/// record is not ours too, with a warning: it must not hide the others.
///
/// # Errors
/// A root directory or a /proc that cannot be read.
pub fn list(format: ListFormat, home: &Home) -> Result<(String, Vec<String>)> {
    let ids = home.ids()?;
    let mut warnings = Vec::new();
    if format == ListFormat::Quiet {
        return Ok((ids.join("\n"), warnings));
    }
    let host = look::host()?;
    let mut states = Vec::new();
    for id in &ids {
        match one(id, home, &host) {
            Ok(state) => states.extend(state),
            Err(error) => warnings.push(format!("left {id} out: {}", error.one_line())),
        }
    }
    let text = match format {
        ListFormat::Json => Value::from(states).to_string(),
        _ => table(&states),
    };
    Ok((text, warnings))
}

fn one(id: &str, home: &Home, host: &Host) -> Result<Option<Value>> {
    let Ok(seat) = home.find("list the containers", id) else {
        return Ok(None);
    };
    let Some(record) = seat.record()? else {
        return Ok(None);
    };
    let now = status::of(&seat, Some(&record), host)?;
    Ok(Some(oci::state(&record, now)))
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
        let cells = lines.iter().filter_map(|line| line.get(column));
        let longest = cells.map(|cell| cell.chars().count()).max();
        (longest.unwrap_or(0) + BETWEEN).max(NARROWEST)
    };
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let row = |line: &[String; 6]| {
        let cells = line.iter().zip(&widths);
        let text: String = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.trim_end().to_owned()
    };
    lines.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// The width of runc's columns, and the room between two.
const NARROWEST: usize = 12;
const BETWEEN: usize = 3;

#[cfg(test)]
mod tests {
    use super::table;
    use serde_json::json;

    #[test]
    fn columns_as_runc_has_them() {
        let state = json!({"id": "v1", "pid": 26, "status": "running", "bundle": "/tmp/verbs-b",
            "created": "2026-11-22T07:32:36.580679038Z", "owner": "root"});
        assert_eq!(
            table(&[state]),
            "ID          PID         STATUS      BUNDLE         CREATED                          OWNER\n\
             v1          26          running     /tmp/verbs-b   2026-11-22T07:32:36.580679038Z   root"
        );
        assert_eq!(
            table(&[]),
            "ID          PID         STATUS      BUNDLE      CREATED     OWNER"
        );
    }
}

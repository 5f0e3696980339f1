//! `orbital plan`: read, ask, decide, print; and do nothing.

use super::explain;
use crate::cli::{Create, Manager, PlanFormat};
use crate::error::Result;
use crate::linux::ask;
use crate::spec::{self, names};
use std::path::Path;

/// The plan of a bundle for this host and this user, as text for stdout.
///
/// # Errors
/// Whatever would keep `create` from planning it.
pub fn plan(bundle: &Path, format: PlanFormat, manager: Manager) -> Result<String> {
    let read = spec::load(bundle)?;
    let name = read.path.file_name().map_or_else(
        || "container".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    let request = Create {
        manager,
        ..Create::of(name, bundle.to_owned())
    };
    let facts = ask::ask(&ask::trust_proc()?, manager)?;
    let mut plan = crate::plan::plan(&read, &facts, &request)?;
    plan.warnings.extend(names::misspelt(&read.raw));
    Ok(match format {
        PlanFormat::Text => explain::text(&plan),
        PlanFormat::Json => format!("{:#}", explain::json(&plan)),
    })
}

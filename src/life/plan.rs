//! `orbital plan`: read, ask, decide, print; and do nothing.

use crate::backend;
use crate::cli::{Create, Manager, PlanFormat, Platform};
use crate::error::Result;
use crate::plan::job;
use crate::spec;
use std::path::Path;

/// The plan of a bundle for this host and this user, as text for stdout. That of a Job Object can be made on
/// every host.
///
/// # Errors
/// Whatever would keep `create` from planning it.
pub fn plan(
    bundle: &Path,
    format: PlanFormat,
    manager: Manager,
    platform: Platform,
) -> Result<String> {
    let read = spec::load(bundle)?;
    let name = read.path.file_name().map_or_else(
        || "container".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    let request = Create {
        manager,
        ..Create::of(name, bundle.to_owned())
    };
    if platform == Platform::Linux {
        return backend::plain::told(&read, &request, format);
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let processors = u32::try_from(processors).unwrap_or(1);
    let mut plan = job::plan(&read, &job::Facts { processors }, &request)?;
    plan.warnings.extend(spec::names::misspelt(&read.raw));
    Ok(match format {
        PlanFormat::Text => job::told::text(&plan),
        PlanFormat::Json => format!("{:#}", job::told::json(&plan)),
    })
}

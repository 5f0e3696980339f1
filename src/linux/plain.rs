//! The plan in plain words or as JSON (`orbital plan`).
//!
//! What a container is going to be can be told before it is: everything is in the plan. The words follow
//! the table of steps in `linux/step.rs`, so that a step cannot be forgotten. What this does *not* say is
//! whether the kernel will agree.

/// Numbers of the kernel, in words.
mod flags;

/// What one step does, for each step.
mod steps;

/// Those that make the container's tree of files.
mod files;

/// Those that make the process what it may be.
mod process;

/// The seccomp filter.
mod filter;

/// What the runtime does around the steps.
mod parent;

/// What the explanation is made of.
mod part;

/// The whole explanation.
mod text;

/// The whole plan, for programs and for golden files.
mod json;

use super::ask;
use crate::cli::{Create, PlanFormat};
use crate::error::Result;
use crate::plan::Plan;
use crate::spec::{Bundle, names};
use std::path::Path;

/// The plan of a bundle for this host and this user.
///
/// # Errors
/// Whatever would keep `create` from planning it.
pub fn told(bundle: &Bundle, request: &Create, format: PlanFormat) -> Result<String> {
    let facts = ask::ask(&ask::trust_proc()?, request.manager)?;
    let mut plan = crate::plan::plan(bundle, &facts, request)?;
    plan.warnings.extend(names::misspelt(&bundle.raw));
    Ok(match format {
        PlanFormat::Text => self::text(&plan),
        PlanFormat::Json => format!("{:#}", json(&plan)),
    })
}

/// An explanation for people: what this container is, then each step that it will take.
#[must_use]
pub fn text(plan: &Plan) -> String {
    bundled(&text::write(plan), &plan.bundle)
}

/// Every field of the plan, with flags in words. Its order is stable, and the bundle's own path is
/// written `BUNDLE`, so that two hosts with the same facts write the same.
#[must_use]
pub fn json(plan: &Plan) -> serde_json::Value {
    let mut value = json::write(plan);
    shorten(&mut value, &plan.bundle);
    value
}

fn shorten(value: &mut serde_json::Value, bundle: &Path) {
    match value {
        serde_json::Value::String(text) => *text = bundled(text, bundle),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| shorten(item, bundle)),
        serde_json::Value::Object(members) => members
            .values_mut()
            .for_each(|member| shorten(member, bundle)),
        _ => {}
    }
}

/// The text with the bundle's path replaced wherever it is a whole path or the beginning of one.
fn bundled(text: &str, bundle: &Path) -> String {
    let bundle = bundle.to_string_lossy();
    // Of the root directory every path is the beginning.
    if bundle == "/" || bundle.is_empty() {
        return text.to_owned();
    }
    let mut shortened = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(bundle.as_ref()) {
        shortened.push_str(before);
        let begins = before.chars().next_back().is_none_or(|one| !in_name(one));
        let ends = after.chars().next().is_none_or(|one| !in_name(one));
        shortened.push_str(if begins && ends { "BUNDLE" } else { &bundle });
        rest = after;
    }
    shortened + rest
}

/// Whether a character could make another path of it.
fn in_name(one: char) -> bool {
    one.is_alphanumeric() || matches!(one, '.' | '_' | '-')
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod goldens;

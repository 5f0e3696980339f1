//! The whole explanation.

use super::flags::{KINDS, meaning, words};
use super::part::{Part, command};
use super::{filter, parent, steps};
use crate::linux::step::Step;
use crate::plan::Plan;
use crate::plan::birth::{Birth, Kind, UserNamespace};
use crate::plan::caps;
use crate::plan::root::Access;
use std::fmt::Write;

pub(super) fn write(plan: &Plan) -> String {
    let mut out = String::new();
    header(&mut out, plan);
    namespaces(&mut out, &plan.birth);
    line(
        &mut out,
        "\nBelow each act stand its system calls, and the place in config.json that decides it.",
    );
    section(
        &mut out,
        "Around its birth, the runtime:",
        &parent::before(plan),
    );
    line(&mut out, "");
    line(
        &mut out,
        "Then the container's own first process, step by step:",
    );
    let (taken, left): (Vec<Step>, Vec<Step>) = Step::ALL
        .iter()
        .partition(|step| !steps::parts(plan, **step).is_empty());
    for step in taken {
        line(
            &mut out,
            &format!("\n{:>4}  {}  ({})", step.number(), step.words(), step.why()),
        );
        parts(&mut out, &steps::parts(plan, step));
    }
    if !left.is_empty() {
        let left: Vec<String> = left
            .iter()
            .map(|step| format!("{} {}", step.number(), step.words()))
            .collect();
        line(
            &mut out,
            &format!("\nNothing to do for: {}.", left.join("; ")),
        );
    }
    section(&mut out, "Afterwards, the runtime:", &parent::after(plan));
    section(
        &mut out,
        "Warnings:",
        &plan
            .warnings
            .iter()
            .map(|warning| Part::always(warning, ""))
            .collect::<Vec<_>>(),
    );
    out
}

fn header(out: &mut String, plan: &Plan) {
    let access = match plan.root.access {
        Access::ReadWrite => "writable",
        Access::ReadOnly => "read-only",
    };
    let caps = caps::names(plan.caps.effective);
    let rights = if caps.is_empty() {
        "no capabilities".to_owned()
    } else {
        caps.join(" ")
    };
    line(
        out,
        &format!(
            "{} is a process of this machine's own kernel that sees only what is listed here.\n",
            plan.id
        ),
    );
    let runs = match plan.process.argv.as_slice() {
        [] => "nothing: it can be created, but not started".to_owned(),
        argv => command(argv),
    };
    line(out, &format!("  runs   {runs}"));
    line(
        out,
        &format!("  files  {}, {access}", words(&plan.root.path)),
    );
    line(
        out,
        &format!("  user   {}, group {}", plan.user.uid, plan.user.gid),
    );
    line(out, &format!("  may    {rights}"));
    if let Some(calls) = filter::summary(plan) {
        line(out, &format!("  calls  {calls}"));
    }
}

fn namespaces(out: &mut String, birth: &Birth) {
    let own = |kind: &&Kind| birth.owns(**kind);
    line(out, "\nIt has of its own (a namespace for each):");
    for kind in KINDS.iter().filter(own) {
        line(out, &format!("  {:<8} {}", kind.name(), meaning(*kind)));
    }
    let shared: Vec<&str> = KINDS
        .iter()
        .filter(|kind| !own(kind))
        .map(|kind| kind.name())
        .collect();
    if !shared.is_empty() {
        line(
            out,
            &format!(
                "It shares with whoever calls orbital: {}.",
                shared.join(", ")
            ),
        );
    }
    if birth.user == UserNamespace::Inherited {
        line(out, "Its user ids are those of the machine.");
    }
}

/// A heading with its parts, unless there are none.
fn section(out: &mut String, heading: &str, found: &[Part]) {
    if !found.is_empty() {
        line(out, &format!("\n{heading}"));
        parts(out, found);
    }
}

fn parts(out: &mut String, parts: &[Part]) {
    for part in parts {
        line(out, &format!("      - {}", part.what));
        let from = if part.from.is_empty() {
            String::new()
        } else {
            format!("config.json#{}", part.from)
        };
        let source = [part.call, &from]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join("   ");
        if !source.is_empty() {
            line(out, &format!("          {source}"));
        }
    }
}

fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}

//! What the engine is and has.

use super::{Verb, say};
use crate::cli::flags::Extent;
use crate::engine::Outcome;
use crate::engine::places::{Places, Who, who};
use clap::{ArgMatches, Command};
use serde_json::json;

/// The verbs of this family.
pub(super) const VERBS: &[Verb] = &[Verb {
    name: "info",
    line: "where the engine keeps what, and for whom it works, as JSON",
    extent: Extent::End,
    define,
    run: info,
}];

fn define(command: Command) -> Command {
    command.about("Print where images and running things are kept, and for whom, as JSON.")
}

fn info(_: &ArgMatches, places: &Places) -> Outcome {
    let rootless = match who() {
        Who::Root => "no",
        Who::User => "yes",
    };
    let about = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "store": places.store,
        "state": places.state,
        "rootless": rootless,
    });
    say(&format!("{about:#}"))
}

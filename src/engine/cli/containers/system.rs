//! `system`: what takes room, and what may go. `doctor`: what this host lacks.

use super::remove::{All, bytes_in, clear_remains, prune, prune_volumes, shown};
use super::table;
use crate::cli::flags::Extent;
use crate::engine::Outcome;
use crate::engine::cli::remove::{Wanted, prune as prune_images};
use crate::engine::cli::{Verb, say, switch, texts, word};
use crate::engine::container::record::Status;
use crate::engine::container::shelf::Shelf;
use crate::engine::doctor;
use crate::engine::network::{Settings, networks};
use crate::engine::places::Places;
use crate::engine::store::Store;
use crate::engine::volume;
use crate::error::{Cause, Error, Object, Result};
use clap::ArgMatches;
use std::collections::BTreeSet;

/// `system`.
pub(super) const SYSTEM: Verb = Verb {
    name: "system",
    line: "df, prune: what takes room, and what may go",
    extent: Extent::End,
    define: |command| {
        command
            .about(
                "\
system df shows what takes room; system prune removes containers that have ended, networks that no
container is in, images without a name, and what a crash has left.",
            )
            .arg(word("act", "df|prune", "what to do").required(true))
            .args([
                switch(
                    "volumes",
                    "prune: nameless volumes that no container has, too",
                ),
                switch("force", "never asks anyway").short('f'),
            ])
    },
    run: system,
};

/// `doctor`.
pub(super) const DOCTOR: Verb = Verb {
    name: "doctor",
    line: "say what this host lacks for containers, and how to get it",
    extent: Extent::End,
    define: |command| {
        command
            .about("Look at this host: what containers need, what is missing, and how to get it.")
    },
    run: |_, places| {
        let findings = doctor::look(places);
        let lines: Vec<String> = findings.iter().map(doctor::Finding::line).collect();
        say(&lines.join("\n"))?;
        Ok(u8::from(findings.iter().any(|finding| finding.grave())))
    },
};

fn system(found: &ArgMatches, places: &Places) -> Outcome {
    let shelf = Shelf::new(places);
    match texts(found, "act").first().map(String::as_str) {
        Some("df") => df(&shelf),
        Some("prune") => {
            let mut removed = prune(&shelf)?;
            clear_remains(&shelf)?;
            removed.extend(networks::prune(&Settings::new(places))?);
            let mut told = String::new();
            prune_images(&Store::open(places)?, Wanted::Nameless, &mut told)?;
            removed.extend(told.lines().map(str::to_owned));
            if found.get_flag("volumes") {
                removed.extend(prune_volumes(&shelf, All::No)?);
            }
            table::lines(&removed)
        }
        other => {
            let why = Cause::Refused("system has no such act".to_owned());
            let object = Object::Argument(other.unwrap_or_default().to_owned());
            Err(Error::new("read the command line", object, why)
                .hint("use df or prune")
                .into())
        }
    }
}

fn df(shelf: &Shelf) -> Outcome {
    let containers = shelf.all()?;
    let volumes = volume::all(&shelf.places)?;
    let size =
        |record: &crate::engine::container::record::Record| bytes_in(&shelf.folder(&record.id));
    let total: u64 = containers.iter().map(size).sum();
    let ended = containers
        .iter()
        .filter(|record| record.status() != Status::Running);
    let free: u64 = ended.map(size).sum();
    let active = containers
        .iter()
        .filter(|record| record.status() == Status::Running)
        .count();
    let in_use = |volume: &&volume::Volume| {
        containers
            .iter()
            .any(|record| volume::uses(record, &volume.name))
    };
    let of_volume = |volume: &volume::Volume| bytes_in(&volume::data(&shelf.places, &volume.name));
    let volumes_total: u64 = volumes.iter().map(of_volume).sum();
    let volumes_free: u64 = volumes
        .iter()
        .filter(|volume| !in_use(volume))
        .map(of_volume)
        .sum();
    let row = |name: &str, count: usize, active: usize, total: u64, free: u64| {
        vec![
            name.to_owned(),
            count.to_string(),
            active.to_string(),
            shown(total),
            shown(free),
        ]
    };
    let (images, used, size, unused) = images(&shelf.places)?;
    let rows = [
        row("Images", images, used, size, unused),
        row("Containers", containers.len(), active, total, free),
        row(
            "Local Volumes",
            volumes.len(),
            volumes.iter().filter(in_use).count(),
            volumes_total,
            volumes_free,
        ),
    ];
    table::print(&["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"], &rows)
}

/// How many images there are, how many of them containers use, and the bytes of all and of the others. What several
/// share is counted once.
fn images(places: &Places) -> Result<(usize, usize, u64, u64)> {
    let store = Store::open(places)?;
    let all = store.images()?;
    let (mut used, mut needed) = (0, BTreeSet::new());
    for image in &all {
        if !store.users(image)?.is_empty() {
            used += 1;
            needed.extend(image.layers.iter().cloned());
        }
    }
    let layers: BTreeSet<String> = all
        .iter()
        .flat_map(|image| image.layers.iter().cloned())
        .collect();
    let size = |layer: &String| store.layer(layer).map_or(0, |layer| layer.size);
    let total = layers.iter().map(size).sum();
    let unused = layers.difference(&needed).map(size).sum();
    Ok((all.len(), used, total, unused))
}

//! `run`: from the command line to a record, to a monitor, to the end.

/// Flags as clap knows them, and the spellings of the seeds.
mod flags;

/// Flags into a wish.
mod wish;

/// What is noted of it.
mod notes;

/// What the host lends by a name.
mod host;

/// `-v`, `--mount`, `--tmpfs`.
mod mounts;

/// Limits.
mod limits;

/// Where the files come from: a directory, or an image.
mod source;

use crate::cli::flags::Extent;
use crate::engine::Outcome;
use crate::engine::cli::{Verb, say, text};
use crate::engine::container::file;
use crate::engine::container::record::Record;
use crate::engine::container::shelf::Shelf;
use crate::engine::container::wish::Switch;
use crate::engine::front::{Attended, Interest, begin, keys};
use crate::engine::monitor::end;
use crate::engine::network::Settings;
use crate::engine::network::networks::{self, Wanted};
use crate::engine::places::Places;
use crate::error::{Error, Result};
use crate::sys::clock;
use clap::ArgMatches;
use std::path::Path;

/// `run`.
pub(super) const RUN: Verb = Verb {
    name: "run",
    line: "run a command in a new container",
    extent: Extent::FirstWord,
    define: flags::define,
    run,
};

fn run(found: &ArgMatches, places: &Places) -> Outcome {
    let shelf = Shelf::new(places);
    let asked = source::asked(found)?;
    let mut ground = source::find(found, &asked, places)?;
    let mut wish = wish::wish(found, &asked, &ground, places)?;
    source::of_mounts(found, &mut wish.mounts, &mut ground, places)?;
    let leave = text(found, "detach-keys")
        .map(|keys| keys::read(&keys))
        .transpose()?;
    let mut record = Record {
        name: text(found, "name").unwrap_or_default(),
        image: asked.shown.clone(),
        created: clock::now_rfc3339(),
        wish,
        ..Record::default()
    };
    seeds_bridge(found, places)?;
    let cid_file = text(found, "cidfile");
    if let Some(path) = &cid_file {
        refuse_existing(path)?;
    }
    shelf.add(&mut record)?;
    if let Err(error) = ground.pin(&record.id, places) {
        let left = shelf.remove(&record.id).err();
        return Err(error.also(left).into());
    }
    if let Some(path) = &cid_file {
        file::replace(Path::new(path), record.id.as_bytes())?;
    }
    let detached = found.get_flag("detach");
    let interest = match detached {
        true => Interest::Beginning,
        false => Interest::of(&record.wish),
    };
    match begin(&shelf, &record, interest, leave) {
        Ok(Attended::Ended(status)) => Ok(u8::try_from(status).unwrap_or(u8::MAX)),
        Ok(Attended::Started) => say(&record.id),
        Ok(Attended::Detached) => Ok(0),
        Err(failed) => {
            // The monitor removes by itself what it has begun; here is what it could not begin.
            if record.wish.has(Switch::Remove)
                && shelf
                    .get(&record.id)
                    .is_ok_and(|record| record.running().is_none())
            {
                // The first failure is the one to be told, ignored.
                let _ = end::remove(&shelf, &record);
            }
            Err(failed)
        }
    }
}

/// The seeds' `-bridge NAME -bridge-cidr CIDR`: a network of this name, made where there is none.
fn seeds_bridge(found: &ArgMatches, places: &Places) -> Result<()> {
    let name = text(found, "bridge").unwrap_or_else(|| networks::DEFAULT.to_owned());
    let Some(range) = text(found, "bridge-cidr") else {
        return Ok(());
    };
    let settings = Settings::new(places);
    if networks::inspect(&settings, &name).is_ok() && name != networks::DEFAULT {
        return Ok(());
    }
    let bridge = (name.len() < 16 && name != networks::DEFAULT).then(|| name.clone());
    let wanted = Wanted {
        name,
        subnets: vec![range],
        bridge,
        ..Wanted::default()
    };
    match networks::create(&settings, &wanted) {
        Err(_)
            if networks::list(&settings)?
                .iter()
                .any(|record| record.name == wanted.name) =>
        {
            Ok(())
        }
        other => other.map(drop),
    }
}

fn refuse_existing(path: &str) -> Result<()> {
    if Path::new(path).exists() {
        let exists = std::io::Error::from_raw_os_error(libc::EEXIST);
        return Err(
            Error::io("write the container's id", path, "openat", &exists)
                .hint("another container may be behind it; remove the file if not"),
        );
    }
    Ok(())
}

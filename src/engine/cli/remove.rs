//! Names of images that come and go: tag, rmi, image prune.

use super::images::human;
use super::{Verb, say, switch, text, texts, word};
use crate::cli::flags::Extent;
use crate::engine::Outcome;
use crate::engine::places::Places;
use crate::engine::reference::Reference;
use crate::engine::store::{Image, Store};
use crate::error::{Cause, Error, Object, Result};
use clap::{ArgMatches, Command};
use std::fmt::Write;

/// The verbs of this family.
pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: "tag",
        line: "give an image one name more",
        extent: Extent::End,
        define: define_tag,
        run: tag,
    },
    Verb {
        name: "rmi",
        line: "take a name from an image; the last one takes the image",
        extent: Extent::End,
        define: define_rmi,
        run: rmi,
    },
    Verb {
        name: "image prune",
        line: "remove images without a name, and what nobody needs",
        extent: Extent::End,
        define: define_prune,
        run: run_prune,
    },
];

fn define_tag(command: Command) -> Command {
    command
        .arg(word("image", "IMAGE", "a name, or the beginning of an id").required(true))
        .arg(
            word("name", "NAME", "one name more, or several")
                .required(true)
                .num_args(1..),
        )
        .about("Give an image one name more. A name that another image has goes over to this one.")
        .after_help("Example:\n  orbital tag alpine mine:v1")
}

fn tag(found: &ArgMatches, places: &Places) -> Outcome {
    let store = Store::open(places)?;
    let image = store.get(&text(found, "image").unwrap_or_default())?;
    let mut names = Vec::new();
    for typed in texts(found, "name") {
        let reference = Reference::parse(&typed)?;
        if reference.digest.is_some() {
            let why = Cause::Refused("a digest is no name that could be given".to_owned());
            return Err(Error::new("name the image", Object::Argument(typed), why).into());
        }
        names.push((reference.to_string(), reference.repository()));
    }
    store.change(|index| {
        let (names, repositories) = names.into_iter().unzip();
        index.add(Image {
            names,
            repositories,
            ..image
        });
        Ok(())
    })?;
    Ok(0)
}

fn define_rmi(command: Command) -> Command {
    command
        .arg(
            word("image", "IMAGE", "a name, or the beginning of an id")
                .required(true)
                .num_args(1..),
        )
        .arg(
            switch(
                "force",
                "all names of an id; also where containers use it, which keep their files",
            )
            .short('f'),
        )
        .about(
            "\
Take a name from an image. With its last name an image goes, and with it every layer that no other
image and no container needs. An id takes all of its names.",
        )
        .after_help("Example:\n  orbital rmi alpine")
}

fn rmi(found: &ArgMatches, places: &Places) -> Outcome {
    let store = Store::open(places)?;
    let mut told = String::new();
    for typed in texts(found, "image") {
        remove(&store, &typed, found.get_flag("force"), &mut told)?;
    }
    store.sweep()?;
    say(&told)
}

fn remove(store: &Store, typed: &str, force: bool, told: &mut String) -> Result<()> {
    let image = store.get(typed)?;
    let refused = |why: String| {
        Error::new(
            "remove the image",
            Object::Image(typed.to_owned()),
            Cause::Refused(why),
        )
    };
    let name = Reference::parse(typed)
        .ok()
        .map(|reference| reference.to_string());
    let name = name.filter(|name| image.names.contains(name));
    let users = store.users(&image)?;
    store.change(|index| {
        let Some(known) = index.images.iter_mut().find(|known| known.id == image.id) else {
            return Ok(());
        };
        let gone: Vec<String> = match &name {
            Some(name) => vec![name.clone()],
            None if known.names.len() > 1 && !force => {
                return Err(
                    refused(format!("it has several names: {}", known.names.join(", ")))
                        .hint("use --force to take them all"),
                );
            }
            None => known.names.clone(),
        };
        let last = known.names.len() == gone.len();
        if last && !users.is_empty() && !force {
            let why = format!("containers use it: {}", users.join(", "));
            return Err(refused(why)
                .hint("remove them first, or use --force, with which they keep its files"));
        }
        known.names.retain(|name| !gone.contains(name));
        for name in &gone {
            let _ = writeln!(told, "untagged: {name}");
        }
        // One that is in use stays without a name, until its last container goes.
        if last && users.is_empty() {
            index.images.retain(|known| known.id != image.id);
            let _ = writeln!(told, "deleted: {}", image.id);
        }
        Ok(())
    })
}

fn define_prune(command: Command) -> Command {
    command
        .arg(switch("all", "images with a name, too, that no container uses").short('a'))
        .arg(
            switch(
                "force",
                "accepted for docker's callers; orbital does not ask",
            )
            .short('f'),
        )
        .about(
            "\
Remove images without a name that no container uses, downloads that were cut, and layers that nobody
needs.",
        )
        .after_help("Example:\n  orbital image prune --all")
}

fn run_prune(found: &ArgMatches, places: &Places) -> Outcome {
    let wanted = match found.get_flag("all") {
        true => Wanted::Unused,
        false => Wanted::Nameless,
    };
    let mut told = String::new();
    prune(&Store::open(places)?, wanted, &mut told)?;
    say(&told)
}

/// Which images may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All that no container uses.
    Unused,
    /// Of these only those without a name.
    Nameless,
}

/// Removes them, and tells what went.
///
/// # Errors
/// As unlinkat(2).
pub(super) fn prune(store: &Store, wanted: Wanted, told: &mut String) -> Result<()> {
    let mut used = Vec::new();
    for image in store.images()? {
        if !store.users(&image)?.is_empty() {
            used.push(image.id);
        }
    }
    store.change(|index| {
        index.images.retain(|image| {
            let stays =
                used.contains(&image.id) || wanted == Wanted::Nameless && !image.names.is_empty();
            if !stays {
                let _ = writeln!(told, "deleted: {}", image.id);
            }
            stays
        });
        Ok(())
    })?;
    let swept = store.sweep()?;
    let _ = write!(
        told,
        "removed {} layers ({}) and {} blobs",
        swept.layers,
        human(swept.bytes),
        swept.blobs
    );
    Ok(())
}

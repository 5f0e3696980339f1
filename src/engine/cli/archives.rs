//! Images that go into a tar and come out of one: save, load.

use super::fetching::{fetching, wish};
use super::{Verb, say, switch, text, texts, value, word};
use crate::cli::flags::Extent;
use crate::engine::places::Places;
use crate::engine::store::Store;
use crate::engine::{Outcome, inside, pull, save, source, unpack};
use crate::error::{Cause, Error, Object, Result};
use clap::{ArgMatches, Command};
use std::fs::File;
use std::io::{BufWriter, IsTerminal as _, Read as _, Write};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

/// The verbs of this family.
pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: "save",
        line: "write images into a tar",
        extent: Extent::End,
        define: define_save,
        run: run_save,
    },
    Verb {
        name: "load",
        line: "take the images of a tar",
        extent: Extent::End,
        define: define_load,
        run: run_load,
    },
];

fn define_save(command: Command) -> Command {
    command
        .arg(
            word("image", "IMAGE", "names, or beginnings of ids")
                .required(true)
                .num_args(1..),
        )
        .args([
            value("output", "FILE", "where to [standard output]").short('o'),
            switch("quiet", "accepted for docker's callers").short('q'),
        ])
        .about(
            "\
Write images into one tar, as docker save does, for load and for docker's and podman's. The layers'
archives are written anew: what is loaded has the same files, and another id.",
        )
        .after_help("Example:\n  orbital save -o alpine.tar alpine")
}

fn run_save(found: &ArgMatches, places: &Places) -> Outcome {
    // Files of other owners than the user are read by root of the user's ids.
    inside::enter_new()?;
    let store = Store::open(places)?;
    let images = texts(found, "image")
        .iter()
        .map(|name| store.get(name))
        .collect::<Result<Vec<_>>>()?;
    let output = text(found, "output").filter(|file| file != "-");
    let out: Box<dyn Write> = match &output {
        Some(file) => Box::new(
            File::create(file)
                .map_err(|error| Error::io("save the image", file, "openat", &error))?,
        ),
        None if std::io::stdout().is_terminal() => {
            let why = Cause::Refused("a tar is not for a terminal".to_owned());
            return Err(Error::new("save the image", Object::Nothing, why)
                .hint("use -o FILE")
                .into());
        }
        None => Box::new(std::io::stdout().lock()),
    };
    let saved = save::save(&store, &images, BufWriter::new(out));
    if let (Err(_), Some(file)) = (&saved, &output) {
        // Half of a tar is worse than none; one that cannot be removed is told by the failure, ignored.
        let _ = std::fs::remove_file(file);
    }
    saved?;
    Ok(0)
}

fn define_load(command: Command) -> Command {
    fetching(command)
        .args([
            value("input", "FILE", "which [standard input]").short('i'),
            switch("quiet", "print the names only").short('q'),
        ])
        .about(
            "\
Take all images of a tar that save, docker save or podman save has written, or of a tar of an OCI
layout; also one that is compressed by gzip or zstd.",
        )
        .after_help(
            "Example:\n  orbital load -i alpine.tar\n  ssh host docker save app | orbital load",
        )
}

fn run_load(found: &ArgMatches, places: &Places) -> Outcome {
    let store = Store::open(places)?;
    let input = text(found, "input").filter(|file| file != "-");
    let (path, _guard) = match &input {
        Some(file) if is_plain(file)? => (PathBuf::from(file), None),
        _ => {
            let aside = Aside(
                store
                    .root()
                    .join(format!("load-{}.tar", std::process::id())),
            );
            aside.fill(input.as_deref())?;
            (aside.0.clone(), Some(aside))
        }
    };
    for name in source::in_archive(&path)? {
        let (mut wish, progress) = wish(found, "archive")?;
        wish.name = name;
        wish.typed = input.clone().unwrap_or_else(|| "standard input".to_owned());
        let image = pull::pull(&store, &wish, &progress)?;
        let shown = image
            .names
            .first()
            .map_or(image.id.as_str(), String::as_str);
        say(&format!("loaded: {shown}"))?;
    }
    Ok(0)
}

/// Whether the file can be read where it is: a tar, not a pipe and not compressed as a whole.
fn is_plain(path: &str) -> Result<bool> {
    let io = |call, error: &std::io::Error| Error::io("load the images", path, call, error);
    let mut file = File::open(path).map_err(|error| io("openat", &error))?;
    if !file.metadata().is_ok_and(|look| look.is_file()) {
        return Ok(false);
    }
    let mut head = [0; 512];
    let count = file.read(&mut head).map_err(|error| io("read", &error))?;
    let is_tar = head.get(257..262) == Some(b"ustar");
    Ok(count == head.len() && is_tar)
}

/// A file that is gone with the value.
struct Aside(PathBuf);

impl Aside {
    fn fill(&self, from: Option<&str>) -> Result<()> {
        let io = |call, error: &std::io::Error| {
            Error::io(
                "load the images",
                from.unwrap_or("standard input"),
                call,
                error,
            )
        };
        let input = match from {
            Some(path) => File::open(path).map_err(|error| io("openat", &error))?,
            None => {
                let input = std::io::stdin().as_fd().try_clone_to_owned();
                input.map_err(|error| io("fcntl", &error))?.into()
            }
        };
        let mut file = create(&self.0)?;
        unpack::decompress(input, &mut file).map_err(|error| io("read", &error))
    }
}

fn create(path: &Path) -> Result<File> {
    File::create(path).map_err(|error| Error::io("load the images", path, "openat", &error))
}

impl Drop for Aside {
    fn drop(&mut self) {
        // What cannot be removed lies in the store, and is seen there, ignored.
        let _ = std::fs::remove_file(&self.0);
    }
}

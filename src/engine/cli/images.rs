//! Images that come and that are here: pull, import, images, inspect.

use super::fetching::{bytes, fetching, wish};
use super::{Verb, say, switch, text, texts, value, word};
use crate::cli::flags::Extent;
use crate::engine::Outcome;
use crate::engine::image::Platform;
use crate::engine::image::config::Settings;
use crate::engine::places::Places;
use crate::engine::pull;
use crate::engine::pull::import::{self, Import};
use crate::engine::reference::{Reference, familiar};
use crate::engine::store::{Image, Store};
use crate::error::Result;
use clap::builder::PossibleValuesParser;
use clap::{ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

/// The verbs of this family.
pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: "pull",
        line: "fetch an image",
        extent: Extent::End,
        define: define_pull,
        run: pull,
    },
    Verb {
        name: "import",
        line: "make an image of a root tar",
        extent: Extent::End,
        define: define_import,
        run: import,
    },
    Verb {
        name: "images",
        line: "show the images that are here",
        extent: Extent::End,
        define: define_images,
        run: images,
    },
];

fn define_pull(command: Command) -> Command {
    fetching(command)
        .arg(word("image", "IMAGE", "NAME, docker://NAME, oci:FOLDER[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME]").required(true).num_args(1..))
        .arg(switch("quiet", "print the image's id only").short('q'))
        .about("\
Fetch an image: its manifest, its config, and all layers that are not here yet, several at once.
Everything is compared with its digest before it is used. The image's id is printed at the end.")
        .after_help("Example:\n  orbital pull alpine\n  orbital pull --platform linux/arm64 quay.io/team/tool:v2\n  orbital pull oci:./layout:latest")
}

fn pull(found: &ArgMatches, places: &Places) -> Outcome {
    let store = Store::open(places)?;
    for typed in texts(found, "image") {
        let (wish, progress) = wish(found, &typed)?;
        let image = pull::pull(&store, &wish, &progress)?;
        say(image.id.as_str())?;
    }
    Ok(0)
}

fn define_import(command: Command) -> Command {
    let change = value(
        "change",
        "LINE",
        "a line of a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR",
    );
    command
        .arg(word("file", "FILE", "a tar of a root file system, plain or compressed by gzip or zstd; - for standard input").required(true))
        .arg(word("name", "NAME", "what the image will be called"))
        .arg(change.short('c').action(ArgAction::Append))
        .arg(value("platform", "OS/ARCH", "for which machine it is [this one]"))
        .arg(value("max-unpacked", "SIZE", "most bytes that it may unpack to"))
        .about("Make an image of one layer from a tar of a root file system.")
        .after_help("Example:\n  orbital import --change 'CMD [\"/bin/sh\"]' rootfs.tar mine:v1")
}

fn import(found: &ArgMatches, places: &Places) -> Outcome {
    let mut settings = Settings::default();
    for line in texts(found, "change") {
        import::change(&mut settings, &line)?;
    }
    let platform = text(found, "platform")
        .map(|platform| Platform::parse(&platform))
        .transpose()?;
    let wish = Import {
        file: text(found, "file").unwrap_or_default(),
        name: text(found, "name")
            .map(|name| Reference::parse(&name))
            .transpose()?,
        platform: platform.unwrap_or_else(Platform::host),
        settings,
        most: text(found, "max-unpacked")
            .map(|size| bytes("max-unpacked", &size))
            .transpose()?,
    };
    let image = import::import(&Store::open(places)?, &wish)?;
    say(image.id.as_str())
}

fn define_images(command: Command) -> Command {
    command
        .arg(word(
            "name",
            "NAME",
            "only images of this repository, or of this name",
        ))
        .arg(switch("quiet", "only the ids").short('q'))
        .arg(switch("digests", "the manifests' digests as well"))
        .arg(
            value("format", "FORMAT", "for people or for programs")
                .short('f')
                .value_parser(PossibleValuesParser::new(["table", "json"])),
        )
        .about("Show the images that are here, the newest first.")
        .after_help("Example:\n  orbital images\n  orbital images --format json alpine")
}

/// One line of the list: a name of an image, or an image without any.
struct Row<'i> {
    repository: String,
    tag: String,
    image: &'i Image,
}

fn images(found: &ArgMatches, places: &Places) -> Outcome {
    let images = Store::open(places)?.images()?;
    let wanted = text(found, "name");
    let reference = wanted.as_deref().map(Reference::parse).transpose()?;
    let named = |row: &Row<'_>| match (&reference, &wanted) {
        (Some(reference), Some(typed)) => {
            let tag = typed
                .rsplit('/')
                .next()
                .is_some_and(|last| last.contains(':'));
            row.repository == reference.repository()
                && (!tag || reference.tag.as_deref() == Some(row.tag.as_str()))
        }
        _ => true,
    };
    let rows: Vec<Row<'_>> = images.iter().flat_map(rows).filter(named).collect();
    if found.get_flag("quiet") {
        let mut ids: Vec<&str> = rows.iter().map(|row| row.image.id.short()).collect();
        ids.dedup();
        return if ids.is_empty() {
            Ok(0)
        } else {
            say(&ids.join("\n"))
        };
    }
    if found
        .get_one::<String>("format")
        .is_some_and(|format| format == "json")
    {
        let all: Vec<Value> = rows.iter().map(|row| json!({
            "repository": row.repository, "tag": row.tag, "id": row.image.id, "digest": row.image.digests.first(),
            "created": row.image.created, "size": row.image.size, "platform": row.image.platform.to_string(),
        })).collect();
        return say(&format!("{:#}", Value::from(all)));
    }
    say(&table(&rows, found.get_flag("digests")))
}

fn rows(image: &Image) -> Vec<Row<'_>> {
    let row = |name: &String| {
        let (repository, tag) = name.rsplit_once(':').unwrap_or((name, ""));
        Row {
            repository: repository.to_owned(),
            tag: tag.to_owned(),
            image,
        }
    };
    let none = || "<none>".to_owned();
    if image.names.is_empty() {
        let repository = image.repositories.first().cloned().unwrap_or_else(none);
        return vec![Row {
            repository,
            tag: none(),
            image,
        }];
    }
    image.names.iter().map(row).collect()
}

fn table(rows: &[Row<'_>], digests: bool) -> String {
    let mut lines = vec![vec![
        "REPOSITORY".to_owned(),
        "TAG".to_owned(),
        "IMAGE ID".to_owned(),
        "CREATED".to_owned(),
        "SIZE".to_owned(),
    ]];
    for row in rows {
        let created = row
            .image
            .created
            .split(['T', '.'])
            .next()
            .unwrap_or_default();
        lines.push(vec![
            familiar(&row.repository).to_owned(),
            row.tag.clone(),
            row.image.id.short().to_owned(),
            if created.is_empty() {
                "unknown".to_owned()
            } else {
                created.to_owned()
            },
            human(row.image.size),
        ]);
    }
    if digests {
        let first = |row: &Row<'_>| {
            row.image
                .digests
                .first()
                .map(ToString::to_string)
                .unwrap_or_default()
        };
        let column = ["DIGEST".to_owned()]
            .into_iter()
            .chain(rows.iter().map(first));
        for (line, digest) in lines.iter_mut().zip(column) {
            line.insert(2, digest);
        }
    }
    columns(&lines)
}

/// Lines with their columns under each other.
#[must_use]
pub fn columns(lines: &[Vec<String>]) -> String {
    let count = lines.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        lines
            .iter()
            .filter_map(|line| Some(line.get(column)?.chars().count()))
            .max()
    };
    let widths: Vec<usize> = (0..count)
        .map(|column| width(column).unwrap_or_default())
        .collect();
    let line = |line: &Vec<String>| {
        let cells = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A number of bytes as docker shows it: powers of a thousand.
#[must_use]
pub fn human(bytes: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

/// What docker's inspect says of an image, by the same names.
///
/// # Errors
/// A config that is gone.
pub fn about(store: &Store, image: &Image) -> Result<Value> {
    let config = store.config(image)?;
    let digests: Vec<String> = image
        .repositories
        .iter()
        .flat_map(|repository| {
            image
                .digests
                .iter()
                .map(move |digest| format!("{repository}@{digest}"))
        })
        .collect();
    Ok(json!({
        "Id": image.id,
        "RepoTags": image.names,
        "RepoDigests": digests,
        "Created": config.created,
        "Author": config.author,
        "Architecture": config.platform.architecture,
        "Variant": config.platform.variant,
        "Os": config.platform.os,
        "Size": image.size,
        "Config": config.config,
        "RootFS": {"Type": "layers", "Layers": config.rootfs.diff_ids},
        "History": config.history,
        "GraphDriver": {"Name": "overlay", "Data": {"Layers": store.layers(image)}},
    }))
}

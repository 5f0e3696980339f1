//! Where the files come from. What begins with `/`, `./` or `../`, and what `--rootfs` names, is a directory;
//! everything else is an image. Nothing is guessed from what happens to lie in the caller's directory.

use crate::engine::cli::fetching::wish;
use crate::engine::cli::{text, texts};
use crate::engine::container::wish::{Mount, MountKind, Root};
use crate::engine::image::Platform;
use crate::engine::places::Places;
use crate::engine::pull::{Policy, obtain};
use crate::engine::store::{Image, Store};
use crate::error::{Cause, Error, Object, Result};
use clap::ArgMatches;
use std::path::{Path, PathBuf};

/// What was named, and the command after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// As it was typed.
    pub(super) shown: String,
    /// A directory, or an image's name.
    pub(super) named: Named,
    /// The command; empty for the image's own.
    pub(super) command: Vec<String>,
}

/// A directory, or an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// A directory as it is.
    Directory(PathBuf),
    /// A directory under a throw-away overlay.
    Covered(PathBuf),
    /// An image's name.
    Image(String),
}

/// The files, and what comes with them.
#[derive(Clone, Debug, Default)]
pub(super) struct Ground {
    /// The files.
    pub(super) root: Root,
    /// What the image says; empty for a directory.
    pub(super) image: ImageWish,
    /// The image itself, and those that are mounted into the container.
    pinned: Vec<Image>,
}

/// What an image wishes for its containers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ImageWish {
    pub(super) entrypoint: Vec<String>,
    pub(super) command: Vec<String>,
    pub(super) env: Vec<String>,
    pub(super) user: String,
    pub(super) workdir: String,
    pub(super) volumes: Vec<String>,
    pub(super) ports: Vec<String>,
    pub(super) labels: Vec<(String, String)>,
    pub(super) stop_signal: String,
}

/// Reads the words.
///
/// # Errors
/// Neither an image nor a directory.
pub(super) fn asked(found: &ArgMatches) -> Result<Asked> {
    let mut words = texts(found, "words").into_iter();
    let covered = found.get_flag("overlay");
    if let Some(directory) = text(found, "rootfs") {
        let named = directory_named(&directory, covered)?;
        return Ok(Asked {
            shown: directory,
            named,
            command: words.collect(),
        });
    }
    let Some(first) = words.next() else {
        let why = Cause::Refused("neither an image nor a directory was named".to_owned());
        return Err(Error::new("run a container", Object::Nothing, why)
            .hint("orbital run IMAGE COMMAND, or orbital run --rootfs / -- COMMAND"));
    };
    let named = match is_directory(&first) {
        true => directory_named(&first, covered)?,
        false => Named::Image(first.clone()),
    };
    Ok(Asked {
        shown: first,
        named,
        command: words.collect(),
    })
}

fn is_directory(word: &str) -> bool {
    word.starts_with('/')
        || [".", ".."].contains(&word)
        || word.starts_with("./")
        || word.starts_with("../")
}

fn directory_named(word: &str, covered: bool) -> Result<Named> {
    let (bare, marked) = match word.strip_suffix(":O") {
        Some(bare) => (bare, true),
        None => (word, false),
    };
    let told =
        |error: &std::io::Error| Error::io("find the root file system", bare, "realpath", error);
    let path = std::fs::canonicalize(bare).map_err(|error| told(&error))?;
    if !path.is_dir() {
        return Err(told(&std::io::Error::from_raw_os_error(libc::ENOTDIR)));
    }
    // The host's own root is never given away as it is.
    let is_hosts = path == std::path::Path::new("/");
    Ok(if covered || marked || is_hosts {
        Named::Covered(path)
    } else {
        Named::Directory(path)
    })
}

/// Finds the files; an image is fetched where `--pull` says so.
///
/// # Errors
/// An image that is not there and cannot be had.
pub(super) fn find(found: &ArgMatches, asked: &Asked, places: &Places) -> Result<Ground> {
    let root = match &asked.named {
        Named::Directory(path) => Root::Directory { path: path.clone() },
        Named::Covered(path) => Root::Layers {
            lower: vec![path.clone()],
        },
        Named::Image(name) => return of_image(found, name, places),
    };
    Ok(Ground {
        root,
        ..Ground::default()
    })
}

/// Finds the layers of images that are mounted, as those of the container's own.
///
/// # Errors
/// As [`find`].
pub(super) fn of_mounts(
    found: &ArgMatches,
    mounts: &mut [Mount],
    ground: &mut Ground,
    places: &Places,
) -> Result<()> {
    for mount in mounts
        .iter_mut()
        .filter(|mount| mount.kind == MountKind::Image)
    {
        let store = Store::open(places)?;
        let image = obtained(found, &mount.source, &store)?;
        mount.layers = store.layers(&image);
        mount.layers.reverse();
        ground.pinned.push(image);
    }
    Ok(())
}

fn obtained(found: &ArgMatches, name: &str, store: &Store) -> Result<Image> {
    let word = text(found, "pull").unwrap_or_else(|| "missing".to_owned());
    let policy = Policy::parse(&word).ok_or_else(|| {
        let why = Cause::Refused("no such word".to_owned());
        Error::new(
            "read the command line",
            Object::Argument(format!("--pull={word}")),
            why,
        )
        .hint("use always, missing, never or newer")
    })?;
    let (wish, progress) = wish(found, name)?;
    obtain(store, &wish, policy, &progress)
}

fn of_image(found: &ArgMatches, name: &str, places: &Places) -> Result<Ground> {
    let store = Store::open(places)?;
    let image = obtained(found, name, &store)?;
    runs_here(&image, name)?;
    let settings = store.config(&image)?.config;
    let mut lower = store.layers(&image);
    // The store has the bottom first, overlay the top.
    lower.reverse();
    Ok(Ground {
        root: Root::Layers { lower },
        image: ImageWish {
            entrypoint: settings.entrypoint,
            command: settings.cmd,
            env: settings.env,
            user: settings.user,
            workdir: settings.working_dir,
            volumes: settings.volumes.into_keys().collect(),
            ports: settings.exposed_ports.into_keys().collect(),
            labels: settings.labels.into_iter().collect(),
            stop_signal: settings.stop_signal,
        },
        pinned: vec![image],
    })
}

/// Refuses what no processor of this host can run, before anything is made for it.
fn runs_here(image: &Image, name: &str) -> Result<()> {
    let (wanted, host) = (
        image.platform.architecture.as_str(),
        Platform::host().architecture,
    );
    let also: &[&str] = match host.as_str() {
        "amd64" => &["386"],
        // Most of them run programs of 32 bits, too.
        "arm64" => &["arm"],
        _ => &[],
    };
    let interpreted = |file: &str| {
        let registered = Path::new("/proc/sys/fs/binfmt_misc").join(file);
        std::fs::read_to_string(registered).is_ok_and(|text| text.starts_with("enabled"))
    };
    let qemus = match wanted {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "386" => "i386",
        other => other,
    };
    if wanted == host || also.contains(&wanted) || interpreted(&format!("qemu-{qemus}")) {
        return Ok(());
    }
    let why = format!(
        "it is made for {}, and this host's processor is {host}",
        image.platform
    );
    let object = Object::Image(name.to_owned());
    Err(Error::new("run the image", object, Cause::Refused(why)).hint(format!(
        "orbital pull --platform linux/{host} {name} fetches the fitting one, where there is one; or install qemu-user-static"
    )))
}

impl Ground {
    /// Notes that the container uses the image, so that no sweep takes its layers.
    ///
    /// # Errors
    /// A note that cannot be written.
    pub(super) fn pin(&self, id: &str, places: &Places) -> Result<()> {
        if self.pinned.is_empty() {
            return Ok(());
        }
        let store = Store::open(places)?;
        let mut pins = self.pinned.iter().enumerate();
        pins.try_for_each(|(number, image)| store.pin(image, id, number))
    }
}

#[cfg(test)]
mod tests {
    use super::is_directory;

    #[test]
    fn only_what_looks_like_a_path_is_one() {
        for path in ["/", "/srv/root", "./x", "../x", ".", ".."] {
            assert!(is_directory(path), "{path}");
        }
        for image in [
            "alpine",
            "x/y",
            "oci:dir",
            ".hidden",
            "localhost:5000/x",
            "src",
        ] {
            assert!(!is_directory(image), "{image}");
        }
    }
}

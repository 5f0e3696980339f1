//! A name → an image in the store: manifest, config, then all layers at once.
//!
//! Each layer is fetched, compared with its digest, and unpacked without waiting for those below it: overlay
//! puts them on top of each other only when a container starts. The largest begin. An image is named in
//! images.json only when every layer is in its place.

/// Layers, fetched and unpacked side by side.
mod layers;

/// A root tar that becomes an image.
pub mod import;

use super::digest::Digest;
use super::image::manifest::refused;
use super::image::{Document, ImageConfig, Manifest, Platform};
use super::progress::Progress;
use super::reference::Reference;
use super::source::{Access, Name, Source};
use super::store::{Image, Store};
use crate::error::{Cause, Error, Object, Result};

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Where it comes from.
    pub name: Name,
    /// The same as it was typed.
    pub typed: String,
    /// How it is fetched.
    pub access: Access,
    /// For which machine; `None` for this one.
    pub platform: Option<Platform>,
    /// Most bytes that a layer may unpack to; `None` for a bound by its size.
    pub most: Option<u64>,
}

impl Wish {
    /// An image as it is typed, fetched as the settings say, for this machine.
    ///
    /// # Errors
    /// A name that is none.
    pub fn new(typed: &str) -> Result<Wish> {
        let access = Access {
            credentials: None,
            trust: None,
        };
        Ok(Wish {
            name: Name::parse(typed)?,
            typed: typed.to_owned(),
            access,
            platform: None,
            most: None,
        })
    }
}

/// When `run` fetches an image: `--pull`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Each time.
    Always,
    /// Where it is not here.
    Missing,
    /// Never: it must be here.
    Never,
    /// Where the registry has another one; where it cannot be asked, what is here serves.
    Newer,
}

impl Policy {
    /// Reads `always`, `missing`, `never` or `newer`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Policy> {
        Some(match word {
            "always" => Policy::Always,
            "missing" => Policy::Missing,
            "never" => Policy::Never,
            "newer" => Policy::Newer,
            _ => return None,
        })
    }
}

/// The image, fetched where the policy says so.
///
/// # Errors
/// As [`pull`]; an image that is not here and may not be fetched.
pub fn obtain(store: &Store, wish: &Wish, policy: Policy, progress: &Progress) -> Result<Image> {
    let here = match &wish.name {
        Name::Registry(reference) => {
            // An id is typed like a name, and is known only here.
            let typed = if wish.typed.starts_with("docker://") {
                reference.to_string()
            } else {
                wish.typed.clone()
            };
            store.find(&typed)?.filter(|image| fits(image, wish))
        }
        _ => None,
    };
    match (policy, here) {
        (Policy::Missing | Policy::Never, Some(image)) => Ok(image),
        (Policy::Never, None) => {
            let why =
                Cause::Refused("it is not here, and --pull=never forbids to fetch it".to_owned());
            Err(
                Error::new("find the image", Object::Image(wish.typed.clone()), why).hint(format!(
                    "orbital pull {0} fetches it; a directory is named by a path, such as ./{0}",
                    wish.typed
                )),
            )
        }
        (Policy::Newer, Some(image)) => match newer(wish, &image) {
            Ok(false) => Ok(image),
            Ok(true) => pull(store, wish, progress),
            Err(error) => {
                progress.say(&format!("what is here is used: {}", error.one_line()));
                Ok(image)
            }
        },
        (Policy::Always | Policy::Missing | Policy::Newer, _) => pull(store, wish, progress),
    }
}

fn fits(image: &Image, wish: &Wish) -> bool {
    let wanted = wish.platform.as_ref();
    wanted.is_none_or(|wanted| {
        let variant = wanted.variant.is_empty() || wanted.variant == image.platform.variant;
        wanted.os == image.platform.os
            && wanted.architecture == image.platform.architecture
            && variant
    })
}

fn newer(wish: &Wish, image: &Image) -> Result<bool> {
    let sources = Source::open(&wish.name, &wish.access)?;
    let root = first(&sources, &wish.typed, Source::root)?;
    Ok(!image.digests.contains(&Digest::of(&root)))
}

/// Asks one after the other, until one answers.
fn first<T>(sources: &[Source], typed: &str, ask: impl Fn(&Source) -> Result<T>) -> Result<T> {
    let mut failures = Vec::new();
    for source in sources {
        match ask(source) {
            Ok(answer) => return Ok(answer),
            Err(error) => failures.push(error),
        }
    }
    // The last is the registry itself; those before are its mirrors.
    match failures.pop() {
        Some(last) => Err(last.also(failures)),
        None => Err(refused(typed, "there is nowhere to look for it".to_owned())),
    }
}

/// Fetches the image, and names it in the store.
///
/// # Errors
/// What registries and files answer; what is wrong with the image; a full disk. Nothing of it is then named;
/// downloads that were cut are gone on with the next time.
pub fn pull(store: &Store, wish: &Wish, progress: &Progress) -> Result<Image> {
    let _share = store.share()?;
    let sources = Source::open(&wish.name, &wish.access)?;
    first(&sources, &wish.typed, |source| {
        progress.say(&format!("pulling {}", whole_name(source, wish)));
        from(store, wish, source, progress)
    })
}

fn whole_name(source: &Source, wish: &Wish) -> String {
    source
        .reference()
        .map_or_else(|| wish.typed.clone(), |reference| reference.to_string())
}

fn from(store: &Store, wish: &Wish, source: &Source, progress: &Progress) -> Result<Image> {
    let name = whole_name(source, wish);
    let found = Found::look(source, wish, &name)?;
    let config = source.config(&found.manifest.config)?;
    let read = ImageConfig::read(&config, &name)?;
    check(&found.manifest, &read, wish, &name)?;
    let order = layers::Order {
        source,
        manifest: &found.manifest,
        config: &read,
        most: wish.most,
    };
    let (layers, size) = layers::fetch(store, &order, progress)?;
    let mut digests = Vec::new();
    for document in &found.documents {
        digests.push(store.keep(document)?);
    }
    let id = store.keep(&config)?;
    let reference = source.reference();
    let image = Image {
        id,
        names: names(reference.as_ref()),
        digests,
        repositories: reference.iter().map(Reference::repository).collect(),
        platform: read.platform,
        created: read.created,
        size,
        layers,
    };
    store.change(|index| {
        index.add(image.clone());
        Ok(())
    })?;
    Ok(image)
}

/// A digest means one image for ever, and is no name that could go to another.
fn names(reference: Option<&Reference>) -> Vec<String> {
    let named = reference.filter(|reference| reference.digest.is_none());
    named.map(ToString::to_string).into_iter().collect()
}

/// The manifest, and the documents that led to it, as they came.
struct Found {
    manifest: Manifest,
    documents: Vec<Vec<u8>>,
}

impl Found {
    fn look(source: &Source, wish: &Wish, name: &str) -> Result<Found> {
        let root = source.root()?;
        let mut documents = vec![root];
        // An index may lead to another: image-spec's image-index.md allows it.
        for _ in 0..4 {
            let bytes = documents.last().map(Vec::as_slice).unwrap_or_default();
            let all = match Document::read(bytes, name)? {
                Document::Manifest(manifest) => {
                    return Ok(Found {
                        manifest,
                        documents,
                    });
                }
                Document::Index(all) => all,
            };
            let wanted = wish.platform.clone().unwrap_or_else(Platform::host);
            // Nested ones of a layout may name no platform.
            let chosen = wanted.choose(&all).or(match all.as_slice() {
                [one] if one.platform.is_none() => Some(one),
                _ => None,
            });
            let Some(chosen) = chosen else {
                let known: Vec<String> = all
                    .iter()
                    .filter_map(|entry| Some(entry.platform.as_ref()?.to_string()))
                    .collect();
                let error = refused(name, format!("it is not made for {wanted}"));
                return Err(error.hint(format!("it is made for: {}", known.join(", "))));
            };
            documents.push(source.manifest(&chosen.digest)?);
        }
        Err(refused(
            name,
            "its indexes lead from one to the next".to_owned(),
        ))
    }
}

fn check(manifest: &Manifest, config: &ImageConfig, wish: &Wish, name: &str) -> Result<()> {
    let (layers, ids) = (manifest.layers.len(), config.rootfs.diff_ids.len());
    if layers != ids {
        return Err(refused(
            name,
            format!("its manifest has {layers} layers, and its config {ids}"),
        ));
    }
    if let Some(wanted) = &wish.platform
        && (wanted.os != config.platform.os || wanted.architecture != config.platform.architecture)
    {
        return Err(refused(
            name,
            format!("it is made for {}, not for {wanted}", config.platform),
        ));
    }
    if config.platform.os != "linux" {
        return Err(refused(name, format!("it is made for {}", config.platform)));
    }
    Ok(())
}

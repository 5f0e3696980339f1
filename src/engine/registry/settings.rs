//! registries.conf, the file that podman, buildah and skopeo read (containers-registries.conf(5), version 2):
//! which registry is reached where, by which mirrors, and which without TLS. Names without a host are
//! Docker's, whatever the file says of searching.

use crate::engine::places::variable;
use crate::engine::reference::Reference;
use crate::error::{Cause, Error, Object, Result};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

/// Whether a registry's certificate must be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// TLS with a certificate that is signed by a known authority.
    Verified,
    /// TLS with any certificate, else plain HTTP.
    Insecure,
    /// As the registry's address says: on the loopback interface nobody listens in between.
    ByAddress,
}

/// One place where an image may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `HOST[:PORT]`.
    pub host: String,
    /// The repository there.
    pub path: String,
    /// How it is reached.
    pub trust: Trust,
}

/// What the files say.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Settings {
    #[serde(default, rename = "registry")]
    registries: Vec<Registry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Registry {
    prefix: Option<String>,
    location: Option<String>,
    #[serde(default)]
    insecure: bool,
    #[serde(default)]
    blocked: bool,
    #[serde(default, rename = "mirror")]
    mirrors: Vec<Mirror>,
}

#[derive(Clone, Debug, Deserialize)]
struct Mirror {
    location: String,
    #[serde(default)]
    insecure: bool,
}

impl Settings {
    /// Reads the user's file, or else the host's, and what lies in the folder beside it.
    ///
    /// # Errors
    /// A file that is no TOML.
    pub fn read() -> Result<Settings> {
        let mut settings = Settings::default();
        for file in files() {
            match fs::read_to_string(&file) {
                Ok(text) => settings.registries.extend(parse(&text, &file)?.registries),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(Error::io(
                        "read the registries' settings",
                        file,
                        "read",
                        &error,
                    ));
                }
            }
        }
        Ok(settings)
    }

    /// Where the image is looked for, in order: mirrors first.
    ///
    /// # Errors
    /// A registry that is blocked.
    pub fn endpoints(&self, image: &Reference) -> Result<Vec<Endpoint>> {
        let name = image.repository();
        let fitting = self
            .registries
            .iter()
            .filter(|registry| registry.fits(&name));
        let Some(registry) = fitting.max_by_key(|registry| registry.prefix().len()) else {
            return Ok(vec![endpoint(&name, Trust::ByAddress)]);
        };
        if registry.blocked {
            let why = Cause::Refused(format!("registries.conf blocks {}", registry.prefix()));
            return Err(Error::new(
                "fetch the image",
                Object::Image(image.to_string()),
                why,
            ));
        }
        let rest = name.strip_prefix(registry.prefix()).unwrap_or_default();
        // `*.example.com` has no location to replace it by.
        let own = match (&registry.location, registry.prefix().starts_with("*.")) {
            (Some(location), false) => format!("{location}{rest}"),
            _ => name.clone(),
        };
        let trust = |insecure| {
            if insecure {
                Trust::Insecure
            } else {
                Trust::ByAddress
            }
        };
        let mirrors = registry.mirrors.iter();
        let mirrors = mirrors.map(|mirror| {
            endpoint(
                &format!("{}{rest}", mirror.location),
                trust(mirror.insecure),
            )
        });
        Ok(mirrors
            .chain([endpoint(&own, trust(registry.insecure))])
            .collect())
    }
}

impl Registry {
    fn prefix(&self) -> &str {
        self.prefix
            .as_deref()
            .or(self.location.as_deref())
            .unwrap_or_default()
    }

    fn fits(&self, name: &str) -> bool {
        let prefix = self.prefix();
        if let Some(domain) = prefix.strip_prefix('*') {
            let host = name.split('/').next().unwrap_or_default();
            return host.ends_with(domain);
        }
        let whole = |rest: &str| rest.is_empty() || rest.starts_with(['/', ':', '@']);
        !prefix.is_empty() && name.strip_prefix(prefix).is_some_and(whole)
    }
}

fn endpoint(name: &str, trust: Trust) -> Endpoint {
    let (host, path) = name.split_once('/').unwrap_or((name, ""));
    // Docker's registry has another name than its images.
    let host = if host == "docker.io" {
        "registry-1.docker.io"
    } else {
        host
    };
    Endpoint {
        host: host.to_owned(),
        path: path.to_owned(),
        trust,
    }
}

fn parse(text: &str, file: &Path) -> Result<Settings> {
    basic_toml::from_str(text).map_err(|error| {
        let cause = Cause::Answer(error.to_string());
        Error::new(
            "read the registries' settings",
            Object::File(file.to_owned()),
            cause,
        )
    })
}

fn files() -> Vec<PathBuf> {
    if let Some(file) = variable("CONTAINERS_REGISTRIES_CONF") {
        return vec![file.into()];
    }
    let home = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".config")));
    let own = home.map(|home| home.join("containers/registries.conf"));
    let main = own
        .filter(|own| own.exists())
        .unwrap_or_else(|| "/etc/containers/registries.conf".into());
    let folder = main.with_added_extension("d");
    let listed = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let mut more: Vec<PathBuf> = listed
        .filter(|path| path.extension().is_some_and(|end| end == "conf"))
        .collect();
    more.sort();
    [main].into_iter().chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::{Trust, parse};
    use crate::engine::reference::Reference;
    use std::path::Path;

    const FILE: &str = r#"
unqualified-search-registries = ["example.com"]

[[registry]]
prefix = "docker.io"
location = "docker.io"
[[registry.mirror]]
location = "mirror.example:5000/hub"
insecure = true

[[registry]]
location = "plain.example:5000"
insecure = true

[[registry]]
prefix = "quay.io/mine"
location = "other.example/theirs"

[[registry]]
prefix = "*.bad.example"
blocked = true
"#;

    fn places(name: &str) -> Vec<(String, Trust)> {
        let settings = parse(FILE, Path::new("x")).unwrap();
        let all = settings
            .endpoints(&Reference::parse(name).unwrap())
            .unwrap();
        all.into_iter()
            .map(|place| (format!("{} {}", place.host, place.path), place.trust))
            .collect()
    }

    #[test]
    fn mirrors_come_first_and_prefixes_are_replaced() {
        let place = |text: &str, trust| (text.to_owned(), trust);
        assert_eq!(
            places("alpine"),
            [
                place("mirror.example:5000 hub/library/alpine", Trust::Insecure),
                place("registry-1.docker.io library/alpine", Trust::ByAddress),
            ]
        );
        assert_eq!(
            places("plain.example:5000/x"),
            [place("plain.example:5000 x", Trust::Insecure)]
        );
        assert_eq!(
            places("quay.io/mine/x"),
            [place("other.example theirs/x", Trust::ByAddress)]
        );
        assert_eq!(
            places("quay.io/minerals/x"),
            [place("quay.io minerals/x", Trust::ByAddress)]
        );
    }

    #[test]
    fn a_blocked_registry_is_not_asked() {
        let settings = parse(FILE, Path::new("x")).unwrap();
        let image = Reference::parse("very.bad.example/x").unwrap();
        assert!(
            settings
                .endpoints(&image)
                .unwrap_err()
                .to_string()
                .contains("blocks *.bad.example")
        );
        assert!(parse("[[registry", Path::new("x")).is_err());
    }
}

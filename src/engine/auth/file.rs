//! The files: containers-auth.json(5), and Docker's config.json, which is alike. What is not understood in
//! them is kept.

use super::{Credentials, program};
use crate::engine::places::variable;
use crate::engine::store::replace;
use crate::error::{Cause, Error, Object, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// One file.
#[derive(Debug)]
pub struct AuthFile {
    path: PathBuf,
    content: Map<String, Value>,
}

/// Docker's own registry, by its names.
const DOCKER: [&str; 5] = [
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "https://index.docker.io/v1/",
    "index.docker.io/v1",
];

/// Where `login` writes, if it is told nothing.
#[must_use]
pub fn default_file() -> PathBuf {
    if let Some(file) = variable("REGISTRY_AUTH_FILE") {
        return file.into();
    }
    match variable("XDG_RUNTIME_DIR") {
        Some(dir) => Path::new(&dir).join("containers/auth.json"),
        None => format!(
            "/run/containers/{}/auth.json",
            rustix::process::getuid().as_raw()
        )
        .into(),
    }
}

/// Where passwords are looked for, in order.
#[must_use]
pub fn files() -> Vec<PathBuf> {
    let home = variable("HOME").map(PathBuf::from);
    let under = |name: &str, dir: &str| {
        let set = variable(name).map(PathBuf::from);
        set.or_else(|| home.as_ref().map(|home| home.join(dir)))
    };
    let config = under("XDG_CONFIG_HOME", ".config").map(|dir| dir.join("containers/auth.json"));
    let docker = under("DOCKER_CONFIG", ".docker").map(|dir| dir.join("config.json"));
    let first = [default_file()].into_iter();
    first.chain(config).chain(docker).collect()
}

impl AuthFile {
    /// Reads it, if it is there.
    ///
    /// # Errors
    /// A file that cannot be read, or is no JSON.
    pub fn read(path: &Path) -> Result<Option<AuthFile>> {
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| Error::io("read the passwords", path, "read", &error))?,
        };
        let content = if bytes.trim_ascii().is_empty() {
            Ok(Map::new())
        } else {
            serde_json::from_slice(&bytes)
        };
        let content = content.map_err(|error| {
            let cause = Cause::Json {
                line: error.line(),
                column: error.column(),
                what: error.to_string(),
            };
            Error::new("read the passwords", Object::File(path.to_owned()), cause)
        })?;
        Ok(Some(AuthFile {
            path: path.to_owned(),
            content,
        }))
    }

    /// Reads it, or begins it.
    ///
    /// # Errors
    /// As [`AuthFile::read`].
    pub fn open(path: &Path) -> Result<AuthFile> {
        let empty = || AuthFile {
            path: path.to_owned(),
            content: Map::new(),
        };
        Ok(AuthFile::read(path)?.unwrap_or_else(empty))
    }

    fn table(&self, name: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.content
            .get(name)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
    }

    /// Who we are for `HOST/REPOSITORY`: the entry that names most of it.
    ///
    /// # Errors
    /// A program that fails.
    pub fn find(&self, repository: &str) -> Result<Option<Credentials>> {
        for place in places(repository) {
            let helper = self.table("credHelpers").find(|(key, _)| same(key, &place));
            if let Some(helper) = helper.and_then(|(_, helper)| helper.as_str())
                && let Some(found) = program::get(helper, server(&place))?
            {
                return Ok(Some(found));
            }
            let entry = self.table("auths").find(|(key, _)| same(key, &place));
            if let Some(found) = entry.and_then(|(_, entry)| read(entry)) {
                return Ok(Some(found));
            }
        }
        match self.content.get("credsStore").and_then(Value::as_str) {
            Some(helper) => program::get(
                helper,
                server(repository.split('/').next().unwrap_or_default()),
            ),
            None => Ok(None),
        }
    }

    /// The program that keeps passwords for this registry.
    fn helper(&self, host: &str) -> Option<String> {
        let own = self
            .table("credHelpers")
            .find(|(key, _)| same(key, host))
            .map(|(_, helper)| helper);
        own.or_else(|| self.content.get("credsStore"))?
            .as_str()
            .map(str::to_owned)
    }

    /// Keeps them for `HOST[/REPOSITORY]`: in the file, or with the program that it names.
    ///
    /// # Errors
    /// A file that cannot be written, a program that fails.
    pub fn keep(&mut self, place: &str, credentials: &Credentials) -> Result<()> {
        if let Some(helper) = self.helper(place) {
            return program::store(&helper, server(place), credentials);
        }
        let Credentials::Password { user, password } = credentials else {
            return Ok(());
        };
        let entry = json!({"auth": STANDARD.encode(format!("{user}:{password}"))});
        self.forget_entries(place);
        let auths = self.content.entry("auths").or_insert_with(|| json!({}));
        if let Some(auths) = auths.as_object_mut() {
            auths.insert(place.to_owned(), entry);
        }
        self.write()
    }

    /// Forgets what is known for it. Whether there was anything.
    ///
    /// # Errors
    /// As [`AuthFile::keep`].
    pub fn forget(&mut self, place: &str) -> Result<bool> {
        if let Some(helper) = self.helper(place) {
            let known = program::get(&helper, server(place))?.is_some();
            return program::erase(&helper, server(place)).map(|()| known);
        }
        if !self.forget_entries(place) {
            return Ok(false);
        }
        self.write().map(|()| true)
    }

    /// Forgets all.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn forget_all(&mut self) -> Result<()> {
        self.content.remove("auths");
        self.write()
    }

    fn forget_entries(&mut self, place: &str) -> bool {
        let Some(auths) = self.content.get_mut("auths").and_then(Value::as_object_mut) else {
            return false;
        };
        let before = auths.len();
        auths.retain(|key, _| !same(key, place));
        auths.len() < before
    }

    fn write(&self) -> Result<()> {
        if let Some(folder) = self.path.parent() {
            let made = fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder);
            made.map_err(|error| Error::io("keep the password", folder, "mkdir", &error))?;
        }
        let text = serde_json::to_string_pretty(&self.content).unwrap_or_default() + "\n";
        replace(&self.path, text.as_bytes(), 0o600)
    }
}

fn read(entry: &Value) -> Option<Credentials> {
    let part = |name: &str| {
        entry
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    if let Some(token) = part("identitytoken") {
        return Some(Credentials::Token(token.to_owned()));
    }
    if let (Some(user), Some(password)) = (part("username"), part("password")) {
        return Some(Credentials::Password {
            user: user.to_owned(),
            password: password.to_owned(),
        });
    }
    let bytes = STANDARD.decode(part("auth")?.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.trim_end_matches('\0').split_once(':')?;
    Some(Credentials::Password {
        user: user.to_owned(),
        password: password.to_owned(),
    })
}

/// The repository, its parents, its host: most of it first.
fn places(repository: &str) -> Vec<String> {
    let mut place = repository;
    let mut all = vec![place.to_owned()];
    while let Some((parent, _)) = place.rsplit_once('/') {
        all.push(parent.to_owned());
        place = parent;
    }
    all
}

/// Whether a key of the file means this place. Docker writes addresses, podman names.
fn same(key: &str, place: &str) -> bool {
    let bare = |text: &str| {
        let text = text
            .strip_prefix("https://")
            .or(text.strip_prefix("http://"))
            .unwrap_or(text);
        text.trim_end_matches('/').to_owned()
    };
    let host = |text: &str| bare(text).split('/').next().unwrap_or_default().to_owned();
    if key == place || bare(key) == place {
        return true;
    }
    let is_docker = |text: &str| {
        DOCKER
            .iter()
            .any(|name| *name == text || bare(name) == bare(text))
    };
    // An address of Docker's is about its host.
    is_docker(key) && is_docker(place)
        || key.contains("://") && !place.contains('/') && host(key) == place
}

/// Programs know Docker's registry by its old address.
fn server(place: &str) -> &str {
    if place == "docker.io" {
        "https://index.docker.io/v1/"
    } else {
        place
    }
}

#[cfg(test)]
mod tests {
    use super::{AuthFile, Credentials};
    use serde_json::json;

    fn user(file: &serde_json::Value, repository: &str) -> Option<String> {
        let content = file.as_object().unwrap().clone();
        let file = AuthFile {
            path: "x".into(),
            content,
        };
        match file.find(repository).unwrap() {
            Some(Credentials::Password { user, .. }) => Some(user),
            Some(Credentials::Token(token)) => Some(format!("token {token}")),
            _ => None,
        }
    }

    #[test]
    fn the_entry_that_names_most_counts() {
        // "a:x", "b:x", "c:x", "d:x"
        let file = json!({"auths": {
            "quay.io": {"auth": "YTp4"},
            "quay.io/team": {"auth": "Yjp4"},
            "https://index.docker.io/v1/": {"auth": "Yzp4"},
            "https://r.example:5000/v2/": {"auth": "ZDp4"},
            "t.example": {"auth": "", "identitytoken": "T"},
            "empty.example": {},
        }});
        for (repository, expected) in [
            ("quay.io/other/x", Some("a")),
            ("quay.io/team/x", Some("b")),
            ("quay.io/teams/x", Some("a")),
            ("docker.io/library/alpine", Some("c")),
            ("r.example:5000/x", Some("d")),
            ("t.example/x", Some("token T")),
            ("empty.example/x", None),
            ("quay.io.evil.example/x", None),
        ] {
            assert_eq!(user(&file, repository).as_deref(), expected, "{repository}");
        }
    }

    #[test]
    fn what_is_kept_is_found_and_forgotten_and_nothing_else_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/auth.json");
        let mut file = AuthFile::open(&path).unwrap();
        file.content.insert("other".into(), json!(1));
        let ana = Credentials::parse("ana:se:cret").unwrap();
        file.keep("r.example", &ana).unwrap();
        let mut again = AuthFile::open(&path).unwrap();
        assert_eq!(again.find("r.example/x").unwrap(), Some(ana));
        assert!(again.forget("r.example").unwrap());
        assert!(!again.forget("r.example").unwrap());
        let last = AuthFile::open(&path).unwrap();
        assert_eq!(last.find("r.example/x").unwrap(), None);
        assert_eq!(last.content["other"], 1);
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

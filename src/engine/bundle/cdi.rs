//! Devices by the names that their vendors give them: the Container Device Interface,
//! <https://github.com/cncf-tags/container-device-interface>, SPEC.md 0.8 and 1.0. A vendor's file says what a container
//! needs besides the device's node: libraries, variables, hooks. Files are JSON or YAML.

use crate::engine::places::variable;
use crate::error::{Cause, Error, Object, Result};
use rustix::fs::{major, minor};
use serde_json::{Value, json};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use yaml_rust2::{Yaml, YamlLoader};

/// Where the files are, the later folder before the earlier: those of every host, and the user's own.
pub(super) fn folders() -> Vec<PathBuf> {
    let own = variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".config")))
        .map(|config| config.join("cdi"));
    let mut all: Vec<PathBuf> = ["/etc/cdi", "/var/run/cdi"].map(PathBuf::from).into();
    all.extend(own);
    all
}

fn told(name: &str, why: impl Into<String>) -> Error {
    let cause = Cause::Refused(why.into());
    Error::new("give a device", Object::Argument(name.to_owned()), cause)
}

/// Makes of config.json what the devices of these names (`vendor/class=device`) want.
///
/// # Errors
/// A name that no file has; a file that cannot be read; a device that is not there.
pub(super) fn apply(document: &mut Value, names: &[String], folders: &[PathBuf]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let (files, broken) = read(folders);
    let mut general: Vec<&Path> = Vec::new();
    for name in names {
        let (kind, device) = name.split_once('=').unwrap_or((name, ""));
        let of_kind = files.iter().rev().filter(|file| file.what["kind"] == kind);
        let found = of_kind.clone().find_map(|file| {
            let devices = file.what["devices"].as_array()?;
            Some((file, devices.iter().find(|one| one["name"] == device)?))
        });
        let Some((file, found)) = found else {
            let known =
                of_kind.flat_map(|file| file.what["devices"].as_array().into_iter().flatten());
            let known: Vec<&str> = known.filter_map(|one| one["name"].as_str()).collect();
            return Err(missing(name, &known, folders, &broken));
        };
        edit(document, &found["containerEdits"], name)?;
        if !general.contains(&file.path.as_path()) {
            general.push(&file.path);
            edit(document, &file.what["containerEdits"], name)?;
        }
    }
    Ok(())
}

fn missing(name: &str, known: &[&str], folders: &[PathBuf], broken: &[String]) -> Error {
    let folders: Vec<String> = folders
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    let folders = folders.join(", ");
    let error = match known.is_empty() {
        true => told(name, format!("no file in {folders} describes devices of this kind"))
            .hint("the vendor's tool writes one, for instance: nvidia-ctk cdi generate --output /etc/cdi/nvidia.yaml"),
        false => told(name, format!("no file in {folders} describes it"))
            .hint(format!("of this kind there are: {}", known.join(", "))),
    };
    error.also(broken.iter().map(|why| told(name, why.clone())))
}

/// One vendor's file.
struct File {
    path: PathBuf,
    what: Value,
}

/// All files, and what is wrong with those that cannot be read.
fn read(folders: &[PathBuf]) -> (Vec<File>, Vec<String>) {
    let (mut files, mut broken) = (Vec::new(), Vec::new());
    for folder in folders {
        let listed = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = listed.map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let end = path
                .extension()
                .and_then(|end| end.to_str())
                .unwrap_or_default();
            if !["json", "yaml", "yml"].contains(&end) {
                continue;
            }
            let text = std::fs::read_to_string(&path).map_err(|error| error.to_string());
            let what = text.and_then(|text| match end {
                "json" => serde_json::from_str(&text).map_err(|error| error.to_string()),
                _ => yaml(&text),
            });
            match what {
                Ok(what) => files.push(File { path, what }),
                Err(why) => broken.push(format!("{}: {why}", path.display())),
            }
        }
    }
    (files, broken)
}

fn yaml(text: &str) -> std::result::Result<Value, String> {
    let documents = YamlLoader::load_from_str(text).map_err(|error| error.to_string())?;
    documents
        .first()
        .map_or(Err("it is empty".to_owned()), |first| Ok(as_json(first)))
}

fn as_json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Real(text) => text
            .parse::<f64>()
            .map_or(json!(text), |number| json!(number)),
        Yaml::Integer(number) => json!(number),
        Yaml::String(text) => json!(text),
        Yaml::Boolean(word) => json!(word),
        Yaml::Array(all) => all.iter().map(as_json).collect(),
        Yaml::Hash(map) => {
            let member =
                |(name, value): (&Yaml, &Yaml)| Some((name.as_str()?.to_owned(), as_json(value)));
            Value::Object(map.iter().filter_map(member).collect())
        }
        Yaml::Alias(_) | Yaml::Null | Yaml::BadValue => Value::Null,
    }
}

fn list<'v>(edits: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    edits[name].as_array().into_iter().flatten()
}

/// Appends to the list at `pointer`, which is made where it is missing.
fn push(document: &mut Value, parents: &[&str], value: Value) {
    let mut here = document;
    for name in parents {
        here = &mut here[*name];
    }
    match here.as_array_mut() {
        Some(list) => list.push(value),
        None => *here = json!([value]),
    }
}

/// `containerEdits` of one device, or of the whole file.
fn edit(document: &mut Value, edits: &Value, name: &str) -> Result<()> {
    for variable in list(edits, "env").filter_map(Value::as_str) {
        let same = |other: &Value| {
            let before = |text: &str| text.split('=').next().unwrap_or_default().to_owned();
            other
                .as_str()
                .is_some_and(|other| before(other) == before(variable))
        };
        if let Some(env) = document["process"]["env"].as_array_mut() {
            env.retain(|other| !same(other));
        }
        push(document, &["process", "env"], json!(variable));
    }
    for node in list(edits, "deviceNodes") {
        let (node, rule) = device(node, name)?;
        push(document, &["linux", "devices"], node);
        push(document, &["linux", "resources", "devices"], rule);
    }
    for mount in list(edits, "mounts") {
        let bind = [json!("rbind"), json!("nosuid"), json!("nodev")];
        let mut options: Vec<Value> = list(mount, "options").cloned().collect();
        if options.is_empty() {
            options = bind.into();
        }
        let entry = json!({
            "destination": mount["containerPath"],
            "source": mount["hostPath"],
            "type": mount["type"].as_str().unwrap_or("bind"),
            "options": options,
        });
        push(document, &["mounts"], entry);
    }
    for hook in list(edits, "hooks") {
        let Some(kind) = hook["hookName"].as_str() else {
            return Err(told(
                name,
                "its vendor's file has a hook without a hookName",
            ));
        };
        let mut entry = json!({ "path": hook["path"] });
        for member in ["args", "env", "timeout"] {
            if !hook[member].is_null() {
                super::merge(&mut entry, member, hook[member].clone());
            }
        }
        push(document, &["hooks", kind], entry);
    }
    for group in list(edits, "additionalGids") {
        push(
            document,
            &["process", "user", "additionalGids"],
            group.clone(),
        );
    }
    Ok(())
}

/// A node, and the rule that lets it be used. What the vendor's file leaves out the host's own node says.
fn device(node: &Value, name: &str) -> Result<(Value, Value)> {
    let path = node["path"].as_str().unwrap_or_default();
    let host = node["hostPath"].as_str().unwrap_or(path);
    let known = (
        node["major"].as_i64(),
        node["minor"].as_i64(),
        node["type"].as_str(),
    );
    let (kind, number, owner) = match known {
        (Some(major), Some(minor), Some(kind)) => (kind.to_owned(), (major, minor), None),
        _ => {
            let look = std::fs::metadata(host).map_err(|error| {
                Error::io("give a device", host, "stat", &error)
                    .hint(format!("{name} names this node: is its driver loaded?"))
            })?;
            let is_block = look.file_type().is_block_device();
            if !is_block && !look.file_type().is_char_device() {
                return Err(told(
                    name,
                    format!("{host}, which its vendor's file names, is no device"),
                ));
            }
            let number = (major(look.rdev()).into(), minor(look.rdev()).into());
            (
                if is_block { "b" } else { "c" }.to_owned(),
                number,
                Some(look),
            )
        }
    };
    let mut made = json!({ "path": path, "type": kind, "major": number.0, "minor": number.1 });
    let mode = node["fileMode"]
        .as_u64()
        .or(owner.as_ref().map(|look| u64::from(look.mode() & 0o777)));
    let uid = node["uid"]
        .as_u64()
        .or(owner.as_ref().map(|look| look.uid().into()));
    let gid = node["gid"]
        .as_u64()
        .or(owner.as_ref().map(|look| look.gid().into()));
    for (member, value) in [("fileMode", mode), ("uid", uid), ("gid", gid)] {
        if let Some(value) = value {
            super::merge(&mut made, member, json!(value));
        }
    }
    let access = node["permissions"].as_str().unwrap_or("rwm");
    let rule = json!({ "allow": true, "type": kind, "major": number.0, "minor": number.1, "access": access });
    Ok((made, rule))
}

#[cfg(test)]
mod tests;

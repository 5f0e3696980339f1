//! `inspect`, `port`, `top`, `rename`.

use super::end::{containers, enter};
use super::list::{ports, state};
use crate::cli::flags::Extent;
use crate::engine::Outcome;
use crate::engine::cli::images::about;
use crate::engine::cli::{Verb, say, text, texts, value, word};
use crate::engine::container::record::Record;
use crate::engine::container::shelf::Shelf;
use crate::engine::container::wish::{MountKind, Switch};
use crate::engine::places::Places;
use crate::engine::runtime::Runtime;
use crate::engine::store::Store;
use crate::engine::volume;
use crate::error::{Cause, Error, Object, Result};
use clap::ArgMatches;
use serde_json::{Value, json};

/// `inspect`.
pub(super) const INSPECT: Verb = Verb {
    name: "inspect",
    line: "print all that is known of a container, an image or a volume",
    extent: Extent::End,
    define: |command| {
        command
            .about("Print all that is known of containers, images or volumes, as one JSON array.")
            .arg(containers())
            .args([
                value(
                    "format",
                    "TEMPLATE",
                    "one member of each, such as {{.State.Pid}}",
                )
                .short('f'),
                value("type", "TYPE", "container, image or volume"),
            ])
    },
    run: inspect,
};

/// `port`.
pub(super) const PORT: Verb = Verb {
    name: "port",
    line: "list the ports that a container publishes",
    extent: Extent::End,
    define: |command| {
        command
            .about("List the ports that a container publishes, or where one of them is published.")
            .arg(
                word(
                    "words",
                    "CONTAINER [PORT[/PROTO]]",
                    "a container, and one of its ports",
                )
                .num_args(1..=2),
            )
    },
    run: port,
};

/// `top`.
pub(super) const TOP: Verb = Verb {
    name: "top",
    line: "list a container's processes",
    extent: Extent::FirstWord,
    define: |command| {
        command
            .about("List the processes of a container, as ps does.")
            .arg(
                word(
                    "words",
                    "CONTAINER [PS OPTIONS]",
                    "a container, and options of ps",
                )
                .num_args(1..),
            )
    },
    run: top,
};

/// `rename`.
pub(super) const RENAME: Verb = Verb {
    name: "rename",
    line: "give a container another name",
    extent: Extent::End,
    define: |command| {
        command
            .about("Give a container another name.")
            .arg(word("words", "CONTAINER NAME", "which, and its new name").num_args(2))
    },
    run: |found, places| {
        let shelf = Shelf::new(places);
        if let [old, new] = texts(found, "words").as_slice() {
            shelf.rename(&shelf.find(old)?, new)?;
        }
        Ok(0)
    },
};

fn inspect(found: &ArgMatches, places: &Places) -> Outcome {
    let shelf = Shelf::new(places);
    let runtime = Runtime::find(&shelf).ok();
    let names = texts(found, "containers");
    let wanted = text(found, "type").unwrap_or_default();
    let is_wanted = |kind: &str| wanted.is_empty() || wanted == kind;
    let store = Store::open(places)?;
    let one = |name: &String| -> Result<Value> {
        let record = shelf.find(name);
        if let Some(record) = record.as_ref().ok().filter(|_| is_wanted("container")) {
            return Ok(document(&shelf, record, runtime.as_ref()));
        }
        if let Some(volume) = volume::get(places, name).filter(|_| is_wanted("volume")) {
            return Ok(super::volume::document(places, &volume));
        }
        match wanted.as_str() {
            "" | "image" => about(&store, &store.get(name)?),
            "container" => record.map(|_| Value::Null),
            _ => Err(Error::container(
                "find the volume",
                name,
                "there is no such volume",
            )),
        }
    };
    let all = names.iter().map(one).collect::<Result<Vec<Value>>>()?;
    match text(found, "format") {
        None => super::table::json(all),
        Some(template) => {
            for document in &all {
                say(&fill(&template, document)?)?;
            }
            Ok(0)
        }
    }
}

/// `{{.A.B}}` and `{{json .A}}` in a template; of Go's templates this is what scripts use.
fn fill(template: &str, document: &Value) -> Result<String> {
    let wrong = |what: &str| {
        let why = Cause::Refused(
            "only members such as {{.State.Pid}} and {{json .Mounts}} are known".to_owned(),
        );
        Error::new("fill the template", Object::Argument(what.to_owned()), why)
    };
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inside, later) = after.split_once("}}").ok_or_else(|| wrong(template))?;
        filled.push_str(before);
        let inside = inside.trim();
        let (path, as_json) = match inside.strip_prefix("json") {
            Some(path) => (path.trim(), true),
            None => (inside, false),
        };
        let path = path.strip_prefix('.').ok_or_else(|| wrong(inside))?;
        let mut value = document;
        for name in path.split('.').filter(|name| !name.is_empty()) {
            value = value.get(name).ok_or_else(|| wrong(inside))?;
        }
        match value {
            Value::String(text) if !as_json => filled.push_str(text),
            other => filled.push_str(&other.to_string()),
        }
        rest = later;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn document(shelf: &Shelf, record: &Record, runtime: Option<&Runtime>) -> Value {
    let (wish, life) = (&record.wish, &record.life);
    let state = state(record, runtime);
    let (path, args) = wish
        .argv
        .split_first()
        .map_or((String::new(), Vec::new()), |(path, args)| {
            (path.clone(), args.to_vec())
        });
    json!({
        "Id": record.id,
        "Name": record.name,
        "Created": record.created,
        "Path": path,
        "Args": args,
        "State": {
            "Status": state,
            "Running": record.running().is_some(),
            "Paused": state == "paused",
            "Pid": record.running().map_or(0, |process| process.pid),
            "MonitorPid": record.watched().map_or(0, |monitor| monitor.pid),
            "ExitCode": record.exit(),
            "StartedAt": life.started,
            "FinishedAt": life.finished,
            "Error": life.error,
        },
        "Image": record.image,
        "LogPath": shelf.log(&record.id),
        "Bundle": shelf.run_folder(&record.id).join("bundle"),
        "Mounts": mounts(shelf, record),
        "Config": {
            "Hostname": if wish.hostname.is_empty() { record.short() } else { &wish.hostname },
            "User": wish.user,
            "Env": wish.env,
            "Cmd": wish.argv,
            "WorkingDir": wish.workdir,
            "Labels": wish.labels,
            "StopSignal": wish.stop_signal,
            "StopTimeout": wish.stop_timeout,
            "Tty": wish.has(Switch::Terminal),
            "OpenStdin": wish.has(Switch::Interactive),
        },
        "HostConfig": {
            "AutoRemove": wish.has(Switch::Remove),
            "Privileged": wish.has(Switch::Privileged),
            "ReadonlyRootfs": wish.has(Switch::ReadOnly),
            "Init": wish.has(Switch::Init),
            "CapAdd": wish.cap_add,
            "CapDrop": wish.cap_drop,
            "SecurityOpt": wish.security,
            "NetworkMode": wish.network_mode(),
            "LogConfig": { "Type": wish.log_driver, "MaxSize": wish.log_size, "MaxFile": wish.log_files },
            "ShmSize": wish.shm_size,
            "Limits": wish.limits,
        },
        "NetworkSettings": life.network,
        "RootFS": wish.root,
    })
}

fn mounts(shelf: &Shelf, record: &Record) -> Vec<Value> {
    let one = |mount: &crate::engine::container::wish::Mount| {
        let (kind, source) = match mount.kind {
            MountKind::Bind => ("bind", mount.source.clone()),
            MountKind::Image => ("image", mount.source.clone()),
            MountKind::Tmpfs => ("tmpfs", String::new()),
            MountKind::Volume => {
                let data = volume::data(&shelf.places, &mount.source);
                ("volume", data.to_string_lossy().into_owned())
            }
        };
        let name = if mount.kind == MountKind::Volume {
            mount.source.as_str()
        } else {
            ""
        };
        let writable = !mount.options.iter().any(|word| word == "ro");
        json!({ "Type": kind, "Name": name, "Source": source, "Destination": mount.target, "RW": writable, "Options": mount.options })
    };
    record.wish.mounts.iter().map(one).collect()
}

fn port(found: &ArgMatches, places: &Places) -> Outcome {
    let shelf = Shelf::new(places);
    let words = texts(found, "words");
    let record = shelf.find(words.first().map_or("", String::as_str))?;
    let all: Vec<(String, String)> = ports(&record)
        .iter()
        .filter_map(|port| {
            port.split_once("->")
                .map(|(host, inside)| (host.to_owned(), inside.to_owned()))
        })
        .collect();
    let Some(wanted) = words.get(1) else {
        let lines: Vec<String> = all
            .iter()
            .map(|(host, inside)| format!("{inside} -> {host}"))
            .collect();
        return super::table::lines(&lines);
    };
    let wanted = if wanted.contains('/') {
        wanted.clone()
    } else {
        format!("{wanted}/tcp")
    };
    let lines: Vec<String> = all
        .into_iter()
        .filter(|(_, inside)| *inside == wanted)
        .map(|(host, _)| host)
        .collect();
    match lines.is_empty() {
        true => Err(Error::container(
            "find the port",
            &record.name,
            format!("{wanted} is not published"),
        )
        .into()),
        false => super::table::lines(&lines),
    }
}

fn top(found: &ArgMatches, places: &Places) -> Outcome {
    let shelf = Shelf::new(places);
    let words = texts(found, "words");
    let (name, options) = words
        .split_first()
        .map_or(("", &[][..]), |(name, options)| (name.as_str(), options));
    let record = shelf.find(name)?;
    let process = record
        .running()
        .ok_or_else(|| Error::container("list processes", name, "the container does not run"))?;
    enter(&record, process.pid)?;
    let runtime = Runtime::find(&shelf)?;
    let mut call = vec!["ps", record.id.as_str()];
    call.extend(options.iter().map(String::as_str));
    say(&runtime.ask(&call)?)
}

#[cfg(test)]
mod tests {
    use super::fill;
    use serde_json::json;

    #[test]
    fn members_of_a_template() {
        let document = json!({"State": {"Pid": 7, "Status": "running"}, "Mounts": []});
        assert_eq!(
            fill("{{.State.Pid}} {{ .State.Status }}!", &document).unwrap(),
            "7 running!"
        );
        assert_eq!(
            fill("{{json .State.Status}}", &document).unwrap(),
            "\"running\""
        );
        for wrong in ["{{.Nothing}}", "{{range .Mounts}}", "{{.State"] {
            assert!(fill(wrong, &document).is_err(), "{wrong}");
        }
    }
}

//! `list` in every form, and what must not disturb it.

use std::fs;

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, same};
use crate::container::Container;
use crate::lab::Lab;

const NAME: &[(&str, &str)] = &[("crun", "has columns of its own")];

pub(super) const CASES: &[Case] = &[
    Case::new("table-columns-are-those-of-runc", columns).deviates(NAME),
    Case::new("table-of-none-is-a-heading", nothing).deviates(NAME),
    Case::new("table-widens-for-a-long-bundle", wide).deviates(NAME),
    Case::new("table-has-what-state-says", table),
    Case::new("json-has-what-state-says", json_states),
    Case::new("json-of-none-is-an-empty-list", |lab| {
        fs::create_dir(lab.root())?;
        let said = lab.call(&["list", "-f", "json"]).ok()?;
        ensure!(["[]", "null"].contains(&said.out.trim()), "list: {said}");
        Ok(())
    }),
    Case::new("json-has-annotations", annotations).deviates(&[("crun", "leaves them out")]),
    Case::new("a-stopped-one-has-no-pid", stopped),
    Case::new("quiet-wins-over-json", |lab| {
        let container = lab.create(|_| ())?;
        let said = lab.call(&["list", "-q", "-f", "json"]).ok()?;
        same("list", said.out.trim(), container.id.as_str())?;
        container.end()
    })
    .deviates(&[("crun", "there json wins")]),
    Case::new("a-broken-record-does-not-hide-the-others", broken).deviates(&[("crun", "gives up")]),
    Case::new("a-file-in-the-root-is-no-container", stray).deviates(&[("crun", "gives up")]),
    Case::new("an-unknown-format-is-refused", |lab| {
        fs::create_dir(lab.root())?;
        lab.call(&["list", "--format", "xml"]).refused().map(drop)
    }),
    Case::new("a-root-that-is-not-there-holds-none", |lab| {
        let said = lab.call(&["list", "-q"]).ok()?;
        same("list", said.out.as_str(), "")
    })
    .needs(&[Need::OrbitalOnly, Need::Root]),
];

const HEADING: &str = "ID          PID         STATUS      BUNDLE      CREATED     OWNER";

/// The lines, without the blanks that some leave at the end.
fn lines(lab: &Lab) -> Outcome<Vec<String>> {
    let said = lab.call(&["list"]).ok()?;
    Ok(said
        .out
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect())
}

fn nothing(lab: &Lab) -> Outcome {
    fs::create_dir(lab.root())?;
    same("list", lines(lab)?, vec![HEADING.to_owned()])
}

/// Each column as wide as its widest cell and three blanks, and twelve at least.
fn expected(rows: &[[String; 6]]) -> Vec<String> {
    let heads = ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"].map(str::to_owned);
    let all: Vec<&[String; 6]> = [&heads].into_iter().chain(rows).collect();
    let width = |column: usize| {
        all.iter()
            .map(|row| row[column].len() + 3)
            .max()
            .unwrap_or(0)
            .max(12)
    };
    let line = |row: &&[String; 6]| {
        let cells = row
            .iter()
            .enumerate()
            .map(|(column, cell)| format!("{cell:<0$}", width(column)));
        cells.collect::<String>().trim_end().to_owned()
    };
    all.iter().map(line).collect()
}

fn row(container: &Container<'_>) -> Outcome<[String; 6]> {
    let state = container.state()?;
    let cell = |key: &str| match &state[key] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let [id, pid, status, bundle, created] = ["id", "pid", "status", "bundle", "created"].map(cell);
    Ok([id, pid, status, bundle, created, "root".to_owned()])
}

fn columns(lab: &Lab) -> Outcome {
    let (one, two) = (lab.create(|_| ())?, lab.started(|_| ())?);
    let mut rows = vec![row(&one)?, row(&two)?];
    rows.sort();
    same("list", lines(lab)?, expected(&rows))?;
    one.end()?;
    two.end()
}

fn wide(lab: &Lab) -> Outcome {
    let long = lab.folder(&"long-".repeat(30))?;
    let bundle = lab.bundle(|_| ())?;
    let link = long.join("bundle");
    fs::rename(bundle.arg(), &link)?;
    let (id, path) = (lab.id("box"), link.display().to_string());
    lab.call(&["create", "--bundle", &path, &id]).ok()?;
    let found = lines(lab)?;
    let heading = found.first().map(String::as_str).unwrap_or_default();
    let place = heading.find("CREATED").unwrap_or_default();
    let start = heading.find("BUNDLE").unwrap_or_default();
    same("width of the column", place - start, path.len() + 3)?;
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

fn table(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let lines = lines(lab)?;
    let words: Vec<&str> = lines
        .last()
        .map(|line| line.split_whitespace().collect())
        .unwrap_or_default();
    let row = row(&container)?;
    let expected: Vec<&str> = row.iter().map(String::as_str).collect();
    same("row", words, expected)?;
    container.end()
}

fn entry(lab: &Lab, id: &str) -> Outcome<Value> {
    let said = lab.call(&["list", "--format=json"]).ok()?;
    let list: Value = serde_json::from_str(&said.out)?;
    let found = list
        .as_array()
        .and_then(|list| list.iter().find(|entry| entry["id"] == id));
    found
        .cloned()
        .ok_or_else(|| format!("no {id} in {list}").into())
}

fn json_states(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let (entry, state) = (entry(lab, &container.id)?, container.state()?);
    for key in ["pid", "status", "bundle", "created"] {
        same(key, &entry[key], &state[key])?;
    }
    same("owner", &entry["owner"], &json!("root"))?;
    container.end()
}

fn annotations(lab: &Lab) -> Outcome {
    let container = lab.create(|spec| {
        spec.set("/annotations", json!({"org.example.a": "one"}));
    })?;
    let entry = entry(lab, &container.id)?;
    same(
        "annotation",
        &entry["annotations"]["org.example.a"],
        &json!("one"),
    )?;
    container.end()
}

fn stopped(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    container.stop()?;
    let entry = entry(lab, &container.id)?;
    same("status", &entry["status"], &json!("stopped"))?;
    same("pid", &entry["pid"], &json!(0))?;
    container.delete()
}

fn broken(lab: &Lab) -> Outcome {
    let (one, two) = (lab.create(|_| ())?, lab.create(|_| ())?);
    for (name, content) in [("0-first", "\u{0}not ours"), ("mid", ""), ("zz-last", "{}")] {
        fs::create_dir(lab.root().join(name))?;
        fs::write(lab.root().join(name).join("state.json"), content)?;
        fs::write(lab.root().join(name).join("status"), content)?;
    }
    fs::create_dir(lab.root().join("empty"))?;
    let said = lab.call(&["list", "-f", "json"]).ok()?;
    for id in [&one.id, &two.id] {
        contains("json", &said.out, id)?;
    }
    serde_json::from_str::<Value>(&said.out)?;
    let said = lab.call(&["list"]).ok()?;
    for id in [&one.id, &two.id] {
        contains("table", &said.out, id)?;
    }
    contains("what is said about it", &said.err, "0-first")?;
    for name in ["0-first", "mid", "zz-last", "empty"] {
        fs::remove_dir_all(lab.root().join(name))?;
    }
    one.end()?;
    two.end()
}

fn stray(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    fs::write(lab.root().join("note"), "to whom it may concern")?;
    same("ids", lab.list()?, vec![container.id.clone()])?;
    fs::remove_file(lab.root().join("note"))?;
    container.end()
}

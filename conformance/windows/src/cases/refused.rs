//! Refusals, by their words: each folder of the goldens is a bundle that `create` must refuse with exactly the text of
//! its message.txt. With `ORBITAL_GOLDEN=write` a text that differs is written instead; whoever does that reads it.

use super::{Named, Outcome};
use crate::lab::{Lab, ensure};
use std::path::Path;

pub(super) const CASES: &[Named] = &[("refused/each-in-its-words", words)];

fn words(lab: &Lab) -> Result<Outcome, String> {
    let told = |error: std::io::Error| error.to_string();
    let mut wrong = Vec::new();
    let mut folders = 0;
    for entry in std::fs::read_dir(&lab.goldens).map_err(told)? {
        let folder = entry.map_err(told)?.path();
        if folder.join("config.json").exists() {
            folders += 1;
            wrong.extend(one(lab, &folder).err());
        }
    }
    ensure(
        folders > 10,
        format!("only {folders} bundles in {}", lab.goldens.display()),
    )?;
    ensure(wrong.is_empty(), wrong.join("\n"))?;
    Ok(Outcome::Shown)
}

fn one(lab: &Lab, folder: &Path) -> Result<(), String> {
    let bundle = folder.to_string_lossy();
    let said = lab
        .bad(&["create", "--bundle", &bundle, "c1"])?
        .replace('\r', "");
    let golden = folder.join("message.txt");
    let wanted = std::fs::read_to_string(&golden)
        .unwrap_or_default()
        .replace('\r', "");
    if is_like(&said, &wanted) {
        return Ok(());
    }
    if std::env::var("ORBITAL_GOLDEN").is_ok_and(|word| word == "write") {
        return std::fs::write(&golden, &said).map_err(|error| error.to_string());
    }
    Err(format!("{bundle}:\n{said}instead of\n{wanted}"))
}

/// Line by line; a `…` stands for what differs from machine to machine.
fn is_like(said: &str, wanted: &str) -> bool {
    let like = |said: &str, wanted: &str| match wanted.split_once('…') {
        Some((before, after)) => {
            said.len() >= before.len() + after.len()
                && said.starts_with(before)
                && said.ends_with(after)
        }
        None => said == wanted,
    };
    said.lines().count() == wanted.lines().count()
        && said
            .lines()
            .zip(wanted.lines())
            .all(|(said, wanted)| like(said, wanted))
}

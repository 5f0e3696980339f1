//! The examples as bundles: their config.json with the probe as the program.
//!
//! The root file system is the test's own, with what the example's README.md has a reader make; an
//! example's own files are beside it. Left out is what must not run twice: a user's example is in the
//! drawn bundles, and hooks that wait for each other are for the conformance suite.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::check::Outcome;
use crate::draw::Draw;
use crate::spec::Spec;

/// Why an example takes no part.
const WITHOUT: [(&str, &str); 1] = [(
    "hooks",
    "its program and its hooks write into one file, and wait for what the others wrote",
)];

/// All that can run.
pub(crate) fn all() -> Outcome<Vec<Draw>> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundle-examples");
    let mut found = Vec::new();
    for entry in fs::read_dir(&top)? {
        let dir = entry?.path();
        collect(&dir, &mut found)?;
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// One folder: an example, or several (a pod).
fn collect(dir: &Path, found: &mut Vec<Draw>) -> Outcome {
    let name = dir
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    if name == "broken" || WITHOUT.iter().any(|(without, _)| *without == name) {
        return Ok(());
    }
    let Ok(text) = fs::read_to_string(dir.join("config.json")) else {
        return Ok(());
    };
    let mut spec = Spec(serde_json::from_str::<Value>(&text)?);
    spec.set("/root/path", json!("rootfs"))
        .remove("/process/consoleSize");
    let mut draw = Draw {
        name: format!("example {name}"),
        spec,
        ..Draw::plain()
    };
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_file() && name != "config.json" {
            draw.files.push((name, Some(fs::read_to_string(&path)?)));
        }
    }
    furnish(&mut draw)?;
    found.push(draw);
    Ok(())
}

/// Sources on the host move into the bundle: the example has its reader make them.
fn furnish(draw: &mut Draw) -> Outcome {
    let text = serde_json::to_string(&draw.spec.0)?.replace("/run/orbital-", "$BUNDLE/run/");
    draw.spec.0 = serde_json::from_str(&text)?;
    for mount in draw.spec.0["mounts"].as_array().into_iter().flatten() {
        let words = mount["options"]
            .as_array()
            .into_iter()
            .flatten()
            .chain([&mount["source"]]);
        for word in words.filter_map(Value::as_str) {
            if let Some((_, path)) = word.split_once("$BUNDLE/") {
                draw.files.push((path.to_owned(), None));
            } else if mount["type"] == "bind" && word == mount["source"] && !word.starts_with('/') {
                let there = draw.files.iter().any(|(name, _)| name == word);
                draw.files.extend((!there).then(|| (word.to_owned(), None)));
            }
        }
    }
    let list = |pointer: &str| {
        draw.spec
            .0
            .pointer(pointer)
            .and_then(Value::as_array)
            .cloned()
    };
    for path in ["/linux/maskedPaths", "/linux/readonlyPaths"]
        .iter()
        .filter_map(|p| list(p))
        .flatten()
    {
        draw.look.extend(path.as_str().map(str::to_owned));
    }
    if let Some(map) = list("/linux/uidMappings").and_then(|maps| maps.first().cloned()) {
        draw.owner = map["hostID"].as_u64().and_then(|id| u32::try_from(id).ok());
    }
    Ok(())
}

//! `explained.json`: differences that must be, each with the line of the specification or the reason.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::check::{Outcome, ensure};
use crate::compare::Difference;
use crate::draw::Draw;

#[cfg(test)]
mod tests;

/// One explanation. Texts may hold `*` for anything; one that is not given is `*`.
#[derive(Debug)]
pub(crate) struct Explanation {
    /// Whose difference it is.
    peers: Vec<String>,
    /// What was looked at.
    what: Vec<String>,
    ours: String,
    theirs: String,
    /// The refusal's words.
    said: String,
    /// Which bundles: JSON pointers and what stands there, `*` in texts as above; null for nothing.
    when: Vec<(String, Value)>,
    /// Why, and by which rule.
    pub(crate) because: String,
    /// How many differences it has explained.
    pub(crate) used: Cell<usize>,
}

/// Reads the file beside this one.
pub(crate) fn read() -> Outcome<Vec<Explanation>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("differential/explained.json");
    let text = fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    parse(&text)
}

fn parse(text: &str) -> Outcome<Vec<Explanation>> {
    let all: Vec<Value> = serde_json::from_str(text)?;
    all.iter().map(one).collect()
}

fn one(value: &Value) -> Outcome<Explanation> {
    let members = value.as_object().ok_or("an explanation is an object")?;
    let known = ["peers", "what", "ours", "theirs", "said", "when", "because"];
    if let Some(other) = members.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("an explanation has no {other:?}: {value}").into());
    }
    let text = |name: &str| value[name].as_str().unwrap_or("*").to_owned();
    let list = |name: &str| -> Vec<String> {
        let list = value[name].as_array().into_iter().flatten();
        list.filter_map(|word| word.as_str().map(str::to_owned))
            .collect()
    };
    let when = value["when"].as_object().into_iter().flatten();
    let explanation = Explanation {
        peers: list("peers"),
        what: list("what"),
        ours: text("ours"),
        theirs: text("theirs"),
        said: text("said"),
        when: when
            .map(|(pointer, want)| (pointer.clone(), want.clone()))
            .collect(),
        because: value["because"].as_str().unwrap_or_default().to_owned(),
        used: Cell::new(0),
    };
    let whole = !explanation.peers.is_empty() && !explanation.what.is_empty();
    ensure!(
        whole,
        "an explanation names peers and what differs: {value}"
    );
    ensure!(
        explanation.because.len() > 20,
        "an explanation has a reason: {value}"
    );
    Ok(explanation)
}

impl Explanation {
    /// Whether this is the reason for that difference.
    pub(crate) fn covers(&self, draw: &Draw, peer: &str, difference: &Difference) -> bool {
        let said = difference.said.as_deref().unwrap_or_default();
        self.peers.iter().any(|name| matches(name, peer))
            && self.what.iter().any(|what| matches(what, &difference.what))
            && matches(&self.ours, &difference.ours)
            && matches(&self.theirs, &difference.theirs)
            && matches(&self.said, said)
            && self
                .when
                .iter()
                .all(|(pointer, want)| holds(draw, pointer, want))
    }
}

fn holds(draw: &Draw, pointer: &str, want: &Value) -> bool {
    let found = draw.spec.0.pointer(pointer).unwrap_or(&Value::Null);
    match (found, want) {
        (Value::Null, want) => want.is_null(),
        // Any other than a text is compared as it is written.
        (found, Value::String(pattern)) => {
            let text = found
                .as_str()
                .map_or_else(|| found.to_string(), str::to_owned);
            matches(pattern, &text)
        }
        (found, want) => found == want,
    }
}

/// Whether `text` is `pattern`, in which `*` is any text and all else is itself.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

//! config.json → spec → plan → its explanation.
//!
//! Either there is a plan, which can be told in words and as JSON and is the same a second time; or one error,
//! about the file or about a place in it that is there, or that only lacks its last member.

use super::Depth;
use orbital::cli::{Create, Manager};
use orbital::error::{Error, Object, Result};
use orbital::linux::ask;
use orbital::linux::plain as explain;
use orbital::plan::facts::{Facts, Privilege};
use orbital::plan::{self, Plan};
use orbital::spec::{self, Bundle, names};
use orbital::sys::proc::Proc;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::OnceLock;

pub(super) fn run(input: &[u8]) -> Depth {
    // What is dear is done now and then: the length is as good as chance.
    if input.len() % 4 == 1 {
        for warning in names::misspelt(input) {
            assert!(warning.ends_with('?'), "{warning}");
        }
    }
    let bundle = spec::from_bytes(input.to_vec(), PathBuf::from("/bundles/web"));
    let depth = bundle.as_ref().map_or(Depth::Unread, |_| Depth::Refused);
    match bundle.and_then(|bundle| plan_of(&bundle, input)) {
        Ok(_) if !input.len().is_multiple_of(4) => Depth::Done,
        Ok(plan) => {
            let text = explain::text(&plan);
            assert!(text.contains("execute the process"), "no end: {text}");
            let json = explain::json(&plan).to_string();
            if input.len().is_multiple_of(8) {
                let again = planned(input).map(|plan| explain::json(&plan).to_string());
                assert!(
                    again.is_ok_and(|again| again == json),
                    "another plan the second time"
                );
            }
            Depth::Done
        }
        Err(error) => {
            super::check_report(&error);
            place_is_there(&error, input);
            depth
        }
    }
}

fn planned(input: &[u8]) -> Result<Plan> {
    let bundle = spec::from_bytes(input.to_vec(), PathBuf::from("/bundles/web"))?;
    plan_of(&bundle, input)
}

/// Most often the caller is one whose container this may be: a user may have none without mappings.
fn plan_of(bundle: &Bundle, input: &[u8]) -> Result<Plan> {
    let length = input.len();
    let mapped = input.windows(11).any(|word| word == b"uidMappings");
    let caller = match mapped || length.is_multiple_of(16) {
        true => length % 6,
        false => 1 + length % 2,
    };
    plan::plan(bundle, &facts(caller), &request(input))
}

/// What most hosts are, with the caller being whom the number says: root or a user, with or without newuidmap.
pub(super) fn facts(number: usize) -> Facts {
    static HOST: OnceLock<Option<Facts>> = OnceLock::new();
    let host = HOST
        .get_or_init(|| ask::ask(&Proc::open().ok()?, Manager::Cgroupfs).ok())
        .clone();
    let Some(mut facts) = host else {
        panic!("the host does not answer");
    };
    facts.last_capability = 40;
    facts.unified = !number.is_multiple_of(32);
    let (uid, privilege) = match number % 3 {
        0 => (1000, Privilege::User),
        _ => (0, Privilege::Root),
    };
    (facts.uid, facts.gid, facts.privilege) = (uid, uid, privilege);
    facts.grantable = if uid == 0 { (1 << 41) - 1 } else { 0 };
    let helper = (number.is_multiple_of(2)).then(|| PathBuf::from("/usr/bin/newuidmap"));
    (facts.newuidmap, facts.newgidmap) = (helper.clone(), helper);
    facts
}

/// A socket for the terminal most often just where there is one.
fn request(input: &[u8]) -> Create {
    let mut request = Create::of("web".to_owned(), PathBuf::from("/bundles/web"));
    let mut words = input.split(|byte| *byte == b'"');
    let terminal = words.any(|word| word == b"terminal")
        && words
            .next()
            .is_some_and(|value| value.windows(4).any(|four| four == b"true"));
    if terminal != input.len().is_multiple_of(16) {
        request.console_socket = Some(PathBuf::from("/run/console"));
    }
    request
}

/// A reader must find what an error speaks of.
fn place_is_there(error: &Error, input: &[u8]) {
    let Object::Config { pointer, .. } = &error.report().object else {
        return;
    };
    let text = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
    let Ok(document) = serde_json::from_slice::<Value>(text) else {
        // A number without bounds in a property that nobody reads, for one: no tree can hold it.
        let json = serde_json::from_slice::<IgnoredAny>(text).is_ok();
        assert!(json, "a place in what is not JSON: {}", error.one_line());
        return;
    };
    let place = pointer.as_str();
    let parent = place.rsplit_once('/').map_or("", |(parent, _)| parent);
    let is_there = |place: &str| document.pointer(place).is_some();
    // What has to be added to /linux, or to /process, may be told where that is missing too; and the
    // container without a process has a user all the same.
    let added = ["/linux", "/process", "/process/user"].contains(&parent);
    assert!(
        is_there(place) || is_there(parent) || added,
        "no such place: {}",
        error.one_line()
    );
}

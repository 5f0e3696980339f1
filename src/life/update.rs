//! `orbital update`: other limits for a container that lives.

use super::{Verb, check, status};
use crate::backend::update as limits;
use crate::cli::{Limits, Update};
use crate::error::{Error, Object, Pointer, Result};
use crate::spec::resources;
use crate::state::Home;
use crate::state::record::without_group;
use std::borrow::Cow;
use std::path::Path;

/// Changes the limits, all or none.
///
/// # Errors
/// A container that does not exist, does not live or has no cgroup; a limit that cannot be, by its flag or its
/// place in the file; what the kernel refuses. What could not be taken back then is told as well.
/// What was ignored is returned as warnings.
pub fn update(request: &Update, home: &Home) -> Result<Vec<String>> {
    let id = &request.id;
    let seat = home.find(&format!("update {id}"), id)?;
    let now = status::now(&seat)?;
    check(Verb::Update, id, now.status, now.pid)?;
    let origin = Origin::of(&request.limits)?;
    let told = |error| origin.told(error);
    let (raw, name) = origin.text();
    let wanted = limits::read(&raw, Path::new(&*name)).map_err(told)?;
    let shares = limits::shares(request)?;
    let Some(record) = now.record else {
        return Err(without_group("update", id));
    };
    let pointer = |pointer: &Pointer| origin.pointer(pointer);
    let mut warnings = limits::change(&record, &wanted, &shares, &pointer).map_err(told)?;
    let ignored = request.ignored.iter();
    warnings.extend(ignored.map(|typed| format!("{typed} is ignored beside --resources")));
    Ok(warnings)
}

/// Where the limits come from, and how to name a place there.
#[derive(Debug)]
enum Origin<'a> {
    Flags(&'a crate::cli::limits::Typed),
    Text { raw: Vec<u8>, name: String },
}

impl<'a> Origin<'a> {
    fn of(limits: &'a Limits) -> Result<Origin<'a>> {
        let text = |raw, name: String| Origin::Text { raw, name };
        match limits {
            Limits::Typed(typed) => Ok(Origin::Flags(typed)),
            Limits::File(path) => {
                let raw = resources::read(path)?;
                Ok(text(raw, path.display().to_string()))
            }
            Limits::Stdin => {
                let raw = resources::read_from(std::io::stdin().lock(), Path::new(STDIN))?;
                Ok(text(raw, STDIN.to_owned()))
            }
        }
    }

    /// The limits as JSON, and what to call that.
    fn text(&self) -> (Cow<'_, [u8]>, Cow<'_, str>) {
        match self {
            Origin::Flags(typed) => (
                typed.resources.to_string().into_bytes().into(),
                "flags".into(),
            ),
            Origin::Text { raw, name } => (raw.into(), name.into()),
        }
    }

    /// The flag in a pointer's place, so that every later sentence names that.
    fn pointer(&self, pointer: &Pointer) -> Pointer {
        match self {
            Origin::Flags(typed) => match typed.origin(pointer.as_str()) {
                Some(flag) => Pointer::from(flag.to_owned()),
                None => pointer.clone(),
            },
            Origin::Text { .. } => pointer.clone(),
        }
    }

    /// An error about a place in config.json, about the place where the limit really stands.
    fn told(&self, error: Error) -> Error {
        let error = match self {
            Origin::Flags(_) => error,
            Origin::Text { raw, .. } => error.quoting(raw),
        };
        let Object::Config { pointer, value } = &error.report().object else {
            return error;
        };
        let object = match (self, value) {
            (Origin::Flags(_), _) => self.pointer(pointer).as_str().to_owned(),
            (Origin::Text { name, .. }, None) => format!("{name}#{}", pointer.as_str()),
            (Origin::Text { name, .. }, Some(value)) => {
                format!("{name}#{} = {value}", pointer.as_str())
            }
        };
        error.about(Object::Argument(object))
    }
}

const STDIN: &str = "standard input";

//! `orbital update`: other limits for a container that lives.

use super::pause::without_group;
use super::{Verb, check};
use crate::cgroup::Cgroup;
use crate::cgroup::systemd::Living;
use crate::cli::{Limits, Update};
use crate::error::{Error, Object, Pointer, Result};
use crate::linux::parent::rdt;
use crate::plan::cgroup::update::{self, Changes};
use crate::plan::rdt as shares;
use crate::spec::resources;
use crate::state::{Home, Record, status};
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
    let wanted = origin.resources().map_err(|error| origin.told(error))?;
    let lines = shares::lines(
        request.l3_cache_schema.as_deref(),
        request.mem_bw_schema.as_deref(),
    )?;
    let Some(record) = now.record else {
        return Err(without_group("update", id));
    };
    let group = record.group()?;
    let current = group.as_ref().map(Cgroup::current).unwrap_or_default();
    let plan = update::plan(&wanted, &current).map_err(|error| origin.told(error))?;
    let mut warnings = change(&record, group.as_ref(), plan, &origin)?;
    if !lines.is_empty() {
        rdt::share(&record.resctrl_made, &lines)?;
    }
    let ignored = request.ignored.iter();
    warnings.extend(ignored.map(|typed| format!("{typed} is ignored beside --resources")));
    Ok(warnings)
}

fn change(
    record: &Record,
    group: Option<&Cgroup>,
    plan: Changes,
    origin: &Origin,
) -> Result<Vec<String>> {
    let Changes {
        mut settings,
        mut warnings,
    } = plan;
    if settings.is_empty() {
        return Ok(warnings);
    }
    let Some(group) = group else {
        return Err(without_group("update", &record.id));
    };
    for setting in &mut settings {
        setting.pointer = origin.pointer(&setting.pointer);
    }
    let unit = record.unit.as_ref().map(|unit| Living {
        unit: &unit.name,
        instance: unit.instance,
    });
    let before = group.oom_kills();
    group
        .change(&settings, unit.as_ref())
        .map_err(|error| origin.told(error))?;
    let killed = group.oom_kills().saturating_sub(before);
    if killed > 0 && settings.iter().any(|one| one.file.starts_with("memory.")) {
        warnings.push(format!(
            "the kernel ended {killed} of its processes to come below the new limit of memory"
        ));
    }
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

    fn resources(&self) -> Result<oci_spec::runtime::LinuxResources> {
        match self {
            Origin::Flags(typed) => {
                resources::parse(typed.resources.to_string().as_bytes(), Path::new("flags"))
            }
            Origin::Text { raw, name } => resources::parse(raw, Path::new(name)),
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

//! Shares of caches and memory bandwidth (config-linux.md, "IntelRdt"), as groups of the resctrl file system.

use crate::cli::Create;
use crate::error::{Error, Object, Pointer, Result};
use oci_spec::runtime::{Linux, Spec};

/// Which group of resctrl the container joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group {
    /// One of its own, named as the container.
    Own(String),
    /// The one of this name.
    Named(String),
    /// The root of the file system.
    Default,
}

/// The whole of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rdt {
    /// The group.
    pub group: Group,
    /// Lines that a group which exists already must have: `l3CacheSchema`, `memBwSchema`.
    pub shares: Vec<String>,
    /// Further lines.
    pub schemata: Vec<String>,
    /// The name of a monitoring group, where one is asked for.
    pub monitor: Option<String>,
    /// `/linux/intelRdt`.
    pub pointer: Pointer,
}

const DOING: &str = "use Intel RDT";

/// Directories of resctrl that are no groups.
const RESERVED: [&str; 3] = ["info", "mon_groups", "mon_data"];

/// Plans `/linux/intelRdt`.
///
/// # Errors
/// A name that no group can have, a line that is more than one or of another resource.
pub fn plan(spec: &Spec, request: &Create) -> Result<Option<Rdt>> {
    let given = spec.linux().as_ref().map(Linux::intel_rdt);
    let Some(given) = given.and_then(Option::as_ref) else {
        return Ok(None);
    };
    let place = Pointer::from("/linux/intelRdt");
    let group = match given.clos_id().as_deref() {
        Some("/") => Group::Default,
        None | Some("") => {
            name(&request.id, &place)?;
            Group::Own(request.id.clone())
        }
        Some(id) => {
            name(id, &place.at("closID"))?;
            Group::Named(id.to_owned())
        }
    };
    let mut shares = Vec::new();
    let typed = [
        ("l3CacheSchema", given.l3_cache_schema(), ""),
        ("memBwSchema", given.mem_bw_schema(), "MB:"),
    ];
    for (member, line, prefix) in typed {
        if let Some(line) = line.as_deref().filter(|line| !line.is_empty()) {
            shares.push(one_line(line, prefix, &place.at(member))?);
        }
    }
    let schemata = given.schemata().as_deref().unwrap_or_default();
    let schemata = schemata.iter().enumerate();
    let schemata =
        schemata.map(|(index, line)| one_line(line, "", &place.at("schemata").at(index)));
    Ok(Some(Rdt {
        group,
        shares,
        schemata: schemata.collect::<Result<_>>()?,
        monitor: (given.enable_monitoring() == &Some(true)).then(|| request.id.clone()),
        pointer: place,
    }))
}

/// Lines that `update` changes, `l3CacheSchema` before `memBwSchema`.
///
/// # Errors
/// As [`plan`], with the flag.
pub fn lines(l3: Option<&str>, bandwidth: Option<&str>) -> Result<Vec<String>> {
    let typed = [
        ("--l3-cache-schema", l3, ""),
        ("--mem-bw-schema", bandwidth, "MB:"),
    ];
    let given = typed
        .into_iter()
        .filter_map(|(flag, line, prefix)| Some((flag, line?, prefix)));
    let checked = given.map(|(flag, line, prefix)| {
        let line = one_line(line, prefix, &Pointer::from(flag));
        line.map_err(|error| error.about(Object::Argument(flag.to_owned())))
    });
    checked.collect()
}

fn name(id: &str, place: &Pointer) -> Result<()> {
    let why = if id == "." || id == ".." || id.contains(['/', '\0', '\n']) {
        "a group is one directory: its name has no slash and is not . or .."
    } else if RESERVED.contains(&id) {
        "resctrl keeps this name for itself"
    } else {
        return Ok(());
    };
    Err(Error::refused(DOING, place, why).hint("choose another name for the group: \"closID\""))
}

fn one_line(line: &str, prefix: &str, place: &Pointer) -> Result<String> {
    if line.contains('\n') {
        return Err(Error::refused(DOING, place, "it must be one line"));
    }
    if !line.starts_with(prefix) {
        let why = format!("it must begin with {prefix}");
        return Err(Error::refused(DOING, place, why));
    }
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample::{request, spec, told};
    use serde_json::{Value, json};

    fn planned(rdt: Value) -> Result<Option<Rdt>> {
        plan(&spec(json!({"linux": {"intelRdt": rdt}})), &request())
    }

    #[test]
    fn groups_and_lines() {
        let rdt = planned(
            json!({"memBwSchema": "MB:0=20", "l3CacheSchema": "L3:0=f", "schemata": ["L2:0=3"], "enableMonitoring": true}),
        );
        let rdt = rdt.unwrap().unwrap();
        assert_eq!(rdt.group, Group::Own("web".to_owned()));
        assert_eq!(rdt.shares, ["L3:0=f", "MB:0=20"], "in this order");
        assert_eq!(rdt.schemata, ["L2:0=3"]);
        assert_eq!(rdt.monitor.as_deref(), Some("web"));
        let group = |id: &str| planned(json!({"closID": id})).unwrap().unwrap().group;
        assert_eq!(group("/"), Group::Default);
        assert_eq!(group("gold"), Group::Named("gold".to_owned()));
        assert_eq!(group(""), Group::Own("web".to_owned()));
    }

    #[test]
    fn without_it_there_is_no_group() {
        assert_eq!(plan(&spec(json!({"linux": {}})), &request()).unwrap(), None);
        let bare = planned(json!({})).unwrap().unwrap();
        assert!(bare.shares.is_empty() && bare.schemata.is_empty() && bare.monitor.is_none());
        let one =
            |member: &str, line: &str| planned(json!({member: line})).unwrap().unwrap().shares;
        assert_eq!(one("l3CacheSchema", "L3:0=f"), ["L3:0=f"]);
        assert_eq!(one("memBwSchema", "MB:0=20"), ["MB:0=20"]);
    }

    #[test]
    fn what_is_no_group_and_no_line() {
        for (rdt, place) in [
            (json!({"closID": "."}), "/closID"),
            (json!({"closID": ".."}), "/closID"),
            (json!({"closID": "a/b"}), "/closID"),
            (json!({"closID": "info"}), "/closID"),
            (json!({"closID": "mon_groups"}), "/closID"),
            (json!({"closID": "mon_data"}), "/closID"),
            (json!({"memBwSchema": "L3:0=f"}), "/memBwSchema"),
            (json!({"l3CacheSchema": "L3:0=f\nMB:0=1"}), "/l3CacheSchema"),
            (json!({"schemata": ["L2:0=3", "a\nb"]}), "/schemata/1"),
        ] {
            let (pointer, line) = told(&planned(rdt).unwrap_err());
            assert_eq!(pointer, format!("/linux/intelRdt{place}"), "{line}");
        }
    }
}

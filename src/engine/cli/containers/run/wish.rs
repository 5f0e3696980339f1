//! Flags into a wish: the image's wishes first, the command line over them.

use super::host::{is_vendors, time_zone, vendors_devices};
use super::limits::{limits, number, refused, size};
use super::mounts::{self, mounts};
use super::notes::{annotations, labels, lines, log};
use super::source::{Asked, Ground, ImageWish};
use crate::engine::cli::{text, texts};
use crate::engine::container::shelf::Shelf;
use crate::engine::container::wish::{Mount, MountKind, Network, Switch, Wish};
use crate::engine::ids::{self, Userns};
use crate::engine::places::Places;
use crate::error::Result;
use clap::ArgMatches;
use std::collections::{BTreeMap, BTreeSet};

/// Switches of the command line that a container keeps.
const SWITCHES: [(&str, Switch); 7] = [
    ("tty", Switch::Terminal),
    ("interactive", Switch::Interactive),
    ("rm", Switch::Remove),
    ("init", Switch::Init),
    ("privileged", Switch::Privileged),
    ("read-only", Switch::ReadOnly),
    ("publish-all", Switch::PublishAll),
];

/// Flags of namespaces.
const NAMESPACES: [(&str, &str); 4] = [
    ("pid", "pid"),
    ("ipc", "ipc"),
    ("uts", "uts"),
    ("cgroupns", "cgroup"),
];

/// The seeds' spellings, all with one dash, and the flag that means the same. `-memory` and `-publish` are ours
/// already, as one dash or two mean the same; `-cpu` is read in limits.rs, as it may hold what cpu.max holds.
pub(super) const SEEDS: [(&str, &str); 4] = [
    ("host-name", "hostname"),
    ("bridge", "network"),
    ("net", "network"),
    ("dns-opt", "dns-option"),
];

/// Variables by which programs find a proxy.
const PROXIES: [&str; 5] = [
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "no_proxy",
    "all_proxy",
];

/// Bytes of /dev/shm, where nothing is said.
const SHM_SIZE: u64 = 64 << 20;

/// The value of a flag, or of what the seeds call it.
fn one(found: &ArgMatches, flag: &str) -> Option<String> {
    let seeds = SEEDS
        .iter()
        .filter(|(_, ours)| *ours == flag)
        .map(|(seed, _)| *seed);
    std::iter::once(flag)
        .chain(seeds)
        .find_map(|name| text(found, name))
}

fn all(found: &ArgMatches, flag: &str) -> Vec<String> {
    let seeds = SEEDS
        .iter()
        .filter(|(_, ours)| *ours == flag)
        .map(|(seed, _)| *seed);
    std::iter::once(flag)
        .chain(seeds)
        .flat_map(|name| texts(found, name))
        .collect()
}

/// The whole of it.
///
/// # Errors
/// Every value that makes no sense.
pub(super) fn wish(
    found: &ArgMatches,
    asked: &Asked,
    ground: &Ground,
    places: &Places,
) -> Result<Wish> {
    let image = &ground.image;
    let mut wish = Wish {
        root: ground.root.clone(),
        argv: argv(found, asked, image)?,
        env: environment(found, image)?,
        user: text(found, "user").unwrap_or_else(|| image.user.clone()),
        groups: texts(found, "group-add"),
        workdir: workdir(found, image)?,
        umask: umask(found)?,
        hostname: hostname(found)?,
        on: SWITCHES
            .iter()
            .filter(|(flag, _)| found.get_flag(flag))
            .map(|(_, switch)| *switch)
            .collect(),
        mounts: all_mounts(found, image, places)?,
        devices: texts(found, "device")
            .into_iter()
            .filter(|word| !is_vendors(word))
            .collect(),
        device_rules: texts(found, "device-cgroup-rule"),
        cap_add: texts(found, "cap-add"),
        cap_drop: texts(found, "cap-drop"),
        security: security(found),
        ulimits: texts(found, "ulimit"),
        sysctls: texts(found, "sysctl"),
        limits: limits(found)?,
        network: network(found, image),
        stop_signal: stop_signal(found, image)?,
        stop_timeout: number(found, "stop-timeout")?.unwrap_or(10),
        labels: labels(found, image)?,
        shm_size: size(found, "shm-size")?
            .map_or(SHM_SIZE, |size| u64::try_from(size).unwrap_or(SHM_SIZE)),
        pid_file: text(found, "pidfile").map(|path| mounts::path(&path)),
        oom_score_adj: number(found, "oom-score-adj")?,
        cgroup_parent: text(found, "cgroup-parent").unwrap_or_default(),
        time_zone: time_zone(found)?,
        vendors_devices: vendors_devices(found)?,
        annotations: annotations(found)?,
        userns: ids::parse(
            text(found, "userns").as_deref(),
            &texts(found, "uidmap"),
            &texts(found, "gidmap"),
        )?,
        ..Wish::default()
    };
    if let (Userns::KeepId { uid, gid }, None) = (&wish.userns, text(found, "user")) {
        wish.user = format!("{uid}:{gid}");
    }
    wish.namespaces = namespaces(found)?;
    log(found, &mut wish)?;
    Ok(wish)
}

fn stop_signal(found: &ArgMatches, image: &ImageWish) -> Result<String> {
    let signal = text(found, "stop-signal").unwrap_or_else(|| image.stop_signal.clone());
    match signal.is_empty() || crate::cli::signal::number(&signal).is_some() {
        true => Ok(signal),
        false => Err(refused("stop-signal", &signal, "there is no such signal")),
    }
}

fn argv(found: &ArgMatches, asked: &Asked, image: &ImageWish) -> Result<Vec<String>> {
    let given = text(found, "entrypoint");
    let entrypoint = match &given {
        Some(word) if word.starts_with('[') => serde_json::from_str(word)
            .map_err(|_| refused("entrypoint", word, "no JSON array of words"))?,
        Some(word) if word.is_empty() => Vec::new(),
        Some(word) => vec![word.clone()],
        None => image.entrypoint.clone(),
    };
    // Another entrypoint has no use for the image's arguments.
    let command = match asked.command.is_empty() && given.is_none() {
        true => &image.command,
        false => &asked.command,
    };
    Ok(entrypoint
        .into_iter()
        .chain(command.iter().cloned())
        .collect())
}

fn environment(found: &ArgMatches, image: &ImageWish) -> Result<Vec<String>> {
    let mut env = image.env.clone();
    if found.get_flag("http-proxy") {
        for name in PROXIES
            .iter()
            .flat_map(|name| [(*name).to_owned(), name.to_uppercase()])
        {
            env.extend(callers(&name));
        }
    }
    for file in texts(found, "env-file") {
        for line in lines(&file)? {
            env.extend(variables(&line));
        }
    }
    for word in texts(found, "env") {
        if word.starts_with('=') || word.is_empty() {
            return Err(refused("env", &word, "a variable needs a name"));
        }
        env.extend(variables(&word));
    }
    Ok(env)
}

/// `NAME=value` as it is; `NAME` and `NAME*` from the caller, who says so.
fn variables(word: &str) -> Vec<String> {
    if word.contains('=') {
        return vec![word.to_owned()];
    }
    if let Some(begin) = word.strip_suffix('*') {
        let mut found: Vec<String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with(begin))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        found.sort();
        return found;
    }
    callers(word).into_iter().collect()
}

fn callers(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?;
    Some(format!("{name}={}", value.to_string_lossy()))
}

fn workdir(found: &ArgMatches, image: &ImageWish) -> Result<String> {
    match text(found, "workdir") {
        Some(path) if !path.starts_with('/') => {
            Err(refused("workdir", &path, "not an absolute path"))
        }
        Some(path) => Ok(path),
        None => Ok(image.workdir.clone()),
    }
}

fn umask(found: &ArgMatches) -> Result<u32> {
    let word = text(found, "umask").unwrap_or_else(|| "0022".to_owned());
    let mask = u32::from_str_radix(&word, 8)
        .ok()
        .filter(|mask| *mask <= 0o777);
    mask.ok_or_else(|| refused("umask", &word, "not an octal number up to 0777"))
}

fn hostname(found: &ArgMatches) -> Result<String> {
    let name = one(found, "hostname").unwrap_or_default();
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    match name.len() <= 64 && name.bytes().all(good) {
        true => Ok(name),
        false => Err(refused(
            "hostname",
            &name,
            "a host name has at most 64 letters, digits, hyphens and points",
        )),
    }
}

fn all_mounts(found: &ArgMatches, image: &ImageWish, places: &Places) -> Result<Vec<Mount>> {
    let given = mounts(found, &Shelf::new(places))?;
    let is_given = |target: &str| given.iter().any(|mount| mount.target == target);
    let of_image = image
        .volumes
        .iter()
        .filter(|target| target.starts_with('/') && !is_given(target));
    let mut all: Vec<Mount> = of_image
        .map(|target| Mount {
            kind: MountKind::Volume,
            target: target.clone(),
            ..Mount::default()
        })
        .collect();
    all.extend(given);
    Ok(all)
}

/// Paths of the host in it are made absolute: the monitor has another working directory.
fn security(found: &ArgMatches) -> Vec<String> {
    let absolute = |option: String| match option.split_once(['=', ':']) {
        Some(("seccomp", file)) if file != "unconfined" => {
            format!("seccomp={}", mounts::path(file).display())
        }
        _ => option,
    };
    texts(found, "security-opt")
        .into_iter()
        .map(absolute)
        .collect()
}

fn network(found: &ArgMatches, image: &ImageWish) -> Network {
    let ports: BTreeSet<String> = image
        .ports
        .iter()
        .cloned()
        .chain(texts(found, "expose"))
        .collect();
    Network {
        mode: all(found, "network"),
        publish: texts(found, "publish"),
        expose: ports.into_iter().collect(),
        add_host: texts(found, "add-host"),
        dns: texts(found, "dns"),
        dns_search: texts(found, "dns-search"),
        dns_option: all(found, "dns-option"),
        ip: text(found, "ip").unwrap_or_default(),
        ip6: text(found, "ip6").unwrap_or_default(),
        mac: text(found, "mac-address").unwrap_or_default(),
    }
}

fn namespaces(found: &ArgMatches) -> Result<BTreeMap<String, String>> {
    let mut modes = BTreeMap::new();
    for (flag, kind) in NAMESPACES {
        let Some(mode) = text(found, flag) else {
            continue;
        };
        let known = ["private", "host", "shareable"].contains(&mode.as_str())
            || mode
                .strip_prefix("container:")
                .is_some_and(|other| !other.is_empty())
            || mode
                .strip_prefix("ns:")
                .is_some_and(|path| path.starts_with('/'));
        if !known {
            return Err(refused(flag, &mode, "no such mode")
                .hint("use private, host, container:ID or ns:PATH"));
        }
        modes.insert(kind.to_owned(), mode);
    }
    Ok(modes)
}

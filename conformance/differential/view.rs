//! What the probe printed, as lines that can be compared: a name for what is looked at, and what it is.
//! Numbers that differ from run to run (mount ids, devices, inodes) are taken out or named.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::asked::Asked;
use crate::check::Outcome;
use crate::draw::ID;

#[cfg(test)]
mod tests;

/// Fields of /proc/PID/status that a runtime decides about; proc_pid_status(5).
const STATUS: [&str; 17] = [
    "Umask",
    "Uid",
    "Gid",
    "Groups",
    "SigBlk",
    "SigIgn",
    "CapInh",
    "CapPrm",
    "CapEff",
    "CapBnd",
    "CapAmb",
    "NoNewPrivs",
    "Seccomp",
    "Seccomp_filters",
    "Cpus_allowed",
    "Mems_allowed",
    "Threads",
];

/// Fields of /proc/PID/stat, counted from 1; proc_pid_stat(5).
const STAT: [(&str, usize); 6] = [
    ("pgrp", 5),
    ("session", 6),
    ("tty", 7),
    ("nice", 19),
    ("rt_priority", 40),
    ("policy", 41),
];

/// What is known about the host.
#[derive(Debug)]
pub(crate) struct Surroundings {
    bundle: String,
    /// Namespace identities, by what they are to the container: `host`, `holder`.
    namespaces: BTreeMap<String, &'static str>,
}

impl Surroundings {
    /// Looks at this process's namespaces and at the holder's.
    pub(crate) fn look(bundle: &Path, holder: u32) -> Outcome<Self> {
        let mut namespaces = BTreeMap::new();
        for (process, word) in [(holder.to_string(), "holder"), ("self".to_owned(), "host")] {
            for entry in fs::read_dir(format!("/proc/{process}/ns"))? {
                let target = fs::read_link(entry?.path())?;
                namespaces.insert(target.to_string_lossy().into_owned(), word);
            }
        }
        let bundle = bundle.to_string_lossy().into_owned();
        Ok(Self { bundle, namespaces })
    }
}

/// What one container saw, or why there was none.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// Whether the program ran.
    pub(crate) ran: bool,
    /// The probe's text, or the refusal.
    pub(crate) text: String,
    /// What is compared.
    pub(crate) lines: BTreeMap<String, String>,
}

impl View {
    /// A runtime's refusal, or a probe that did not come to its end.
    pub(crate) fn refused(words: &str) -> Self {
        let lines = BTreeMap::from([("outcome".to_owned(), "refused".to_owned())]);
        let text = words.trim().to_owned();
        Self {
            ran: false,
            text,
            lines,
        }
    }

    /// Reads the probe's text.
    pub(crate) fn of(text: &str, asked: &Asked, around: &Surroundings) -> Self {
        let text = text.replace(&around.bundle, "$BUNDLE");
        let mut view = Self {
            ran: true,
            ..Self::default()
        };
        view.put("outcome", "ran");
        let mut section = "";
        for line in text.lines() {
            match line.strip_prefix('#') {
                Some(name) => section = name,
                None => view.line(section, line, asked, around),
            }
        }
        view.text = text;
        view
    }

    fn line(&mut self, section: &str, line: &str, asked: &Asked, around: &Surroundings) {
        match section {
            "mountinfo" => drop(self.mount(line, asked)),
            "status" => {
                if let Some((name, value)) =
                    line.split_once(':').filter(|(n, _)| STATUS.contains(n))
                {
                    self.put(&format!("status {name}"), status(name, value));
                }
            }
            "limits" => {
                let (name, value) = line.split_at_checked(26).unwrap_or((line, ""));
                self.put(
                    &format!("limit {}", name.trim()),
                    value.split_whitespace().collect::<Vec<_>>().join(" "),
                );
            }
            "environ" => {
                // The order is nobody's promise; of a name that is there twice both are told.
                let (name, value) = line.split_once('=').unwrap_or((line, ""));
                self.put(&format!("env {name}"), value);
            }
            "ns" => self.link("namespace", line, |target| namespace(target, around)),
            "fds" => self.link("descriptor", line, |target| {
                target.split(':').next().unwrap_or_default().to_owned()
            }),
            "stat" => self.stat(line),
            "lines" => self.field("", &line.replace(ID, "$ID")),
            "net" => {
                if let Some(link) = line.split(": ").nth(1).filter(|_| line.contains(": lo: ")) {
                    let flags = line.split(['<', '>']).nth(1).unwrap_or_default();
                    self.put(&format!("link {link}"), flags);
                }
            }
            "files" if !asked.masks(line) => self.field("file ", line),
            "paths" if line.contains(" is ") && asked.masks(line) => {}
            "access" | "paths" => self.look(line),
            "cgroup" => self.field("cgroup file ", line),
            _ => {}
        }
    }

    /// `36 35 98:0 ROOT TARGET OPTIONS [PROPAGATION…] - TYPE SOURCE SUPER`; proc_pid_mountinfo(5).
    /// By which mounts a path is masked is the runtime's own matter: what is read there is looked at elsewhere.
    fn mount(&mut self, line: &str, asked: &Asked) -> Option<()> {
        let (left, right) = line.split_once(" - ")?;
        let (left, right): (Vec<_>, Vec<_>) =
            (left.split(' ').collect(), right.split(' ').collect());
        let target = *left.get(4)?;
        let tags = left.iter().skip(6);
        let tags: Vec<_> = tags
            .map(|tag| tag.split(':').next().unwrap_or(tag))
            .collect();
        let shows = format!("{} of {}", left.get(3)?, right.first()?);
        let name = match asked.word(target) {
            "masked" => {
                self.lines
                    .insert(format!("masked {target}"), "yes".to_owned());
                return None;
            }
            word => format!("{word} {target}"),
        };
        let key = self.put(&name, shows.replace(ID, "$ID"));
        for (part, value) in [
            ("options", *left.get(5)?),
            ("propagation", &tags.join(" ")),
            ("source", right.get(1)?),
            ("super", right.get(2)?),
        ] {
            self.put(&format!("{key}, {part}"), value);
        }
        None
    }

    /// A line of `ls -l`: the name and where it leads.
    fn link(&mut self, what: &str, line: &str, word: impl Fn(&str) -> String) {
        if let Some((left, target)) = line.split_once(" -> ")
            && let Some(name) = left.split(' ').next_back()
        {
            self.put(&format!("{what} {name}"), word(target));
        }
    }

    fn stat(&mut self, line: &str) {
        let pid = line.split(' ').next().unwrap_or_default();
        // The name may hold blanks.
        let fields: Vec<_> = line
            .rsplit_once(") ")
            .map_or("", |(_, rest)| rest)
            .split(' ')
            .collect();
        for (name, at) in STAT {
            let value = fields.get(at - 3).copied().unwrap_or_default();
            let own = value == pid && ["pgrp", "session"].contains(&name);
            self.put(name, if own { "its own pid" } else { value });
        }
    }

    /// `NAME VALUE…`; a quoted name may hold an arrow.
    fn field(&mut self, what: &str, line: &str) {
        let cut = match line.strip_prefix('\'') {
            Some(rest) => rest
                .find("' ")
                .filter(|_| !line.contains(" -> "))
                .map(|at| at + 2),
            None => line.find(' '),
        };
        let cut = cut.or_else(|| line.find(' ')).unwrap_or(line.len());
        let (name, value) = line.split_at(cut);
        self.put(&format!("{what}{}", name.trim_matches('\'')), value.trim());
    }

    /// `PATH ACT RESULT`.
    fn look(&mut self, line: &str) {
        let mut words = line.splitn(3, ' ');
        let [path, act, result] = [(); 3].map(|()| words.next().unwrap_or_default());
        self.put(&format!("look {path} {act}"), result);
    }

    /// The second of a name has its own line.
    fn put(&mut self, name: &str, value: impl Into<String>) -> String {
        let value = value.into();
        let mut key = name.to_owned();
        let mut number = 1;
        while let Some(known) = self.lines.get(&key) {
            // A file that is a mount point and lies in /dev is shown twice.
            if *known == value && name.starts_with("file ") {
                return key;
            }
            number += 1;
            key = format!("{name} #{number}");
        }
        self.lines.insert(key.clone(), value);
        key
    }
}

/// Signals 32 and 33 are the C library's own: it lets nobody set them back, so they say how this
/// program was started and nothing of the runtime.
fn status(name: &str, value: &str) -> String {
    match u64::from_str_radix(value.trim(), 16) {
        Ok(bits) if name.starts_with("Sig") => format!("{:016x}", bits & !0x1_8000_0000),
        _ => value.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

fn namespace(target: &str, around: &Surroundings) -> String {
    let word = around.namespaces.get(target).copied();
    word.unwrap_or("own").to_owned()
}

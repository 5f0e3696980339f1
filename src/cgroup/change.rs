//! Other limits for a group that is in use: written one after the other, and taken back if one is refused.

use super::systemd::Living;
use super::{Cgroup, apply, place, read, write};
use crate::error::{Error, Pointer, Result};
use crate::plan::cgroup::update::Current;
use crate::plan::cgroup::{Otherwise, Setting};
use crate::sys::Fault;
use std::ffi::{CStr, CString};

impl Cgroup {
    /// What the files say that an update depends on. A file that is not there limits nothing.
    #[must_use]
    pub fn current(&self) -> Current {
        let mut buffer = [0; 128];
        let mut number = |name: &CStr| -> Option<u64> {
            read(&self.dir, name, &mut buffer).ok()?.trim().parse().ok()
        };
        let mut current = Current {
            memory: number(c"memory.max"),
            memory_used: number(c"memory.current").unwrap_or(0),
            swap: number(c"memory.swap.max"),
            swap_used: number(c"memory.swap.current").unwrap_or(0),
            ..Current::default()
        };
        let text = read(&self.dir, c"cpu.max", &mut buffer).unwrap_or_default();
        let mut words = text.split_whitespace().map(|word| word.parse().ok());
        current.quota = words.next().flatten();
        current.period = words.next().flatten();
        current
    }

    /// Writes the settings in their order, whatever their moment. Where a unit of systemd's is the group,
    /// `unit` is told first.
    ///
    /// # Errors
    /// The first that the kernel or systemd refuses, with its origin; those before it have been taken back,
    /// or it is told which could not be.
    pub fn change(&self, settings: &[Setting], unit: Option<&Living<'_>>) -> Result<()> {
        place::give(self, settings)?;
        let before: Vec<Before> = settings.iter().map(|one| Before::of(self, one)).collect();
        if let Some(unit) = unit {
            unit.limit(settings)?;
        }
        for (index, setting) in settings.iter().enumerate() {
            if let Err(error) = apply::write_one(self, setting) {
                return Err(error.also(self.take_all_back(&before, index, unit)));
            }
        }
        Ok(())
    }

    /// After a refusal of setting `index`. What follows it has only been written if a unit was told; what
    /// could not be taken back.
    fn take_all_back(
        &self,
        before: &[Before],
        index: usize,
        unit: Option<&Living<'_>>,
    ) -> Vec<Error> {
        let (written, later) = before.split_at(index.min(before.len()));
        let mut kept = Vec::new();
        if let Some(unit) = unit {
            let former: Vec<Setting> = before.iter().filter_map(Before::setting).collect();
            kept.extend(unit.limit(&former).err());
            let known = later.iter().rev().filter(|one| one.line.is_some());
            kept.extend(known.filter_map(|one| self.take_back(one)));
        }
        kept.extend(written.iter().rev().filter_map(|one| self.take_back(one)));
        kept
    }

    fn take_back(&self, before: &Before) -> Option<Error> {
        let doing = format!("set {} back", before.file);
        let name = CString::new(before.file.as_str()).unwrap_or_default();
        let Some(line) = &before.line else {
            let path = self.path.join(&before.file);
            let object = crate::error::Object::File(path);
            let why = "its former value cannot be written".to_owned();
            return Some(Error::new(doing, object, crate::error::Cause::Refused(why)));
        };
        let written = write(&self.dir, &name, line.as_bytes());
        written
            .err()
            .map(|fault| self.fault(&doing, &before.file, fault))
    }
}

/// A file as it was.
#[derive(Debug)]
struct Before {
    file: String,
    /// What to write to have it so again.
    line: Option<String>,
    /// What has changed it.
    pointer: Pointer,
}

impl Before {
    /// As a setting, for systemd.
    fn setting(&self) -> Option<Setting> {
        Some(Setting {
            file: self.file.clone(),
            value: self.line.as_ref()?.trim().to_owned(),
            controller: None,
            otherwise: Otherwise::Fail,
            pointer: self.pointer.clone(),
        })
    }

    fn of(cgroup: &Cgroup, setting: &Setting) -> Before {
        let (mut file, mut value) = (&setting.file, &setting.value);
        let mut text = whole(cgroup, file);
        if let (
            Err(fault),
            Otherwise::Write {
                file: other,
                value: alike,
            },
        ) = (&text, &setting.otherwise)
            && fault.errno == libc::ENOENT
        {
            (file, value) = (other, alike);
            text = whole(cgroup, file);
        }
        Before {
            file: file.clone(),
            line: text.ok().and_then(|text| former(file, value, &text)),
            pointer: setting.pointer.clone(),
        }
    }
}

fn whole(cgroup: &Cgroup, file: &str) -> std::result::Result<String, Fault> {
    let name = CString::new(file).unwrap_or_default();
    let mut buffer = [0; 16 * 1024];
    read(&cgroup.dir, &name, &mut buffer).map(str::to_owned)
}

/// The line of `text` that `value` would replace; where a device has none, what stands for none.
fn former(file: &str, value: &str, text: &str) -> Option<String> {
    let key = value.split_once(' ').map(|(key, _)| key);
    let Some(key) = key.filter(|_| file.starts_with("io.") || file.starts_with("rdma.")) else {
        let line = text.lines().next().unwrap_or_default();
        // An empty list is written as a line without one.
        return Some(format!("{line}\n"));
    };
    let is_of_key = |line: &&str| line.split(' ').next() == Some(key);
    match (text.lines().find(is_of_key), file) {
        (Some(line), _) => Some(line.to_owned()),
        (None, "io.max") => Some(format!("{key} rbps=max wbps=max riops=max wiops=max")),
        (None, "io.weight") => Some(format!("{key} default")),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::former;

    #[test]
    fn the_line_that_was_there() {
        let io =
            "8:0 rbps=1 wbps=max riops=max wiops=max\n8:16 rbps=2 wbps=max riops=max wiops=max\n";
        #[rustfmt::skip]
        let rows = [
            ("memory.max", "5", "max\n", Some("max\n")),
            ("cpuset.cpus", "0", "\n", Some("\n")),
            ("cpuset.cpus", "0", "", Some("\n")),
            ("cpu.max", "5 100000", "max 100000\n", Some("max 100000\n")),
            ("io.max", "8:16 rbps=7", io, Some("8:16 rbps=2 wbps=max riops=max wiops=max")),
            ("io.max", "8:32 rbps=7", io, Some("8:32 rbps=max wbps=max riops=max wiops=max")),
            ("io.weight", "8:0 5", "default 100\n", Some("8:0 default")),
            ("io.weight", "5", "default 100\n8:0 7\n", Some("default 100\n")),
            ("io.bfq.weight", "8:0 5", "default 100\n", None),
        ];
        for (file, value, text, line) in rows {
            assert_eq!(former(file, value, text).as_deref(), line, "{file} {value}");
        }
    }
}

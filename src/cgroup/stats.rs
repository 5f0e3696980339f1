//! What the group uses, in the words of runc's `events` (which are those of cgroup v1).
//!
//! A file that the kernel or the group does not have leaves its numbers out.

/// How long processes had to wait, per resource.
mod pressure;

use super::{Cgroup, is_gone, value_of};
use crate::error::Result;
use crate::plan::cpulist;
use crate::sys::file;
use pressure::Pressure;
use rustix::fs::OFlags;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ffi::CString;

/// "No limit", as runc writes it.
const NONE: u64 = u64::MAX;

/// Everything. Times are in nanoseconds, sizes in bytes.
#[derive(Debug, Default, Serialize)]
pub struct Stats {
    cpu: Cpu,
    cpuset: Cpuset,
    memory: Memory,
    pids: Pids,
    blkio: Blkio,
    hugetlb: BTreeMap<String, Hugetlb>,
    /// Shares of caches and of memory bandwidth; filled by whoever knows the resctrl group.
    pub intel_rdt: Rdt,
    /// cgroup v2 knows none; runc says null.
    network_interfaces: Option<Vec<()>>,
}

/// Shares of caches and of memory bandwidth.
#[derive(Debug, Default, Serialize)]
pub struct Rdt {
    /// All lines of the group's schemata.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schemata: Vec<String>,
}

#[derive(Debug, Default, Serialize)]
struct Cpu {
    usage: CpuUsage,
    throttling: Throttling,
    #[serde(skip_serializing_if = "Option::is_none")]
    psi: Option<Pressure>,
}

#[derive(Debug, Default, Serialize)]
struct CpuUsage {
    #[serde(skip_serializing_if = "is_zero")]
    total: u64,
    kernel: u64,
    user: u64,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Throttling {
    #[serde(skip_serializing_if = "is_zero")]
    periods: u64,
    #[serde(skip_serializing_if = "is_zero")]
    throttled_periods: u64,
    #[serde(skip_serializing_if = "is_zero")]
    throttled_time: u64,
}

/// The flags are cgroup v1's; v2 has none of them.
#[derive(Debug, Default, Serialize)]
struct Cpuset {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cpus: Vec<u32>,
    cpu_exclusive: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mems: Vec<u32>,
    mem_hardwall: u64,
    mem_exclusive: u64,
    memory_migrate: u64,
    memory_spread_page: u64,
    memory_spread_slab: u64,
    memory_pressure: u64,
    sched_load_balance: u64,
    sched_relax_domain_level: i64,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Memory {
    #[serde(skip_serializing_if = "is_zero")]
    cache: u64,
    usage: Use,
    swap: Use,
    kernel: Use,
    #[serde(rename = "kernelTCP")]
    kernel_tcp: Use,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    raw: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    psi: Option<Pressure>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Use {
    limit: u64,
    #[serde(skip_serializing_if = "is_zero")]
    usage: u64,
    #[serde(skip_serializing_if = "is_zero")]
    max: u64,
    failcnt: u64,
}

#[derive(Debug, Default, Serialize)]
struct Pids {
    #[serde(skip_serializing_if = "is_zero")]
    current: u64,
    /// 0, and left out, for no limit.
    #[serde(skip_serializing_if = "is_zero")]
    limit: u64,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Blkio {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    io_service_bytes_recursive: Vec<Entry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    io_serviced_recursive: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    psi: Option<Pressure>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Entry {
    #[serde(skip_serializing_if = "is_zero")]
    major: u64,
    #[serde(skip_serializing_if = "is_zero")]
    minor: u64,
    op: &'static str,
    #[serde(skip_serializing_if = "is_zero")]
    value: u64,
}

#[derive(Debug, Default, Serialize)]
struct Hugetlb {
    #[serde(skip_serializing_if = "is_zero")]
    usage: u64,
    failcnt: u64,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks with a reference"
)]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl Cgroup {
    /// What the group and those below it use now; `None` where it is gone.
    ///
    /// # Errors
    /// As read(2), but for files that are not there.
    pub fn stats(&self) -> Result<Option<Stats>> {
        if self.text("cgroup.events")?.is_none() {
            return Ok(None);
        }
        let mut stats = Stats {
            cpu: self.cpu()?,
            memory: self.memory()?,
            blkio: self.blkio()?,
            pids: self.pids()?,
            hugetlb: self.hugetlb()?,
            ..Stats::default()
        };
        stats.cpuset.cpus = numbers(&self.text("cpuset.cpus.effective")?.unwrap_or_default());
        stats.cpuset.mems = numbers(&self.text("cpuset.mems.effective")?.unwrap_or_default());
        Ok(Some(stats))
    }

    fn cpu(&self) -> Result<Cpu> {
        let text = self.text("cpu.stat")?.unwrap_or_default();
        let number = |key| value_of(&text, key).unwrap_or(0);
        let nanos = |key| number(key).saturating_mul(1000);
        Ok(Cpu {
            usage: CpuUsage {
                total: nanos("usage_usec"),
                kernel: nanos("system_usec"),
                user: nanos("user_usec"),
            },
            throttling: Throttling {
                periods: number("nr_periods"),
                throttled_periods: number("nr_throttled"),
                throttled_time: nanos("throttled_usec"),
            },
            psi: self.pressure("cpu.pressure")?,
        })
    }

    fn memory(&self) -> Result<Memory> {
        let text = self.text("memory.stat")?.unwrap_or_default();
        let pair = |line: &str| {
            let (key, value) = line.split_once(' ')?;
            Some((key.to_owned(), value.parse().ok()?))
        };
        let raw: BTreeMap<String, u64> = text.lines().filter_map(pair).collect();
        let events = self.text("memory.events")?.unwrap_or_default();
        let mut usage = self.use_of("memory")?;
        usage.failcnt = value_of(&events, "max").unwrap_or(0);
        // cgroup v1 counts memory and swap together, and so do those who read this.
        let mut swap = self.use_of("memory.swap")?;
        swap.usage += usage.usage;
        swap.limit = swap.limit.saturating_add(usage.limit);
        swap.max = 0;
        Ok(Memory {
            cache: raw.get("file").copied().unwrap_or(0),
            usage,
            swap,
            raw,
            psi: self.pressure("memory.pressure")?,
            ..Memory::default()
        })
    }

    fn use_of(&self, what: &str) -> Result<Use> {
        Ok(Use {
            limit: self.number(&format!("{what}.max"))?,
            usage: self.number(&format!("{what}.current"))?,
            max: self.number(&format!("{what}.peak"))?,
            failcnt: 0,
        })
    }

    fn pids(&self) -> Result<Pids> {
        let Some(current) = self.text("pids.current")? else {
            let current = u64::try_from(self.processes()?.len()).unwrap_or(NONE);
            return Ok(Pids { current, limit: 0 });
        };
        let limit = self.number("pids.max")?;
        Ok(Pids {
            current: current.trim().parse().unwrap_or(0),
            limit: if limit == NONE { 0 } else { limit },
        })
    }

    fn blkio(&self) -> Result<Blkio> {
        let text = self.text("io.stat")?.unwrap_or_default();
        Ok(Blkio {
            io_service_bytes_recursive: entries(&text, "rbytes", "wbytes"),
            io_serviced_recursive: entries(&text, "rios", "wios"),
            psi: self.pressure("io.pressure")?,
        })
    }

    fn hugetlb(&self) -> Result<BTreeMap<String, Hugetlb>> {
        let mut found = BTreeMap::new();
        for size in page_sizes() {
            let reserved = self.text(&format!("hugetlb.{size}.rsvd.current"))?;
            let usage = match reserved {
                Some(text) => Some(text),
                None => self.text(&format!("hugetlb.{size}.current"))?,
            };
            let Some(usage) = usage else { continue };
            let events = self.text(&format!("hugetlb.{size}.events"))?;
            let hugetlb = Hugetlb {
                usage: usage.trim().parse().unwrap_or(0),
                failcnt: value_of(&events.unwrap_or_default(), "max").unwrap_or(0),
            };
            found.insert(size, hugetlb);
        }
        Ok(found)
    }

    fn pressure(&self, name: &str) -> Result<Option<Pressure>> {
        Ok(self.text(name)?.and_then(|text| pressure::parse(&text)))
    }

    /// A file of one number; 0 where there is none, all ones for `max`.
    fn number(&self, name: &str) -> Result<u64> {
        let text = self.text(name)?.unwrap_or_else(|| "0".to_owned());
        Ok(text.trim().parse().unwrap_or(NONE))
    }

    /// A whole file; `None` where there is none, or where the kernel does not keep what it would say.
    fn text(&self, name: &str) -> Result<Option<String>> {
        let path = CString::new(name).unwrap_or_default();
        match file::open(&self.dir, &path, OFlags::RDONLY).and_then(file::read_all) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(fault) if is_gone(fault) || fault.errno == libc::EOPNOTSUPP => Ok(None),
            Err(fault) => Err(self.fault("read what the container uses", name, fault)),
        }
    }
}

/// `8:0 rbytes=1 wbytes=2 …` as v1's entries.
fn entries(text: &str, read: &str, write: &str) -> Vec<Entry> {
    let mut found = Vec::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let Some((major, minor)) = words.next().and_then(|device| device.split_once(':')) else {
            continue;
        };
        let (Ok(major), Ok(minor)) = (major.parse(), minor.parse()) else {
            continue;
        };
        for (key, value) in words.filter_map(|word| word.split_once('=')) {
            let op = match key {
                key if key == read => "Read",
                key if key == write => "Write",
                _ => continue,
            };
            let value = value.parse().unwrap_or(0);
            found.push(Entry {
                major,
                minor,
                op,
                value,
            });
        }
    }
    found
}

/// `0-3,7` as single numbers.
fn numbers(list: &str) -> Vec<u32> {
    const LARGEST: u32 = 65_535;
    let ranges = cpulist::ranges(list.trim(), LARGEST).unwrap_or_default();
    ranges
        .into_iter()
        .flat_map(|(first, last)| first..=last)
        .collect()
}

/// The sizes of huge pages that the kernel has, as they are in files' names.
fn page_sizes() -> Vec<String> {
    let list = std::fs::read_dir("/sys/kernel/mm/hugepages");
    let names = list.into_iter().flatten().flatten();
    let size = |name: String| {
        let kilobytes: u64 = name
            .strip_prefix("hugepages-")?
            .strip_suffix("kB")?
            .parse()
            .ok()?;
        Some(match kilobytes {
            large if large % (1 << 20) == 0 => format!("{}GB", large >> 20),
            middle if middle % (1 << 10) == 0 => format!("{}MB", middle >> 10),
            small => format!("{small}KB"),
        })
    };
    names
        .filter_map(|entry| size(entry.file_name().into_string().ok()?))
        .collect()
}

#[cfg(test)]
mod tests;

//! Limits as they are typed.

use crate::cli::quantity::bytes;
use crate::engine::cli::{text, texts};
use crate::engine::container::wish::Limits;
use crate::error::{Cause, Error, Object, Result};
use clap::ArgMatches;

/// A period that quotas of `--cpus` are counted in; docker's.
const PERIOD: u64 = 100_000;

/// Flags of rates, and the word of config.json.
const RATES: [(&str, &str); 4] = [
    ("device-read-bps", "throttleReadBpsDevice"),
    ("device-write-bps", "throttleWriteBpsDevice"),
    ("device-read-iops", "throttleReadIOPSDevice"),
    ("device-write-iops", "throttleWriteIOPSDevice"),
];

/// What is told of a value that makes no sense.
pub(super) fn refused(flag: &str, value: &str, why: &str) -> Error {
    let object = Object::Argument(format!("--{flag}={value}"));
    Error::new(
        "read the command line",
        object,
        Cause::Refused(why.to_owned()),
    )
}

/// A size; `max` is no limit.
pub(super) fn size(found: &ArgMatches, flag: &str) -> Result<Option<i64>> {
    let Some(value) = text(found, flag) else {
        return Ok(None);
    };
    let size = if value == "max" {
        Some(-1)
    } else {
        bytes(&value)
    };
    match size {
        Some(size) => Ok(Some(size)),
        None => {
            Err(refused(flag, &value, "no size")
                .hint("write a number of bytes, or such as 512m or 2g"))
        }
    }
}

/// A whole number.
pub(super) fn number<T: std::str::FromStr>(found: &ArgMatches, flag: &str) -> Result<Option<T>> {
    let Some(value) = text(found, flag) else {
        return Ok(None);
    };
    value
        .parse()
        .map(Some)
        .map_err(|_| refused(flag, &value, "not a number that fits"))
}

/// All limits.
///
/// # Errors
/// A value that is no size or no number.
pub(super) fn limits(found: &ArgMatches) -> Result<Limits> {
    let mut limits = Limits {
        memory: size(found, "memory")?,
        memory_swap: size(found, "memory-swap")?,
        memory_reservation: size(found, "memory-reservation")?,
        cpu_quota: number(found, "cpu-quota")?,
        cpu_period: number(found, "cpu-period")?,
        cpu_shares: number(found, "cpu-shares")?.filter(|shares| *shares != 0),
        cpuset_cpus: text(found, "cpuset-cpus").unwrap_or_default(),
        cpuset_mems: text(found, "cpuset-mems").unwrap_or_default(),
        pids: number(found, "pids-limit")?,
        blkio_weight: number(found, "blkio-weight")?,
        ..Limits::default()
    };
    if let Some(value) = text(found, "cpus") {
        cpus(&mut limits, "cpus", &value)?;
    }
    if let Some(value) = text(found, "cpu") {
        raw_cpu(&mut limits, &value)?;
    }
    for (flag, name) in RATES {
        let rates = texts(found, flag)
            .into_iter()
            .map(|rate| (name.to_owned(), rate));
        limits.throttles.extend(rates);
    }
    for line in texts(found, "cgroup-conf") {
        let (file, value) = line.split_once('=').ok_or_else(|| {
            refused("cgroup-conf", &line, "there is no =")
                .hint("write it as --cgroup-conf memory.high=64M")
        })?;
        limits.unified.insert(file.to_owned(), value.to_owned());
    }
    Ok(limits)
}

fn cpus(limits: &mut Limits, flag: &str, value: &str) -> Result<()> {
    let number = value
        .parse::<f64>()
        .ok()
        .filter(|number| (0.01..=100_000.0).contains(number));
    let number =
        number.ok_or_else(|| refused(flag, value, "not a number of processors, such as 1.5"))?;
    let period = limits.cpu_period.unwrap_or(PERIOD);
    // In range by the check above: at most 10^5 processors of 10^6 microseconds.
    #[allow(clippy::cast_possible_truncation, reason = "checked above")]
    let quota = (number * period as f64).round() as i64;
    limits.cpu_period = Some(period);
    limits.cpu_quota = Some(quota);
    Ok(())
}

/// The seeds' `-cpu`: what cpu.max holds (`50000 100000`, `max`), or a number of processors.
fn raw_cpu(limits: &mut Limits, value: &str) -> Result<()> {
    let words: Vec<&str> = value.split_whitespace().collect();
    match words.as_slice() {
        [quota, period] => {
            let wrong = || refused("cpu", value, "not what cpu.max holds, such as 50000 100000");
            limits.cpu_quota = Some(if *quota == "max" {
                -1
            } else {
                quota.parse().map_err(|_| wrong())?
            });
            limits.cpu_period = Some(period.parse().map_err(|_| wrong())?);
            Ok(())
        }
        ["max"] => {
            limits.cpu_quota = Some(-1);
            Ok(())
        }
        // cpu.max takes a quota alone, too; nobody has a thousand processors.
        [quota] if quota.parse::<i64>().is_ok_and(|quota| quota >= 1000) => {
            limits.cpu_quota = quota.parse().ok();
            Ok(())
        }
        _ => cpus(limits, "cpu", value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Result<Limits> {
        let command =
            super::super::flags::define(clap::Command::new("run").disable_help_flag(true));
        let words = ["run"].iter().chain(words);
        limits(&command.try_get_matches_from(words).unwrap())
    }

    #[test]
    fn the_seeds_spellings_and_ours() {
        let quota = |word: &str| {
            of(&[word])
                .map(|limits| (limits.cpu_quota, limits.cpu_period))
                .unwrap()
        };
        assert_eq!(quota("--cpus=1.5"), (Some(150_000), Some(100_000)));
        assert_eq!(quota("--cpu=50000 100000"), (Some(50_000), Some(100_000)));
        assert_eq!(quota("--cpu=0.5"), (Some(50_000), Some(100_000)));
        assert_eq!(quota("--cpu=50000"), (Some(50_000), None));
        assert_eq!(quota("--cpu=max"), (Some(-1), None));
        assert_eq!(of(&["--memory=100M"]).unwrap().memory, Some(104_857_600));
        assert_eq!(of(&["--memory=max"]).unwrap().memory, Some(-1));
        assert_eq!(
            of(&["--cgroup-conf=pids.max=7"]).unwrap().unified["pids.max"],
            "7"
        );
        for wrong in [
            "--cpus=none",
            "--cpu=a b",
            "--memory=lots",
            "--cgroup-conf=x",
            "--pids-limit=many",
        ] {
            assert!(of(&[wrong]).is_err(), "{wrong}");
        }
    }
}

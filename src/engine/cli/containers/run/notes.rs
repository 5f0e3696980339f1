//! What is noted of a container: labels, annotations, and where its output is kept.

use super::limits::refused;
use super::source::ImageWish;
use crate::engine::cli::{text, texts};
use crate::engine::container::wish::Wish;
use crate::error::{Error, Result};
use clap::ArgMatches;
use std::collections::BTreeMap;

/// Bytes of a log file, and files of it, where nothing is said.
const LOG_SIZE: u64 = 10 << 20;
const LOG_FILES: u32 = 3;

/// Lines that are neither empty nor comments.
pub(super) fn lines(file: &str) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Error::io("read a file of lines", file, "openat", &error))?;
    let full = text
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(full.map(str::to_owned).collect())
}

pub(super) fn labels(found: &ArgMatches, image: &ImageWish) -> Result<BTreeMap<String, String>> {
    let mut labels: BTreeMap<String, String> = image.labels.iter().cloned().collect();
    let mut words = Vec::new();
    for file in texts(found, "label-file") {
        words.extend(lines(&file)?);
    }
    words.extend(texts(found, "label"));
    for word in words {
        let (name, value) = word.split_once('=').unwrap_or((&word, ""));
        labels.insert(name.to_owned(), value.to_owned());
    }
    Ok(labels)
}

pub(super) fn annotations(found: &ArgMatches) -> Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for word in texts(found, "annotation") {
        let (name, value) = word
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| refused("annotation", &word, "not of the form NAME=VALUE"))?;
        all.insert(name.to_owned(), value.to_owned());
    }
    Ok(all)
}

pub(super) fn log(found: &ArgMatches, wish: &mut Wish) -> Result<()> {
    wish.log_driver = text(found, "log-driver").unwrap_or_else(|| "json-file".to_owned());
    if !["json-file", "none"].contains(&wish.log_driver.as_str()) {
        let hint = match wish.log_driver.as_str() {
            "journald" | "syslog" => {
                "in the foreground its output goes to whoever started it: systemd-run orbital run …, without -d, brings it into the journal"
            }
            _ => "use json-file or none",
        };
        return Err(refused("log-driver", &wish.log_driver, "no such driver").hint(hint));
    }
    (wish.log_size, wish.log_files) = (LOG_SIZE, LOG_FILES);
    for option in texts(found, "log-opt") {
        let wrong =
            || refused("log-opt", &option, "no such option").hint("use max-size=10m or max-file=3");
        match option.split_once('=').ok_or_else(wrong)? {
            ("max-size", size) => {
                let bytes = crate::cli::quantity::bytes(size).ok_or_else(wrong)?;
                // -1 and 0 both mean no limit.
                wish.log_size = u64::try_from(bytes).unwrap_or(0);
            }
            ("max-file", files) => {
                wish.log_files = files
                    .parse()
                    .ok()
                    .filter(|files| *files > 0)
                    .ok_or_else(wrong)?
            }
            _ => return Err(wrong()),
        }
    }
    Ok(())
}

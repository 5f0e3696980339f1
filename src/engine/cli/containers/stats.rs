//! `stats`: what containers use, as the runtime's `events --stats` tells it.

use super::end::{containers, enter};
use super::table::{self, Format, size};
use crate::cli::flags::Extent;
use crate::engine::Outcome;
use crate::engine::cli::{Verb, say, switch, texts, value};
use crate::engine::container::record::{Record, Status};
use crate::engine::container::shelf::Shelf;
use crate::engine::inside::is_outside;
use crate::engine::places::Places;
use crate::engine::runtime::Runtime;
use crate::error::Result;
use clap::ArgMatches;
use serde_json::{Value, json};
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// `stats`.
pub(super) const STATS: Verb = Verb {
    name: "stats",
    line: "show what containers use",
    extent: Extent::End,
    define: |command| {
        command
            .about("Show what containers use: those named, or all that run.")
            .arg(containers())
            .args([
                switch("no-stream", "once, not again and again"),
                switch("no-trunc", "whole ids"),
                value("format", "FORMAT", "table or json"),
            ])
    },
    run,
};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);

struct Look {
    record: Record,
    when: Instant,
    stats: Value,
}

fn run(found: &ArgMatches, places: &Places) -> Outcome {
    let shelf = Shelf::new(places);
    let runtime = Runtime::find(&shelf)?;
    let names = texts(found, "containers");
    let once = found.get_flag("no-stream");
    loop {
        let records: Vec<Record> = match names.is_empty() {
            true => shelf
                .all()?
                .into_iter()
                .filter(|record| record.status() == Status::Running)
                .collect(),
            false => names
                .iter()
                .map(|name| shelf.find(name))
                .collect::<Result<_>>()?,
        };
        let look = || -> Vec<Look> {
            records
                .iter()
                .map(|record| look(&runtime, record))
                .collect()
        };
        let before = look();
        std::thread::sleep(PAUSE);
        let after = look();
        let rows: Vec<Value> = before
            .iter()
            .zip(&after)
            .map(|(before, after)| row(before, after))
            .collect();
        if !once && std::io::stdout().is_terminal() {
            say("\u{1b}[2J\u{1b}[H")?;
        }
        print(found, rows)?;
        if once {
            return Ok(0);
        }
        std::thread::sleep(PAUSE);
    }
}

fn look(runtime: &Runtime, record: &Record) -> Look {
    if let Some(process) = record.running().filter(|_| is_outside()) {
        // Without it there is nothing to see, ignored.
        let _ = enter(record, process.pid);
    }
    let said = runtime
        .ask(&["events", "--stats", &record.id])
        .unwrap_or_default();
    let stats: Value = serde_json::from_str(&said).unwrap_or_default();
    Look {
        record: record.clone(),
        when: Instant::now(),
        stats: stats["data"].clone(),
    }
}

fn row(before: &Look, after: &Look) -> Value {
    let number = |look: &Look, path: &str| {
        look.stats
            .pointer(path)
            .and_then(Value::as_u64)
            .unwrap_or_default()
    };
    let used = number(after, "/cpu/usage/total").saturating_sub(number(before, "/cpu/usage/total"));
    let passed = after.when.duration_since(before.when).as_nanos().max(1);
    let (memory, limit) = (
        number(after, "/memory/usage/usage"),
        number(after, "/memory/usage/limit"),
    );
    let limit = if limit == 0 || limit > host_memory() {
        host_memory()
    } else {
        limit
    };
    let (read, written) = block(&after.stats);
    let (received, sent) = network(&after.record);
    let percent = |part: f64, whole: f64| {
        format!(
            "{:.2}%",
            if whole > 0.0 {
                100.0 * part / whole
            } else {
                0.0
            }
        )
    };
    json!({
        "ID": after.record.id,
        "Name": after.record.name,
        "CPUPerc": percent(used as f64, passed as f64),
        "MemUsage": format!("{} / {}", size(memory), size(limit)),
        "MemPerc": percent(memory as f64, limit as f64),
        "NetIO": format!("{} / {}", size(received), size(sent)),
        "BlockIO": format!("{} / {}", size(read), size(written)),
        "PIDs": number(after, "/pids/current"),
    })
}

fn host_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    total
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or_default()
        * 1024
}

/// Bytes read and written.
fn block(stats: &Value) -> (u64, u64) {
    let all = stats
        .pointer("/blkio/ioServiceBytesRecursive")
        .and_then(Value::as_array);
    let of = |wanted: &str| {
        let entries = all.into_iter().flatten();
        let fitting = entries.filter(|entry| {
            entry["op"]
                .as_str()
                .is_some_and(|op| op.eq_ignore_ascii_case(wanted))
        });
        fitting.filter_map(|entry| entry["value"].as_u64()).sum()
    };
    (of("read"), of("write"))
}

/// Bytes received and sent over all devices but lo.
fn network(record: &Record) -> (u64, u64) {
    let Some(process) = record.running() else {
        return (0, 0);
    };
    let text =
        std::fs::read_to_string(format!("/proc/{}/net/dev", process.pid)).unwrap_or_default();
    let mut total = (0, 0);
    for line in text.lines().skip(2) {
        let Some((name, numbers)) = line.split_once(':').filter(|(name, _)| name.trim() != "lo")
        else {
            continue;
        };
        let _ = name;
        let numbers: Vec<u64> = numbers
            .split_whitespace()
            .map(|word| word.parse().unwrap_or_default())
            .collect();
        total.0 += numbers.first().copied().unwrap_or_default();
        total.1 += numbers.get(8).copied().unwrap_or_default();
    }
    total
}

fn print(found: &ArgMatches, rows: Vec<Value>) -> Outcome {
    if table::format(found)? == Format::Json {
        return table::json(rows);
    }
    let whole = found.get_flag("no-trunc");
    let cells = |row: &Value| {
        [
            "ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs",
        ]
        .map(|member| match &row[member] {
            Value::String(text) if member == "ID" && !whole => {
                text.get(..12).unwrap_or(text).to_owned()
            }
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
        .to_vec()
    };
    let headings = [
        "CONTAINER ID",
        "NAME",
        "CPU %",
        "MEM USAGE / LIMIT",
        "MEM %",
        "NET I/O",
        "BLOCK I/O",
        "PIDS",
    ];
    table::print(&headings, &rows.iter().map(cells).collect::<Vec<_>>())
}

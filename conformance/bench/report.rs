//! The tables for people and the document for programs.

use std::path::Path;

use serde_json::{Value, json};

use crate::Field;
use crate::args::Args;
use crate::bundle::{Bundle, Linkage};
use crate::figures::Times;
use crate::floor::Floor;
use crate::goals::{Goal, fastest_crun};
use crate::program::{Act, FLOOR, Program};
use crate::series::Series;
use crate::weight::Weight;

/// Everything that a run found out.
#[derive(Debug)]
pub(crate) struct All<'a> {
    pub(crate) field: &'a Field,
    pub(crate) series: &'a [Series],
    pub(crate) weights: &'a [Weight],
    pub(crate) goals: &'a [Goal],
}

/// What is being measured and where, before the wait begins.
pub(crate) fn opening(args: &Args, floor: &Floor, bundle: &Bundle) {
    println!(
        "{} rounds with a pause of {} ms before each command, then {} back to back; programs in turns",
        args.runs,
        args.pause.as_millis(),
        args.runs
    );
    let (kernel, cpus, load) = machine();
    println!("Linux {kernel}, {cpus} processors, load {load:.2}");
    if load > 0.5 {
        println!("note: others are using this machine; the ratios hold better than the times");
    }
    if floor.made_with != "musl-gcc" {
        println!(
            "note: the floor has no musl (no musl-gcc): its times are too high, the ratios too low"
        );
    }
    if bundle.payload != Linkage::Static {
        println!("note: the payload is not static: all times are too high, the ratios too low");
    }
}

fn machine() -> (String, usize, f64) {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .unwrap_or(0.0);
    (kernel.trim().to_owned(), cpus, load)
}

/// All tables.
pub(crate) fn print(all: &All<'_>) {
    for series in all.series {
        for act in Act::ALL {
            println!();
            table(all, series, act);
        }
    }
    println!();
    weights(all);
    if !all.field.left_out.is_empty() {
        println!("\nleft out:");
    }
    for (name, reason) in &all.field.left_out {
        println!("  {name}: {reason}");
    }
    println!("\ngoals of orbital (paused series):                        median    p10");
    for goal in all.goals {
        let verdict = if goal.holds() { "holds" } else { "MISSED" };
        let figure = cell(goal.figure);
        let quick = goal.quick.map_or(String::new(), |_| cell(goal.quick));
        println!("  {verdict:6}  {:42} {figure:>7} {quick:>7}", goal.claim);
    }
}

fn table(all: &All<'_>, series: &Series, act: Act) {
    let what = match act {
        Act::Run | Act::Exec => format!("{} /bin/true", act.word()),
        other => other.word().to_owned(),
    };
    let title = format!("{what}, {} (ms)", series.title);
    println!("{title:34} min     p10  median     p90  × floor  × crun");
    let base = |name: Option<&str>| name.and_then(|name| series.of(name, act).median());
    let floor = base(Some(FLOOR));
    let crun = base(fastest_crun(&all.field.running, series, act));
    for program in &all.field.running {
        let times = series.of(&program.name, act);
        if times.is_empty() {
            continue;
        }
        let median = times.median();
        let ratio = |base: Option<f64>| cell(median.zip(base).map(|(a, b)| a / b));
        println!(
            "  {:28} {:>7} {:>7} {:>7} {:>7}  {:>7} {:>7}",
            name(program, act),
            cell(times.at(0.0)),
            cell(times.at(0.1)),
            cell(median),
            cell(times.at(0.9)),
            ratio(floor),
            ratio(crun),
        );
    }
}

/// The floor's `state` is an empty program: that is what it takes to say anything at all.
fn name(program: &Program, act: Act) -> String {
    match act {
        Act::State if program.is_floor() => "floor (an empty program)".to_owned(),
        _ => program.name.clone(),
    }
}

fn cell(figure: Option<f64>) -> String {
    figure.map_or("–".to_owned(), |figure| format!("{figure:.2}"))
}

fn weights(all: &All<'_>) {
    println!(
        "weight                            size MB         peak KiB: create   run   exec   syscalls  tasks  (of run)"
    );
    for (program, weight) in pairs(all) {
        let linkage = match program.linkage {
            Linkage::Static => "static",
            Linkage::Dynamic => "dynamic",
            Linkage::Unknown => "?",
        };
        let kib = |figure: &Result<u64, String>| match figure {
            Ok(kib) => kib.to_string(),
            Err(_) => "–".to_owned(),
        };
        let trace = weight.trace.as_ref().ok();
        println!(
            "  {:28} {:>8.2} {:8} {:>16} {:>8} {:>6} {:>10} {:>6}  {}",
            program.name,
            weight.bytes as f64 / 1e6,
            linkage,
            kib(&weight.peak_create),
            kib(&weight.peak_run),
            kib(&weight.peak_exec),
            trace.map_or("–".to_owned(), |t| t.syscalls.to_string()),
            trace.map_or("–".to_owned(), |t| t.tasks.to_string()),
            program.version,
        );
    }
    for (program, weight) in pairs(all) {
        let peaks = [&weight.peak_create, &weight.peak_run, &weight.peak_exec];
        let peaks = peaks.map(|peak| peak.as_ref().err());
        for reason in peaks
            .into_iter()
            .chain([weight.trace.as_ref().err()])
            .flatten()
        {
            println!("  {}: {reason}", program.name);
        }
    }
}

fn pairs<'a>(all: &All<'a>) -> impl Iterator<Item = (&'a Program, &'a Weight)> {
    all.field.running.iter().zip(all.weights)
}

/// Everything, with every single time, in milliseconds.
pub(crate) fn write_json(file: &Path, args: &Args, all: &All<'_>) -> Result<(), String> {
    let (kernel, cpus, load) = machine();
    let document = json!({
        "machine": {"kernel": kernel, "processors": cpus, "load": load},
        "rounds": args.runs,
        "pauseMs": u64::try_from(args.pause.as_millis()).unwrap_or(u64::MAX),
        "programs": pairs(all).map(|(p, w)| program_json(all, p, w)).collect::<Vec<_>>(),
        "leftOut": all.field.left_out.iter()
            .map(|(name, reason)| json!({"name": name, "reason": reason})).collect::<Vec<_>>(),
        "goals": all.goals.iter()
            .map(|g| json!({"claim": g.claim, "figure": g.figure, "p10": g.quick, "holds": g.holds()}))
            .collect::<Vec<_>>(),
    });
    std::fs::write(file, format!("{document:#}\n"))
        .map_err(|e| format!("cannot write {}: {e}", file.display()))
}

fn program_json(all: &All<'_>, program: &Program, weight: &Weight) -> Value {
    let mut series = serde_json::Map::new();
    for one in all.series {
        let acts: serde_json::Map<String, Value> = Act::ALL
            .iter()
            .map(|act| (*act, one.of(&program.name, *act)))
            .filter(|(_, times)| !times.is_empty())
            .map(|(act, times)| (act.word().to_owned(), times_json(&times)))
            .collect();
        series.insert(one.title.to_owned(), acts.into());
    }
    json!({
        "name": program.name,
        "path": program.path,
        "version": program.version,
        "bytes": weight.bytes,
        "peakKib": {"create": weight.peak_create.as_ref().ok(), "run": weight.peak_run.as_ref().ok(), "exec": weight.peak_exec.as_ref().ok()},
        "syscalls": weight.trace.as_ref().ok().map(|trace| trace.syscalls),
        "tasks": weight.trace.as_ref().ok().map(|trace| trace.tasks),
        "milliseconds": series,
    })
}

fn times_json(times: &Times) -> Value {
    json!({
        "min": times.at(0.0),
        "p10": times.at(0.1),
        "median": times.median(),
        "p90": times.at(0.9),
        "all": times.raw(),
    })
}

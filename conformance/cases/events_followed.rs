//! `events` without `--stats`: line by line until the container ends.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, eventually, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::reap::Ours;

const V2: &[Need] = &[Need::Root, Need::CgroupV2];
const MEMORY: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("memory")];

const NO_VERB: (&str, &str) = ("crun", "has no events");
const NEEDS_MEMORY: (&str, &str) = ("runc", "follows only where there is the memory controller");

pub(super) const CASES: &[Case] = &[
    Case::new("come-again-and-again-until-the-end", interval)
        .needs(V2)
        .deviates(&[NO_VERB, NEEDS_MEMORY]),
    Case::new("end-at-once-with-the-container", end)
        .needs(V2)
        .deviates(&[NO_VERB, NEEDS_MEMORY]),
    Case::new("end-with-their-reader", reader)
        .needs(V2)
        .deviates(&[NO_VERB, NEEDS_MEMORY]),
    Case::new("out-of-memory", out_of_memory)
        .needs(MEMORY)
        .deviates(&[NO_VERB]),
    Case::new("an-interval-that-is-none-is-refused", wrong_interval).needs(V2),
];

/// `events` in the background, and where it writes.
fn followed(lab: &Lab, container: &Container<'_>, interval: &str) -> Outcome<(Ours, PathBuf)> {
    let call = lab.call(&["events", "--interval", interval, &container.id]);
    let (mut command, out) = call.command()?;
    Ok((lab.spawn(&mut command)?, out))
}

fn ends(child: &mut Ours) -> Outcome {
    let mut ended = None;
    eventually("events ends", Duration::from_secs(10), || {
        ended = child.poll()?;
        Ok(ended.is_some())
    })?;
    ensure!(
        ended.is_some_and(|status| status.success()),
        "events ended with {ended:?}"
    );
    Ok(())
}

fn interval(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let start = Instant::now();
    let (mut child, out) = followed(lab, &container, "100ms")?;
    eventually("four lines", Duration::from_secs(20), || {
        Ok(fs::read_to_string(&out)?.lines().count() >= 4)
    })?;
    ensure!(
        start.elapsed() >= Duration::from_millis(350),
        "faster than the interval"
    );
    container.stop()?;
    ends(&mut child)?;
    for line in fs::read_to_string(&out)?.lines() {
        let line: Value = serde_json::from_str(line)?;
        same("type", &line["type"], &json!("stats"))?;
        same("id", &line["id"], &json!(container.id))?;
    }
    container.delete()
}

fn end(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let (mut child, out) = followed(lab, &container, "1h")?;
    std::thread::sleep(Duration::from_millis(200));
    ensure!(child.poll()?.is_none(), "events ended before the container");
    container.end()?;
    ends(&mut child)?;
    same("output", fs::read_to_string(&out)?, String::new())
}

/// As in `events c1 | head -1`.
fn reader(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let call = lab.call(&["events", "--interval", "50ms", &container.id]);
    let said = call
        .through_sh("timeout 20 \"$@\" | head -n 1; echo over")
        .ok()?;
    same("lines", said.out.lines().count(), 2)?;
    contains("the end", &said.out, "over")?;
    same("status", container.status()?, "running")?;
    container.end()
}

fn out_of_memory(lab: &Lab) -> Outcome {
    let container = lab.create(|spec| {
        spec.set("/linux/resources/memory", json!({"limit": 33_554_432, "swap": 33_554_432}))
            .sh("sleep 0.5; dd if=/dev/zero of=/dev/null bs=99000000 count=1 2>&1; echo survived; while :; do sleep 1; done");
    })?;
    let (mut child, out) = followed(lab, &container, "1h")?;
    container.start()?;
    let line = format!("{{\"type\":\"oom\",\"id\":\"{}\"}}\n", container.id);
    eventually("an event", Duration::from_secs(60), || {
        Ok(fs::read_to_string(&out)?.contains(&line))
    })?;
    container.end()?;
    ends(&mut child)
}

fn wrong_interval(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    for interval in ["0s", "-1s", "soon", "5"] {
        let flag = format!("--interval={interval}");
        lab.call(&["events", &flag, &container.id]).refused()?;
    }
    container.end()
}

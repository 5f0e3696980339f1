//! Time namespaces: new ones with and without offsets, joined ones, and offsets that cannot be.

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, ensure, mentions, same};
use crate::lab::Lab;
use crate::probe;
use crate::spec::Spec;

const NEEDS: &[Need] = &[Need::Root, Need::File("/proc/self/timens_offsets")];

/// runc 1.1 is older than time namespaces.
const OLD: &[(&str, &str)] = &[("runc", "1.1 knows no time namespaces")];

pub(super) const CASES: &[Case] = &[
    Case::new("offsets-are-written", offsets)
        .needs(NEEDS)
        .deviates(OLD),
    Case::new("the-uptime-inside-is-moved", uptime)
        .needs(NEEDS)
        .deviates(OLD),
    Case::new("without-offsets-it-is-new-all-the-same", bare)
        .needs(NEEDS)
        .deviates(OLD),
    Case::new("it-belongs-to-the-user-namespace", owned)
        .needs(&[
            Need::Root,
            Need::UserNs,
            Need::File("/proc/self/timens_offsets"),
            Need::Program("lsns"),
        ])
        .deviates(&[
            ("runc", "1.1 knows no time namespaces"),
            ("crun", "1.28 may not write them in a user namespace"),
        ]),
    Case::new("a-user-moves-his-own", user)
        .needs(&[
            Need::Root,
            Need::UserNs,
            Need::File("/proc/self/timens_offsets"),
        ])
        .deviates(OLD),
    Case::new("joined-by-path", joined).needs(NEEDS).deviates(&[
        ("runc", "1.1 knows no time namespaces"),
        ("crun", "1.28 dies"),
    ]),
    Case::new("joined-with-a-user-namespace", joined_user)
        .needs(NEEDS)
        .deviates(&[
            ("runc", "1.1 knows no time namespaces"),
            ("crun", "1.28 may not write them in a user namespace"),
        ]),
    Case::new("a-pid-namespace-beside-it", shared_pid)
        .needs(NEEDS)
        .deviates(&[
            ("runc", "1.1 knows no time namespaces"),
            ("crun", "1.28 cannot"),
        ]),
    Case::new("offsets-without-a-namespace-are-refused", without)
        .needs(NEEDS)
        .deviates(&[
            ("runc", "1.1 knows no time namespaces"),
            ("crun", "writes them into its own namespace"),
        ]),
    Case::new("a-clock-before-zero-is-refused", before_zero)
        .needs(NEEDS)
        .deviates(&[
            ("runc", "1.1 knows no time namespaces"),
            ("crun", "1.28 leaves the cgroup"),
        ]),
];

/// A new time namespace with these offsets.
fn new(spec: &mut Spec, offsets: Value) {
    spec.push("/linux/namespaces", json!({"type": "time"}))
        .set("/linux/timeOffsets", offsets);
}

fn moved() -> Value {
    json!({"monotonic": {"secs": 7881, "nanosecs": 2_718_281}, "boottime": {"secs": 1_000_000, "nanosecs": 3}})
}

/// The lines of a timens_offsets text with single blanks.
fn lines(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

/// `pid` is in a time namespace that is not ours, and so will be what it starts.
fn inside(pid: i32) -> Outcome {
    let its = probe::namespace(pid, "time")?;
    ensure!(
        its != probe::own_namespace("time")?,
        "its clocks are the host's"
    );
    same(
        "time_for_children",
        probe::namespace(pid, "time_for_children")?,
        its,
    )
}

fn offsets(lab: &Lab) -> Outcome {
    let container = lab.create(|spec| {
        new(spec, moved());
        spec.sh("cat /proc/self/timens_offsets");
    })?;
    inside(container.pid)?;
    container.start()?;
    same(
        "timens_offsets",
        lines(&container.finish()?),
        vec![
            "monotonic 7881 2718281".to_owned(),
            "boottime 1000000 3".to_owned(),
        ],
    )
}

fn seconds(text: &str) -> Outcome<i64> {
    Ok(text.split('.').next().ok_or("no number")?.parse()?)
}

fn uptime(lab: &Lab) -> Outcome {
    let before = seconds(&std::fs::read_to_string("/proc/uptime")?)?;
    let out = lab.look("cat /proc/uptime", |spec| {
        new(spec, json!({"boottime": {"secs": 1_000_000}}));
    })?;
    let ahead = seconds(&out)? - before;
    ensure!(
        (999_999..1_000_060).contains(&ahead),
        "the uptime inside is {ahead} s ahead of the host's"
    );
    let after = seconds(&std::fs::read_to_string("/proc/uptime")?)?;
    ensure!(
        after - before < 60,
        "the host's uptime jumped by {} s",
        after - before
    );
    Ok(())
}

fn bare(lab: &Lab) -> Outcome {
    let container = lab.create(|spec| {
        spec.push("/linux/namespaces", json!({"type": "time"}))
            .sh("cat /proc/self/timens_offsets");
    })?;
    inside(container.pid)?;
    container.start()?;
    same(
        "timens_offsets",
        lines(&container.finish()?),
        vec!["monotonic 0 0".to_owned(), "boottime 0 0".to_owned()],
    )
}

fn owned(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.user_namespace(100_000, 65536);
        new(spec, moved());
        spec.sh("cat /proc/self/timens_offsets");
    })?;
    bundle.give_to(100_000)?;
    let container = crate::container::Container::create(lab, &bundle, &lab.id("box"))?;
    inside(container.pid)?;
    let pid = container.pid.to_string();
    let owner = lab.host(&["lsns", "-nr", "-p", &pid, "-t", "time", "-o", "ONS"])?;
    same(
        "owner of the time namespace",
        format!("user:[{}]", owner.trim()),
        probe::namespace(container.pid, "user")?,
    )?;
    container.start()?;
    same(
        "timens_offsets",
        lines(&container.finish()?),
        vec![
            "monotonic 7881 2718281".to_owned(),
            "boottime 1000000 3".to_owned(),
        ],
    )
}

fn user(lab: &Lab) -> Outcome {
    let bundle = lab.user_bundle(|spec| {
        new(spec, moved());
        spec.sh("cat /proc/self/timens_offsets");
    })?;
    let said = lab
        .user_call(&["run", "--bundle", bundle.arg(), &lab.id("user")])?
        .ok()?;
    same(
        "timens_offsets",
        lines(&said.out),
        vec![
            "monotonic 7881 2718281".to_owned(),
            "boottime 1000000 3".to_owned(),
        ],
    )
}

fn joined(lab: &Lab) -> Outcome {
    let first = lab.started(|spec| new(spec, moved()))?;
    let path = format!("/proc/{}/ns/time", first.pid);
    let second = lab.create(|spec| {
        spec.join("time", &path).sh("cat /proc/uptime");
    })?;
    inside(second.pid)?;
    same(
        "time namespace",
        probe::namespace(second.pid, "time")?,
        probe::namespace(first.pid, "time")?,
    )?;
    second.start()?;
    ensure!(
        seconds(&second.finish()?)? > 1_000_000,
        "its uptime is the host's"
    );
    first.end()
}

fn joined_user(lab: &Lab) -> Outcome {
    let host = |spec: &mut Spec| {
        spec.user_namespace(100_000, 65536);
    };
    let bundle = lab.bundle(host)?;
    bundle.give_to(100_000)?;
    let first = crate::container::Container::create(lab, &bundle, &lab.id("host"))?;
    let bundle = lab.bundle(|spec| {
        spec.join("user", &format!("/proc/{}/ns/user", first.pid));
        new(spec, moved());
        spec.sh("cat /proc/self/timens_offsets");
    })?;
    bundle.give_to(100_000)?;
    let second = crate::container::Container::create(lab, &bundle, &lab.id("guest"))?;
    inside(second.pid)?;
    second.start()?;
    same("lines", lines(&second.finish()?).len(), 2)?;
    first.end()
}

fn shared_pid(lab: &Lab) -> Outcome {
    let first = lab.started(|_| ())?;
    let path = format!("/proc/{}/ns/pid", first.pid);
    let second = lab.create(|spec| {
        spec.join("pid", &path);
        new(spec, moved());
    })?;
    inside(second.pid)?;
    second.end()?;
    first.end()
}

fn without(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.set("/linux/timeOffsets", moved());
    })?;
    mentions("the refusal", &said.err, &["time"])
}

fn before_zero(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| new(spec, json!({"boottime": {"secs": -1_000_000_000}})))?;
    mentions("the refusal", &said.err, &["offset", "clock", "ERANGE"])
}

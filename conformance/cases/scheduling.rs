//! CPU, disk and memory: policies and priorities, as the kernel shows them to the process itself.

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, mentions, same, skip};
use crate::lab::Lab;
use crate::runtime::Said;

/// Debian's runc is older than these members, and says nothing.
const OLD_RUNC: &[(&str, &str)] = &[("runc", "1.1.5 leaves it out")];

pub(super) const CASES: &[Case] = &[
    Case::new("fifo", |lab| {
        policy(lab, json!({"policy": "SCHED_FIFO", "priority": 7}), &FIFO)
    })
    .deviates(OLD_RUNC),
    Case::new("round-robin", |lab| {
        policy(lab, json!({"policy": "SCHED_RR", "priority": 99}), &RR)
    })
    .deviates(OLD_RUNC),
    Case::new("nice", |lab| {
        policy(lab, json!({"policy": "SCHED_OTHER", "nice": 11}), &NICE)
    })
    .deviates(OLD_RUNC),
    Case::new("less-than-nice", |lab| {
        policy(lab, json!({"policy": "SCHED_OTHER", "nice": -5}), &GREEDY)
    })
    .deviates(OLD_RUNC),
    Case::new("batch", |lab| {
        policy(lab, json!({"policy": "SCHED_BATCH", "nice": 3}), &BATCH)
    })
    .deviates(OLD_RUNC),
    Case::new("idle", |lab| {
        policy(lab, json!({"policy": "SCHED_IDLE"}), &IDLE)
    })
    .deviates(OLD_RUNC),
    Case::new("deadline", deadline).deviates(OLD_RUNC),
    Case::new("deadline-for-a-caller-bound-to-one-cpu", deadline_bound)
        .needs(&[Need::Root, Need::Program("taskset")])
        .deviates(&[
            ("runc", "1.1.5 leaves it out"),
            ("crun", "1.28 does not free the process first"),
        ]),
    Case::new("reset-on-fork", reset_on_fork).deviates(OLD_RUNC),
    Case::new("io-best-effort", |lab| {
        io(lab, "IOPRIO_CLASS_BE", 6, "best-effort: prio 6")
    })
    .deviates(OLD_RUNC),
    Case::new("io-real-time", |lab| {
        io(lab, "IOPRIO_CLASS_RT", 1, "realtime: prio 1")
    })
    .deviates(OLD_RUNC),
    Case::new("io-idle", |lab| io(lab, "IOPRIO_CLASS_IDLE", 0, "idle")).deviates(OLD_RUNC),
    Case::new("memory-bound-to-a-node", |lab| {
        memory(lab, json!({"mode": "MPOL_BIND", "nodes": "0"}), "bind:0")
    })
    .deviates(OLD_RUNC),
    Case::new("memory-interleaved", |lab| {
        memory(
            lab,
            json!({"mode": "MPOL_INTERLEAVE", "nodes": "0"}),
            "interleave:0",
        )
    })
    .deviates(OLD_RUNC),
    Case::new("memory-with-a-flag", |lab| {
        let policy = json!({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]});
        memory(lab, policy, "bind=static:0")
    })
    .deviates(OLD_RUNC),
    Case::new("memory-local", |lab| {
        memory(lab, json!({"mode": "MPOL_LOCAL"}), "local")
    })
    .deviates(OLD_RUNC),
    Case::new("what-is-out-of-range-is-refused", out_of_range)
        .needs(&[Need::Root, Need::OrbitalOnly]),
    Case::new("the-callers-cpus-bind-only-the-caller", callers_cpus)
        .needs(&[Need::Root, Need::Program("taskset")])
        .deviates(&[("runc", "1.1 hands them on")]),
    Case::new(
        "the-cpus-of-exec-are-not-those-of-the-process",
        cpus_of_exec,
    ),
];

/// Fields 19 (nice), 40 (static priority) and 41 (policy) of /proc/PID/stat; proc_pid_stat(5).
type Shown = [i32; 3];

const FIFO: Shown = [0, 7, 1];
const RR: Shown = [0, 99, 2];
const NICE: Shown = [11, 0, 0];
const GREEDY: Shown = [-5, 0, 0];
const BATCH: Shown = [3, 0, 3];
const IDLE: Shown = [0, 0, 5];
const DEADLINE: Shown = [0, 0, 6];

fn shown(stat: &str) -> Outcome<Shown> {
    let (_, fields) = stat.rsplit_once(") ").ok_or("no stat")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let field = |number: usize| -> Outcome<i32> {
        Ok(fields.get(number - 3).ok_or("a short stat")?.parse()?)
    };
    Ok([field(19)?, field(40)?, field(41)?])
}

/// Where config.json does not name it, the caller's nice value stays.
fn own_nice() -> Outcome<i32> {
    Ok(shown(&std::fs::read_to_string("/proc/self/stat")?)?[0])
}

/// The process looks at itself: a shell could not fork with SCHED_DEADLINE.
fn own_stat(lab: &Lab, scheduler: Value) -> Outcome<String> {
    let said = lab.run(|spec| {
        spec.args(&["/bin/cat", "/proc/self/stat"])
            .set("/process/scheduler", scheduler);
    })?;
    ensure!(said.status.success(), "{said}");
    Ok(said.out)
}

fn policy(lab: &Lab, scheduler: Value, want: &Shown) -> Outcome {
    let [mut nice, priority, number] = *want;
    if scheduler.get("nice").is_none() {
        nice = own_nice()?;
    }
    same(
        "nice, priority and policy",
        shown(&own_stat(lab, scheduler)?)?,
        [nice, priority, number],
    )
}

fn a_tenth() -> Value {
    json!({"policy": "SCHED_DEADLINE", "runtime": 10_000_000, "deadline": 100_000_000, "period": 100_000_000})
}

fn deadline(lab: &Lab) -> Outcome {
    policy(lab, a_tenth(), &DEADLINE)
}

fn deadline_bound(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.args(&["/bin/cat", "/proc/self/stat"])
            .set("/process/scheduler", a_tenth());
    })?;
    let id = lab.id("bound");
    let call = lab.call(&["run", "--bundle", bundle.arg(), &id]);
    let said = call.through(&["taskset", "-c", "0"]).say()?;
    ensure!(said.status.success(), "{said}");
    let [_, priority, number] = DEADLINE;
    same(
        "nice, priority and policy",
        shown(&said.out)?,
        [own_nice()?, priority, number],
    )
}

fn reset_on_fork(lab: &Lab) -> Outcome {
    let scheduler =
        json!({"policy": "SCHED_FIFO", "priority": 3, "flags": ["SCHED_FLAG_RESET_ON_FORK"]});
    let out = lab.look(
        "read own < /proc/self/stat; echo \"$own\"; (cat /proc/self/stat); true",
        |spec| {
            spec.set("/process/scheduler", scheduler);
        },
    )?;
    let mut lines = out.lines();
    let mut next = || shown(lines.next().unwrap_or_default());
    same("of the process", next()?, [own_nice()?, 3, 1])?;
    same("of its child", next()?, [0, 0, 0])
}

fn io(lab: &Lab, class: &str, level: i64, want: &str) -> Outcome {
    let out = lab.look("ionice -p 1; (ionice)", |spec| {
        spec.set(
            "/process/ioPriority",
            json!({"class": class, "priority": level}),
        );
    })?;
    // Of the process, and of one that it made.
    let lines: Vec<&str> = out.lines().collect();
    ensure!(lines.len() == 2, "{out}");
    lines
        .iter()
        .try_for_each(|line| contains("ionice", line, want))
}

fn memory(lab: &Lab, policy: Value, want: &str) -> Outcome {
    let said = lab.run(|spec| {
        spec.args(&["/bin/cat", "/proc/self/numa_maps"])
            .set("/linux/memoryPolicy", policy);
    })?;
    ensure!(said.status.success(), "{said}");
    let policies = said.out.lines().filter_map(|line| line.split(' ').nth(1));
    ensure!(
        policies.clone().any(|policy| policy == want),
        "no {want} in:\n{}",
        said.out
    );
    Ok(())
}

fn refused(lab: &Lab, pointer: &str, value: Value) -> Outcome<Said> {
    lab.refuse(|spec| {
        spec.set(pointer, value);
    })
}

fn out_of_range(lab: &Lab) -> Outcome {
    for (pointer, value, told) in [
        (
            "/process/scheduler",
            json!({"policy": "SCHED_OTHER", "nice": 20}),
            "/process/scheduler/nice",
        ),
        (
            "/process/scheduler",
            json!({"policy": "SCHED_FIFO", "priority": 0}),
            "/process/scheduler/priority",
        ),
        (
            "/process/scheduler",
            json!({"policy": "SCHED_OTHR"}),
            "SCHED_OTHER",
        ),
        (
            "/process/ioPriority",
            json!({"class": "IOPRIO_CLASS_BE", "priority": 8}),
            "/process/ioPriority/priority",
        ),
        (
            "/process/execCPUAffinity",
            json!({"initial": "1,"}),
            "/process/execCPUAffinity",
        ),
        (
            "/process/execCPUAffinity",
            json!({"final": "3-1"}),
            "/process/execCPUAffinity/final",
        ),
        (
            "/linux/memoryPolicy",
            json!({"mode": "MPOL_BIND"}),
            "/linux/memoryPolicy",
        ),
    ] {
        let said = refused(lab, pointer, value)?;
        mentions("the error", &said.err, &[told])?;
    }
    Ok(())
}

fn cpus_of_exec(lab: &Lab) -> Outcome {
    let list = "grep Cpus_allowed_list /proc/self/status";
    let usual = lab.look(list, |_| {})?;
    let bound = lab.look(list, |spec| {
        spec.set(
            "/process/execCPUAffinity",
            json!({"initial": "0", "final": ""}),
        );
    })?;
    same("the CPUs of the process", bound, usual)
}

/// A caller that keeps to one CPU, as kubelets on tuned machines do, makes containers that have all of theirs.
fn callers_cpus(lab: &Lab) -> Outcome {
    let list = ["grep", "Cpus_allowed_list", "/proc/self/status"];
    let usual = lab.look(&list.join(" "), |_| {})?;
    let own = lab.host(&["nproc"])?;
    if own.trim() == "1" {
        return skip("needs two CPUs");
    }
    let bound = ["taskset", "--cpu-list", "0"];
    let bundle = lab.bundle(|spec| {
        spec.args(&list);
    })?;
    let run = ["run", "--bundle", bundle.arg(), &lab.id("cpus")];
    let said = lab.call(&run).through(&bound).ok()?;
    same("the CPUs of the process", said.out.as_str(), usual.as_str())?;
    let container = lab.started(|_| ())?;
    let said = container.exec(&[], &list).through(&bound).ok()?;
    same(
        "the CPUs of a second one",
        said.out.as_str(),
        usual.as_str(),
    )?;
    container.end()
}

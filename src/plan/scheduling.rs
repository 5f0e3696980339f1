//! Who gets the CPU, the disk and which memory (config.md, `scheduler`, `ioPriority`, `execCPUAffinity`;
//! config-linux.md, "Memory policy").

use super::cpulist;
use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::{
    ExecCPUAffinity, IOPriorityClass, LinuxIOPriority, LinuxMemoryPolicy, LinuxSchedulerFlag,
    LinuxSchedulerPolicy, MemoryPolicyFlagType, MemoryPolicyModeType, Process, Scheduler, Spec,
};

/// What is asked for; all of it is inherited by the container's other processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scheduling {
    /// `/process/scheduler`.
    pub cpu: Option<Cpu>,
    /// `/process/ioPriority` as ioprio_set(2) takes it: the class from bit 13 on, below it the level.
    pub io: Option<u16>,
    /// `/linux/memoryPolicy`.
    pub memory: Option<Memory>,
}

/// The attributes of sched_setattr(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpu {
    /// `SCHED_*` number.
    pub policy: u32,
    /// The policy's name.
    pub name: &'static str,
    /// `SCHED_FLAG_*` bits.
    pub flags: u64,
    /// -20 to 19.
    pub nice: i32,
    /// 1 to 99 for SCHED_FIFO and SCHED_RR, otherwise 0.
    pub priority: u32,
    /// Nanoseconds of SCHED_DEADLINE.
    pub runtime: u64,
    /// Nanoseconds of SCHED_DEADLINE.
    pub deadline: u64,
    /// Nanoseconds of SCHED_DEADLINE.
    pub period: u64,
    /// Whether the CPUs must be freed first.
    pub affinity: Affinity,
}

/// What happens to the CPUs that the process may run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affinity {
    /// The caller's are kept.
    Keep,
    /// All are permitted: SCHED_DEADLINE is refused to a process that is bound to some; sched(7).
    All,
}

/// How many memory nodes a kernel can have; MAX_NUMNODES, 1 << NODES_SHIFT with its largest value, 10.
pub const NODES: u32 = 1024;

/// The highest number of a CPU; CONFIG_NR_CPUS is at most 8192.
const LAST_CPU: u32 = 8191;

/// The arguments of set_mempolicy(2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// The mode with its flags.
    pub mode: u32,
    /// The mode's name.
    pub name: &'static str,
    /// A bit for each node, as many words as [`NODES`] take.
    pub nodes: [u64; NODES as usize / 64],
}

const DOING: &str = "set the scheduling";

/// Plans all of it. `execCPUAffinity` is for the processes of `exec`: here it must only be right.
///
/// # Errors
/// Values out of range, and those that a policy has no use for.
pub fn plan(spec: &Spec, warnings: &mut Vec<String>) -> Result<Scheduling> {
    let process = spec.process().as_ref();
    if let Some(given) = process.and_then(|process| process.exec_cpu_affinity().as_ref()) {
        affinity(given)?;
    }
    let cpu = process.and_then(|process: &Process| process.scheduler().as_ref());
    let io = process.and_then(|process| process.io_priority().as_ref());
    let memory = spec
        .linux()
        .as_ref()
        .and_then(|linux| linux.memory_policy().as_ref());
    Ok(Scheduling {
        cpu: cpu.map(|given| scheduler(given, warnings)).transpose()?,
        io: io.map(priority).transpose()?,
        memory: memory.map(policy).transpose()?,
    })
}

fn refuse(pointer: &str, why: impl Into<String>) -> Error {
    Error::refused(DOING, pointer, why)
}

fn scheduler(given: &Scheduler, warnings: &mut Vec<String>) -> Result<Cpu> {
    use LinuxSchedulerPolicy as Policy;
    let policy = *given.policy();
    let (number, name) = match policy {
        Policy::SchedOther => (0, "SCHED_OTHER"),
        Policy::SchedFifo => (1, "SCHED_FIFO"),
        Policy::SchedRr => (2, "SCHED_RR"),
        Policy::SchedBatch => (3, "SCHED_BATCH"),
        Policy::SchedIdle => (5, "SCHED_IDLE"),
        Policy::SchedDeadline => (6, "SCHED_DEADLINE"),
        Policy::SchedIso => {
            let why = "Linux keeps this name for a policy that it never got";
            return Err(
                refuse("/process/scheduler/policy", why).hint("use SCHED_RR or SCHED_OTHER")
            );
        }
    };
    let nice = nice(given, name, warnings)?;
    let affinity = match policy {
        Policy::SchedDeadline => Affinity::All,
        _ => Affinity::Keep,
    };
    let flags = given.flags().iter().flatten();
    let cpu = Cpu {
        policy: number,
        name,
        flags: flags.fold(0, |bits, flag| bits | flag_bit(*flag)),
        nice,
        priority: static_priority(given, policy, name)?,
        runtime: given.runtime().unwrap_or(0),
        deadline: given.deadline().unwrap_or(0),
        period: given.period().unwrap_or(0),
        affinity,
    };
    times(&cpu, policy)?;
    Ok(cpu)
}

fn flag_bit(flag: LinuxSchedulerFlag) -> u64 {
    match flag {
        LinuxSchedulerFlag::SchedResetOnFork => 0x01,
        LinuxSchedulerFlag::SchedFlagReclaim => 0x02,
        LinuxSchedulerFlag::SchedFlagDLOverrun => 0x04,
        LinuxSchedulerFlag::SchedFlagKeepPolicy => 0x08,
        LinuxSchedulerFlag::SchedFlagKeepParams => 0x10,
        LinuxSchedulerFlag::SchedFlagUtilClampMin => 0x20,
        LinuxSchedulerFlag::SchedFlagUtilClampMax => 0x40,
    }
}

fn nice(given: &Scheduler, name: &str, warnings: &mut Vec<String>) -> Result<i32> {
    let nice = given.nice().unwrap_or(0);
    if !(-20..=19).contains(&nice) {
        let why = "a nice value is from -20, the most CPU time, to 19, the least";
        return Err(refuse("/process/scheduler/nice", why));
    }
    if nice != 0 && !matches!(name, "SCHED_OTHER" | "SCHED_BATCH") {
        warnings.push(format!(
            "left /process/scheduler/nice out: {name} has no nice value"
        ));
    }
    Ok(nice)
}

fn static_priority(given: &Scheduler, policy: LinuxSchedulerPolicy, name: &str) -> Result<u32> {
    use LinuxSchedulerPolicy::{SchedFifo, SchedRr};
    let priority = given.priority().unwrap_or(0);
    let pointer = match given.priority() {
        Some(_) => "/process/scheduler/priority",
        None => "/process/scheduler",
    };
    let real_time = matches!(policy, SchedFifo | SchedRr);
    match u32::try_from(priority) {
        Ok(0) if !real_time => Ok(0),
        Ok(priority @ 1..=99) if real_time => Ok(priority),
        _ if real_time => {
            let why = format!("{name} needs a priority from 1, the lowest, to 99");
            Err(refuse(pointer, why).hint("add \"priority\": 1"))
        }
        _ => {
            let why = format!("only SCHED_FIFO and SCHED_RR have a priority, not {name}");
            Err(refuse(pointer, why).hint("use \"nice\", or leave it out"))
        }
    }
}

/// sched(7), "SCHED_DEADLINE": runtime <= deadline <= period, all below 2^63, the first at least 1024 ns.
fn times(cpu: &Cpu, policy: LinuxSchedulerPolicy) -> Result<()> {
    let given = [
        ("runtime", cpu.runtime),
        ("deadline", cpu.deadline),
        ("period", cpu.period),
    ];
    if policy != LinuxSchedulerPolicy::SchedDeadline {
        return match given.iter().find(|(_, value)| *value != 0) {
            None => Ok(()),
            Some((name, _)) => {
                let why = format!("only SCHED_DEADLINE has a {name}, not {}", cpu.name);
                let pointer = format!("/process/scheduler/{name}");
                Err(refuse(&pointer, why).hint("leave it out, or use SCHED_DEADLINE"))
            }
        };
    }
    const LEAST_RUNTIME: u64 = 1024;
    // A period of 0 stands for one as long as the deadline.
    let period = if cpu.period == 0 {
        cpu.deadline
    } else {
        cpu.period
    };
    let right = cpu.runtime >= LEAST_RUNTIME
        && cpu.runtime <= cpu.deadline
        && cpu.deadline <= period
        && period <= i64::MAX.unsigned_abs();
    match right {
        true => Ok(()),
        false => {
            let why = "SCHED_DEADLINE needs nanoseconds with 1024 <= runtime <= deadline <= period";
            let hint = "for 10 ms of each 100 ms: \"runtime\": 10000000, \"deadline\": 100000000, \"period\": 100000000";
            Err(refuse("/process/scheduler", why).hint(hint))
        }
    }
}

fn priority(given: &LinuxIOPriority) -> Result<u16> {
    let class: u16 = match given.class() {
        IOPriorityClass::IoprioClassRt => 1,
        IOPriorityClass::IoprioClassBe => 2,
        IOPriorityClass::IoprioClassIdle => 3,
    };
    match u16::try_from(given.priority()) {
        Ok(level @ 0..=7) => Ok(class << 13 | level),
        _ => Err(refuse(
            "/process/ioPriority/priority",
            "it must be from 0, the highest, to 7",
        )),
    }
}

/// CPUs as sched_setaffinity(2) takes them: bit N stands for CPU N.
pub type Cpus = [u64; (LAST_CPU as usize + 1) / 64];

/// `execCPUAffinity`: where the processes of `exec` run before they are in the container's group, and
/// where they run in it; `None` leaves it as it is.
///
/// # Errors
/// A list that is none.
pub fn exec_cpus(process: &Process) -> Result<[Option<Box<Cpus>>; 2]> {
    let Some(given) = process.exec_cpu_affinity() else {
        return Ok([None, None]);
    };
    affinity(given)
}

fn affinity(given: &ExecCPUAffinity) -> Result<[Option<Box<Cpus>>; 2]> {
    let one = |name: &str, list: &Option<String>| {
        let Some(list) = list.as_deref().filter(|list| !list.is_empty()) else {
            return Ok(None);
        };
        let pointer = Pointer::from("/process/execCPUAffinity").at(name);
        let ranges = cpulist::ranges(list, LAST_CPU)
            .map_err(|why| Error::refused("bind exec's processes to CPUs", pointer, why))?;
        Ok(Some(Box::new(cpulist::bits(&ranges))))
    };
    Ok([
        one("initial", given.initial())?,
        one("final", given.cpu_affinity_final())?,
    ])
}

/// The modes of set_mempolicy(2), and whether they need nodes.
const MODES: [(MemoryPolicyModeType, &str, u32, Need); 7] = [
    (
        MemoryPolicyModeType::MpolDefault,
        "MPOL_DEFAULT",
        0,
        Need::None,
    ),
    (
        MemoryPolicyModeType::MpolPreferred,
        "MPOL_PREFERRED",
        1,
        Need::Any,
    ),
    (MemoryPolicyModeType::MpolBind, "MPOL_BIND", 2, Need::Some),
    (
        MemoryPolicyModeType::MpolInterleave,
        "MPOL_INTERLEAVE",
        3,
        Need::Some,
    ),
    (MemoryPolicyModeType::MpolLocal, "MPOL_LOCAL", 4, Need::None),
    (
        MemoryPolicyModeType::MpolPreferredMany,
        "MPOL_PREFERRED_MANY",
        5,
        Need::Some,
    ),
    (
        MemoryPolicyModeType::MpolWeightedInterleave,
        "MPOL_WEIGHTED_INTERLEAVE",
        6,
        Need::Some,
    ),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    None,
    Any,
    Some,
}

/// The flags of set_mempolicy(2).
const FLAGS: [(MemoryPolicyFlagType, &str, u32); 3] = [
    (
        MemoryPolicyFlagType::MpolFNumaBalancing,
        "MPOL_F_NUMA_BALANCING",
        1 << 13,
    ),
    (
        MemoryPolicyFlagType::MpolFRelativeNodes,
        "MPOL_F_RELATIVE_NODES",
        1 << 14,
    ),
    (
        MemoryPolicyFlagType::MpolFStaticNodes,
        "MPOL_F_STATIC_NODES",
        1 << 15,
    ),
];

/// The names of modes and flags, for `features`.
#[must_use]
pub fn memory_words() -> ([&'static str; 7], [&'static str; 3]) {
    (MODES.map(|mode| mode.1), FLAGS.map(|flag| flag.1))
}

const POLICY: &str = "set the memory policy";

fn policy(given: &LinuxMemoryPolicy) -> Result<Memory> {
    let pointer = Pointer::from("/linux/memoryPolicy");
    let Some((_, name, mode, need)) = MODES.into_iter().find(|mode| mode.0 == given.mode()) else {
        return Err(Error::refused(
            POLICY,
            pointer.at("mode"),
            "there is no such mode",
        ));
    };
    let list = given.nodes().as_deref().filter(|list| !list.is_empty());
    match (need, list) {
        (Need::Some, None) => {
            let why = format!("{name} needs at least one memory node");
            return Err(Error::refused(POLICY, pointer, why).hint("add \"nodes\": \"0\""));
        }
        (Need::None, Some(_)) => {
            let why = format!("{name} takes no memory nodes");
            return Err(Error::refused(POLICY, pointer.at("nodes"), why)
                .hint("leave them out, or use MPOL_BIND"));
        }
        _ => {}
    }
    let flags = given.flags().iter().flatten();
    let bits = flags.fold(0, |bits, flag| {
        FLAGS
            .iter()
            .find(|known| known.0 == *flag)
            .map_or(bits, |known| bits | known.2)
    });
    let exclusive = FLAGS[1].2 | FLAGS[2].2;
    if bits & exclusive == exclusive {
        let why = "nodes are either relative or static, not both";
        return Err(Error::refused(POLICY, pointer.at("flags"), why).hint("keep one of the two"));
    }
    Ok(Memory {
        mode: mode | bits,
        name,
        nodes: list.map_or(Ok([0; NODES as usize / 64]), nodes)?,
    })
}

fn nodes(list: &str) -> Result<[u64; NODES as usize / 64]> {
    let refuse = |why| Error::refused(POLICY, "/linux/memoryPolicy/nodes", why);
    let mut mask = [0u64; NODES as usize / 64];
    for (first, last) in cpulist::ranges(list, NODES - 1).map_err(refuse)? {
        for node in first..=last {
            if let Some(word) = mask.get_mut(node as usize / 64) {
                *word |= 1 << (node % 64);
            }
        }
    }
    Ok(mask)
}

#[cfg(test)]
mod tests;

//! Profiles by chance, the same in every run.

use serde_json::{Value, json};

use super::ARCHITECTURES;

/// Numbers by chance that are the same in every run: xorshift.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from((self.roll() >> 33) % limit as u64).unwrap_or_default()
    }

    pub(super) fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

const NAMES: [&str; 26] = [
    "read",
    "open",
    "socket",
    "accept4",
    "sendmmsg",
    "semctl",
    "msgctl",
    "ipc",
    "clone3",
    "mmap2",
    "_llseek",
    "ioctl",
    "exit_group",
    "write",
    "openat",
    "bind",
    "send",
    "semop",
    "shmget",
    "socketcall",
    "clone",
    "personality",
    "mmap",
    "rt_sigaction",
    "prctl",
    "unshare",
];
const ACTIONS: [&str; 7] = [
    "KILL",
    "KILL_PROCESS",
    "TRAP",
    "ERRNO",
    "TRACE",
    "LOG",
    "ALLOW",
];
const OPS: [&str; 7] = ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"];
const VALUES: [u64; 10] = [
    0,
    1,
    2,
    16,
    0xffff_ffff,
    0x1_0000_0000,
    0x1_0000_0001,
    0xf_0000_000f,
    1 << 63,
    u64::MAX,
];

/// Those that socketcall(2) and ipc(2) can be: there a rule without conditions has one, and libseccomp
/// refuses it beside others with another action.
const THROUGH: [&str; 6] = ["bind", "send", "semop", "shmget", "socketcall", "ipc"];

/// What is equal or not; a syscall may have several rules of these.
const EQUALITIES: [&str; 3] = ["EQ", "NE", "MASKED_EQ"];

/// Rules with conditions have one action, those without have any.
pub(super) fn made_up(dice: &mut Dice) -> Value {
    let default = *dice.of(&ACTIONS);
    let conditional = *dice.of(&ACTIONS);
    let mut rules = vec![json!({"names": ["openat2"], "action": "SCMP_ACT_TRAP"})];
    let (alone, shared) = NAMES.split_at(NAMES.len() / 2);
    // One rule each, with any comparison.
    for name in alone {
        let indices: Vec<usize> = (0..6).filter(|_| dice.below(3) == 0).collect();
        let arg = |index: usize| argument(dice, index, &OPS);
        let args: Vec<Value> = indices.into_iter().map(arg).collect();
        rules.push(
            json!({"names": [name], "action": format!("SCMP_ACT_{conditional}"), "args": args}),
        );
    }
    for _ in 0..dice.below(12) {
        let names: Vec<&str> = (0..=dice.below(4)).map(|_| *dice.of(shared)).collect();
        let count = dice.below(4);
        let arg = |_| {
            let index = dice.below(6);
            argument(dice, index, &EQUALITIES)
        };
        let args: Vec<Value> = (0..count).map(arg).collect();
        let free = args.is_empty() && !names.iter().any(|name| THROUGH.contains(name));
        let action = if free {
            *dice.of(&ACTIONS)
        } else {
            conditional
        };
        rules.push(json!({"names": names, "action": format!("SCMP_ACT_{action}"), "args": args}));
    }
    let all = ARCHITECTURES.map(|(word, ..)| word);
    let architectures: Vec<&str> = all.into_iter().filter(|_| dice.below(3) > 0).collect();
    json!({"defaultAction": format!("SCMP_ACT_{default}"), "architectures": architectures, "syscalls": rules})
}

fn argument(dice: &mut Dice, index: usize, ops: &[&str]) -> Value {
    json!({
        "index": index, "op": format!("SCMP_CMP_{}", dice.of(ops)),
        "value": dice.of(&VALUES), "valueTwo": dice.of(&VALUES),
    })
}

//! The seccomp filter, told: how much it is, and its program as bpf_asm writes one.

use crate::plan::Plan;
use crate::plan::seccomp::{self, Filter, Insn};
use serde_json::{Value, json};

/// Flags of seccomp(2), as config.json has them.
const FLAGS: [(u32, &str); 6] = [
    (seccomp::FLAG_TSYNC, "SECCOMP_FILTER_FLAG_TSYNC"),
    (seccomp::FLAG_LOG, "SECCOMP_FILTER_FLAG_LOG"),
    (seccomp::FLAG_SPEC_ALLOW, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"),
    (
        seccomp::FLAG_NEW_LISTENER,
        "SECCOMP_FILTER_FLAG_NEW_LISTENER",
    ),
    (seccomp::FLAG_TSYNC_ESRCH, "SECCOMP_FILTER_FLAG_TSYNC_ESRCH"),
    (
        seccomp::FLAG_WAIT_KILLABLE_RECV,
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
    ),
];

/// One line: what happens to its system calls. Nothing where no filter is asked for.
pub(super) fn summary(plan: &Plan) -> Option<String> {
    let filter = plan.seccomp.as_ref()?;
    let rules = match filter.rules {
        0 => "whatever they are".to_owned(),
        1 => "unless its one rule says otherwise".to_owned(),
        rules => format!("unless one of {rules} rules says otherwise"),
    };
    Some(format!(
        "{} {rules}; {} instructions for {}",
        default(filter),
        filter.program.len(),
        filter.architectures.join(", ")
    ))
}

/// The filter for programs.
pub(super) fn json(filter: &Filter) -> Value {
    let listener = filter.listener.as_ref();
    json!({
        "default": default(filter),
        "architectures": filter.architectures,
        "rules": filter.rules,
        "flags": flags(filter.flags),
        "listener": listener.map(|one| json!({
            "path": one.path.to_string_lossy(), "metadata": one.metadata, "from": one.pointer.as_str(),
        })),
        "program": filter.program.iter().map(instruction).collect::<Vec<_>>(),
        "from": filter.pointer.as_str(),
    })
}

/// The default action, with its number where it has one.
fn default(filter: &Filter) -> String {
    match (filter.default_action, filter.default_verdict & 0xffff) {
        (word @ ("SCMP_ACT_ERRNO" | "SCMP_ACT_TRACE"), number) => format!("{word} {number}"),
        (word, _) => word.to_owned(),
    }
}

fn flags(bits: u32) -> Vec<&'static str> {
    let set = FLAGS.iter().filter(|(bit, _)| bits & bit != 0);
    set.map(|(_, name)| *name).collect()
}

/// As bpf_asm(1) of the kernel's tools writes it: jumps count from the next instruction.
fn instruction(insn: &Insn) -> String {
    let Insn { code, jt, jf, k } = *insn;
    match code {
        0x20 => format!("ld [{k}]"),
        0x54 => format!("and #{k:#x}"),
        0x05 => format!("ja {k}"),
        0x15 => format!("jeq #{k:#x}, {jt}, {jf}"),
        0x25 => format!("jgt #{k:#x}, {jt}, {jf}"),
        0x35 => format!("jge #{k:#x}, {jt}, {jf}"),
        0x06 => format!("ret #{k:#x}"),
        _ => format!("{code:#x} {jt} {jf} {k:#x}"),
    }
}

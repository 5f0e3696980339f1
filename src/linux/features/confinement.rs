//! What is known of seccomp, the security modules and memory policies (features-linux.md): the words of the
//! specification, and of the filter's flags those that this kernel knows as well.

use crate::plan::scheduling;
use crate::plan::seccomp::{
    FLAG_LOG, FLAG_NEW_LISTENER, FLAG_SPEC_ALLOW, FLAG_TSYNC, FLAG_WAIT_KILLABLE_RECV,
};
use crate::sys::seccomp::knows_flags;
use serde_json::{Value, json};

/// In the order of their names, as all lists here.
const ACTIONS: [&str; 9] = [
    "SCMP_ACT_ALLOW",
    "SCMP_ACT_ERRNO",
    "SCMP_ACT_KILL",
    "SCMP_ACT_KILL_PROCESS",
    "SCMP_ACT_KILL_THREAD",
    "SCMP_ACT_LOG",
    "SCMP_ACT_NOTIFY",
    "SCMP_ACT_TRACE",
    "SCMP_ACT_TRAP",
];

const OPERATORS: [&str; 7] = [
    "SCMP_CMP_EQ",
    "SCMP_CMP_GE",
    "SCMP_CMP_GT",
    "SCMP_CMP_LE",
    "SCMP_CMP_LT",
    "SCMP_CMP_MASKED_EQ",
    "SCMP_CMP_NE",
];

const ARCHITECTURES: [&str; 23] = [
    "SCMP_ARCH_AARCH64",
    "SCMP_ARCH_ARM",
    "SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_M68K",
    "SCMP_ARCH_MIPS",
    "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPS64N32",
    "SCMP_ARCH_MIPSEL",
    "SCMP_ARCH_MIPSEL64",
    "SCMP_ARCH_MIPSEL64N32",
    "SCMP_ARCH_PARISC",
    "SCMP_ARCH_PARISC64",
    "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64",
    "SCMP_ARCH_PPC64LE",
    "SCMP_ARCH_RISCV64",
    "SCMP_ARCH_S390",
    "SCMP_ARCH_S390X",
    "SCMP_ARCH_SH",
    "SCMP_ARCH_SHEB",
    "SCMP_ARCH_X32",
    "SCMP_ARCH_X86",
    "SCMP_ARCH_X86_64",
];

/// With the bits by which the kernel is asked: it takes the last one only beside a listener.
const FLAGS: [(&str, u32); 4] = [
    ("SECCOMP_FILTER_FLAG_LOG", FLAG_LOG),
    ("SECCOMP_FILTER_FLAG_SPEC_ALLOW", FLAG_SPEC_ALLOW),
    ("SECCOMP_FILTER_FLAG_TSYNC", FLAG_TSYNC),
    (
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
        FLAG_WAIT_KILLABLE_RECV | FLAG_NEW_LISTENER,
    ),
];

/// `/linux/seccomp`.
pub(super) fn seccomp() -> Value {
    let supported = FLAGS.iter().filter(|(_, bits)| knows_flags(*bits));
    json!({
        "enabled": true,
        "actions": ACTIONS,
        "operators": OPERATORS,
        "archs": ARCHITECTURES,
        "knownFlags": FLAGS.map(|flag| flag.0),
        "supportedFlags": supported.map(|flag| flag.0).collect::<Vec<_>>(),
    })
}

/// `/linux/memoryPolicy`.
pub(super) fn memory_policy() -> Value {
    let (modes, flags) = scheduling::memory_words();
    json!({ "modes": modes, "flags": flags })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::seccomp as planner;

    /// Whether a profile with this in it is understood, and planned.
    fn is_known(profile: Value) -> bool {
        let process = json!({"user": {}, "cwd": "/", "args": ["x"]});
        let all = json!({"ociVersion": "1.2.0", "process": process, "linux": {"seccomp": profile}});
        let Ok(spec) = serde_json::from_value(all) else {
            return false;
        };
        planner::plan(&spec, &crate::plan::sample::root(), &mut Vec::new())
            .is_ok_and(|filter| filter.is_some())
    }

    fn with_rule(action: &str, operator: &str) -> Value {
        let condition = json!({"index": 0, "value": 1, "op": operator});
        json!({
            "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/agent",
            "syscalls": [{"names": ["mkdir"], "action": action, "args": [condition]}],
        })
    }

    #[test]
    fn every_word_is_understood() {
        for action in ACTIONS {
            assert!(is_known(with_rule(action, "SCMP_CMP_EQ")), "{action}");
        }
        for operator in OPERATORS {
            assert!(
                is_known(with_rule("SCMP_ACT_ERRNO", operator)),
                "{operator}"
            );
        }
        for (flag, _) in FLAGS {
            let profile = json!({"defaultAction": "SCMP_ACT_ALLOW", "flags": [flag]});
            assert!(is_known(profile), "{flag}");
        }
        assert!(!is_known(with_rule("SCMP_ACT_X", "SCMP_CMP_EQ")));
        for arch in ARCHITECTURES {
            let word: Result<oci_spec::runtime::Arch, _> = serde_json::from_value(json!(arch));
            assert!(word.is_ok(), "{arch}");
        }
    }

    #[test]
    fn what_every_supported_kernel_knows() {
        let told = seccomp();
        let supported = told["supportedFlags"].as_array().unwrap();
        assert!(supported.contains(&json!("SECCOMP_FILTER_FLAG_TSYNC")));
    }
}

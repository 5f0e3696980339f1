//! seccomp profiles: what is compiled is what the kernel would load, and the same a second time.
//!
//! The compiler's verdicts are judged by its own tests, against an interpreter and libseccomp.

use super::Depth;
use orbital::plan::seccomp::{self, Insn};
use orbital::spec;
use serde_json::{Value, json};
use std::path::PathBuf;

pub(super) fn run(input: &[u8]) -> Depth {
    let Ok(profile) = serde_json::from_slice::<Value>(input) else {
        return Depth::Unread;
    };
    let config = json!({
        "ociVersion": "1.2.0",
        "root": {"path": "rootfs"},
        "process": {"user": {}, "cwd": "/", "args": ["/bin/true"]},
        "linux": {"namespaces": [{"type": "mount"}], "seccomp": profile},
    });
    let text = config.to_string().into_bytes();
    super::config::run(&text);
    let Ok(bundle) = spec::from_bytes(text, PathBuf::from("/bundles/web")) else {
        return Depth::Unread;
    };
    let compile = || seccomp::plan(&bundle.spec, &super::config::facts(1), &mut Vec::new());
    let Ok(Some(filter)) = compile() else {
        return Depth::Refused;
    };
    loadable(&filter.program);
    assert!(compile().is_ok_and(|again| again.as_ref() == Some(&filter)));
    Depth::Done
}

/// What the kernel checks of a filter: 1 to 4096 known instructions, loads of whole words inside `seccomp_data`,
/// jumps that stay inside, and a return at the end.
fn loadable(program: &[Insn]) {
    assert!((1..=4096).contains(&program.len()), "{}", program.len());
    for (at, insn) in program.iter().enumerate() {
        let left = program.len() - at - 1;
        let reaches = match insn.code {
            0x20 => {
                assert!(insn.k < 64 && insn.k.is_multiple_of(4), "{insn:?}");
                1
            }
            0x54 => 1,
            0x05 => 1 + usize::try_from(insn.k).unwrap_or(usize::MAX - 1),
            0x15 | 0x25 | 0x35 => 1 + usize::from(insn.jt.max(insn.jf)),
            0x06 => 0,
            other => panic!("instruction {other:#x}"),
        };
        assert!(reaches <= left, "instruction {at} leads out: {insn:?}");
    }
}

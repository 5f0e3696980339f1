//! Seccomp filters, run without a kernel: what a program answers to a call, and how long it takes.
//! Written for the suite alone: it shares nothing with the compiler that it judges.

use crate::check::Outcome;

/// One instruction; linux/filter.h.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Insn {
    pub(crate) code: u16,
    pub(crate) jt: u8,
    pub(crate) jf: u8,
    pub(crate) k: u32,
}

/// `struct seccomp_data` of linux/seccomp.h on a machine that stores the lower half first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) audit: u32,
    pub(crate) number: u32,
    pub(crate) args: [u64; 6],
}

impl Call {
    fn word(&self, offset: u32) -> Option<u32> {
        let index = usize::try_from(offset).ok()?.checked_sub(16);
        match (offset, index) {
            (0, _) => Some(self.number),
            (4, _) => Some(self.audit),
            (_, Some(at)) if at % 4 == 0 => {
                let value = self.args.get(at / 8)?;
                let half = if at % 8 == 0 { *value } else { value >> 32 };
                u32::try_from(half & 0xffff_ffff).ok()
            }
            _ => None,
        }
    }
}

/// What the program returns; an error is a program that the kernel would not take.
pub(crate) fn run(program: &[Insn], call: &Call) -> Outcome<u32> {
    let (mut at, mut loaded) = (0, 0u32);
    loop {
        let insn = program.get(at).ok_or("the program ends without a return")?;
        let jump = |holds: bool| usize::from(if holds { insn.jt } else { insn.jf });
        at += 1;
        match insn.code {
            0x20 => loaded = call.word(insn.k).ok_or("a load from nowhere")?,
            0x54 => loaded &= insn.k,
            0x05 => at += usize::try_from(insn.k)?,
            0x15 => at += jump(loaded == insn.k),
            0x25 => at += jump(loaded > insn.k),
            0x35 => at += jump(loaded >= insn.k),
            0x45 => at += jump(loaded & insn.k != 0),
            0x06 => return Ok(insn.k),
            other => return Err(format!("instruction {other:#x}").into()),
        }
    }
}

/// One line as bpf_asm(1) writes it: `jeq #0x3e, 1, 0`.
pub(crate) fn parse(line: &str) -> Outcome<Insn> {
    let (word, rest) = line.split_once(' ').ok_or_else(|| line.to_owned())?;
    let mut parts = rest.split(", ");
    let k = number(parts.next().unwrap_or_default())?;
    let (code, jumps) = match word {
        "ld" => (0x20, false),
        "and" => (0x54, false),
        "ja" => (0x05, false),
        "jeq" => (0x15, true),
        "jgt" => (0x25, true),
        "jge" => (0x35, true),
        "ret" => (0x06, false),
        _ => return Err(format!("no such instruction: {line}").into()),
    };
    let mut jump = || parts.next().unwrap_or("0").parse::<u8>();
    let (jt, jf) = if jumps { (jump()?, jump()?) } else { (0, 0) };
    Ok(Insn { code, jt, jf, k })
}

fn number(text: &str) -> Outcome<u32> {
    let text = text.trim_matches(['[', ']', '#']);
    Ok(match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16)?,
        None => text.parse()?,
    })
}

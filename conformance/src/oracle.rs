//! libseccomp's answer to a profile: builds conformance/seccomp/oracle.c and speaks with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::bpf::Insn;
use crate::check::Outcome;
use crate::lab::Lab;

const SOURCE: &str = include_str!("../seccomp/oracle.c");

/// What libseccomp made of one profile.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) program: Vec<Insn>,
    /// Names that it does not know.
    pub(crate) unknown: Vec<String>,
    /// Rules that it did not take, with the reason.
    pub(crate) refused: Vec<String>,
    /// By its own word for an architecture: the highest number that the rules name.
    pub(crate) highest: BTreeMap<u32, i64>,
}

/// The default profile of an engine: Debian has both in packages, and `.config/setup --for test` puts
/// copies beside this program.
pub(crate) fn profile(engine: &str) -> Option<PathBuf> {
    let installed = match engine {
        "podman" => "/usr/share/containers/seccomp.json",
        _ => "/usr/share/gocode/src/github.com/docker/docker/profiles/seccomp/default.json",
    };
    let own = std::env::current_exe().ok()?;
    let copy = own
        .ancestors()
        .nth(2)?
        .join(format!("profiles/{engine}.json"));
    [PathBuf::from(installed), copy]
        .into_iter()
        .find(|place| place.is_file())
}

/// Builds the program below `dir`.
pub(crate) fn build(lab: &Lab, dir: &Path) -> Outcome<PathBuf> {
    let (source, program) = (dir.join("oracle.c"), dir.join("oracle"));
    std::fs::write(&source, SOURCE)?;
    lab.host(&[
        "gcc",
        "-O1",
        "-o",
        &program.to_string_lossy(),
        &source.to_string_lossy(),
        "-lseccomp",
    ])?;
    Ok(program)
}

/// Asks for these profiles, each a `/linux/seccomp` of config.json.
pub(crate) fn ask(lab: &Lab, program: &Path, profiles: &[Value]) -> Outcome<Vec<Answer>> {
    let text: String = profiles.iter().map(question).collect::<Outcome<_>>()?;
    let asked = lab.file("profiles", &text)?;
    let (program, asked) = (program.to_string_lossy(), asked.to_string_lossy());
    answers(&lab.host(&["sh", "-c", "exec \"$0\" < \"$1\"", &program, &asked])?)
}

fn answers(text: &str) -> Outcome<Vec<Answer>> {
    let mut all = Vec::new();
    let mut answer = Answer::default();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["unknown", name] => answer.unknown.push((*name).to_owned()),
            ["refused", name, error] => answer.refused.push(format!("{name}: errno {error}")),
            ["highest", arch, number] => {
                let arch = u32::from_str_radix(arch, 16)?;
                answer.highest.insert(arch, number.parse()?);
            }
            ["insn", code, jt, jf, k] => answer.program.push(Insn {
                code: code.parse()?,
                jt: jt.parse()?,
                jf: jf.parse()?,
                k: k.parse()?,
            }),
            ["end"] => all.push(std::mem::take(&mut answer)),
            _ => return Err(format!("the oracle said: {line}").into()),
        }
    }
    Ok(all)
}

/// What runc asks of libseccomp for a profile.
fn question(profile: &Value) -> Outcome<String> {
    let default = action(&profile["defaultAction"], &profile["defaultErrnoRet"])?;
    let mut text = format!("default {default:x}\n");
    for arch in list(&profile["architectures"]) {
        let name = arch.as_str().unwrap_or_default();
        let name = name.trim_start_matches("SCMP_ARCH_").to_lowercase();
        text.push_str(&format!("arch {name}\n"));
    }
    for rule in list(&profile["syscalls"]) {
        let action = action(&rule["action"], &rule["errnoRet"])?;
        for name in list(&rule["names"]).iter().filter_map(Value::as_str) {
            if action == default {
                text.push_str(&format!("name {name}\n"));
                continue;
            }
            for conditions in ways(list(&rule["args"])) {
                let conditions: String = conditions.iter().map(|arg| condition(arg)).collect();
                text.push_str(&format!("rule {action:x} {name}{conditions}\n"));
            }
        }
    }
    Ok(text + "end\n")
}

/// Conditions of one rule all hold; but with two about one argument, each is a rule of its own.
fn ways(args: &[Value]) -> Vec<Vec<&Value>> {
    let index = |arg: &Value| arg["index"].as_u64();
    let twice = (0..6).any(|at| args.iter().filter(|arg| index(arg) == Some(at)).count() > 1);
    match twice {
        true => args.iter().map(|arg| vec![arg]).collect(),
        false => vec![args.iter().collect()],
    }
}

fn condition(arg: &Value) -> String {
    const OPS: [&str; 7] = ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"];
    let op = arg["op"].as_str().unwrap_or_default();
    let op = op.trim_start_matches("SCMP_CMP_");
    let op = OPS.iter().position(|known| *known == op).unwrap_or(6) + 1;
    let number = |name: &str| arg[name].as_u64().unwrap_or(0);
    format!(
        " {} {op} {} {}",
        number("index"),
        number("value"),
        number("valueTwo")
    )
}

/// As the kernel returns it.
fn action(word: &Value, number: &Value) -> Outcome<u32> {
    let number = u32::try_from(number.as_u64().unwrap_or(1))?;
    Ok(match word.as_str().unwrap_or_default() {
        "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => 0,
        "SCMP_ACT_KILL_PROCESS" => 0x8000_0000,
        "SCMP_ACT_TRAP" => 0x0003_0000,
        "SCMP_ACT_ERRNO" => 0x0005_0000 | number,
        "SCMP_ACT_TRACE" => 0x7ff0_0000 | number,
        "SCMP_ACT_LOG" => 0x7ffc_0000,
        "SCMP_ACT_ALLOW" => 0x7fff_0000,
        other => return Err(format!("no such action: {other}").into()),
    })
}

/// The items, or none.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

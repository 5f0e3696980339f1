//! Before a program's time counts it must have done the work once: the payload's exit status
//! comes through, and `state` tells each status at its time. A program that fails here is fast
//! at nothing.

use serde_json::Value;

use crate::bundle::{Bundle, PROOF_STATUS};
use crate::leftover;
use crate::program::{Act, Program};
use crate::trial::Stand;

/// One whole life, and one `run` whose exit status is known.
pub(crate) fn prove(program: &Program, stand: &Stand, bundle: &Bundle) -> Result<(), String> {
    let id = format!("proof-{}-{}", std::process::id(), program.name);
    let shown = payload_ran(program, stand, bundle, &id).and_then(|()| life(program, stand, &id));
    leftover::clear(program, &id, stand);
    shown
}

fn payload_ran(program: &Program, stand: &Stand, bundle: &Bundle, id: &str) -> Result<(), String> {
    let Some(words) = program.run_bundle(&bundle.proof, id) else {
        return act(program, stand, Act::Run, id);
    };
    let lap = stand.lap(&words)?;
    match lap.status.code() {
        Some(PROOF_STATUS) => Ok(()),
        // Let `must` find the words; if it succeeds now, that is as wrong.
        _ => match stand.must(&words) {
            Ok(_) => Err("run succeeds where the program fails".to_owned()),
            Err(reason) => Err(format!("run: {reason}")),
        },
    }
}

fn life(program: &Program, stand: &Stand, id: &str) -> Result<(), String> {
    act(program, stand, Act::Create, id)?;
    if program.is_floor() {
        act(program, stand, Act::Exec, id)?;
        return act(program, stand, Act::State, id);
    }
    let pid = expect_status(program, stand, id, "created")?;
    if program.command(Act::Exec, id).is_some() {
        act(program, stand, Act::Exec, id)?;
    }
    act(program, stand, Act::Start, id)?;
    leftover::await_end(pid)?;
    expect_status(program, stand, id, "stopped")?;
    act(program, stand, Act::Delete, id)?;
    match act(program, stand, Act::State, id) {
        Ok(()) => Err("state still knows the container after delete".to_owned()),
        Err(_) => Ok(()),
    }
}

fn act(program: &Program, stand: &Stand, act: Act, id: &str) -> Result<(), String> {
    let words = program.command(act, id).ok_or("no such act")?;
    stand
        .must(&words)
        .map(|_| ())
        .map_err(|reason| format!("{}: {reason}", act.word()))
}

/// The pid, if `state` tells that status.
fn expect_status(program: &Program, stand: &Stand, id: &str, status: &str) -> Result<i32, String> {
    act(program, stand, Act::State, id)?;
    let text = stand.output();
    let state: Value =
        serde_json::from_str(&text).map_err(|e| format!("state prints no JSON: {e}"))?;
    match state["status"].as_str() {
        Some(told) if told == status => Ok(pid_in(&text).unwrap_or(0)),
        told => Err(format!("state tells {told:?}, not {status:?}")),
    }
}

/// The pid that `state` printed, or the floor's `create`.
pub(crate) fn pid_in(text: &str) -> Option<i32> {
    let value: Value = serde_json::from_str(text).ok()?;
    let pid = value.get("pid").unwrap_or(&value).as_i64()?;
    i32::try_from(pid).ok().filter(|pid| *pid > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pids_are_read() {
        assert_eq!(pid_in("{\"pid\": 12, \"status\": \"created\"}"), Some(12));
        assert_eq!(pid_in("4711\n"), Some(4711));
        assert_eq!(pid_in("{\"pid\": 0}"), None);
        assert_eq!(pid_in("{\"status\": \"stopped\"}"), None);
        assert_eq!(pid_in("no such container"), None);
    }
}

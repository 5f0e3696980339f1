//! Limits and scores of the child, set from outside: inside a user namespace it may not raise them.

use crate::error::{Cause, Error, Object, Result};
use crate::plan::Plan;
use crate::plan::limits::Limit;
use crate::sys::proc::Proc;
use crate::sys::process;
use std::ffi::CString;

/// Sets the resource limits and the OOM score adjustment of process `pid`.
///
/// # Errors
/// EPERM for a hard limit above the caller's, by its pointer; EACCES for a lowered score.
pub fn set(plan: &Plan, pid: i32, proc: &Proc) -> Result<()> {
    resources(plan, pid)?;
    score(plan, pid, proc)
}

/// Sets the resource limits of process `pid`.
///
/// # Errors
/// EPERM for a hard limit above the caller's, by its pointer.
pub fn resources(plan: &Plan, pid: i32) -> Result<()> {
    for limit in &plan.limits {
        process::set_limit(pid, limit.resource, limit.soft, limit.hard).map_err(|fault| {
            let doing = format!("set the limit {}", limit.name);
            let error = Error::new(doing, Object::config(&limit.pointer), fault.into());
            match fault.errno {
                libc::EPERM => error.hint(lower(limit)),
                _ => error,
            }
        })?;
    }
    Ok(())
}

/// Why a hard limit may not be as high as that.
fn lower(limit: &Limit) -> String {
    match most_files() {
        Some(most) if limit.name == "RLIMIT_NOFILE" && limit.hard > most => format!(
            "no process of this host may have more than {most} files: lower it, or raise fs.nr_open there"
        ),
        _ => "raising a hard limit needs CAP_SYS_RESOURCE; lower it to the caller's: see ulimit -H"
            .to_owned(),
    }
}

/// How many files any process may have open; proc_sys_fs(5), nr_open.
fn most_files() -> Option<u64> {
    let mut buffer = [0; 32];
    let proc = Proc::open().ok()?;
    let text = proc.read(c"sys/fs/nr_open", &mut buffer).ok()?;
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

/// Sets the OOM score adjustment of process `pid`.
///
/// # Errors
/// EACCES for a lowered score.
pub fn score(plan: &Plan, pid: i32, proc: &Proc) -> Result<()> {
    let Some(score) = plan.process.oom_score_adj else {
        return Ok(());
    };
    let path = CString::new(format!("{pid}/oom_score_adj")).unwrap_or_default();
    proc.write(&path, score.to_string().as_bytes())
        .map_err(|fault| {
            let error = Error::new(
                "set the OOM score",
                Object::config("/process/oomScoreAdj"),
                Cause::from(fault),
            );
            match fault.errno {
                libc::EACCES => error.hint(
                    "a user may raise the score, not lower it; remove oomScoreAdj or raise it",
                ),
                _ => error,
            }
        })
}

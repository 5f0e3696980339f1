//! The process: arguments, environment, capabilities.

use super::caps::Chosen;
use super::security::Security;
use super::user::{User, resolve};
use super::{Ground, merge};
use crate::engine::container::wish::{Switch, Wish};
use crate::error::{Cause, Error, Object, Result};
use serde_json::{Value, json};

/// Where programs are looked for, where nothing else is said.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where `--init` stands in the container.
pub(crate) const INIT: &str = "/dev/init";

/// `/process`.
///
/// # Errors
/// No command, an unknown user, a wrong ulimit.
pub(super) fn process(
    wish: &Wish,
    ground: &Ground<'_>,
    security: &Security,
    caps: &Chosen,
    hostname: &str,
) -> Result<Value> {
    let user = resolve(ground.root, &wish.user, &wish.groups)?;
    if wish.argv.is_empty() {
        let why = "neither the command line nor the image names one".to_owned();
        return Err(
            Error::new("find the command", Object::Nothing, Cause::Refused(why))
                .hint("give it after the image: orbital run IMAGE COMMAND"),
        );
    }
    let mut argv = Vec::new();
    if wish.has(Switch::Init) {
        argv.extend([INIT, "init", "--"].map(str::to_owned));
    }
    argv.extend(wish.argv.iter().cloned());
    let mut process = json!({
        "terminal": wish.has(Switch::Terminal),
        "user": { "uid": user.uid, "gid": user.gid, "umask": wish.umask, "additionalGids": user.groups },
        "args": argv,
        "env": environment(wish, &user, hostname),
        "cwd": if wish.workdir.is_empty() { "/" } else { &wish.workdir },
        "capabilities": sets(caps, user.uid),
        "noNewPrivileges": security.no_new_privileges,
        "rlimits": wish.ulimits.iter().map(|limit| ulimit(limit)).collect::<Result<Vec<_>>>()?,
    });
    if let Some(score) = wish.oom_score_adj {
        merge(&mut process, "oomScoreAdj", json!(score));
    }
    if !security.apparmor.is_empty() {
        merge(&mut process, "apparmorProfile", json!(security.apparmor));
    }
    if !security.label.is_empty() {
        merge(&mut process, "selinuxLabel", json!(security.label));
    }
    Ok(process)
}

/// Nothing of the host's environment: only what the image and the flags name, and a few words that programs
/// expect. The last of a name counts and stands where the first stood.
fn environment(wish: &Wish, user: &User, hostname: &str) -> Vec<String> {
    let mut env: Vec<String> = vec![
        PATH.to_owned(),
        format!("HOSTNAME={hostname}"),
        "container=orbital".to_owned(),
    ];
    if wish.has(Switch::Terminal) {
        env.push("TERM=xterm".to_owned());
    }
    let home = if user.home.is_empty() {
        "/"
    } else {
        &user.home
    };
    env.push(format!("HOME={home}"));
    for variable in &wish.env {
        let name = |text: &str| text.split('=').next().unwrap_or_default().to_owned();
        match env.iter_mut().find(|other| name(other) == name(variable)) {
            Some(other) => variable.clone_into(other),
            None => env.push(variable.clone()),
        }
    }
    env
}

/// A user other than root has in force only what was asked for by name, as in podman.
pub(crate) fn sets(caps: &Chosen, uid: u32) -> Value {
    if uid == 0 {
        return json!({ "bounding": caps.all, "effective": caps.all, "permitted": caps.all });
    }
    json!({
        "bounding": caps.all,
        "effective": caps.added,
        "permitted": caps.added,
        "inheritable": caps.added,
        "ambient": caps.added,
    })
}

fn ulimit(text: &str) -> Result<Value> {
    let refused = |why: &str| {
        Error::new(
            "set a limit",
            Object::Argument(text.to_owned()),
            Cause::Refused(why.to_owned()),
        )
        .hint("write it as --ulimit nofile=1024:4096")
    };
    let (name, values) = text
        .split_once('=')
        .ok_or_else(|| refused("there is no ="))?;
    let number = |word: &str| match word {
        "-1" | "unlimited" => Ok(u64::MAX),
        word => word
            .parse::<u64>()
            .map_err(|_| refused("neither a number nor unlimited")),
    };
    let (soft, hard) = match values.split_once(':') {
        Some((soft, hard)) => (number(soft)?, number(hard)?),
        None => (number(values)?, number(values)?),
    };
    if soft > hard {
        return Err(refused("the soft limit is above the hard one"));
    }
    Ok(
        json!({ "type": format!("RLIMIT_{}", name.to_ascii_uppercase()), "soft": soft, "hard": hard }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_made_of_nothing_but_words_given() {
        let wish = Wish {
            env: vec!["A=1".into(), "PATH=/x".into(), "A=2".into()],
            ..Wish::default()
        };
        let env = environment(&wish, &User::default(), "here");
        assert_eq!(
            env,
            [
                "PATH=/x",
                "HOSTNAME=here",
                "container=orbital",
                "HOME=/",
                "A=2"
            ]
        );
    }

    #[test]
    fn limits_of_a_process() {
        assert_eq!(
            ulimit("nofile=1:2").unwrap(),
            json!({"type": "RLIMIT_NOFILE", "soft": 1, "hard": 2})
        );
        assert_eq!(ulimit("core=-1").unwrap()["hard"], json!(u64::MAX));
        for wrong in ["nofile", "nofile=x", "nofile=2:1"] {
            assert!(ulimit(wrong).is_err(), "{wrong}");
        }
    }
}

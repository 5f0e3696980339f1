//! Hooks that fail, hang or cannot be run: what fails with them, and that nothing is left.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, patience, same};
use crate::lab::Lab;

pub(super) const CASES: &[Case] = &[
    Case::new("prestart-fails-create", |lab| fails_create(lab, "prestart")),
    Case::new("create-runtime-fails-create", |lab| {
        fails_create(lab, "createRuntime")
    }),
    Case::new("create-container-fails-create", |lab| {
        fails_create(lab, "createContainer")
    }),
    Case::new("start-tells-what-the-hook-said-last", start_quotes)
        .needs(&[Need::Root, Need::OrbitalOnly]),
    Case::new("start-container-fails-start", start_container).deviates(&[
        ("runc", "start does not wait for these hooks"),
        ("crun", "start does not wait for these hooks"),
    ]),
    Case::new("poststart-fails-start", poststart)
        .deviates(&[("runc", "1.1 runs poststart at create, which then fails")]),
    Case::new("poststop-only-warns", poststop).deviates(&[
        ("runc", "1.1 does not run the hooks after a failing one"),
        (
            "crun",
            "dies of SIGPIPE when a hook does not read its input",
        ),
    ]),
    Case::new("poststop-is-warned-of", poststop_told),
    Case::new("poststop-only-warns-in-a-run", poststop_of_run),
    Case::new("later-hooks-do-not-run", later_hooks),
    Case::new("a-hook-ended-by-a-signal", signalled),
    Case::new("the-hook-is-named", named),
    Case::new("timeout-ends-the-hook", timeout),
    Case::new("timeout-ends-the-hooks-children", timeout_children).deviates(&[
        (
            "runc",
            "1.1 kills the first process only and waits for the others",
        ),
        ("crun", "kills the first process only"),
    ]),
    Case::new("missing-file-is-refused", missing_file),
    Case::new("not-executable-is-refused", not_executable),
    Case::new("a-script-that-cannot-begin-says-why", no_interpreter)
        .needs(&[Need::Root, Need::OrbitalOnly]),
    Case::new("relative-path-is-refused", relative_path),
    Case::new("the-id-is-free-after-a-failure", free_again),
    Case::new("a-hook-that-kills-init", kills_init),
];

fn fails_create(lab: &Lab, kind: &str) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.hook(kind, "exit 23");
    })?;
    contains("the refusal", &said.err, "23")?;
    ensure!(lab.list()?.is_empty(), "list knows a container");
    Ok(())
}

fn start_container(lab: &Lab) -> Outcome {
    let mark = lab.folder("mark")?;
    let container = lab.create(|spec| {
        spec.push(
            "/hooks/startContainer",
            json!({"path": "/bin/false", "args": ["false"]}),
        );
        spec.bind(&mark.to_string_lossy(), "/mnt", &["bind"])
            .sh("touch /mnt/ran");
    })?;
    lab.call(&["start", &container.id]).refused()?;
    ensure!(
        !mark.join("ran").exists(),
        "the program ran after its startContainer hook had failed"
    );
    container
        .until("stopped")
        .or_else(|_| lab.call(&["state", &container.id]).refused().map(drop))?;
    container.end()
}

/// `start` is another process than `create`, and the hook runs in a third.
fn start_quotes(lab: &Lab) -> Outcome {
    for no_new_privileges in [false, true] {
        let container = lab.create(|spec| {
            spec.set("/process/noNewPrivileges", json!(no_new_privileges)).push(
                "/hooks/startContainer",
                json!({"path": "/bin/sh", "args": ["sh", "-c", "echo first; echo the bridge is down >&2; exit 3"]}),
            );
        })?;
        let said = lab.call(&["start", &container.id]).refused()?;
        contains("the refusal", &said.err, "it exited with 3")?;
        contains("the refusal", &said.err, "the bridge is down")?;
        container.end()?;
    }
    Ok(())
}

/// Since runtime-spec 1.3 the failure stops the container and is start's error.
fn poststart(lab: &Lab) -> Outcome {
    let container = lab.create(|spec| {
        spec.hook("poststart", "exit 23");
    })?;
    let said = lab.call(&["start", &container.id]).refused()?;
    contains("the refusal", &said.err, "23")?;
    let state = lab.call(&["state", &container.id]).say()?;
    ensure!(
        !state.out.contains("\"running\""),
        "the container still runs: {state}"
    );
    container.end()
}

fn poststop(lab: &Lab) -> Outcome {
    let file = lab.scratch("log");
    let container = lab.started(|spec| {
        spec.hook("poststop", "exit 23")
            .hook("poststop", &format!("echo second >> {}", file.display()));
    })?;
    container.stop()?;
    container.delete()?;
    same(
        "log of the second hook",
        std::fs::read_to_string(&file)?.as_str(),
        "second\n",
    )
}

/// The warning is in the log that the caller named, and says what the hook ended with.
fn poststop_told(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.hook("poststop", "cat > /dev/null; exit 23");
    })?;
    container.stop()?;
    let log = lab.scratch("log");
    let arg = log.to_string_lossy().into_owned();
    lab.call(&["--log", &arg, "delete", &container.id]).ok()?;
    contains("the log", &std::fs::read_to_string(&log)?, "23")
}

fn poststop_of_run(lab: &Lab) -> Outcome {
    let said = lab.run(|spec| {
        spec.sh("exit 5").hook("poststop", "exit 23");
    })?;
    same("exit code", said.code(), 5)
}

fn later_hooks(lab: &Lab) -> Outcome {
    let file = lab.scratch("log");
    lab.refuse(|spec| {
        spec.hook("createRuntime", "exit 1");
        for kind in [
            "createRuntime",
            "createContainer",
            "startContainer",
            "poststart",
        ] {
            spec.hook(kind, &format!("echo {kind} >> {}", file.display()));
        }
    })?;
    ensure!(
        !file.exists(),
        "hooks after the failing one ran: {:?}",
        std::fs::read_to_string(&file)
    );
    Ok(())
}

fn signalled(lab: &Lab) -> Outcome {
    lab.refuse(|spec| {
        spec.hook("createRuntime", "kill -9 $$");
    })
    .map(drop)
}

fn named(lab: &Lab) -> Outcome {
    let script = lab.file("the-hook", "#!/bin/sh\nexit 4\n")?;
    let said = lab.refuse(|spec| {
        spec.push(
            "/hooks/createRuntime",
            json!({"path": script.to_string_lossy()}),
        );
    })?;
    ensure!(
        said.err.contains(&*script.to_string_lossy())
            || said.err.contains("createRuntime")
            || said.err.contains("hook #0"),
        "the refusal names no hook: {:?}",
        said.err
    );
    Ok(())
}

/// How long a create with a hanging hook and a timeout of one second takes.
fn hanging(lab: &Lab, script: &str) -> Outcome {
    let begin = Instant::now();
    lab.refuse(|spec| {
        spec.push(
            "/hooks/createRuntime",
            json!({"path": "/bin/sh", "args": ["sh", "-c", script],
            "env": ["PATH=/usr/bin:/bin"], "timeout": 1}),
        );
    })?;
    let took = begin.elapsed();
    ensure!(
        took > Duration::from_millis(900),
        "it failed already after {took:?}"
    );
    ensure!(
        took < Duration::from_secs(6) * patience(),
        "a timeout of 1 s took {took:?}"
    );
    Ok(())
}

fn timeout(lab: &Lab) -> Outcome {
    hanging(lab, "exec sleep 31")
}

/// The children of the hook go with it; the leak check after the case sees them.
fn timeout_children(lab: &Lab) -> Outcome {
    hanging(lab, "sleep 32 & sleep 33 & wait")
}

fn missing_file(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.push("/hooks/createRuntime", json!({"path": "/no/such/hook"}));
    })?;
    contains("the refusal", &said.err, "/no/such/hook")
}

fn not_executable(lab: &Lab) -> Outcome {
    let plain = lab.file("plain", "echo\n")?;
    lab.refuse(|spec| {
        spec.push(
            "/hooks/createRuntime",
            json!({"path": plain.to_string_lossy()}),
        );
    })
    .map(drop)
}

/// The kernel tells of the interpreter in the words for the script itself.
fn no_interpreter(lab: &Lab) -> Outcome {
    for (text, told) in [
        ("#!/no/such/shell\n", "install /no/such/shell on the host"),
        ("#!/bin/sh\r\nexit 0\r\n", "carriage return"),
    ] {
        let hook = lab.file("hook", text)?;
        let path = hook.to_string_lossy();
        let said = lab.refuse(|spec| {
            spec.push("/hooks/createRuntime", json!({"path": path}));
        })?;
        contains("the error", &said.err, told)?;
    }
    Ok(())
}

/// "path (string, REQUIRED) with … the value MUST be an absolute path" (config.md, "POSIX-platform Hooks").
fn relative_path(lab: &Lab) -> Outcome {
    lab.refuse(|spec| {
        spec.push("/hooks/createRuntime", json!({"path": "bin/true"}));
    })
    .map(drop)
}

fn free_again(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.hook("createRuntime", "exit 1");
    })?;
    let id = lab.id("again");
    for _ in 0..3 {
        lab.call(&["create", "--bundle", bundle.arg(), &id])
            .refused()?;
    }
    bundle.write(&crate::spec::Spec::ordinary())?;
    crate::container::Container::create(lab, &bundle, &id)?.end()
}

fn kills_init(lab: &Lab) -> Outcome {
    let begin = Instant::now();
    lab.refuse(|spec| {
        spec.hook(
            "createRuntime",
            "kill -9 $(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/' | grep -m1 -x '[0-9]*')",
        );
    })?;
    ensure!(
        begin.elapsed() < Duration::from_secs(10) * patience(),
        "it took {:?} to see that init is dead",
        begin.elapsed()
    );
    Ok(())
}

//! The program: found at create, named in the refusal, never one of the host's.

use serde_json::json;

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::lab::Lab;

pub(super) const CASES: &[Case] = &[
    Case::new("no-args-is-refused", no_args).deviates(&[("crun", "does not name args")]),
    Case::new("no-process-is-refused-by-start", no_process).deviates(&[
        ("runc", "1.1 refuses it at create"),
        ("crun", "1.28 starts nothing, and says nothing"),
    ]),
    Case::new("no-process-is-refused-by-run", no_process_run),
    Case::new("not-in-path-is-refused-by-create", not_in_path)
        .deviates(&[("crun", "has the program's name inside the phrase")]),
    Case::new("no-such-file-is-refused-by-create", no_such_file),
    Case::new("not-executable-is-refused-by-create", not_executable)
        .deviates(&[("crun", "says operation not permitted")]),
    Case::new("a-directory-is-refused-by-create", directory)
        .deviates(&[("crun", "says operation not permitted")]),
    Case::new("path-of-the-container-is-searched", container_path),
    Case::new("path-order-is-kept", path_order),
    Case::new("a-relative-program-starts-at-cwd", relative),
    Case::new("args-are-passed-unchanged", args_unchanged),
    Case::new(
        "a-script-without-its-interpreter-is-an-error",
        no_interpreter,
    ),
    Case::new("what-is-too-long-is-named", too_long).needs(&[Need::Root, Need::OrbitalOnly]),
    Case::new("the-hosts-programs-are-not-found", not_the_hosts),
];

fn no_args(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.set("/process/args", json!([]));
    })?;
    mentions("the refusal", &said.err, &["args"])?;
    lab.refuse(|spec| {
        spec.remove("/process/args");
    })
    .map(drop)
}

fn no_process(lab: &Lab) -> Outcome {
    let container = lab.create(|spec| {
        spec.remove("/process");
    })?;
    same("status", container.status()?, "created")?;
    let said = lab.call(&["start", &container.id]).refused()?;
    mentions("the refusal", &said.err, &["process"])?;
    container.until("stopped")?;
    lab.call(&["start", &container.id]).refused()?;
    container.delete()
}

fn no_process_run(lab: &Lab) -> Outcome {
    let said = lab.run(|spec| {
        spec.remove("/process");
    })?;
    ensure!(!said.status.success(), "run of nothing: {said}");
    Ok(())
}

fn not_in_path(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.args(&["no-such-program", "-x"]);
    })?;
    contains("the refusal", &said.err, "no-such-program")?;
    mentions(
        "the refusal",
        &said.err,
        &["executable file not found in $PATH"],
    )?;
    let without = lab.refuse(|spec| {
        spec.args(&["sleep", "1"]).set("/process/env", json!([]));
    });
    // Without PATH a runtime may search its own default; it may not crash.
    drop(without);
    Ok(())
}

fn no_such_file(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.args(&["/no/such/program"]);
    })?;
    contains("the refusal", &said.err, "/no/such/program")?;
    mentions("the refusal", &said.err, &["no such file or directory"])
}

fn not_executable(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.args(&["/etc/passwd"]);
    })?;
    let said = lab.refuse_in(&bundle)?;
    mentions("the refusal", &said.err, &["permission denied"])
}

fn directory(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.args(&["/etc"]);
    })?;
    mentions(
        "the refusal",
        &said.err,
        &["permission denied", "is a directory"],
    )
}

fn container_path(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.args(&["hello"])
            .set("/process/env", json!(["PATH=/none:/opt/here"]));
    })?;
    bundle.file("opt/here/hello", "#!/bin/sh\necho hello from opt\n")?;
    let said = lab.run_in(&bundle)?;
    same("output", said.out.as_str(), "hello from opt\n")
}

fn path_order(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.args(&["hello"])
            .set("/process/env", json!(["PATH=/a:/b:/c"]));
    })?;
    bundle.file("a/hello", "not executable\n")?;
    bundle.file("b/hello", "#!/bin/sh\necho b\n")?;
    bundle.file("c/hello", "#!/bin/sh\necho c\n")?;
    same("output", lab.run_in(&bundle)?.out.as_str(), "b\n")
}

fn relative(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.args(&["./hello"]).set("/process/cwd", json!("/opt"));
    })?;
    bundle.file("opt/hello", "#!/bin/sh\necho relative\n")?;
    same("output", lab.run_in(&bundle)?.out.as_str(), "relative\n")
}

fn args_unchanged(lab: &Lab) -> Outcome {
    let odd = [
        "a b",
        "",
        "tab\there",
        "line\nbreak",
        "ünïcödé",
        "$HOME",
        "\"quotes\"",
        "-x",
    ];
    let said = lab.run(|spec| {
        let mut args = vec![
            "/bin/sh",
            "-c",
            "for a; do printf '[%s]' \"$a\"; done",
            "sh",
        ];
        args.extend(odd);
        spec.args(&args);
    })?;
    let want: String = odd.iter().map(|arg| format!("[{arg}]")).collect();
    same("arguments seen inside", said.out, want)
}

/// The file is there and may be executed, so only the kernel can tell; the failure must be told.
fn no_interpreter(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.args(&["/bin/script"]);
    })?;
    bundle.file("bin/script", "#!/no/such/interpreter\n")?;
    let said = lab
        .call(&["run", "--bundle", bundle.arg(), &lab.id("script")])
        .refused()?;
    mentions("the refusal", &said.err, &["no such file or directory"])
}

fn not_the_hosts(lab: &Lab) -> Outcome {
    let program = lab.runtime.path.to_string_lossy().into_owned();
    let said = lab.refuse(|spec| {
        spec.args(&[&program, "--version"]);
    })?;
    mentions("the refusal", &said.err, &["no such file or directory"])
}

/// The kernel only says E2BIG.
fn too_long(lab: &Lab) -> Outcome {
    let long = "x".repeat(140_000);
    let said = lab.run(|spec| {
        spec.args(&["echo", &long]);
    })?;
    contains("an argument", &said.err, "shorten /process/args/1")?;
    let said = lab.run(|spec| {
        spec.push("/process/env", json!(format!("LONG={long}")));
    })?;
    contains("a variable", &said.err, "shorten the variable LONG")?;
    let said = lab.run(|spec| {
        for number in 0..3000 {
            spec.push(
                "/process/env",
                json!(format!("A{number}={}", &long[..1000])),
            );
        }
    })?;
    contains("all of them", &said.err, "a quarter of RLIMIT_STACK")
}

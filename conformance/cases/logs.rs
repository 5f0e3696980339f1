//! What callers read besides the exit code: log records, pid files; and odd surroundings.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::case::Case;
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::lab::Lab;

pub(super) const CASES: &[Case] = &[
    Case::new("a-failure-is-one-json-record", one_record).deviates(&[(
        "runc",
        "1.1 adds a warning where the memory controller is missing",
    )]),
    Case::new("the-record-has-the-callers-members", record_members),
    Case::new("the-record-is-in-stderr-too", stderr_too),
    Case::new("records-are-appended", appended),
    Case::new("text-records", text),
    Case::new("nothing-is-logged-on-success", silence),
    Case::new("debug-says-more", debug),
    Case::new("the-log-file-is-made-early", made_early).deviates(&[(
        "crun",
        "makes it at the first record, and has none for this failure",
    )]),
    Case::new("a-log-that-cannot-be-opened", bad_log),
    Case::new("a-usage-error-is-recorded-or-told", usage_error),
    Case::new("pid-file-is-the-bare-number", pid_file),
    Case::new("pid-file-by-relative-path", pid_relative)
        .deviates(&[("crun", "takes it from the bundle")]),
    Case::new("no-pid-file-after-a-failure", pid_failure),
    Case::new("pid-file-is-replaced", pid_replaced),
    Case::new("pid-file-that-cannot-be-written", pid_unwritable),
    Case::new("a-bare-environment-will-do", bare_environment),
    Case::new("a-deleted-working-directory-will-do", deleted_directory),
    Case::new("all-streams-closed", all_closed),
    Case::new("a-full-stdout-is-an-error", full_stdout)
        .deviates(&[("runc", "does not look"), ("crun", "does not look")]),
];

/// A failing `create` with this log format: the log's text, and what it said.
fn failing(lab: &Lab, format: &str, more: &[&str]) -> Outcome<(String, String)> {
    let bundle = lab.bundle(|spec| {
        spec.args(&["/no/such/program"]);
    })?;
    let (log, id) = (lab.scratch("log"), lab.id("log"));
    let log_arg = log.to_string_lossy();
    let mut args = vec!["--log", &log_arg, "--log-format", format];
    args.extend(more);
    args.extend(["create", "--bundle", bundle.arg(), &id]);
    let said = lab.call(&args).refused()?;
    Ok((fs::read_to_string(&log)?, said.err))
}

/// The records of a log that is a stream of JSON documents.
fn records(text: &str) -> Outcome<Vec<Value>> {
    let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    values
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("the log is no JSON stream: {error}: {text:?}").into())
}

/// podman gives the whole file to one json.Unmarshal (CALLERS §4).
fn one_record(lab: &Lab) -> Outcome {
    let (log, _) = failing(lab, "json", &[])?;
    same(&format!("records in {log:?}"), records(&log)?.len(), 1)
}

fn record_members(lab: &Lab) -> Outcome {
    let (log, _) = failing(lab, "json", &[])?;
    let records = records(&log)?;
    let record = records
        .iter()
        .rfind(|record| record["level"] == "error")
        .ok_or("no record with level error")?;
    let message = record["msg"].as_str().unwrap_or_default();
    contains("msg", message, "/no/such/program")?;
    mentions("msg", message, &["no such file or directory"])?;
    ensure!(
        !message.contains('\n'),
        "msg has several lines: {message:?}"
    );
    let time = record["time"].as_str().unwrap_or_default();
    let shape: String = time
        .chars()
        .take(19)
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    same("time", shape.as_str(), "0000-00-00T00:00:00")?;
    ensure!(
        time.ends_with('Z')
            || time.contains('+')
            || time.get(19..).is_some_and(|t| t.contains('-')),
        "time has no zone: {time}"
    );
    Ok(())
}

/// conmon reads stderr, the shim the log.
fn stderr_too(lab: &Lab) -> Outcome {
    let (_, err) = failing(lab, "json", &[])?;
    contains("standard error", &err, "/no/such/program")
}

fn appended(lab: &Lab) -> Outcome {
    let log = lab.file(
        "log",
        "{\"level\":\"info\",\"msg\":\"earlier\",\"time\":\"2020-01-01T00:00:00Z\"}\n",
    )?;
    for _ in 0..2 {
        lab.call(&[
            "--log",
            &log.to_string_lossy(),
            "--log-format",
            "json",
            "state",
            &lab.id("nobody"),
        ])
        .refused()?;
    }
    let records = records(&fs::read_to_string(&log)?)?;
    same("records", records.len(), 3)?;
    same(
        "the first",
        records.first().and_then(|r| r["msg"].as_str()),
        Some("earlier"),
    )
}

fn text(lab: &Lab) -> Outcome {
    let (log, _) = failing(lab, "text", &[])?;
    contains("the log", &log, "/no/such/program")?;
    ensure!(records(&log).is_err(), "a text log is JSON: {log:?}");
    Ok(())
}

fn silence(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.args(&["true"]);
    })?;
    let log = lab.scratch("log");
    lab.call(&[
        "--log",
        &log.to_string_lossy(),
        "--log-format",
        "json",
        "run",
        "--bundle",
        bundle.arg(),
        &lab.id("quiet"),
    ])
    .ok()?;
    same(
        "the log",
        fs::read_to_string(&log).unwrap_or_default().as_str(),
        "",
    )
}

fn debug(lab: &Lab) -> Outcome {
    let (log, _) = failing(lab, "json", &["--debug"])?;
    let records = records(&log)?;
    ensure!(
        records.iter().any(|r| r["level"] == "debug"),
        "no debug record: {log:?}"
    );
    same(
        "errors",
        records.iter().filter(|r| r["level"] == "error").count(),
        1,
    )?;
    same(
        "the last",
        records.last().and_then(|r| r["level"].as_str()),
        Some("error"),
    )
}

fn made_early(lab: &Lab) -> Outcome {
    let log = lab.scratch("log");
    lab.call(&[
        "--log",
        &log.to_string_lossy(),
        "create",
        "--bundle",
        "/no/such/bundle",
        "x",
    ])
    .refused()?;
    ensure!(fs::metadata(&log)?.len() > 0, "the log is empty");
    let mode = fs::metadata(&log)?.permissions().mode() & 0o777;
    ensure!(mode & 0o133 == 0, "mode of the log: {mode:o}");
    Ok(())
}

fn bad_log(lab: &Lab) -> Outcome {
    let said = lab
        .call(&["--log", "/no/such/folder/log", "state", "x"])
        .refused()?;
    contains("the refusal", &said.err, "/no/such/folder")
}

fn usage_error(lab: &Lab) -> Outcome {
    let log = lab.scratch("log");
    let said = lab
        .call(&[
            "--log",
            &log.to_string_lossy(),
            "--log-format",
            "json",
            "create",
            "--levitate",
            "x",
        ])
        .say()?;
    ensure!(
        !said.status.success(),
        "an unknown flag was accepted: {said}"
    );
    records(&fs::read_to_string(&log).unwrap_or_default())?;
    Ok(())
}

fn pid_file(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    let file = lab.scratch("pid");
    let id = lab.id("pid");
    lab.call(&[
        "create",
        "--bundle",
        container.bundle.arg(),
        "--pid-file",
        &file.to_string_lossy(),
        &id,
    ])
    .ok()?;
    let text = fs::read_to_string(&file)?;
    let state: Value = serde_json::from_str(&lab.call(&["state", &id]).ok()?.out)?;
    same("pid file", text, state["pid"].to_string())?;
    ensure!(
        fs::metadata(&file)?.permissions().mode() & 0o022 == 0,
        "others may write the pid file"
    );
    lab.call(&["delete", "--force", &id]).ok()?;
    container.end()
}

fn pid_relative(lab: &Lab) -> Outcome {
    let (bundle, folder, id) = (lab.bundle(|_| ())?, lab.folder("cwd")?, lab.id("pid"));
    lab.call(&[
        "create",
        "--bundle",
        bundle.arg(),
        "--pid-file",
        "the.pid",
        &id,
    ])
    .dir(&folder)
    .ok()?;
    ensure!(
        folder.join("the.pid").exists(),
        "it is not in the working directory"
    );
    let names: Vec<_> = fs::read_dir(&folder)?
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    same("files in the working directory", names.len(), 1)?;
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

/// conmon takes a missing file for a failure, and one that is there for success.
fn pid_failure(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.args(&["/no/such/program"]);
    })?;
    let folder = lab.folder("pids")?;
    let file = folder.join("pid");
    lab.call(&[
        "create",
        "--bundle",
        bundle.arg(),
        "--pid-file",
        &file.to_string_lossy(),
        &lab.id("pid"),
    ])
    .refused()?;
    same("files", fs::read_dir(&folder)?.count(), 0)
}

fn pid_replaced(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    let file = lab.file("pid", "123456789012345")?;
    let id = lab.id("pid");
    lab.call(&[
        "create",
        "--bundle",
        bundle.arg(),
        "--pid-file",
        &file.to_string_lossy(),
        &id,
    ])
    .ok()?;
    let pid: i32 = fs::read_to_string(&file)?.parse()?;
    ensure!(
        fs::exists(format!("/proc/{pid}"))?,
        "the pid is of no process"
    );
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

fn pid_unwritable(lab: &Lab) -> Outcome {
    let (bundle, id) = (lab.bundle(|_| ())?, lab.id("pid"));
    lab.call(&[
        "create",
        "--bundle",
        bundle.arg(),
        "--pid-file",
        "/no/such/folder/pid",
        &id,
    ])
    .refused()?;
    lab.call(&["state", &id]).refused().map(drop)
}

fn bare_environment(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("echo fine");
    })?;
    for env in [&[("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")][..], &[]] {
        let said = lab
            .call(&["run", "--bundle", bundle.arg(), &lab.id("bare")])
            .env(env)
            .ok()?;
        same("output", said.out.as_str(), "fine\n")?;
    }
    Ok(())
}

fn deleted_directory(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("echo fine");
    })?;
    let gone = lab.folder("gone")?;
    let said = lab
        .call(&["run", "--bundle", bundle.arg(), &lab.id("gone")])
        .dir(&gone)
        .through_sh("rmdir ../$(basename \"$PWD\"); exec \"$@\"")
        .ok()?;
    same("output", said.out.as_str(), "fine\n")
}

/// What it opens itself must not become the container's 0, 1 or 2.
fn all_closed(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("for n in 0 1 2; do readlink /proc/$$/fd/$n; done > /tmp/streams; exit 0");
    })?;
    let id = lab.id("closed");
    lab.call(&["run", "--bundle", bundle.arg(), &id])
        .through_sh("exec \"$@\" 0<&- 1>&- 2>&-")
        .say()?;
    let text = fs::read_to_string(bundle.rootfs().join("tmp/streams")).unwrap_or_default();
    for line in text.lines() {
        let harmless =
            line.contains("/dev/null") || line.contains("pipe:") || line.contains("/tmp/streams");
        ensure!(harmless, "a stream of the container is {line}");
    }
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

fn full_stdout(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    let said = lab
        .call(&["state", &container.id])
        .through_sh("exec \"$@\" > /dev/full")
        .say()?;
    ensure!(
        said.status.code().is_some_and(|code| code != 0),
        "it could not write, and said nothing: {said}"
    );
    ensure!(!said.err.contains("panicked"), "state: {said}");
    container.end()
}

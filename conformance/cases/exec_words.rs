//! `exec` that cannot be: exactly what is said, and that nothing of it is left. Where a text differs from host to
//! host it has a `…`.

use std::fs;

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, ensure, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::readmes::matches;

const ORBITAL: &[Need] = &[Need::OrbitalOnly, Need::Root, Need::CgroupV2];

pub(super) const CASES: &[Case] = &[
    Case::new("words-of-a-program-that-is-not-there", programs).needs(ORBITAL),
    Case::new("words-of-flags", flags).needs(ORBITAL),
    Case::new("words-of-more-flags", more_flags).needs(ORBITAL),
    Case::new("words-of-process-files", files).needs(ORBITAL),
    Case::new("words-of-statuses", statuses).needs(ORBITAL),
];

/// `exec` with these words, `ID` standing for the container's, must say this and exit so.
fn says(container: &Container<'_>, words: &[&str], status: i32, text: &str) -> Outcome {
    let id = container.id.as_str();
    let before = container.processes()?;
    let args: Vec<&str> = ["exec"]
        .into_iter()
        .chain(
            words
                .iter()
                .map(|word| if *word == "ID" { id } else { *word }),
        )
        .collect();
    let said = container.call(&args).say()?;
    same(&format!("status of {args:?}"), said.code(), status)?;
    let wanted = text.replace("ID", id);
    ensure!(
        matches(&wanted, &said.err),
        "{args:?}: expected\n{wanted}\nfound\n{}",
        said.err
    );
    same("processes", container.processes()?, before)
}

fn programs(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    says(
        &container,
        &["ID", "helo"],
        255,
        r#"error: cannot execute the process
  at:    "helo"
  step:  … in the container
  cause: refused: exec: "helo": executable file not found in $PATH
  hint:  install helo in the root file system, or add its directory to PATH in /process/env
"#,
    )?;
    says(
        &container,
        &["ID", "/no/helo"],
        255,
        r#"error: cannot execute the process
  at:    "/no/helo"
  step:  … in the container
  cause: refused: exec: "/no/helo": stat /no/helo: no such file or directory
  hint:  install /no/helo in the root file system, …
"#,
    )?;
    says(
        &container,
        &["ID", "/etc/passwd"],
        255,
        r#"error: cannot execute the process
  at:    "/etc/passwd"
  step:  … in the container
  cause: refused: exec: "/etc/passwd": permission denied
  hint:  name a file that the process's user may execute (chmod +x), not a directory
"#,
    )?;
    container.end()
}

fn flags(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    says(
        &container,
        &["--cwd", "/nowhere", "ID", "true"],
        255,
        r#"error: cannot enter the working directory
  at:    --cwd=/nowhere
  step:  … in the container
  cause: ENOENT: no such file or directory, from openat2
  hint:  choose a directory inside the container, such as "/"
"#,
    )?;
    says(
        &container,
        &["--cwd", "tmp", "ID", "true"],
        255,
        r#"error: cannot enter the working directory
  at:    --cwd=tmp
  cause: refused: the path must be absolute, that is, begin with /
  hint:  use /tmp
"#,
    )?;
    says(
        &container,
        &["--cap", "CAP_NET_ADMN", "ID", "true"],
        1,
        r#"error: cannot read the command line
  at:    --cap=CAP_NET_ADMN
  cause: refused: there is no such capability
  hint:  did you mean CAP_NET_ADMIN?
"#,
    )?;
    says(
        &container,
        &["--user", "ana", "ID", "true"],
        1,
        r#"error: cannot read the command line
  at:    --user=ana
  cause: refused: ids are numbers from 0 to 4294967294
  hint:  use a number, or two with a colon between for --user: 1000:1000
"#,
    )?;
    container.end()
}

fn more_flags(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    says(
        &container,
        &["--cgroup", "below", "ID", "true"],
        255,
        r#"error: cannot find the cgroup below the container's own
  at:    /sys/fs/cgroup/…ID/below
  cause: ENOENT: no such file or directory, from openat2
  hint:  make it first, in the container or on the host
"#,
    )?;
    says(
        &container,
        &["--preserve-fds", "4", "ID", "true"],
        255,
        r#"error: cannot preserve descriptors
  at:    --preserve-fds 4
  cause: refused: descriptor 3 is not open
  hint:  open it in the caller, or ask for fewer
"#,
    )?;
    says(
        &container,
        &["--tty", "--detach", "ID", "true"],
        255,
        r#"error: cannot give the process a terminal
  at:    config.json#/process/terminal = true
  cause: refused: cannot allocate tty if orbital will detach without setting console socket
  hint:  name the socket that takes it with --console-socket, or leave --detach out
"#,
    )?;
    says(
        &container,
        &["ID"],
        1,
        r#"error: cannot read the command line
  cause: refused: COMMAND is missing
  hint:  name the program, or describe the process with --process
"#,
    )?;
    container.end()
}

/// A file with a process, and what is said of it; `{FILE}` stands for its path.
fn file_says(container: &Container<'_>, lab: &Lab, content: &str, text: &str) -> Outcome {
    let path = lab.file("process", content)?;
    let path = path.to_string_lossy();
    says(
        container,
        &["--process", &path, "ID"],
        255,
        &text.replace("{FILE}", &path),
    )
}

fn files(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let process = |more: Value| {
        let mut process = json!({"args": ["true"], "cwd": "/", "user": {"uid": 0, "gid": 0},
            "env": ["PATH=/bin"]});
        if let (Some(all), Some(more)) = (process.as_object_mut(), more.as_object()) {
            all.extend(more.clone());
        }
        process.to_string()
    };
    file_says(
        &container,
        lab,
        "{\"args\": [\"true\"]",
        r#"error: cannot read the process
  at:    {FILE}
  cause: line 1, column 17: EOF while parsing an object
"#,
    )?;
    file_says(
        &container,
        lab,
        &process(json!({"args": []})),
        r#"error: cannot execute the process
  at:    {FILE}#/args = []
  cause: refused: there is no program to execute
  hint:  name it: "args": ["/bin/sh"]
"#,
    )?;
    file_says(
        &container,
        lab,
        &process(json!({"cwd": "tmp"})),
        r#"error: cannot enter the working directory
  at:    {FILE}#/cwd = "tmp"
  cause: refused: the path must be absolute, that is, begin with /
  hint:  use /tmp
"#,
    )?;
    let limit = json!({"rlimits": [{"type": "RLIMIT_NOFLE", "hard": 9, "soft": 9}]});
    file_says(
        &container,
        lab,
        &process(limit),
        r#"error: cannot read config.json
  at:    {FILE}#/rlimits/0/type = "RLIMIT_NOFLE"
  cause: refused: it must be RLIMIT_CPU, …
  hint:  did you mean RLIMIT_NOFILE?
"#,
    )?;
    let path = lab.scratch("none");
    let path = path.to_string_lossy();
    let text = format!(
        "error: cannot read the process\n  at:    {path}\n  cause: ENOENT: no such file or directory, from open\n"
    );
    says(&container, &["--process", &path, "ID"], 255, &text)?;
    container.end()
}

fn statuses(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    lab.call(&["pause", &container.id]).ok()?;
    says(
        &container,
        &["ID", "true"],
        255,
        r#"error: cannot execute a process in ID
  at:    container ID
  cause: refused: cannot exec in a paused container (use --ignore-paused to override)
  hint:  resume it first, or let the process wait for that with --ignore-paused
"#,
    )?;
    lab.call(&["resume", &container.id]).ok()?;
    container.stop()?;
    let said = lab.call(&["exec", &container.id, "true"]).say()?;
    let wanted = r#"error: cannot execute a process in ID
  at:    container ID
  cause: refused: cannot exec in a stopped container
  hint:  it has ended; remove it: orbital delete ID
"#;
    same(
        "words",
        said.err.as_str(),
        wanted.replace("ID", &container.id).as_str(),
    )?;
    container.delete()?;
    let said = lab.call(&["exec", &container.id, "true"]).say()?;
    let wanted = r#"error: cannot execute a process in ID
  at:    container ID
  cause: refused: container does not exist
  hint:  orbital list shows those that do
"#;
    same(
        "words",
        said.err.as_str(),
        wanted.replace("ID", &container.id).as_str(),
    )?;
    let left = fs::read_dir(lab.root()).map_or(0, |list| list.count());
    same("files below --root", left, 0)
}

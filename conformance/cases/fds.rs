//! Descriptors: 0, 1 and 2, those that were asked for, and no others.

use crate::case::Case;
use crate::check::{Outcome, ensure, mentions, same};
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("only-three-get-in", only_three),
    Case::new("only-three-after-start", only_three_after_start),
    Case::new("nothing-of-the-callers-waits-with-init", nothing_waits)
        .deviates(&[("crun", "closes them at start only")]),
    Case::new("streams-are-the-callers-own", same_streams),
    Case::new("preserve-fds", preserve),
    Case::new("preserve-fds-that-are-not-open", preserve_missing).deviates(&[
        ("runc", "1.1 passes a descriptor of its own there"),
        ("crun", "passes what is open"),
    ]),
    Case::new("preserve-none", preserve_none),
    Case::new("inits-own-program-has-no-hidden-one", no_hidden),
];

/// Opens many descriptors, in a shell, that whoever is executed inherits.
pub(super) const MANY: &str =
    "exec 3</etc/passwd 4</etc 5</ 6</proc 7</dev 8</etc/group 9</tmp; exec \"$@\"";

fn only_three(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.args(&["ls", "/proc/self/fd"]);
    })?;
    let said = lab
        .call(&["run", "--bundle", bundle.arg(), &lab.id("fds")])
        .through_sh(MANY)
        .ok()?;
    // 3 is the directory that ls reads.
    same(
        "descriptors",
        said.out.split_whitespace().collect::<Vec<_>>(),
        vec!["0", "1", "2", "3"],
    )
}

/// A container that was created with many descriptors open in the caller: its id and pid.
fn created(lab: &Lab, flags: &[&str]) -> Outcome<(String, i32)> {
    let bundle = lab.bundle(|_| ())?;
    let (id, file) = (lab.id("fds"), lab.scratch("pid"));
    let pid_file = file.to_string_lossy();
    let mut args = vec!["create", "--bundle", bundle.arg(), "--pid-file", &pid_file];
    args.extend(flags);
    args.push(&id);
    lab.call(&args).through_sh(MANY).ok()?;
    let pid = std::fs::read_to_string(&file)?.trim().parse()?;
    Ok((id, pid))
}

fn only_three_after_start(lab: &Lab) -> Outcome {
    let (id, pid) = created(lab, &[])?;
    lab.call(&["start", &id]).ok()?;
    crate::check::eventually(
        "the program runs",
        std::time::Duration::from_secs(5),
        || Ok(probe::proc_file(pid, "comm")?.trim() == "sleep"),
    )?;
    let numbers: Vec<_> = probe::descriptors(pid)?.into_keys().collect();
    same("descriptors", numbers, vec![0, 1, 2])?;
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

fn nothing_waits(lab: &Lab) -> Outcome {
    let (id, pid) = created(lab, &[])?;
    for (number, target) in probe::descriptors(pid)? {
        let callers =
            ["/etc/passwd", "/etc", "/dev", "/etc/group", "/tmp"].contains(&target.as_str());
        ensure!(
            number < 3 || !callers,
            "descriptor {number} of the caller's is open in init: {target}"
        );
    }
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

fn same_streams(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("stat -L -c %i /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2");
    })?;
    let input = lab.file("in", "")?;
    let id = lab.id("fds");
    let said = lab
        .call(&["create", "--bundle", bundle.arg(), &id])
        .stdin(std::fs::File::open(&input)?)
        .ok()?;
    lab.call(&["start", &id]).ok()?;
    crate::check::eventually("three lines", std::time::Duration::from_secs(5), || {
        Ok(std::fs::read_to_string(&said.file)?.lines().count() == 3)
    })?;
    use std::os::unix::fs::MetadataExt;
    let inode =
        |path: &std::path::Path| -> Outcome<String> { Ok(path.metadata()?.ino().to_string()) };
    let want = vec![
        inode(&input)?,
        inode(&said.file)?,
        inode(&said.file.with_extension("err"))?,
    ];
    let found = std::fs::read_to_string(&said.file)?;
    same(
        "inodes",
        found.lines().map(str::to_owned).collect::<Vec<_>>(),
        want,
    )?;
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

fn preserve(lab: &Lab) -> Outcome {
    let (one, two) = (lab.file("one", "one\n")?, lab.file("two", "two\n")?);
    let bundle = lab.bundle(|spec| {
        spec.sh("cat <&3; cat <&4; ls /proc/self/fd | wc -l");
    })?;
    let script = format!(
        "exec 3<'{}' 4<'{}' 5</etc 6</; exec \"$@\"",
        one.display(),
        two.display()
    );
    let said = lab
        .call(&[
            "run",
            "--preserve-fds",
            "2",
            "--bundle",
            bundle.arg(),
            &lab.id("fds"),
        ])
        .through_sh(&script)
        .ok()?;
    // 0–4, and the directory that ls reads.
    same("output", said.out.as_str(), "one\ntwo\n6\n")
}

/// Also not by a descriptor of the runtime's own that has taken the number meanwhile.
fn preserve_missing(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("echo ran");
    })?;
    for (count, open) in [("1", ""), ("5", ""), ("3", "exec 3</etc 4</; ")] {
        let id = lab.id("fds");
        let args = [
            "run",
            "--preserve-fds",
            count,
            "--bundle",
            bundle.arg(),
            &id,
        ];
        let call = lab.call(&args).through_sh(&format!("{open}exec \"$@\""));
        let said = call.refused()?;
        mentions("the refusal", &said.err, &["descriptor", "preserve", "fd"])?;
        same("output", said.out.as_str(), "")?;
    }
    Ok(())
}

fn preserve_none(lab: &Lab) -> Outcome {
    let (id, pid) = created(lab, &["--preserve-fds", "0"])?;
    lab.call(&["start", &id]).ok()?;
    crate::check::eventually(
        "three descriptors",
        std::time::Duration::from_secs(5),
        || Ok(probe::descriptors(pid)?.len() == 3),
    )?;
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

/// High numbers too.
fn no_hidden(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.args(&["ls", "/proc/self/fd"]);
    })?;
    let said = lab
        .call(&["run", "--bundle", bundle.arg(), &lab.id("fds")])
        .through(&[
            "bash",
            "-c",
            "exec 100</etc 255</ 500</tmp 1000</proc; exec \"$@\"",
            "bash",
        ])
        .ok()?;
    same(
        "descriptors",
        said.out.split_whitespace().collect::<Vec<_>>(),
        vec!["0", "1", "2", "3"],
    )
}

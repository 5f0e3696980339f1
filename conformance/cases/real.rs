//! Programs that were not made for containers: this machine's own `/usr` under a throw-away overlay.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::bundle::Bundle;
use crate::case::Case;
use crate::check::{Outcome, contains, ensure, same};
use crate::lab::Lab;

pub(super) const CASES: &[Case] = &[
    Case::new("bash-with-a-network-of-its-own", bash),
    Case::new("an-interpreter-with-its-libraries", interpreter),
    Case::new("what-is-written-stays-in-the-overlay", overlay),
];

/// A bundle that runs `words` on the host's own /usr, with the ordinary set of mounts and namespaces around it.
pub(super) fn bundle_of_the_hosts_usr(lab: &Lab, words: &[&str]) -> Outcome<Bundle> {
    let root = lab.folder("debian")?;
    for name in ["proc", "dev", "sys", "etc", "tmp", "usr"] {
        fs::create_dir(root.join(name))?;
    }
    for name in ["bin", "sbin", "lib", "lib64"] {
        if Path::new("/usr").join(name).exists() {
            symlink(format!("usr/{name}"), root.join(name))?;
        }
    }
    let layers = ["upperdir", "workdir"].map(|word| (word, lab.folder(word)));
    let mut options = vec!["lowerdir=/usr".to_owned()];
    for (word, folder) in layers {
        options.push(format!("{word}={}", folder?.display()));
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let path = root.to_string_lossy().into_owned();
    lab.bundle(|spec| {
        spec.set("/root/path", path.into())
            .mount("/usr", "overlay", "overlay", &options)
            .args(words);
    })
}

fn on_the_hosts_usr(lab: &Lab, words: &[&str]) -> Outcome<String> {
    let said = lab.run_in(&bundle_of_the_hosts_usr(lab, words)?)?;
    ensure!(said.code() == 0, "it failed: {}", said.err);
    Ok(said.out)
}

fn bash(lab: &Lab) -> Outcome {
    let script = "echo \"$BASH_VERSION is process $$\"; while read -r name rest; do echo \"$name\"; done < /proc/net/dev";
    let out = on_the_hosts_usr(lab, &["/bin/bash", "-c", script])?;
    contains("its own words", &out, "is process 1\n")?;
    let devices: Vec<&str> = out.lines().filter(|line| line.ends_with(':')).collect();
    same("network devices", devices.as_slice(), &["lo:"][..])
}

fn interpreter(lab: &Lab) -> Outcome {
    let words = match Path::new("/usr/bin/python3").exists() {
        true => [
            "/usr/bin/python3",
            "-c",
            "import os, json; print(json.dumps([os.getpid(), os.uname().nodename]))",
        ],
        false => [
            "/usr/bin/perl",
            "-e",
            "use POSIX; printf '[%d, \"%s\"]', $$, (POSIX::uname())[1]",
        ],
    };
    let host = lab.look("hostname", |_| ())?;
    let out = on_the_hosts_usr(lab, &words)?;
    same(
        "answer",
        out.trim(),
        format!("[1, \"{}\"]", host.trim()).as_str(),
    )
}

fn overlay(lab: &Lab) -> Outcome {
    let out = on_the_hosts_usr(
        lab,
        &[
            "/bin/bash",
            "-c",
            "echo new > /usr/conformance-was-here; cat /usr/conformance-was-here",
        ],
    )?;
    same("inside", out.trim(), "new")?;
    ensure!(
        !Path::new("/usr/conformance-was-here").exists(),
        "the host's /usr was written"
    );
    Ok(())
}

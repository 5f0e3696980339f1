//! What an image or a program tries once it knows how runtimes work: names that look like answers, files of
//! /proc that are none, terminals that are not its own. SECURITY's rules by their attackers; see
//! `conformance/security.md`.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::Path;

use serde_json::json;

use super::hostile::no_dev;
use super::real::bundle_of_the_hosts_usr;
use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::container::Container;
use crate::lab::{Lab, USER};
use crate::probe;
use crate::pty::pair;

pub(super) const CASES: &[Case] = &[
    Case::new("a-program-named-like-a-zombie", named_like_a_zombie),
    Case::new("a-sysctl-whose-file-is-covered", covered_sysctl),
    Case::new("a-proc-that-is-none", no_proc),
    Case::new("a-hook-that-is-proc-self-exe", hook_self_exe),
    Case::new("no-socket-has-an-abstract-name", no_abstract_socket),
    Case::new("what-is-remembered-is-roots-alone", roots_alone).deviates(&[
        ("runc", "1.1 lets everybody search, in a root that is open"),
        ("crun", "its empty directory for masks is everybody's"),
    ]),
    Case::new("an-id-that-is-a-link", id_link).deviates(&[
        ("runc", "1.1 follows it, and leaves its files there"),
        ("crun", "removes what it leads to"),
    ]),
    Case::new("keys-for-the-callers-terminal", keys).needs(&[Need::Root, Need::Program("perl")]),
    Case::new("a-false-terminal-in-the-image", false_terminal),
    Case::new("more-mappings-than-there-can-be", many_mappings)
        .deviates(&[("crun", "1.28 leaves the cgroup")]),
    Case::new("names-that-leave-the-group", names_of_files)
        .needs(&[Need::Root, Need::CgroupV2])
        .deviates(&[("crun", "ignores rdma")]),
    Case::new("the-hosts-groups-from-a-user-namespace", hosts_groups).needs(&[
        Need::Root,
        Need::CgroupV2,
        Need::UserNs,
    ]),
    Case::new("another-newuidmap-in-path", other_newuidmap).needs(&[
        Need::Root,
        Need::UserNs,
        Need::OrbitalOnly,
    ]),
];

/// Field 3 of /proc/PID/stat comes after a name that the program chooses.
fn named_like_a_zombie(lab: &Lab) -> Outcome {
    let name = "a) Z 1 1 1";
    let bundle = lab.bundle(|spec| {
        spec.args(&[&format!("/bin/{name}")]);
    })?;
    bundle.file(
        &format!("bin/{name}"),
        "#!/bin/sh\necho ready; sleep 99; true\n",
    )?;
    let container = Container::create(lab, &bundle, &lab.id("name"))?;
    container.start()?;
    container.wrote("ready")?;
    same(
        "name",
        probe::proc_file(container.pid, "comm")?.trim(),
        name,
    )?;
    same("status", container.status()?.as_str(), "running")?;
    container.stop()?;
    container.delete()
}

/// CVE-2025-52881: what the runtime is to write into the kernel goes to another file. It is refused, or arrives
/// all the same.
fn covered_sysctl(lab: &Lab) -> Outcome {
    for (name, path) in [
        ("kernel.shm_rmid_forced", "/proc/sys/kernel/shm_rmid_forced"),
        ("net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward"),
    ] {
        let bundle = lab.bundle(|spec| {
            spec.set("/linux/sysctl", json!({name: "1"}))
                .args(&["cat", path]);
        })?;
        let file = lab.file("covers", "untouched\n")?;
        let script = format!("mount --bind '{}' {path} && exec \"$@\"", file.display());
        let id = lab.id("covered");
        let call = lab.call(&["run", "--bundle", bundle.arg(), &id]);
        let said = call
            .through(&["unshare", "-m", "--propagation", "private"])
            .through_sh(&script)
            .say()?;
        let text = fs::read_to_string(&file)?;
        same("what covers it", text.as_str(), "untouched\n")?;
        ensure!(said.code() != 0 || said.out == "1\n", "{name}: {said}");
    }
    Ok(())
}

/// A /proc of ordinary files, as an image or an outer container may show it to the runtime.
fn no_proc(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.set("/linux/sysctl", json!({"net.ipv4.ip_forward": "1"}))
            .set("/process/oomScoreAdj", json!(500))
            .user_namespace(100_000, 65536)
            .args(&["true"]);
    })?;
    let copy = lab.folder("copy")?;
    let script = format!(
        "mount -t tmpfs none /proc && mkdir -p /proc/self/fd /proc/self/ns /proc/1 /proc/sys/net/ipv4 && \
         for f in self/uid_map self/oom_score_adj self/attr 1/uid_map sys/net/ipv4/ip_forward self/mountinfo; do echo untouched > /proc/$f; done; \
         \"$@\"; code=$?; cp -r /proc/self /proc/sys '{}'; exit $code",
        copy.display()
    );
    let id = lab.id("none");
    let call = lab.call(&["run", "--bundle", bundle.arg(), &id]);
    call.through(&["unshare", "-m", "--propagation", "private"])
        .through_sh(&script)
        .refused()?;
    for name in [
        "self/uid_map",
        "self/oom_score_adj",
        "sys/net/ipv4/ip_forward",
    ] {
        same(
            name,
            fs::read_to_string(copy.join(name))?.as_str(),
            "untouched\n",
        )?;
    }
    Ok(())
}

/// CVE-2019-5736 by the one hook that is found in the image.
fn hook_self_exe(lab: &Lab) -> Outcome {
    let before = fs::read(&lab.runtime.path)?;
    for path in ["/proc/self/exe", "/bin/evil", "/bin/script"] {
        let bundle = lab.bundle(|spec| {
            spec.push(
                "/hooks/startContainer",
                json!({"path": path, "args": [path, "--version"]}),
            )
            .sh("for f in /proc/[0-9]*/exe; do echo x >> $f; done 2>/dev/null; true");
        })?;
        bundle.link("bin/evil", "/proc/self/exe")?;
        bundle.file("bin/script", "#!/proc/self/exe\n")?;
        let said = lab.run_in(&bundle)?;
        ensure!(!said.err.contains("panicked"), "{path}: {said}");
    }
    ensure!(
        fs::read(&lab.runtime.path)? == before,
        "the runtime's own file was changed"
    );
    Ok(())
}

/// CVE-2020-15257: a name that is no file is reached from every container in the host's network.
fn no_abstract_socket(lab: &Lab) -> Outcome {
    let container = lab.create(|spec| {
        spec.no_namespace("network").no_mount("/sys");
    })?;
    let table = fs::read_to_string("/proc/net/unix")?;
    for (number, target) in probe::descriptors(container.pid)? {
        let inode = target
            .strip_prefix("socket:[")
            .map(|rest| rest.trim_end_matches(']'));
        let mut lines = table
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        let line = lines.find(|words| words.get(6).copied() == inode && inode.is_some());
        let name = line
            .and_then(|words| words.get(7).copied())
            .unwrap_or_default();
        ensure!(
            !name.starts_with('@'),
            "descriptor {number} is the socket {name}"
        );
    }
    container.end()
}

/// CVE-2021-41103, CVE-2024-25621: also below a root that somebody has made for all to read.
fn roots_alone(lab: &Lab) -> Outcome {
    let root = lab.root();
    fs::create_dir_all(&root)?;
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755))?;
    let container = lab.create(|_| ())?;
    let mut open: Vec<_> = fs::read_dir(&root)?.collect::<Result<_, _>>()?;
    ensure!(!open.is_empty(), "nothing in {}", root.display());
    while let Some(entry) = open.pop() {
        let (path, meta) = (entry.path(), entry.metadata()?);
        let others = meta.permissions().mode() & 0o077;
        ensure!(
            others == 0 || meta.file_type().is_socket(),
            "{} is open to others: {others:03o}",
            path.display()
        );
        // Whoever may not search a directory sees nothing of what is in it.
        if meta.is_dir() && others != 0 {
            open.extend(fs::read_dir(&path)?.collect::<Result<Vec<_>, _>>()?);
        }
    }
    container.end()
}

/// What is in the state directory under an id, but is none of ours, is neither followed nor removed.
fn id_link(lab: &Lab) -> Outcome {
    let id = lab.id("link");
    fs::create_dir_all(lab.root())?;
    let link = lab.root().join(&id);
    symlink(lab.canary(), &link)?;
    let bundle = lab.bundle(|_| ())?;
    lab.call(&["create", "--bundle", bundle.arg(), &id])
        .refused()?;
    for verb in ["state", "start", "kill", "ps", "pause"] {
        lab.call(&[verb, &id]).refused()?;
    }
    lab.call(&["delete", "--force", &id]).say()?;
    ensure!(
        lab.canary().join("song").exists(),
        "what the link leads to was removed"
    );
    // It goes with the case, which looks whether state was left.
    match fs::remove_file(&link) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// CVE-2017-5226: a program with the caller's terminal for its input pushes keys into it, for the caller's
/// shell to read; and makes it its own.
fn keys(lab: &Lab) -> Outcome {
    let script = r#"$| = 1; my $key = "x";
        print ioctl(STDIN, 0x540E, 0) ? "took it\n" : "not taken\n";
        print ioctl(STDIN, 0x5412, $key) ? "pushed\n" : "not pushed\n";
        print open(my $tty, "+<", "/dev/tty") ? "has one\n" : "has none\n";"#;
    let bundle = bundle_of_the_hosts_usr(lab, &["/usr/bin/perl", "-e", script])?;
    let (screen, terminal) = pair()?;
    let said = lab
        .call(&["run", "--bundle", bundle.arg(), &lab.id("keys")])
        .through(&["setsid", "--ctty", "--wait"])
        .stdin(terminal)
        .say()?;
    same(
        "what it could do",
        said.out.as_str(),
        "not taken\nnot pushed\nhas none\n",
    )?;
    ensure!(
        !screen.text().contains('x'),
        "keys arrived: {:?}",
        screen.text()
    );
    Ok(())
}

/// What makes a file of some kind at this path.
type Make<'a> = dyn Fn(&Path) -> Outcome + 'a;

/// CVE-2026-41579: what stands for the multiplexer in the image is no terminal of anybody's.
fn false_terminal(lab: &Lab) -> Outcome {
    let make: [(&str, &Make<'_>); 4] = [
        ("a file", &|path| Ok(fs::write(path, "")?)),
        ("a fifo", &|path| {
            let mode = nix::sys::stat::Mode::from_bits_truncate(0o666);
            Ok(nix::unistd::mkfifo(path, mode)?)
        }),
        ("another device", &|path| {
            lab.host(&["mknod", &path.to_string_lossy(), "c", "1", "3"])
                .map(drop)
        }),
        ("a link", &|path| {
            Ok(symlink(lab.canary().join("song"), path)?)
        }),
    ];
    for (what, make) in make {
        let bundle = lab.bundle(|spec| {
            no_dev(spec);
            spec.no_mount("/dev/pts")
                .set("/process/terminal", json!(true))
                .args(&["true"]);
        })?;
        fs::create_dir_all(bundle.rootfs().join("dev/pts"))?;
        make(&bundle.rootfs().join("dev/pts/ptmx"))?;
        let id = lab.id("pts");
        let said = lab
            .call(&["run", "--bundle", bundle.arg(), &id])
            .through(&["timeout", "-s", "KILL", "10"])
            .say()?;
        ensure!(
            said.code() != 0 && said.code() != 137 && !said.err.contains("panicked"),
            "{what}: {said}"
        );
        lab.call(&["delete", "--force", &id]).ok()?;
    }
    Ok(())
}

/// CVE-2021-43784: a list whose bytes do not fit into a message of 16 bits, and one that the kernel takes.
fn many_mappings(lab: &Lab) -> Outcome {
    let mappings = |count: u32| -> serde_json::Value {
        let one =
            |number| json!({"containerID": number * 2, "hostID": 100_000 + number * 2, "size": 1});
        (0..count).map(one).collect()
    };
    let edit = |spec: &mut crate::spec::Spec, count| {
        spec.user_namespace(100_000, 1)
            .no_mount("/dev/pts")
            .set("/linux/uidMappings", mappings(count))
            .set("/linux/gidMappings", mappings(count))
            .sh("wc -l < /proc/self/uid_map");
    };
    same(
        "lines",
        lab.look("wc -l < /proc/self/uid_map", |spec| edit(spec, 200))?
            .trim(),
        "200",
    )?;
    let said = lab.refuse(|spec| edit(spec, 5000))?;
    mentions("the refusal", &said.err, &["map", "larger", "too long"])
}

/// GHSA-5g49: parts of file names in config.json are names, and no ways to other files.
fn names_of_files(lab: &Lab) -> Outcome {
    let odd = [
        json!({"hugepageLimits": [{"pageSize": "2MB/../../cgroup", "limit": 1}]}),
        json!({"hugepageLimits": [{"pageSize": "../2MB", "limit": 1}]}),
        json!({"unified": {"../cgroup.procs": "1"}}),
        json!({"unified": {"memory.max/../../cgroup.kill": "1"}}),
        json!({"rdma": {"mlx4_0 hca_handle=1\nx/../y": {"hcaHandles": 1}}}),
    ];
    for resources in odd {
        lab.refuse(|spec| {
            spec.set("/linux/resources", resources.clone());
        })
        .map_err(|error| format!("{resources}: {error}"))?;
    }
    Ok(())
}

/// CVE-2023-25809: the host's hierarchy, asked for without a cgroup namespace to hide it.
fn hosts_groups(lab: &Lab) -> Outcome {
    let script = "for f in $(find /sys/fs/cgroup -maxdepth 2 -name cgroup.max.depth); do echo 5 > $f && echo wrote $f; done; mkdir /sys/fs/cgroup/made && echo made";
    let bundle = lab.bundle(|spec| {
        spec.user_namespace(100_000, 65536)
            .no_namespace("cgroup")
            .no_mount("/sys/fs/cgroup")
            .mount("/sys/fs/cgroup", "cgroup", "cgroup", &["nosuid", "rw"])
            .sh(script);
    })?;
    let said = lab.run_in(&bundle)?;
    same("what it could do", said.out.as_str(), "")?;
    contains(
        "what the kernel said",
        &said.err.to_lowercase(),
        "read-only",
    )
}

/// The helpers that may write a user's maps are the system's, whatever PATH says.
fn other_newuidmap(lab: &Lab) -> Outcome {
    let (folder, mark) = (lab.folder("path")?, lab.scratch("mark"));
    for name in ["newuidmap", "newgidmap"] {
        let program = folder.join(name);
        fs::write(
            &program,
            format!("#!/bin/sh\necho $0 >> {}\nexit 1\n", mark.display()),
        )?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
    let bundle = lab.user_bundle(|spec| {
        let more = json!([{"containerID": 0, "hostID": USER, "size": 1}, {"containerID": 1, "hostID": 100_000, "size": 1000}]);
        spec.set("/linux/uidMappings", more.clone())
            .set("/linux/gidMappings", more)
            .args(&["true"]);
    })?;
    let path = format!("{}:/usr/bin:/bin", folder.display());
    let call = lab.user_call(&["run", "--bundle", bundle.arg(), &lab.id("maps")])?;
    let home = lab.home(USER);
    call.env(&[
        ("PATH", &path),
        ("XDG_RUNTIME_DIR", &home.to_string_lossy()),
    ])
    .say()?;
    ensure!(
        !mark.exists(),
        "a program of PATH was called: {:?}",
        fs::read_to_string(&mark)
    );
    Ok(())
}

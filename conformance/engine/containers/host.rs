//! A host of the test's own: a network namespace with an uplink to another one, "outside", and mounts of its own.

use super::ground::Ground;
use super::lab::{Ran, program};
use nix::sched::{CloneFlags, unshare};
use std::os::unix::fs::{PermissionsExt as _, chown, lchown};
use std::path::Path;
use std::process::Command;

/// The host's address, and that of who is outside.
pub(crate) const HOST: &str = "192.0.2.1";
pub(crate) const OUTSIDE: &str = "192.0.2.9";

/// Somebody with a range of ids: the host's files that say so are the test's.
const WALKER: u32 = 54_322;

/// Who uses the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Root,
    User,
}

/// Runs a test on a host of its own; it says why not where there can be none.
pub(crate) fn on_a_host(test: impl FnOnce(&Ground) + Send) {
    let Some(ground) = Ground::new() else { return };
    if Command::new("ip").arg("-V").output().is_err() {
        return println!("skipped: there is no ip");
    }
    let run = || {
        unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).unwrap();
        shell(&format!(
            "mount --make-rprivate /
            mkdir -p /run/netns
            mount -t tmpfs none /run/netns
            ip netns add outside
            ip link set lo up
            echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
            ip link add up0 index 20 type veth peer name eth0 netns outside
            ip addr add {HOST}/24 dev up0
            ip link set up0 up
            ip -n outside addr add {OUTSIDE}/24 dev eth0
            ip -n outside link set eth0 up
            ip -n outside link set lo up
            ip route add default via {OUTSIDE}"
        ));
        test(&ground);
    };
    // The namespaces are a thread's, and go with it.
    if let Err(panic) = std::thread::scope(|scope| scope.spawn(run).join()) {
        std::panic::resume_unwind(panic);
    }
}

/// Lines of a shell, which must succeed; what they print.
#[track_caller]
pub(crate) fn shell(lines: &str) -> String {
    let output = Command::new("sh").args(["-ec", lines]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{lines}: {error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A PATH on which there is no program to carry packets but this one; none where the host has it not.
pub(crate) fn path_with(ground: &Ground, carrier: &str) -> Option<String> {
    if shell(&format!("command -v {carrier} || true")).is_empty() {
        return None;
    }
    let folder = ground.lab.path().join("programs").display().to_string();
    shell(&format!(
        "mkdir {folder}
        for one in setpriv newuidmap newgidmap stat {carrier}; do ln -s $(command -v $one) {folder}/$one; done"
    ));
    Some(folder)
}

/// What a web server answers, called from the host or from outside.
pub(crate) fn page(words: &[&str], url: &str) -> Option<String> {
    let client = ["busybox", "timeout", "5", "busybox", "wget", "-qO-", url];
    let words: Vec<&str> = words.iter().copied().chain(client).collect();
    let output = Command::new(words[0]).args(&words[1..]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.trim_end().to_owned())
}

/// What the host's network consists of: devices, addresses, tables of nftables, what is listened at.
pub(crate) fn network() -> String {
    shell(
        "ip -o link show | cut -d: -f2; ip -o -4 addr show; ip netns list
         if command -v nft >/dev/null; then nft list tables; fi
         cat /proc/thread-self/net/tcp /proc/thread-self/net/tcp6 | awk '$4 == \"0A\" { print $2 }'",
    )
}

/// Who calls the engine on this ground, with variables beside the usual ones.
pub(crate) struct Caller<'g> {
    pub(crate) ground: &'g Ground,
    pub(crate) who: Who,
    pub(crate) more: Vec<(&'g str, &'g str)>,
}

impl Caller<'_> {
    /// The engine with these words, run.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        self.who.engine(self.ground, &self.more, words)
    }

    /// The same, which must succeed: what it prints.
    #[track_caller]
    pub(crate) fn good(&self, words: &[&str]) -> String {
        let ran = self.run(words);
        assert_eq!(ran.status, 0, "{words:?}: {}{}", ran.out, ran.err);
        ran.out.trim_end().to_owned()
    }
}

impl Who {
    /// Prepares the host for this one: programs that they may run, files of their own, ids, the device that udev opens.
    pub(crate) fn settle(self, ground: &Ground) {
        if self == Who::Root {
            return;
        }
        let place = ground.lab.path();
        for (from, name) in [
            (program(), "orbital-engine"),
            (program().with_file_name("orbital"), "orbital"),
        ] {
            std::fs::copy(from, place.join(name)).unwrap();
        }
        std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o755)).unwrap();
        for entry in std::fs::read_dir(place).unwrap().flatten() {
            lchown(entry.path(), Some(WALKER), Some(WALKER)).unwrap();
        }
        chown(place, Some(WALKER), Some(WALKER)).unwrap();
        // In this mount namespace alone. newuidmap(1) wants the user to have a name.
        shell(&format!(
            "mknod -m 666 /run/netns/tun c 10 200
            chmod 666 /run/netns/tun
            mount --bind /run/netns/tun /dev/net/tun
            (cat /etc/passwd; echo walker:x:{WALKER}:{WALKER}::{0}:/bin/sh) > /run/netns/passwd
            echo walker:300000:65536 > /run/netns/subuid
            cp /run/netns/subuid /run/netns/subgid
            touch /etc/subuid /etc/subgid
            for file in passwd subuid subgid; do mount --bind /run/netns/$file /etc/$file; done",
            place.display()
        ));
    }

    /// Whether this one can have containers here at all; says why not.
    pub(crate) fn may(self) -> bool {
        let lacks = |program: &str| Command::new(program).arg("--help").output().is_err();
        let missing = ["setpriv", "newuidmap", "newgidmap"]
            .into_iter()
            .find(|program| self == Who::User && lacks(program));
        if let Some(missing) = missing {
            println!("skipped: there is no {missing}");
        }
        missing.is_none()
    }

    /// The engine, with variables beside the usual ones, to be run with these words.
    pub(crate) fn command(self, ground: &Ground, more: &[(&str, &str)], words: &[&str]) -> Command {
        let place = ground.lab.path();
        let mut command = match self {
            Who::Root => ground.lab.command(),
            Who::User => {
                let mut command = Command::new("setpriv");
                let id = WALKER.to_string();
                command
                    .args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"])
                    .arg(place.join("orbital-engine"))
                    .env_clear()
                    .env("PATH", std::env::var_os("PATH").unwrap())
                    .env("HOME", place)
                    .env("XDG_RUNTIME_DIR", place.join("run"))
                    .env("CONTAINERS_REGISTRIES_CONF", "/nonexistent")
                    .current_dir(place);
                command
            }
        };
        command.envs(more.iter().copied()).args(words);
        command
    }

    /// The same, run.
    pub(crate) fn engine(self, ground: &Ground, more: &[(&str, &str)], words: &[&str]) -> Ran {
        let output = self.command(ground, more, words).output().unwrap();
        Ran {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Processes and files of this one's containers.
    pub(crate) fn left(self, ground: &Ground) -> Vec<String> {
        let mut left = Vec::new();
        let user = WALKER.to_string();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let told = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
            let owner = told.lines().find_map(|line| line.strip_prefix("Uid:\t"));
            let first = owner.and_then(|owner| owner.split('\t').next());
            if self == Who::User && first == Some(user.as_str()) {
                left.push(told.lines().next().unwrap_or_default().to_owned());
            }
        }
        let (store, state) = match self {
            Who::Root => ("store", "state"),
            Who::User => (".local/share/orbital", "run/orbital-engine"),
        };
        for folder in [
            format!("{store}/containers"),
            format!("{state}/containers"),
            format!("{state}/runtime"),
            format!("{state}/network"),
        ] {
            left.extend(files(&ground.lab.path().join(folder)));
        }
        left
    }
}

/// What lies in a folder but for its locks and books.
fn files(folder: &Path) -> Vec<String> {
    let listed = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let all = listed.map(|entry| entry.path().display().to_string());
    all.filter(|path| !path.ends_with("/lock") && !path.ends_with(".json"))
        .collect()
}

//! Programs of the engine killed at random moments, and what is left then: nothing that rm, prune and reload leave.

use super::ground::Ground;
use super::host::{Caller, Who, network, on_a_host, path_with};
use super::image::{Layer, image};
use super::life::until;
use super::registry::Registry;
use super::walk::web;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// How often each of them is killed.
const ROUNDS: u32 = 10;

/// Numbers that nobody expects, and that a failure names: xorshift64.
struct Dice(u64);

impl Dice {
    fn new() -> Dice {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let seed = now.unwrap().subsec_nanos() | 1;
        println!("seed {seed}");
        Dice(seed.into())
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        most.mul_f64((self.0 >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

/// Every program of the engine that belongs to this lab, front, monitor and servers, is killed.
fn kill_all(ground: &Ground) {
    let place = ground.lab.path().display().to_string();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).into_owned();
        let program = words.split('\0').next().unwrap_or_default();
        if words.contains(&place) && program.ends_with("orbital-engine") {
            let pid = entry.file_name().to_string_lossy().parse().unwrap();
            // It may have ended meanwhile.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

impl Caller<'_> {
    /// Begins the command, and kills all that belongs to it after a while.
    fn killed(&self, words: &[&str], after: Duration) {
        let mut command = self.who.command(self.ground, &self.more, words);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child: Child = command.spawn().unwrap();
        std::thread::sleep(after);
        kill_all(self.ground);
        child.wait().unwrap();
    }

    /// What a user would do after a crash.
    fn tidy(&self) {
        let listed = self.run(&["ps", "-aq"]);
        assert_eq!(listed.status, 0, "{listed:?}");
        for id in listed.out.lines() {
            self.good(&["rm", "-f", id]);
        }
        self.good(&["system", "prune"]);
        if self.who == Who::Root {
            self.good(&["network", "reload"]);
        }
    }

    #[track_caller]
    fn nothing(&self, before: &str, how: &str) {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let left = self.who.left(self.ground);
            let now = network();
            if left.is_empty() && now == before {
                return self.ground.nothing_is_left();
            }
            assert!(
                Instant::now() < end,
                "{how}: {left:#?}\nnetwork, before:\n{before}\nnow:\n{now}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The first `run` makes what stays: an image, a book, for root a table of nftables. The test gets the image's name,
    /// and the network before.
    fn with_web(&self, test: impl FnOnce(&str, &str)) {
        self.who.settle(self.ground);
        let registry = Registry::new();
        registry.push("web", "1", &web());
        let name = registry.name("web:1");
        self.good(&["run", "--rm", "-p", "8080:80", &name, "echo", "x"]);
        until(|| self.who.left(self.ground).is_empty());
        let before = network();
        test(&name, &before);
    }

    fn crash_run(&self) {
        let mut dice = Dice::new();
        self.with_web(|name, before| {
            let began = Instant::now();
            let words = ["run", "-d", "-p", "8080:80", name];
            self.good(&words);
            let usual = began.elapsed();
            self.tidy();
            self.nothing(before, "without a crash");
            for _ in 0..ROUNDS {
                let after = dice.up_to(usual);
                self.killed(&words, after);
                self.tidy();
                self.nothing(before, &format!("killed after {after:?} of {usual:?}"));
            }
            // And it can be had as before.
            self.good(&words);
            self.tidy();
        });
    }

    fn crash_rm(&self) {
        let mut dice = Dice::new();
        self.with_web(|name, before| {
            for _ in 0..ROUNDS {
                self.good(&["run", "-d", "--name", "web", "-p", "8080:80", name]);
                let after = dice.up_to(Duration::from_millis(250));
                self.killed(&["rm", "-f", "web"], after);
                self.tidy();
                self.nothing(before, &format!("killed after {after:?}"));
            }
        });
    }
}

fn by_root(ground: &Ground) -> Caller<'_> {
    Caller {
        ground,
        who: Who::Root,
        more: Vec::new(),
    }
}

/// With pasta, and where there is none with slirp4netns.
fn by_a_user(test: fn(&Caller<'_>)) {
    if !Who::User.may() {
        return;
    }
    for carrier in ["pasta", "slirp4netns"] {
        on_a_host(|ground| {
            let Some(path) = path_with(ground, carrier) else {
                return println!("skipped: there is no {carrier}");
            };
            test(&Caller {
                ground,
                who: Who::User,
                more: vec![("PATH", &path)],
            });
        });
    }
}

#[test]
fn a_killed_run_leaves_nothing() {
    on_a_host(|ground| by_root(ground).crash_run());
}

#[test]
fn a_killed_rm_leaves_nothing() {
    on_a_host(|ground| by_root(ground).crash_rm());
}

#[test]
fn a_user_s_killed_run_leaves_nothing() {
    by_a_user(|user| user.crash_run());
}

#[test]
fn a_user_s_killed_rm_leaves_nothing() {
    by_a_user(|user| user.crash_rm());
}

#[test]
fn a_killed_pull_leaves_nothing_and_can_be_done_again() {
    let mut dice = Dice::new();
    on_a_host(|ground| {
        let root = by_root(ground);
        let registry = Registry::new();
        let noise: Vec<u8> = (0_u64..3 << 20)
            .map(|at| at.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes()[3])
            .collect();
        let layer = |name: &str| {
            let tar = super::archive::Tar::default().file(name, &noise);
            Layer::gzip(&tar.end())
        };
        registry.push("large", "1", &image(["a", "b", "c"].map(layer).to_vec()));
        let name = registry.name("large:1");
        let began = Instant::now();
        root.good(&["pull", "-q", &name]);
        let usual = began.elapsed();
        let empty = || {
            let all = ["layers", "blobs/sha256"].map(|folder| ground.lab.listed(folder));
            all.concat()
        };
        for _ in 0..ROUNDS {
            root.good(&["rmi", "-f", &name]);
            assert_eq!(empty(), [""; 0]);
            let after = dice.up_to(usual);
            root.killed(&["pull", "-q", &name], after);
            // It may have been done by then.
            root.run(&["rmi", &name]);
            root.good(&["system", "prune"]);
            assert_eq!(empty(), [""; 0], "killed after {after:?} of {usual:?}");
            root.good(&["pull", "-q", &name]);
            let layers = ground.lab.layers(&name);
            assert_eq!(std::fs::read(layers[2].join("c")).unwrap(), noise);
        }
    });
}

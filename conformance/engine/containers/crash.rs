//! Programs of the engine killed at random moments, and what is left then: nothing that rm, prune and reload leave.

use super::ground::Ground;
use super::host::{Who, network, on_a_host};
use super::image::{Layer, image};
use super::lab::Ran;
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

/// Begins the command, and kills all that belongs to it after a while.
fn killed(ground: &Ground, words: &[&str], after: Duration) {
    let mut command = ground.lab.command();
    command
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child: Child = command.spawn().unwrap();
    std::thread::sleep(after);
    kill_all(ground);
    child.wait().unwrap();
}

fn root(ground: &Ground, words: &[&str]) -> Ran {
    Who::Root.engine(ground, &[], words)
}

/// What a user would do after a crash.
fn tidy(ground: &Ground) {
    let listed = root(ground, &["ps", "-aq"]);
    assert_eq!(listed.status, 0, "{listed:?}");
    for id in listed.out.lines() {
        let removed = root(ground, &["rm", "-f", id]);
        assert_eq!(removed.status, 0, "{removed:?}");
    }
    for words in [&["system", "prune"][..], &["network", "reload"]] {
        let ran = root(ground, words);
        assert_eq!(ran.status, 0, "{words:?}: {ran:?}");
    }
}

#[track_caller]
fn nothing(ground: &Ground, before: &str, how: &str) {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let left = Who::Root.left(ground);
        let now = network();
        if left.is_empty() && now == before {
            return ground.nothing_is_left();
        }
        assert!(
            Instant::now() < end,
            "{how}: {left:#?}\nnetwork, before:\n{before}\nnow:\n{now}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The first `run` makes what stays, a table of nftables and a book.
fn with_web(test: impl FnOnce(&Ground, &str, &str) + Send) {
    on_a_host(|ground| {
        let registry = Registry::new();
        registry.push("web", "1", &web());
        let name = registry.name("web:1");
        let first = root(
            ground,
            &["run", "--rm", "-p", "8080:80", &name, "echo", "x"],
        );
        assert_eq!(first.status, 0, "{first:?}");
        until(|| Who::Root.left(ground).is_empty());
        let before = network();
        test(ground, &name, &before);
    });
}

#[test]
fn a_killed_run_leaves_nothing() {
    let mut dice = Dice::new();
    with_web(|ground, name, before| {
        let began = Instant::now();
        let words = ["run", "-d", "-p", "8080:80", name];
        assert_eq!(root(ground, &words).status, 0);
        let usual = began.elapsed();
        tidy(ground);
        nothing(ground, before, "without a crash");
        for _ in 0..ROUNDS {
            let after = dice.up_to(usual);
            killed(ground, &words, after);
            tidy(ground);
            nothing(
                ground,
                before,
                &format!("killed after {after:?} of {usual:?}"),
            );
        }
        // And it can be had as before.
        assert_eq!(root(ground, &words).status, 0);
        tidy(ground);
    });
}

#[test]
fn a_killed_rm_leaves_nothing() {
    let mut dice = Dice::new();
    with_web(|ground, name, before| {
        for _ in 0..ROUNDS {
            let words = ["run", "-d", "--name", "web", "-p", "8080:80", name];
            assert_eq!(root(ground, &words).status, 0);
            let after = dice.up_to(Duration::from_millis(250));
            killed(ground, &["rm", "-f", "web"], after);
            tidy(ground);
            nothing(ground, before, &format!("killed after {after:?}"));
        }
    });
}

#[test]
fn a_killed_pull_leaves_nothing_and_can_be_done_again() {
    let mut dice = Dice::new();
    on_a_host(|ground| {
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
        assert_eq!(root(ground, &["pull", "-q", &name]).status, 0);
        let usual = began.elapsed();
        let empty = || {
            let all = ["layers", "blobs/sha256"].map(|folder| ground.lab.listed(folder));
            all.concat()
        };
        for _ in 0..ROUNDS {
            assert_eq!(root(ground, &["rmi", "-f", &name]).status, 0);
            assert_eq!(empty(), [""; 0]);
            let after = dice.up_to(usual);
            killed(ground, &["pull", "-q", &name], after);
            // It may have been done by then.
            root(ground, &["rmi", &name]);
            assert_eq!(root(ground, &["system", "prune"]).status, 0);
            assert_eq!(empty(), [""; 0], "killed after {after:?} of {usual:?}");
            assert_eq!(root(ground, &["pull", "-q", &name]).status, 0);
            let layers = ground.lab.layers(&name);
            assert_eq!(std::fs::read(layers[2].join("c")).unwrap(), noise);
        }
    });
}

use super::{Host, Meaning, meaning, strict};
use Meaning::{Engine, Runtime};
use std::cell::Cell;
use std::ffi::{OsStr, OsString};

/// A host with a container c1, and maybe a bundle in the caller's folder.
struct Case {
    bundle: bool,
    asked: Cell<u32>,
}

impl Host for Case {
    fn has_bundle_here(&self) -> bool {
        self.asked.set(self.asked.get() + 1);
        self.bundle
    }

    fn has_container(&self, id: &OsStr) -> bool {
        self.asked.set(self.asked.get() + 1);
        id == "c1"
    }
}

fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

/// Whose a line is without a bundle here, and with one.
#[track_caller]
fn both(line: &str, without: Meaning, with: Meaning) {
    for (bundle, expected) in [(false, without), (true, with)] {
        let case = Case {
            bundle,
            asked: Cell::new(0),
        };
        assert_eq!(
            meaning(&words(line), &case),
            expected,
            "{line} (bundle here: {bundle})"
        );
    }
}

#[track_caller]
fn always(line: &str, expected: Meaning) {
    both(line, expected, expected);
}

const COLLIDING: [&str; 7] = ["run", "exec", "ps", "kill", "start", "pause", "update"];

#[test]
fn a_runtimes_name_is_a_runtimes_alone() {
    for name in [
        "runc",
        "crun",
        "orbital-runtime",
        "/usr/sbin/runc",
        "./crun",
    ] {
        for verb in COLLIDING {
            always(&format!("{name} {verb} x"), Runtime);
        }
        always(&format!("{name} pull alpine"), Runtime);
        always(&format!("{name} images"), Runtime);
    }
}

#[test]
fn oci_before_the_verb_takes_the_rest_as_it_is() {
    let line = words("orbital oci run alpine sh");
    assert_eq!(strict(&line), line.get(2..));
    assert_eq!(strict(&words("orbital run oci")), None);
    assert_eq!(strict(&words("orbital")), None);
}

#[test]
fn a_runtimes_global_flag_decides() {
    let globals = [
        "--root /r",
        "--root=/r",
        "-root /r",
        "--log /l",
        "--log-format json",
        "--systemd-cgroup",
        "--rootless=auto",
        "--cgroup-manager disabled",
        "--criu x",
        "--debug --root /r",
    ];
    for global in globals {
        for verb in COLLIDING {
            always(&format!("orbital {global} {verb} x"), Runtime);
        }
        always(&format!("orbital {global} pull alpine"), Runtime);
    }
    always("orbital --version", Runtime);
    always("orbital -v", Runtime);
    always("orbital --help", Runtime);
    always("orbital --no-such-flag pull x", Runtime);
    always("orbital", Runtime);
}

#[test]
fn debug_is_of_both() {
    always("orbital --debug pull alpine", Engine);
    always("orbital --debug create c", Runtime);
    always("orbital --debug kill c1", Runtime);
    always("orbital --debug kill web", Engine);
}

#[test]
fn an_engines_global_flag_decides() {
    for verb in COLLIDING.iter().chain(&["pull", "create"]) {
        always(&format!("orbital --store /s {verb} c1"), Engine);
        always(&format!("orbital --state=/s {verb} c1"), Engine);
    }
}

#[test]
fn verbs_of_one_side_go_there_and_ask_nothing() {
    let runtimes = [
        "create",
        "state",
        "delete",
        "list",
        "spec",
        "features",
        "events",
        "plan",
        "resume",
        "checkpoint",
        "restore",
        "help",
    ];
    for verb in runtimes {
        let case = Case {
            bundle: true,
            asked: Cell::new(0),
        };
        let line = format!("orbital {verb} web --force -x y");
        assert_eq!(meaning(&words(&line), &case), Runtime, "{line}");
        assert_eq!(case.asked.get(), 0, "{line}");
    }
    for verb in [
        "pull", "images", "rmi", "inspect", "login", "logs", "stop", "rm", "network", "nonsense",
    ] {
        always(&format!("orbital {verb} x"), Engine);
    }
}

#[test]
fn a_runtimes_flag_after_the_verb_decides() {
    let flags = [
        "--bundle /b",
        "-b /b",
        "--bundle=/b",
        "-bundle /b",
        "--console-socket /s",
        "--pid-file /p",
        "--preserve-fds 1",
        "--no-pivot",
        "--no-new-keyring",
        "--process /p",
        "--pidfd-socket /s",
    ];
    for flag in flags {
        for verb in COLLIDING {
            always(&format!("orbital {verb} {flag} x"), Runtime);
            always(&format!("orbital {verb} -d {flag} x"), Runtime);
        }
    }
    always("orbital run web --bundle /b", Runtime);
    always("orbital run --keep web", Runtime);
}

#[test]
fn p_publishes_in_run_and_is_a_file_in_exec() {
    always("orbital run -p 8080:80 nginx", Engine);
    always("orbital exec -p process.json web", Runtime);
    always("orbital update -r limits.json web", Runtime);
}

#[test]
fn run_of_one_word_is_runcs_only_beside_a_bundle() {
    both("orbital run web", Engine, Runtime);
    both("orbital run -d web", Engine, Runtime);
    both("orbital run --detach web", Engine, Runtime);
    both("orbital run -- web", Engine, Engine);
    always("orbital run alpine sh", Engine);
    always("orbital run --rm alpine", Engine);
    always("orbital run -it alpine", Engine);
    always("orbital run ./my-rootfs /bin/sh", Engine);
    always("orbital run alpine ls --bundle x", Engine);
    always("orbital run", Engine);
    always("orbital run --help", Runtime);
    always("orbital start -h", Runtime);
    always("orbital run -h box alpine", Engine);
}

#[test]
fn a_container_of_the_runtimes_comes_first() {
    for verb in ["exec", "kill", "start", "pause", "update"] {
        always(&format!("orbital {verb} c1"), Runtime);
        always(&format!("orbital {verb} c1 more words"), Runtime);
        always(&format!("orbital {verb} --flag value c1"), Runtime);
        always(&format!("orbital {verb} web"), Engine);
        always(&format!("orbital {verb} --flag value web"), Engine);
        // What follows an engine's container is another program's.
        always(&format!("orbital {verb} web c1"), Engine);
        always(&format!("orbital {verb}"), Engine);
    }
}

#[test]
fn ps_without_an_id_is_the_engines_list() {
    always("orbital ps", Engine);
    always("orbital ps -a", Engine);
    always("orbital ps --format json", Engine);
    always("orbital ps c1", Runtime);
    always("orbital ps c1 -o pid", Runtime);
    always("orbital ps --format json c1", Runtime);
    always("orbital ps web", Runtime);
}

#[test]
fn every_verb_of_the_runtimes_stays_its_own_or_is_told_apart() {
    for verb in crate::cli::args::names() {
        if !COLLIDING.contains(&verb.name) {
            always(&format!("orbital {} web", verb.name), Runtime);
        }
    }
}

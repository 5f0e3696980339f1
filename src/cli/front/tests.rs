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

/// Which of the four rules decides a line of `run`, and for whom: written from the rules alone, not from the code.
///
/// 1. A runtime's name, or `oci` before the verb. 2. A runtime's global flag, or a flag that only a runtime's caller
///    gives. 3. One word, no flag of the engine's, and `./config.json`. 4. Otherwise the engine.
fn by_the_rules(parts: &[&str; 6], bundle: bool) -> (u8, Meaning) {
    let [name, global, before, _, after, command] = parts;
    if *name != "orbital" {
        return (1, Runtime);
    }
    if global.contains("root") || global.contains("log") || global.contains("systemd") {
        return (2, Runtime);
    }
    if global.contains("store") {
        return (4, Engine);
    }
    let runtimes = ["--bundle /b", "-b /b", "--no-pivot"];
    if runtimes.contains(before) {
        return (2, Runtime);
    }
    let engines_before = !["", "-d", "--detach"].contains(before);
    if runtimes.contains(after) && !engines_before {
        return (2, Runtime);
    }
    let engines_after = !["", "-d"].contains(after);
    let one_word = command.is_empty() && !engines_before && !engines_after;
    match one_word && bundle {
        true => (3, Runtime),
        false => (4, Engine),
    }
}

/// Program, global flag, flag before the word, the word, what follows it, the command.
const LISTS: [&[&str]; 6] = [
    &["orbital", "runc", "/usr/bin/crun", "orbital-runtime"],
    &[
        "",
        "--debug",
        "--root /r",
        "--log=/l",
        "--systemd-cgroup",
        "--store /s",
    ],
    &[
        "",
        "-d",
        "--detach",
        "--rm",
        "-it",
        "-p80:80",
        "--name=n",
        "--bundle /b",
        "-b /b",
        "--no-pivot",
    ],
    &[
        "web",
        "c1",
        "alpine",
        "./dir",
        "/srv/root",
        "oci:dir",
        "localhost:5000/a/b:1",
    ],
    &["", "-d", "--bundle /b", "-x"],
    &["", "sh", "sh -c true"],
];

#[test]
fn run_of_an_id_or_an_image_in_every_combination() {
    let mut all = vec![[""; 6]];
    for (index, list) in LISTS.iter().enumerate() {
        let longer = |parts: &[&'static str; 6]| {
            let parts = *parts;
            list.iter().map(move |word| {
                let mut parts = parts;
                parts[index] = word;
                parts
            })
        };
        all = all.iter().flat_map(longer).collect();
    }
    assert_eq!(all.len(), 4 * 6 * 10 * 7 * 4 * 3);
    let mut decided = [0; 5];
    for (parts, bundle) in all.iter().flat_map(|parts| [(parts, false), (parts, true)]) {
        let [name, global, before, word, after, command] = parts;
        let line = format!("{name} {global} run {before} {word} {after} {command}");
        let case = Case {
            bundle,
            asked: Cell::new(0),
        };
        let (rule, expected) = by_the_rules(parts, bundle);
        let found = meaning(&words(&line), &case);
        assert_eq!(
            found, expected,
            "{line} (bundle here: {bundle}, rule {rule})"
        );
        decided[usize::from(rule)] += 1;
    }
    assert!(decided[1..].iter().all(|count| *count > 0), "{decided:?}");
}

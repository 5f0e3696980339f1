//! What is read without clap is what clap reads.

use super::parse;
use crate::cli::request::by_clap;
use proptest::prelude::*;
use std::ffi::OsString;

fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

#[test]
fn what_callers_send_all_day_is_read_here() {
    for line in [
        "--root /r --log /l --log-format json create --bundle /b --pid-file /p c",
        "--root=/r --systemd-cgroup create -b /b --no-pivot --preserve-fds 3 c",
        "--rootless=auto run -d --bundle=/b c",
        "run --detach -keep c",
        "start c",
        "--root /r state c",
        "--cgroup-manager cgroupfs kill --all c 9",
        "kill c",
        "delete --force c",
        "--root /r --log /l --log-format json exec --pid-file /p --process /q --detach c",
        "exec -t -u 1:2 -e A=1 -e B=2 --cwd / c sh -c true",
    ] {
        let found = parse(&words(line));
        assert!(found.is_some(), "{line}");
    }
}

#[test]
fn what_is_unusual_or_wrong_is_left_to_clap() {
    for line in [
        "",
        "--version",
        "help state",
        "state",
        "state a b",
        "state --help",
        "state -- a",
        "kill c NOSUCH",
        "create --preserve-fds -1 c",
        "create --bundle",
        "--log-format yaml state c",
        "delete --force=true c",
        "exec c",
        "exec -it c sh",
        "exec --user root c sh",
        "list",
    ] {
        assert!(parse(&words(line)).is_none(), "{line}");
    }
}

proptest! {
    #[test]
    fn both_read_the_same(parts in proptest::collection::vec(part(), 0..9)) {
        let argv: Vec<OsString> = parts.iter().map(OsString::from).collect();
        if let Some(found) = parse(&argv) {
            let named = [vec![OsString::from("orbital")], argv].concat();
            prop_assert_eq!(found, by_clap(&named).expect("clap understands it too"));
        }
    }
}

/// Words and flags of all kinds; `''` is an empty word.
const PARTS: &str = "\
    create run start state kill delete create run kill c 9 KILL -1 '' - -- --root /r --root=/q \
    --root= --log=/l --log-format json --log-format=text --debug -debug --systemd-cgroup \
    --cgroup-manager=systemd --cgroup-manager disabled --rootless=true --criu --bundle -b -bundle=/b \
    --pid-file=/p --console-socket=/s --no-pivot --no-new-keyring --preserve-fds 3 --preserve-fds=+4 \
    --pidfd-socket=/d --detach -d --keep --no-subreaper --all -a --force -f --force=false --help -h \
    -v --nope -df exec sh exec c -t --tty -u 1:2 --user=3 --user= -g 4 -g 5 --additional-gids=6 -e A=1 --env B=2 \
    --cwd /w -c CAP_KILL --cap=cap_chown --cap NO -p /j --process=/k --ignore-paused --cgroup x --cgroup=:y --no-new-privs \
    --apparmor p --process-label l";

fn part() -> impl Strategy<Value = &'static str> {
    let all: Vec<_> = PARTS.split_whitespace().collect();
    prop::sample::select(all).prop_map(|word| word.trim_matches('\''))
}

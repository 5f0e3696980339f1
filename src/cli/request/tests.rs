//! What callers type, a line each → what is asked.

use super::*;
use crate::cli::{Create, Request, parse};

fn split(line: &str) -> Vec<OsString> {
    line.split(' ')
        .filter(|word| !word.is_empty())
        .map(|word| if word == "''" { "".into() } else { word.into() })
        .collect()
}

fn read(line: &str) -> (Global, Request) {
    match parse(split(line)) {
        Ok(found) => found,
        Err(misuse) => panic!("{line}: {}", misuse.error),
    }
}

fn asked(line: &str) -> Request {
    read(line).1
}

fn wrong(line: &str) -> String {
    match parse(split(line)) {
        Ok((_, request)) => panic!("{line}: {request:?}"),
        Err(misuse) => misuse.error.one_line(),
    }
}

fn plain(id: &str) -> Create {
    Create::of(id.into(), ".".into())
}

fn in_bundle(id: &str) -> Create {
    Create {
        bundle: "/b".into(),
        ..plain(id)
    }
}

fn with_pid_file(id: &str) -> Create {
    Create {
        pid_file: Some("/p".into()),
        ..in_bundle(id)
    }
}

fn run(create: Create) -> Request {
    Request::Run {
        create,
        attendance: Attendance::Foreground,
        afterwards: Afterwards::Delete,
    }
}

fn kill(signal: i32, reach: Reach) -> Request {
    Request::Kill {
        id: "c".into(),
        signal,
        reach,
    }
}

#[test]
fn create_as_each_caller_sends_it() {
    let console = || Create {
        console_socket: Some("/s".into()),
        ..with_pid_file("c")
    };
    #[rustfmt::skip]
    let rows = [
        ("orbital create c", plain("c")),
        // containerd's shim
        ("runc --root /r --log /l --log-format json create --bundle /b --pid-file /p c", with_pid_file("c")),
        ("runc --root /r create --bundle /b --pid-file /p --console-socket /s c", console()),
        ("runc create --bundle /b --pid-file /p --no-pivot c", Create { entry: Entry::MoveAndChroot, ..with_pid_file("c") }),
        ("runc create --bundle /b --pid-file /p --no-new-keyring c", Create { keyring: Keyring::Inherit, ..with_pid_file("c") }),
        ("runc --systemd-cgroup create --bundle /b --pid-file /p c", Create { manager: Manager::Systemd, ..with_pid_file("c") }),
        ("runc --rootless=true create --bundle /b c", in_bundle("c")),
        ("runc --rootless auto create --bundle /b c", in_bundle("c")),
        ("runc --criu /usr/sbin/criu create --bundle /b c", in_bundle("c")),
        // conmon
        ("crun --log-format=json --log /l create --bundle /b --pid-file /p --preserve-fds 2 c", Create { preserve_fds: 2, ..with_pid_file("c") }),
        ("crun --systemd-cgroup --cgroup-manager disabled create --bundle /b c", Create { manager: Manager::Disabled, ..in_bundle("c") }),
        ("crun --cgroup-manager systemd create --bundle /b c", Create { manager: Manager::Systemd, ..in_bundle("c") }),
        ("crun --cgroup-manager=cgroupfs create --bundle /b c", in_bundle("c")),
        // conmon-rs
        ("r --root=/r --systemd-cgroup --root=/r --systemd-cgroup create --bundle=/b --pid-file=/p --console-socket=/s c", Create { manager: Manager::Systemd, ..console() }),
        ("r create --bundle /b --pid-file /p --console-socket= c", with_pid_file("c")),
        // buildah, and its own name for us
        ("buildah-oci-runtime create --bundle /b --pid-file /p --console-socket /s c", console()),
        // one dash, the id first, twice, switched off
        ("orbital create -bundle /b -pid-file=/p c", with_pid_file("c")),
        ("orbital create c --bundle /b --pid-file /p", with_pid_file("c")),
        ("orbital create c -b /b", in_bundle("c")),
        ("orbital create -b=/b c", in_bundle("c")),
        ("orbital create --b /b c", in_bundle("c")),
        ("orbital create --bundle /a --bundle /b c", in_bundle("c")),
        ("orbital create --no-pivot --no-pivot -no-pivot=false --bundle /b c", in_bundle("c")),
        ("orbital create --no-pivot=false --no-pivot=1 c", Create { entry: Entry::MoveAndChroot, ..plain("c") }),
        ("orbital create --bundle -1 c", Create { bundle: "-1".into(), ..plain("c") }),
        ("orbital create --bundle --pid-file c", Create { bundle: "--pid-file".into(), ..plain("c") }),
        ("orbital create --pid-file '' c", plain("c")),
        ("orbital create --bundle /b -- c", in_bundle("c")),
        ("orbital create -- -c", plain("-c")),
        ("orbital -- create c", plain("c")),
    ];
    for (line, expected) in rows {
        assert_eq!(asked(line), Request::Create(expected), "{line}");
    }
}

#[test]
fn run_as_each_caller_sends_it() {
    let kept = Request::Run {
        create: in_bundle("c"),
        attendance: Attendance::Foreground,
        afterwards: Afterwards::Keep,
    };
    let detached = Request::Run {
        create: with_pid_file("c"),
        attendance: Attendance::Detached,
        afterwards: Afterwards::Delete,
    };
    #[rustfmt::skip]
    let rows = [
        ("orbital run c", run(plain("c"))),
        // BuildKit
        ("buildkit-runc --log /l --log-format json run --bundle /b --keep c", kept),
        ("buildkit-runc run --bundle /b --no-pivot c", run(Create { entry: Entry::MoveAndChroot, ..in_bundle("c") })),
        // go-runc
        ("runc run --bundle /b --pid-file /p --detach c", detached.clone()),
        ("runc run -d --bundle /b --pid-file /p c", detached.clone()),
        ("runc run -detach -no-subreaper --bundle /b --pid-file /p c", detached),
        ("runc run --no-subreaper c --bundle /b", run(in_bundle("c"))),
    ];
    for (line, expected) in rows {
        assert_eq!(asked(line), expected, "{line}");
    }
}

#[test]
fn the_other_verbs_of_the_life() {
    let delete = |force| Request::Delete {
        id: "c".into(),
        force,
    };
    #[rustfmt::skip]
    let rows = [
        ("orbital start c", Request::Start("c".into())),
        ("runc --root /r --log /l --log-format json start c", Request::Start("c".into())),
        ("orbital --debug start c", Request::Start("c".into())),
        ("orbital state c", Request::State("c".into())),
        ("orbital state -- c", Request::State("c".into())),
        ("orbital delete c", delete(Force::No)),
        ("orbital delete --force c", delete(Force::Yes)),
        ("orbital delete -f c", delete(Force::Yes)),
        ("orbital delete -force c", delete(Force::Yes)),
        ("orbital delete c --force", delete(Force::Yes)),
        ("orbital delete --force --force=false c", delete(Force::No)),
        ("orbital kill c", kill(15, Reach::Init)),
        ("orbital kill c 9", kill(9, Reach::Init)),
        ("orbital kill --all c 9", kill(9, Reach::All)),
        ("orbital kill -a c 15", kill(15, Reach::All)),
        ("orbital kill -all c KILL", kill(9, Reach::All)),
        ("orbital kill c KILL --all", kill(9, Reach::All)),
        ("orbital kill c TERM", kill(15, Reach::Init)),
        ("orbital kill c SIGTERM", kill(15, Reach::Init)),
        ("orbital kill c term", kill(15, Reach::Init)),
        ("orbital kill c RTMIN+3", kill(37, Reach::Init)),
        ("orbital kill c 37", kill(37, Reach::Init)),
    ];
    for (line, expected) in rows {
        assert_eq!(asked(line), expected, "{line}");
    }
}

#[test]
fn the_verbs_around_it() {
    let spec = |bundle: &str, whom| Request::Spec {
        bundle: bundle.into(),
        whom,
    };
    let plan = |bundle: &str, format| Request::Plan {
        bundle: bundle.into(),
        format,
        manager: Manager::default(),
        platform: Platform::HERE,
    };
    #[rustfmt::skip]
    let rows = [
        ("orbital list", Request::List(ListFormat::Table)),
        ("runc list --format=json", Request::List(ListFormat::Json)),
        ("orbital list -f table", Request::List(ListFormat::Table)),
        ("orbital list -f json -q", Request::List(ListFormat::Quiet)),
        ("orbital list --quiet", Request::List(ListFormat::Quiet)),
        ("orbital spec", spec(".", SpecFor::Root)),
        ("orbital spec -b /b", spec("/b", SpecFor::Root)),
        ("orbital spec --rootless --bundle=/b", spec("/b", SpecFor::User)),
        ("orbital features", Request::Features),
        ("orbital plan", plan(".", PlanFormat::Text)),
        ("orbital plan /b", plan("/b", PlanFormat::Text)),
        ("orbital plan /b --json", plan("/b", PlanFormat::Json)),
        ("orbital plan --json -b /b", plan("/b", PlanFormat::Json)),
    ];
    for (line, expected) in rows {
        assert_eq!(asked(line), expected, "{line}");
    }
}

#[test]
fn global_flags() {
    let none = Global::default;
    #[rustfmt::skip]
    let rows = [
        ("orbital state c", none()),
        ("orbital --root /r state c", Global { root: Some("/r".into()), ..none() }),
        ("orbital -root /r state c", Global { root: Some("/r".into()), ..none() }),
        ("orbital --root=/r --root=/s state c", Global { root: Some("/s".into()), ..none() }),
        ("orbital --root= state c", none()),
        ("orbital --log /l state c", Global { log: Some("/l".into()), ..none() }),
        ("orbital --log=/l --log-format=json state c", Global { log: Some("/l".into()), log_format: LogFormat::Json, ..none() }),
        ("orbital --log-format text state c", none()),
        ("orbital --debug state c", Global { verbosity: Verbosity::Debug, ..none() }),
        ("crun --log-level debug state c", Global { verbosity: Verbosity::Debug, ..none() }),
        ("crun --log-level=error state c", none()),
        ("orbital --debug=true state c", Global { verbosity: Verbosity::Debug, ..none() }),
        ("orbital --debug --debug=false state c", none()),
    ];
    for (line, expected) in rows {
        assert_eq!(read(line), (expected, Request::State("c".into())), "{line}");
    }
}

#[cfg(unix)]
#[test]
fn misuse_says_what_and_what_instead() {
    #[rustfmt::skip]
    let rows = [
        ("orbital create", "ID is missing"),
        ("orbital kill", "ID is missing"),
        ("orbital create a b", "b: refused: one argument too many"),
        ("orbital create c --console-socket", "flag needs an argument: --console-socket"),
        ("orbital create c -console-socket", "flag needs an argument: --console-socket"),
        ("orbital create c -b", "flag needs an argument: --bundle"),
        ("orbital --root", "flag needs an argument: --root"),
        ("orbital create --bundel /b c", "did you mean --bundle?"),
        ("orbital create --frobnicate c", "--frobnicate: refused: orbital create has no such flag"),
        ("orbital create -bx c", "-bx: refused: orbital create has no such flag"),
        ("orbital --frobnicate create c", "orbital has no such flag"),
        ("orbital create --root /r c", "--root: refused: orbital create has no such flag"),
        ("orbital create --preserve-fds -1 c", "--preserve-fds=-1: refused: not a number that fits"),
        ("orbital create --preserve-fds many c", "--preserve-fds=many: refused: not a number that fits"),
        ("orbital create --no-pivot=maybe c", "--no-pivot=maybe: refused: neither true nor false"),
        ("orbital --log-format xml state c", "--log-format=xml: refused: no such value (hint: use one of text, json)"),
        ("orbital --cgroup-manager v1 state c", "use one of cgroupfs, systemd, disabled"),
        ("orbital --rootless maybe state c", "--rootless=maybe: refused: no such value (hint: use one of auto, true, false)"),
        ("runc --rootless= state c", "use one of auto, true, false"),
        ("runc --rootless", "flag needs an argument: --rootless"),
        ("orbital list --format yaml", "use one of table, json"),
        ("orbital kill c NOPE", "NOPE: refused: no such signal"),
        ("orbital kill c 65", "65: refused: no such signal"),
        ("orbital kill c -9", "write 9 without the dash"),
        ("orbital kill -9 c", "write 9 without the dash"),
        ("orbital plan /a --bundle /b", "not together with"),
        ("orbital craete c", "craete: refused: there is no such verb (hint: did you mean create?)"),
        ("orbital frobnicate", "see orbital --help"),
        ("orbital help frobnicate", "there is no such verb"),
        ("orbital restore --lsm-mount-context", "flag needs an argument: --lsm-mount-context"),
        ("orbital checkpoint --parent-path /x c", "--parent-path=/x: refused: it is relative to --image-path"),
        ("orbital checkpoint --page-server ::1:7 c", "--page-server=::1:7: refused: it is no ADDRESS:PORT"),
        ("orbital checkpoint --empty-ns pid c", "--empty-ns=pid: refused: only a network namespace"),
        ("orbital checkpoint --status-fd out c", "--status-fd=out: refused: not the number of a descriptor"),
        ("orbital checkpoint --manage-cgroups-mode some c", "use one of soft, full, strict, ignore"),
        ("orbital '' c", "there is no such verb"),
    ];
    for (line, expected) in rows {
        let text = wrong(line);
        assert!(
            text.starts_with("cannot read the command line: "),
            "{line}: {text}"
        );
        assert!(text.contains(expected), "{line}: {text}");
    }
}

/// A caller that looks into the log must find the misuse there, too.
#[test]
fn global_flags_before_a_mistake_count() {
    for line in [
        "orbital --log /l --frobnicate create c",
        "orbital --log /l nonsense",
        "orbital --log /l create",
    ] {
        assert_eq!(
            parse(split(line)).unwrap_err().global.log,
            Some("/l".into()),
            "{line}"
        );
    }
}

#[cfg(unix)]
#[test]
fn words_that_are_not_text() {
    use std::os::unix::ffi::OsStringExt;
    let odd = || OsString::from_vec(b"/\xff".to_vec());
    let glued = OsString::from_vec(b"--log=/\xff".to_vec());
    let parsed = parse([
        "orbital".into(),
        glued,
        "create".into(),
        "-b".into(),
        odd(),
        "c".into(),
    ])
    .unwrap();
    assert_eq!(parsed.0.log, Some(odd().into()));
    assert_eq!(
        parsed.1,
        Request::Create(Create {
            bundle: odd().into(),
            ..plain("c")
        })
    );
    let text = parse(["orbital".into(), "state".into(), odd()])
        .unwrap_err()
        .error
        .one_line();
    assert!(text.contains("an id is plain text"), "{text}");
    let flag = OsString::from_vec(b"--\xff".to_vec());
    let text = parse(["orbital".into(), flag, "state".into()])
        .unwrap_err()
        .error
        .one_line();
    assert!(text.contains("no such flag"), "{text}");
}

//! Terminals: handed over on a socket, made in the container's own devpts, controlling.

use std::os::fd::AsFd;

use nix::sys::stat::{SFlag, fstat};
use nix::unistd::isatty;
use serde_json::json;

use crate::case::Case;
use crate::check::{Outcome, contains, ensure, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::pty::{ConsoleSocket, Screen, pair};
use crate::spec::Spec;

pub(super) const CASES: &[Case] = &[
    Case::new("socket-gets-a-terminal", socket),
    Case::new("streams-are-the-terminal", streams),
    Case::new("text-goes-both-ways", both_ways),
    Case::new("it-is-the-controlling-terminal", controlling),
    Case::new("dev-console-is-the-terminal", dev_console),
    Case::new("it-belongs-to-the-containers-devpts", own_devpts),
    Case::new("it-belongs-to-the-user", owner),
    Case::new("initial-size", size),
    Case::new("size-without-a-terminal-is-ignored", size_alone),
    Case::new("long-socket-path", long_path)
        .deviates(&[("runc", "cannot connect to a path of more than 108 bytes")]),
    Case::new("terminal-without-socket-is-refused", no_socket),
    Case::new("socket-without-terminal-is-refused-or-unused", no_terminal),
    Case::new("nobody-listens", nobody_listens),
    Case::new("run-in-the-foreground", run_foreground),
    Case::new("run-hands-over-resizes", run_resize),
    Case::new("ctrl-c-reaches-the-program", ctrl_c),
    Case::new("with-a-user-namespace", user_namespace),
    Case::new("dev-console-as-a-link-in-the-image", console_link),
];

/// A started container with a terminal that runs a script, and the terminal.
fn with_terminal<'l>(
    lab: &'l Lab,
    script: &str,
    edit: impl FnOnce(&mut Spec),
) -> Outcome<(Container<'l>, Screen)> {
    let bundle = lab.bundle(|spec| {
        spec.set("/process/terminal", json!(true)).sh(script);
        edit(spec);
    })?;
    let socket = ConsoleSocket::listen(&lab.scratch("socket"))?;
    let container = Container::create_with(
        lab,
        &bundle,
        &lab.id("tty"),
        &["--console-socket", socket.arg()],
    )?;
    let (master, _) = socket.terminal()?;
    let screen = Screen::watch(master);
    container.start()?;
    Ok((container, screen))
}

/// What the script shows on its terminal before the line `end`.
fn shown(lab: &Lab, script: &str, edit: impl FnOnce(&mut Spec)) -> Outcome<String> {
    let (container, screen) =
        with_terminal(lab, &format!("{script}; echo end; exec sleep 99"), edit)?;
    screen.shows("end\r\n")?;
    container.end()?;
    Ok(screen.text().replace('\r', ""))
}

fn socket(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.set("/process/terminal", json!(true));
    })?;
    let socket = ConsoleSocket::listen(&lab.scratch("socket"))?;
    let container = Container::create_with(
        lab,
        &bundle,
        &lab.id("tty"),
        &["--console-socket", socket.arg()],
    )?;
    let (master, _) = socket.terminal()?;
    let kind = fstat(master.as_fd())?.st_mode & SFlag::S_IFMT.bits();
    same("kind of file", kind, SFlag::S_IFCHR.bits())?;
    ensure!(isatty(master.as_fd())?, "what arrived is no terminal");
    container.end()
}

fn streams(lab: &Lab) -> Outcome {
    let out = shown(
        lab,
        "for n in 0 1 2; do [ -t $n ] && echo $n is a terminal; done",
        |_| (),
    )?;
    contains(
        "the terminal",
        &out,
        "0 is a terminal\n1 is a terminal\n2 is a terminal\n",
    )
}

fn both_ways(lab: &Lab) -> Outcome {
    let (container, screen) = with_terminal(
        lab,
        "echo ready; read line; echo \"got <$line>\"; exec sleep 99",
        |_| (),
    )?;
    screen.shows("ready")?;
    screen.keys("some words\n")?;
    screen.shows("got <some words>")?;
    container.end()
}

fn controlling(lab: &Lab) -> Outcome {
    let out = shown(
        lab,
        "echo to the controlling one > /dev/tty; cut -d ' ' -f 5-6 /proc/1/stat; cut -d ' ' -f 7 /proc/1/stat | sed 's/^0$/none/'",
        |_| (),
    )?;
    contains("the terminal", &out, "to the controlling one\n1 1\n")?;
    ensure!(
        !out.contains("none"),
        "init has no controlling terminal: {out:?}"
    );
    Ok(())
}

fn dev_console(lab: &Lab) -> Outcome {
    let out = shown(
        lab,
        "echo by the console > /dev/console; [ -c /dev/console ] && echo a device; stat -L -c %t:%T /dev/console",
        |_| (),
    )?;
    contains("the terminal", &out, "by the console\na device\n88:0\n")
}

fn own_devpts(lab: &Lab) -> Outcome {
    let out = shown(lab, "tty; ls /dev/pts", |_| ())?;
    ensure!(
        out.contains("/dev/pts/0\n") || out.contains("/dev/console\n"),
        "tty: {out:?}"
    );
    contains("ls /dev/pts", &out, "0")
}

fn owner(lab: &Lab) -> Outcome {
    let out = shown(lab, "stat -L -c %u /proc/self/fd/0", |spec| {
        spec.set("/process/user", json!({"uid": 1000, "gid": 1000}));
    })?;
    contains("owner", &out, "1000\n")
}

fn size(lab: &Lab) -> Outcome {
    let out = shown(lab, "stty size", |spec| {
        spec.set("/process/consoleSize", json!({"height": 33, "width": 101}));
    })?;
    contains("size", &out, "33 101\n")
}

fn size_alone(lab: &Lab) -> Outcome {
    for terminal in [json!(false), json!(null)] {
        lab.look("test ! -t 0", |spec| {
            spec.set("/process/terminal", terminal)
                .set("/process/consoleSize", json!({"height": 33, "width": 101}));
        })?;
    }
    Ok(())
}

fn long_path(lab: &Lab) -> Outcome {
    let mut dir = lab.folder("deep")?;
    for _ in 0..6 {
        dir = dir.join("a-directory-with-a-name-of-some-length");
    }
    std::fs::create_dir_all(&dir)?;
    let bundle = lab.bundle(|spec| {
        spec.set("/process/terminal", json!(true));
    })?;
    let socket = ConsoleSocket::listen(&dir.join("socket"))?;
    let container = Container::create_with(
        lab,
        &bundle,
        &lab.id("tty"),
        &["--console-socket", socket.arg()],
    )?;
    socket.terminal()?;
    container.end()
}

fn no_socket(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.set("/process/terminal", json!(true));
    })?;
    contains("the refusal", &said.err, "console")
}

fn no_terminal(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    let socket = ConsoleSocket::listen(&lab.scratch("socket"))?;
    let id = lab.id("tty");
    let said = lab
        .call(&[
            "create",
            "--bundle",
            bundle.arg(),
            "--console-socket",
            socket.arg(),
            &id,
        ])
        .say()?;
    if said.status.success() {
        lab.call(&["start", &id]).ok()?;
        return lab.call(&["delete", "--force", &id]).ok().map(drop);
    }
    contains("the refusal", &said.err, "console")
}

fn nobody_listens(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.set("/process/terminal", json!(true));
    })?;
    let plain = lab.file("plain", "")?;
    for path in [
        "/no/such/socket".to_owned(),
        plain.to_string_lossy().into_owned(),
    ] {
        let id = lab.id("tty");
        lab.call(&[
            "create",
            "--bundle",
            bundle.arg(),
            "--console-socket",
            &path,
            &id,
        ])
        .refused()?;
        lab.call(&["state", &id]).refused()?;
    }
    Ok(())
}

/// `run` with a terminal of the caller's as its streams.
fn foreground(lab: &Lab, script: &str) -> Outcome<(crate::reap::Ours, Screen)> {
    let bundle = lab.bundle(|spec| {
        spec.set("/process/terminal", json!(true)).sh(script);
    })?;
    let (screen, slave) = pair()?;
    let (mut command, _) = lab
        .call(&["run", "--bundle", bundle.arg(), &lab.id("tty")])
        .through(&["setsid", "-c", "-w"])
        .stdin(slave.try_clone()?)
        .command()?;
    command.stdout(slave.try_clone()?).stderr(slave);
    let child = lab.spawn(&mut command)?;
    Ok((child, screen))
}

fn run_foreground(lab: &Lab) -> Outcome {
    let (mut child, screen) = foreground(lab, "tty && read line && echo \"got <$line>\"; exit 7")?;
    screen.shows("/dev/")?;
    screen.keys("hello\r")?;
    screen.shows("got <hello>")?;
    same("exit code", child.wait()?.code(), Some(7))
}

fn run_resize(lab: &Lab) -> Outcome {
    let script = "trap 'stty size' WINCH; echo ready; i=0; while [ $i -lt 200 ]; do sleep 0.05; i=$((i+1)); done";
    let (mut child, screen) = foreground(lab, script)?;
    screen.shows("ready")?;
    screen.resize(44, 123)?;
    let outcome = screen.shows("44 123");
    child.signal(nix::sys::signal::Signal::SIGTERM);
    for id in lab.list()? {
        lab.call(&["kill", &id, "KILL"]).say()?;
    }
    child.wait()?;
    outcome
}

fn ctrl_c(lab: &Lab) -> Outcome {
    let (mut child, screen) = foreground(
        lab,
        "trap 'echo interrupted; exit 3' INT; echo ready; while :; do sleep 0.05; done",
    )?;
    screen.shows("ready")?;
    screen.keys("\u{3}")?;
    screen.shows("interrupted")?;
    same("exit code", child.wait()?.code(), Some(3))
}

fn user_namespace(lab: &Lab) -> Outcome {
    let out = shown(
        lab,
        "[ -t 0 ] && echo a terminal; stat -L -c %u /proc/self/fd/0; echo x > /dev/tty",
        |spec| {
            spec.user_namespace(100_000, 65536);
        },
    )?;
    contains("the terminal", &out, "a terminal\n0\nx\n")
}

/// CVE-2025-52565's neighbourhood: the image has `/dev/console` as a link out of it.
fn console_link(lab: &Lab) -> Outcome {
    let song = lab.canary().join("song");
    let bundle = lab.bundle(|spec| {
        spec.set("/process/terminal", json!(true));
        for place in ["/dev/pts", "/dev/shm", "/dev/mqueue", "/dev"] {
            spec.no_mount(place);
        }
        spec.mount(
            "/dev/pts",
            "devpts",
            "devpts",
            &["newinstance", "ptmxmode=0666", "mode=0620"],
        );
    })?;
    bundle.link("dev/console", &song.to_string_lossy())?;
    let socket = ConsoleSocket::listen(&lab.scratch("socket"))?;
    let id = lab.id("tty");
    let said = lab
        .call(&[
            "create",
            "--bundle",
            bundle.arg(),
            "--console-socket",
            socket.arg(),
            &id,
        ])
        .say()?;
    same(
        "the host's file",
        std::fs::read_to_string(&song)?.as_str(),
        "the host's own\n",
    )?;
    if said.status.success() {
        lab.call(&["delete", "--force", &id]).ok()?;
    }
    Ok(())
}

//! A second process with a terminal.

use std::time::Duration;

use crate::case::Case;
use crate::check::{Outcome, contains, ensure, eventually, same};
use crate::lab::Lab;
use crate::pty::{ConsoleSocket, Screen, pair};

pub(super) const CASES: &[Case] = &[
    Case::new("tty-on-a-console-socket", on_socket),
    Case::new("tty-in-the-foreground", foreground),
    Case::new("tty-follows-resizes", resize),
    Case::new("tty-is-the-controlling-one", controlling),
    Case::new("tty-does-not-take-the-console-of-the-first", console_stays),
    Case::new("tty-belongs-to-the-user", owner),
    Case::new("tty-detached-without-a-socket-is-refused", no_socket),
    Case::new("tty-with-nobody-at-the-socket", nobody),
    Case::new("tty-ends-with-its-status", status),
];

/// What a script shows on a terminal that arrived at a console socket.
fn shown(lab: &Lab, flags: &[&str], script: &str) -> Outcome<String> {
    let container = lab.started(|_| ())?;
    let socket = ConsoleSocket::listen(&lab.scratch("socket"))?;
    let all = [
        &["--tty", "--detach", "--console-socket", socket.arg()],
        flags,
    ]
    .concat();
    let script = format!("{script}; echo end; exec sleep 99");
    container.exec(&all, &["sh", "-c", &script]).ok()?;
    let screen = Screen::watch(socket.terminal()?.0);
    screen.shows("end\r\n")?;
    container.end()?;
    Ok(screen.text().replace('\r', ""))
}

fn on_socket(lab: &Lab) -> Outcome {
    let out = shown(
        lab,
        &[],
        "for n in 0 1 2; do [ -t $n ] && echo $n is a terminal; done; tty",
    )?;
    contains(
        "the terminal",
        &out,
        "0 is a terminal\n1 is a terminal\n2 is a terminal\n/dev/pts/0\n",
    )
}

fn controlling(lab: &Lab) -> Outcome {
    let out = shown(
        lab,
        &[],
        "echo by its other name > /dev/tty; cut -d ' ' -f 1,5,6,8 /proc/$$/stat",
    )?;
    contains("the terminal", &out, "by its other name\n")?;
    let line = out.lines().nth(1).unwrap_or_default();
    let numbers: Vec<&str> = line.split(' ').collect();
    ensure!(
        numbers.len() == 4 && numbers.iter().skip(1).take(2).all(|n| *n == numbers[0]),
        "pid, group, session, foreground group: {line:?}"
    );
    Ok(())
}

fn owner(lab: &Lab) -> Outcome {
    let out = shown(
        lab,
        &["-u", "1000:1000"],
        "stat -c %u $(tty); echo again > $(tty)",
    )?;
    contains("the terminal", &out, "1000\nagain\n")
}

/// A foreground exec on a terminal of the case's: the screen, and the process.
fn in_foreground(
    lab: &Lab,
    script: &str,
    test: impl FnOnce(&Screen) -> Outcome,
) -> Outcome<Option<i32>> {
    let container = lab.started(|_| ())?;
    let (screen, slave) = pair()?;
    let (mut command, _) = container
        .exec(&["-t"], &["sh", "-c", script])
        .through(&["setsid", "-c", "-w"])
        .stdin(slave.try_clone()?)
        .command()?;
    command
        .stdout(slave.try_clone()?)
        .stderr(slave.try_clone()?);
    let mut child = lab.spawn(&mut command)?;
    drop(command);
    test(&screen)?;
    let status = child.wait()?.code();
    drop(slave);
    container.end()?;
    Ok(status)
}

fn foreground(lab: &Lab) -> Outcome {
    let script = "tty; read line; echo \"got <$line>\"";
    let status = in_foreground(lab, script, |screen| {
        screen.shows("/dev/pts/0")?;
        screen.keys("some words\n")?;
        screen.shows("got <some words>")
    })?;
    same("status", status, Some(0))
}

fn resize(lab: &Lab) -> Outcome {
    let script = "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.1; done";
    in_foreground(lab, script, |screen| {
        screen.shows("ready")?;
        screen.resize(33, 77)?;
        screen.shows("33 77")
    })
    .map(drop)
}

fn status(lab: &Lab) -> Outcome {
    let status = in_foreground(lab, "echo bye; exit 9", |screen| screen.shows("bye"))?;
    same("status", status, Some(9))
}

fn console_stays(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let look = "stat -c %t:%T:%i /dev/console 2>/dev/null || echo none; grep -c console /proc/self/mountinfo";
    let before = container.exec(&[], &["sh", "-c", look]).say()?.out;
    let socket = ConsoleSocket::listen(&lab.scratch("socket"))?;
    container
        .exec(
            &["-t", "-d", "--console-socket", socket.arg()],
            &["sleep", "99"],
        )
        .ok()?;
    let terminal = socket.terminal()?;
    same(
        "/dev/console",
        container.exec(&[], &["sh", "-c", look]).say()?.out,
        before,
    )?;
    drop(terminal);
    container.end()
}

fn no_socket(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    container.exec(&["-t", "-d"], &["true"]).refused()?;
    container.end()
}

fn nobody(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let path = lab.scratch("socket");
    container
        .exec(
            &["-t", "-d", "--console-socket", &path.to_string_lossy()],
            &["sleep", "99"],
        )
        .refused()?;
    eventually("only the first process", Duration::from_secs(5), || {
        Ok(container.processes()?.len() == 1)
    })?;
    container.end()
}

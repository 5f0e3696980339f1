//! What a service manager hands over (listening sockets, a socket to notify) and what it hears; and the
//! process as a descriptor.

use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use crate::bundle::Bundle;
use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;
use crate::runtime::Call;

pub(super) const CASES: &[Case] = &[
    Case::new("listen-fds-are-the-programs", listen)
        .deviates(&[("crun", "leaves LISTEN_FDS to the caller")]),
    Case::new("listen-fds-before-preserved-ones", listen_and_preserve)
        .deviates(&[("crun", "leaves LISTEN_FDS to the caller")]),
    Case::new("listen-fds-of-another-process-stay-out", listen_of_another)
        .deviates(&[("crun", "does not look at LISTEN_PID")]),
    Case::new("listen-fds-that-are-not-open", listen_missing).deviates(&[
        ("crun", "passes what is open"),
        ("runc", "1.1 passes what is open"),
    ]),
    Case::new("ready-in-the-foreground", foreground)
        .deviates(&[("crun", "says nothing of MAINPID")]),
    Case::new("ready-when-detached", detached).deviates(&[
        ("crun", "says nothing of MAINPID"),
        ("runc", "1.1 wants READY=1 to be the first line"),
    ]),
    Case::new("start-waits-until-ready", start_waits)
        .deviates(&[("crun", "says nothing of MAINPID")]),
    Case::new("start-does-not-wait-for-the-dead", start_dead),
    Case::new("nothing-but-ready-is-handed-on", only_ready)
        .deviates(&[("crun", "says nothing of MAINPID")]),
    Case::new("nobody-listens-and-nothing-is-left", nobody).needs(&[Need::Root, Need::OrbitalOnly]),
    Case::new("pidfd-socket", pidfd).deviates(&[
        ("runc", "1.1 is older"),
        ("crun", "has an annotation for it"),
    ]),
    Case::new("pidfd-receiver", pidfd_receiver).deviates(&[("runc", "has a flag for it")]),
    Case::new("pidfd-socket-that-is-not-there", pidfd_nobody),
];

/// Two open files from 3 on, for whoever is executed.
fn hand_over(lab: &Lab, script: &str) -> Outcome<String> {
    let (one, two) = (lab.file("one", "one\n")?, lab.file("two", "two\n")?);
    Ok(format!(
        "exec 3<'{}' 4<'{}' 5</etc; {script}; exec \"$@\"",
        one.display(),
        two.display()
    ))
}

fn run<'l>(lab: &'l Lab, flags: &[&str], inside: &str, script: &str) -> Outcome<Call<'l>> {
    let bundle = lab.bundle(|spec| {
        spec.sh(inside);
    })?;
    let id = lab.id("service");
    let args = [&["run", "--bundle", bundle.arg()], flags, &[&id]].concat();
    Ok(lab.call(&args).through_sh(script))
}

fn listen(lab: &Lab) -> Outcome {
    let script = hand_over(
        lab,
        "export LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=web:log",
    )?;
    let inside = "cat <&3; cat <&4; echo $LISTEN_FDS $LISTEN_PID $$; ls /proc/self/fd | wc -l; echo names $LISTEN_FDNAMES";
    let said = run(lab, &[], inside, &script)?.ok()?;
    contains("output", &said.out, "one\ntwo\n2 1 1\n6\n")?;
    if lab.runtime.name == "orbital" {
        contains("output", &said.out, "names web:log\n")?;
    }
    Ok(())
}

fn listen_and_preserve(lab: &Lab) -> Outcome {
    let script = hand_over(lab, "export LISTEN_PID=$$ LISTEN_FDS=1")?;
    let inside = "cat <&3; cat <&4; echo $LISTEN_FDS; ls /proc/self/fd | wc -l";
    let said = run(lab, &["--preserve-fds", "1"], inside, &script)?.ok()?;
    same("output", said.out.as_str(), "one\ntwo\n1\n6\n")
}

fn listen_of_another(lab: &Lab) -> Outcome {
    let script = hand_over(lab, "export LISTEN_PID=1 LISTEN_FDS=2")?;
    let inside = "echo listen $LISTEN_FDS; ls /proc/self/fd | wc -l";
    let said = run(lab, &[], inside, &script)?.ok()?;
    same("output", said.out.as_str(), "listen\n4\n")
}

fn listen_missing(lab: &Lab) -> Outcome {
    let script = "export LISTEN_PID=$$ LISTEN_FDS=2; exec 3</etc; exec \"$@\"";
    let said = run(lab, &[], "echo ran", script)?.refused()?;
    mentions("the refusal", &said.err, &["descriptor 4 is not open"])?;
    same("output", said.out.as_str(), "")
}

/// A service manager's end.
fn manager(lab: &Lab) -> Outcome<(UnixDatagram, String)> {
    let path = lab.scratch("notify");
    let socket = UnixDatagram::bind(&path)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok((socket, path.to_string_lossy().into_owned()))
}

/// Everything that is said until `READY=1`, and the lines after it that are there at once.
fn heard(socket: &UnixDatagram) -> Outcome<String> {
    let mut all = String::new();
    while !all.contains("READY=1") || !all.contains("MAINPID=") {
        let mut buffer = [0; 4096];
        let length = socket
            .recv(&mut buffer)
            .map_err(|error| format!("after {all:?}: {error}"))?;
        all.push_str(&String::from_utf8_lossy(
            buffer.get(..length).unwrap_or_default(),
        ));
        all.push('\n');
    }
    Ok(all)
}

/// nc of busybox speaks no datagrams to a path: a static helper of ours cannot be had in a rootfs, so the
/// case itself, which shares no namespace with the container, finds the socket through /proc/PID/root.
fn say(pid: i32, text: &str) -> Outcome {
    let root = format!("/proc/{pid}/root");
    let environ = probe::proc_file(pid, "environ")?;
    let path = environ
        .split('\0')
        .find_map(|variable| variable.strip_prefix("NOTIFY_SOCKET="))
        .ok_or("no NOTIFY_SOCKET inside")?;
    let socket = UnixDatagram::unbound()?;
    let full = format!("{root}{path}");
    crate::check::eventually("the socket is there", Duration::from_secs(10), || {
        Ok(socket.connect(&full).is_ok())
    })?;
    socket.send(text.as_bytes())?;
    Ok(())
}

/// The pid of a container whose first process runs, as soon as it does.
fn running(lab: &Lab, id: &str) -> Outcome<i32> {
    let mut pid = 0;
    crate::check::eventually("the container runs", Duration::from_secs(10), || {
        let said = lab.call(&["state", id]).say()?;
        let state: serde_json::Value = serde_json::from_str(&said.out).unwrap_or_default();
        pid = state["pid"]
            .as_i64()
            .and_then(|pid| pid.try_into().ok())
            .unwrap_or(0);
        Ok(state["status"] == "running" && probe::proc_file(pid, "environ")?.contains("NOTIFY"))
    })?;
    Ok(pid)
}

/// Makes a call in the background.
fn begin<'l>(lab: &'l Lab, args: &[&str], address: &str) -> Outcome<(crate::reap::Ours, &'l Lab)> {
    let call = lab.call(args).env(&surroundings(address));
    let (mut command, _) = call.command()?;
    Ok((lab.spawn(&mut command)?, lab))
}

/// A container made with the service manager's socket in the environment; its id.
fn created_for(lab: &Lab, bundle: &Bundle, address: &str) -> Outcome<String> {
    let id = lab.id("service");
    let line = ["create", "--bundle", bundle.arg(), &id];
    lab.call(&line).env(&surroundings(address)).ok()?;
    Ok(id)
}

/// The environment that a service manager gives.
fn surroundings(address: &str) -> [(&'static str, &str); 2] {
    [("PATH", "/usr/bin:/bin"), ("NOTIFY_SOCKET", address)]
}

fn main_pid(all: &str) -> Outcome<i32> {
    let line = all.lines().find_map(|line| line.strip_prefix("MAINPID="));
    Ok(line.ok_or("no MAINPID")?.parse()?)
}

fn foreground(lab: &Lab) -> Outcome {
    let (socket, address) = manager(lab)?;
    let bundle = lab.bundle(|_| ())?;
    let id = lab.id("service");
    let (mut child, _) = begin(lab, &["run", "--bundle", bundle.arg(), &id], &address)?;
    let pid = running(lab, &id)?;
    say(pid, "STATUS=almost\n")?;
    say(pid, "READY=1\n")?;
    let watched = main_pid(&heard(&socket)?)?;
    ensure!(
        watched != pid,
        "the manager is to watch a process that is not its own"
    );
    same(
        "comm of MAINPID",
        probe::namespace(watched, "pid")?,
        probe::own_namespace("pid")?,
    )?;
    lab.call(&["kill", &id, "KILL"]).ok()?;
    same("status", child.wait()?.code(), Some(137))
}

fn detached(lab: &Lab) -> Outcome {
    let (socket, address) = manager(lab)?;
    let bundle = lab.bundle(|_| ())?;
    let id = lab.id("service");
    let (mut child, _) = begin(lab, &["run", "-d", "--bundle", bundle.arg(), &id], &address)?;
    let pid = running(lab, &id)?;
    say(pid, "STATUS=fine\nREADY=1\n")?;
    same("MAINPID", main_pid(&heard(&socket)?)?, pid)?;
    barrier(&socket)?;
    same("status", child.wait()?.code(), Some(0))?;
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

/// Receives the barrier and drops its descriptor, as a service manager does.
fn barrier(socket: &UnixDatagram) -> Outcome {
    let mut buffer = [0; 64];
    let length = socket.recv(&mut buffer)?;
    same(
        "after READY=1",
        buffer.get(..length),
        Some(&b"BARRIER=1"[..]),
    )
}

fn start_waits(lab: &Lab) -> Outcome {
    let (socket, address) = manager(lab)?;
    let bundle = lab.bundle(|_| ())?;
    let id = created_for(lab, &bundle, &address)?;
    let (mut child, _) = begin(lab, &["start", &id], &address)?;
    let pid = running(lab, &id)?;
    std::thread::sleep(Duration::from_millis(300));
    ensure!(
        child.poll()?.is_none(),
        "start returned before the container was ready"
    );
    say(pid, "READY=1")?;
    let all = heard(&socket)?;
    same("MAINPID", main_pid(&all)?, pid)?;
    if lab.runtime.name == "orbital" {
        barrier(&socket)?;
    }
    drop(socket);
    same("status of start", child.wait()?.code(), Some(0))?;
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

fn start_dead(lab: &Lab) -> Outcome {
    let (_socket, address) = manager(lab)?;
    let bundle = lab.bundle(|spec| {
        spec.sh("exit 0");
    })?;
    let id = created_for(lab, &bundle, &address)?;
    let said = lab
        .call(&["start", &id])
        .env(&surroundings(&address))
        .through(&["timeout", "20"])
        .say()?;
    ensure!(
        said.code() != 124,
        "start waits for a container that has ended"
    );
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

fn only_ready(lab: &Lab) -> Outcome {
    let (socket, address) = manager(lab)?;
    let bundle = lab.bundle(|_| ())?;
    let id = lab.id("service");
    let (mut child, _) = begin(lab, &["run", "-d", "--bundle", bundle.arg(), &id], &address)?;
    let pid = running(lab, &id)?;
    say(pid, "MAINPID=1\nNOTREADY=1\nREADY=0")?;
    say(pid, "READY=1\nMAINPID=1\nWATCHDOG=trigger\nX_READY=1")?;
    let all = heard(&socket)?;
    for left in ["WATCHDOG", "MAINPID=1\n", "X_READY", "READY=0"] {
        ensure!(!all.contains(left), "{left} was handed on: {all:?}");
    }
    drop(socket);
    child.wait()?;
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

fn nobody(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    let path = lab.scratch("nobody");
    let address = path.to_string_lossy();
    let id = lab.id("service");
    let said = lab
        .call(&["run", "--bundle", bundle.arg(), &id])
        .env(&surroundings(&address))
        .refused()?;
    mentions("the refusal", &said.err, &["NOTIFY_SOCKET"])?;
    ensure!(
        !lab.call(&["state", &id]).say()?.status.success(),
        "the container is there"
    );
    Ok(())
}

/// Receives a descriptor at `listener` and says which process it is.
fn process(listener: &UnixListener) -> Outcome<i32> {
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
    let (stream, _): (UnixStream, _) = listener.accept()?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut buffer = [0; 64];
    let mut space = nix::cmsg_space!([std::os::fd::RawFd; 1]);
    let mut parts = [std::io::IoSliceMut::new(&mut buffer)];
    let message = recvmsg::<()>(
        stream.as_raw_fd(),
        &mut parts,
        Some(&mut space),
        MsgFlags::empty(),
    )?;
    let mut found = None;
    for one in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(numbers) = one {
            found = numbers.first().copied();
        }
    }
    let number = found.ok_or("no descriptor came")?;
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}"))?;
    nix::unistd::close(number)?;
    let pid = info.lines().find_map(|line| line.strip_prefix("Pid:"));
    Ok(pid
        .ok_or_else(|| format!("it is no pidfd: {info}"))?
        .trim()
        .parse()?)
}

fn pidfd(lab: &Lab) -> Outcome {
    let path = lab.scratch("pidfd");
    let listener = UnixListener::bind(&path)?;
    let bundle = lab.bundle(|_| ())?;
    let flags = ["--pidfd-socket", &*path.to_string_lossy()];
    let container = Container::create_with(lab, &bundle, &lab.id("box"), &flags)?;
    same(
        "the process that was sent",
        process(&listener)?,
        container.pid,
    )?;
    container.end()
}

fn pidfd_receiver(lab: &Lab) -> Outcome {
    let path = lab.scratch("pidfd");
    let listener = UnixListener::bind(&path)?;
    let container = lab.create(|spec| {
        spec.set(
            "/annotations/run.oci.pidfd_receiver",
            path.to_string_lossy().into(),
        );
    })?;
    same(
        "the process that was sent",
        process(&listener)?,
        container.pid,
    )?;
    container.end()
}

fn pidfd_nobody(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    let path = lab.scratch("nobody");
    let id = lab.id("bad");
    let args = [
        "create",
        "--pidfd-socket",
        &*path.to_string_lossy(),
        "--bundle",
        bundle.arg(),
        &id,
    ];
    let said = lab.call(&args).refused()?;
    mentions("the refusal", &said.err, &["pidfd"])?;
    ensure!(
        !lab.call(&["state", &id]).say()?.status.success(),
        "the container is there"
    );
    ensure!(!Path::new(&path).exists(), "a socket was made");
    Ok(())
}

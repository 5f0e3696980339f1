//! A thin command line over `libcontainer`, youki's engine, in runc's form.
//!
//! It exists to be compared with: the same bundle through two engines must look the same from
//! inside, and the benchmark wants to know what the usual Rust engine costs. It is no runtime to
//! use: cgroup v2 by plain files only, no seccomp, no device filter, no systemd.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libcontainer::container::Container;
use libcontainer::container::builder::ContainerBuilder;
use libcontainer::signal::Signal;
use libcontainer::syscall::syscall::SyscallType;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

/// The command line.
mod args;

use args::{Args, Lifetime, Verb};

fn main() -> ExitCode {
    let outcome = args::parse(std::env::args().skip(1)).and_then(|args| obey(&args));
    match outcome {
        Ok(code) => code,
        Err(message) => {
            eprintln!("reference: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Carries out one verb; the exit code is the container's for a `run` in the foreground.
fn obey(args: &Args) -> Result<ExitCode, String> {
    match args.verb {
        Verb::Create => create(args, Lifetime::Detached).map(|_| ()),
        Verb::Run => return run(args),
        Verb::Start => load(args)?.start().map_err(|e| words(&e)),
        Verb::State => state(args),
        Verb::Kill => kill(args),
        Verb::Delete => delete(args),
        Verb::Version => version(),
    }
    .map(|()| ExitCode::SUCCESS)
}

fn create(args: &Args, lifetime: Lifetime) -> Result<Container, String> {
    std::fs::create_dir_all(&args.root)
        .map_err(|e| format!("cannot create {}: {e}", args.root.display()))?;
    ContainerBuilder::new(args.id.clone(), SyscallType::default())
        .with_root_path(args.root.clone())
        .and_then(|b| b.with_pid_file(args.pid_file.as_ref()))
        .map(|b| b.with_console_socket(args.console_socket.as_ref()))
        .and_then(ContainerBuilder::validate_id)
        .map_err(|e| words(&e))?
        .as_init(&args.bundle)
        .with_systemd(false)
        .with_detach(lifetime == Lifetime::Detached)
        .with_no_pivot(args.no_pivot)
        .build()
        .map_err(|e| words(&e))
}

/// create, start, wait, delete: what runc does for `run` without `--detach`.
fn run(args: &Args) -> Result<ExitCode, String> {
    let mut container = create(args, args.lifetime)?;
    container.start().map_err(|e| words(&e))?;
    if args.lifetime == Lifetime::Detached {
        return Ok(ExitCode::SUCCESS);
    }
    let pid = container.pid().ok_or("the engine gave no pid")?.as_raw();
    let code = loop {
        match waitpid(Pid::from_raw(pid), None) {
            Ok(WaitStatus::Exited(_, code)) => break code,
            Ok(WaitStatus::Signaled(_, signal, _)) => break 128 + signal as i32,
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(e) => return Err(format!("cannot wait for process {pid}: {e}")),
        }
    };
    container.delete(true).map_err(|e| words(&e))?;
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

fn state(args: &Args) -> Result<(), String> {
    let container = load(args)?;
    let text = serde_json::to_string_pretty(&container.state)
        .map_err(|e| format!("cannot write the state as JSON: {e}"))?;
    println!("{text}");
    Ok(())
}

fn kill(args: &Args) -> Result<(), String> {
    let signal = Signal::try_from(args.signal.as_str())
        .map_err(|_| format!("unknown signal {:?}", args.signal))?;
    load(args)?.kill(signal, args.all).map_err(|e| words(&e))
}

/// The engine's minor version is the one that `Cargo.toml` asks for.
fn version() -> Result<(), String> {
    println!("reference driver over libcontainer 0.7 (youki's engine)");
    Ok(())
}

/// `--force` is idempotent: an unknown id is no error then.
fn delete(args: &Args) -> Result<(), String> {
    if args.force && !directory(args).exists() {
        return Ok(());
    }
    load(args)?.delete(args.force).map_err(|e| words(&e))
}

fn load(args: &Args) -> Result<Container, String> {
    let dir = directory(args);
    if !dir.exists() {
        return Err(format!("container {:?} does not exist", args.id));
    }
    let mut container = Container::load(dir).map_err(|e| words(&e))?;
    container.refresh_status().map_err(|e| words(&e))?;
    Ok(container)
}

fn directory(args: &Args) -> PathBuf {
    Path::new(&args.root).join(&args.id)
}

/// The engine's error with all its causes on one line.
fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

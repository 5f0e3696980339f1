//! What lives in the containers of the Windows suite: a program that shows where it is, ticks, begets, allocates.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["exit", status] => leave(status.parse().unwrap_or(1)),
        ["say", file, ..] => say(Path::new(file)),
        ["tick", file] => tick(Path::new(file)),
        ["hold", file] => hold(Path::new(file)),
        ["tree", depth, folder] => tree(depth.parse().unwrap_or(0), folder),
        ["tree-then-leave", depth, folder] => {
            let child = beget(depth.parse().unwrap_or(1), folder);
            wait_for(&format!("{folder}/0"));
            drop(child);
            ExitCode::SUCCESS
        }
        ["allocate", mebibytes] => allocate(mebibytes.parse().unwrap_or(0)),
        ["crowd", number, file] => crowd(number.parse().unwrap_or(0), file),
        ["sleep"] => loop {
            std::thread::sleep(Duration::from_secs(1));
        },
        ["copy"] => {
            let mut text = String::new();
            let _ = std::io::stdin().read_to_string(&mut text);
            print!("{}", text.to_uppercase());
            ExitCode::SUCCESS
        }
        ["grumble"] => {
            eprintln!("first line");
            eprintln!("the bridge does not exist");
            leave(4)
        }
        ["note", file] => {
            let mut text = String::new();
            let _ = std::io::stdin().read_to_string(&mut text);
            let _ = std::fs::write(file, text);
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("dweller: no such act: {words:?}");
            ExitCode::from(99)
        }
    }
}

/// A status of 32 bits, which `ExitCode` has no room for.
fn leave(status: u32) -> ExitCode {
    #[allow(
        clippy::disallowed_methods,
        reason = "it has nothing that a drop would save"
    )]
    std::process::exit(status.cast_signed())
}

/// Arguments, directory and environment, as JSON.
fn say(file: &Path) -> ExitCode {
    let args: Vec<String> = std::env::args().skip(2).collect();
    let env: std::collections::BTreeMap<String, String> = std::env::vars().collect();
    let here = std::env::current_dir().unwrap_or_default();
    let text = serde_json::json!({"args": args, "cwd": here, "env": env}).to_string();
    match put(file, &text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// In one act: whoever waits for the file reads all of it.
fn put(file: &Path, text: &str) -> std::io::Result<()> {
    let fresh = file.with_extension("new");
    std::fs::write(&fresh, text)?;
    std::fs::rename(fresh, file)
}

/// Locks the file, says so in the one beside it, and stands still.
fn hold(file: &Path) -> ExitCode {
    let held = File::create(file);
    if !held.is_ok_and(|held| held.lock().map(|()| std::mem::forget(held)).is_ok()) {
        return ExitCode::FAILURE;
    }
    let _ = put(&file.with_extension("count"), "0");
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

/// Locks the file and counts in the one beside it: who can lock it knows that this process is gone.
fn tick(file: &Path) -> ExitCode {
    let Ok(held) = File::create(file) else {
        return ExitCode::FAILURE;
    };
    if held.lock().is_err() {
        return ExitCode::FAILURE;
    }
    let beside = file.with_extension("count");
    for count in 0u64.. {
        let _ = put(&beside, &count.to_string());
        std::thread::sleep(Duration::from_millis(100));
    }
    ExitCode::SUCCESS
}

/// A chain of processes, each the child of the one before it; all tick.
fn tree(depth: u32, folder: &str) -> ExitCode {
    if depth > 0 {
        drop(beget(depth, folder));
    }
    tick(Path::new(&format!("{folder}/{depth}")))
}

fn beget(depth: u32, folder: &str) -> Option<std::process::Child> {
    let own = std::env::current_exe().ok()?;
    let below = depth.saturating_sub(1).to_string();
    let mut command = Command::new(own);
    command.args(["tree", &below, folder]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().ok()
}

fn wait_for(file: &str) {
    let beside = Path::new(file).with_extension("count");
    for _ in 0..500 {
        if beside.exists() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// 0 where so much memory was given, 3 where it was not.
fn allocate(mebibytes: usize) -> ExitCode {
    let mut bytes: Vec<u8> = Vec::new();
    if bytes.try_reserve_exact(mebibytes << 20).is_err() {
        return ExitCode::from(3);
    }
    bytes.resize(mebibytes << 20, 1);
    let sum: u64 = bytes
        .iter()
        .step_by(4096)
        .map(|byte| u64::from(*byte))
        .sum();
    if sum > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Writes down how many children could be begotten, and waits.
fn crowd(number: usize, file: &str) -> ExitCode {
    let Ok(own) = std::env::current_exe() else {
        return ExitCode::FAILURE;
    };
    let children = (0..number).filter_map(|_| Command::new(&own).arg("sleep").spawn().ok());
    let children: Vec<_> = children.collect();
    let _ = put(Path::new(file), &children.len().to_string());
    let _ = std::io::stdout().flush();
    loop {
        std::thread::sleep(Duration::from_secs(1));
    }
}

//! The life of a task: exec, signals, pause, figures.

use crate::case::{Case, Need};
use crate::check::{Outcome, ensure};
use crate::place::Place;

use super::Containerd;

const CRIU: &[Need] = &[Need::Criu];

pub(super) const CASES: &[Case] = &[
    Case::new("containerd/task-in-the-background", background),
    Case::new("containerd/task-exec", exec),
    Case::new("containerd/task-exec-in-a-terminal", exec_terminal),
    Case::new("containerd/task-exec-in-the-background", exec_background),
    Case::new("containerd/task-kill-all", kill_all),
    Case::new("containerd/task-pause-and-resume", pause),
    Case::new("containerd/task-metrics", metrics),
    Case::new("containerd/task-outlives-the-daemon", outlives),
    Case::new("containerd/checkpoint-and-restore", checkpoint).needs(CRIU),
];

fn background(place: &Place<'_>) -> Outcome {
    let said = Containerd::ready(place)?.ask(
        "ctr run -d --pid-file $dir/pid $box $tag sh -c 'trap \"exit 3\" TERM; while :; do sleep 0.1; done' || exit
        ctr task ls; state $tag | jq -r '.status, .pid'; echo; cat $dir/pid; echo
        ctr task kill $tag; while kill -0 $(cat $dir/pid) 2>/dev/null; do sleep 0.1; done
        ctr task ls; ctr task rm $tag; ctr container rm $tag",
    )?;
    let pid = std::fs::read_to_string(place.dir.join("pid"))?;
    said.ended(0)?
        .has("RUNNING")?
        .has(&format!("running\n{pid}\n"))?
        .has("STOPPED")?
        .complained(&["non-zero exit code 3"])?;
    Ok(())
}

fn exec(place: &Place<'_>) -> Outcome {
    let said = Containerd::ready(place)?.ask(
        "ctr run -d $box $tag sleep 1000
        ctr task exec --exec-id one --user 1234 --cwd /tmp $tag sh -c 'echo $(id -u) $PWD $IMAGE; exit 5'; echo ended $?
        ctr task exec --exec-id two $tag helo; echo ended $?
        echo from afar | ctr task exec --exec-id three $tag head -n 1; end $tag",
    )?;
    said.ended(0)?
        .printed("1234 /tmp box\nended 5\nended 1\nfrom afar")?
        .complained(&[
            "executable file `helo` not found",
            "exec: \"helo\": executable file not found",
        ])?;
    Ok(())
}

fn exec_terminal(place: &Place<'_>) -> Outcome {
    let containerd = Containerd::ready(place)?;
    containerd
        .ask("ctr run -d $box $tag sleep 1000")?
        .ended(0)?;
    let said = containerd.type_in("ctr task exec -t --exec-id one $tag sh -c 'tty; exit 3'")?;
    said.ended(3)?.has("/dev/pts/0")?;
    containerd.ask("end $tag")?.ended(0)?;
    Ok(())
}

fn exec_background(place: &Place<'_>) -> Outcome {
    let said = Containerd::ready(place)?.ask(
        "ctr run -d $box $tag sleep 1000
        ctr task exec -d --exec-id one $tag sleep 777; ctr task ps $tag
        ctr task kill -s KILL --exec-id one $tag; sleep 1; echo after; ctr task ps $tag; end $tag",
    )?;
    let (before, after) = said.ended(0)?.out.split_once("after").unwrap_or_default();
    ensure!(before.contains("exec_id:\"one\""), "no process: {said}");
    ensure!(!after.contains("exec_id"), "still a process: {said}");
    ensure!(after.lines().count() == 3, "not one process: {said}");
    Ok(())
}

/// In the host's PID namespace nothing but the group knows them all.
fn kill_all(place: &Place<'_>) -> Outcome {
    let said = Containerd::ready(place)?.ask(
        "ctr run -d --with-ns pid:/proc/1/ns/pid $box $tag sh -c 'sleep 4321 & sleep 4321 & sleep 4321'
        ctr task ps $tag; group=/sys/fs/cgroup$(cut -d: -f3 /proc/$(pid $tag)/cgroup); ctr task kill -a -s KILL $tag
        for i in $(seq 50); do grep -q 'populated 0' $group/cgroup.events && echo all gone && break; sleep 0.1; done
        end $tag",
    )?;
    said.ended(0)?.has("all gone")?;
    Ok(())
}

fn pause(place: &Place<'_>) -> Outcome {
    let said = Containerd::ready(place)?.ask(
        "ctr run -d $box $tag sh -c 'while :; do echo >>/count; sleep 0.05; done'
        count=/proc/$(pid $tag)/root/count; ctr task pause $tag; ctr task ls
        before=$(wc -l <$count); sleep 1; [ $(wc -l <$count) = $before ] && echo stands still
        ctr task resume $tag; ctr task ls
        for i in $(seq 50); do [ $(wc -l <$count) != $before ] && echo goes on && break; sleep 0.1; done; end $tag",
    )?;
    let words: Vec<&str> = said
        .ended(0)?
        .out
        .split_whitespace()
        .filter(|word| ["PAUSED", "still", "RUNNING", "on"].contains(word))
        .collect();
    ensure!(words == ["PAUSED", "still", "RUNNING", "on"], "{said}");
    Ok(())
}

fn metrics(place: &Place<'_>) -> Outcome {
    let said = Containerd::ready(place)?.ask(
        "ctr run -d --memory-limit 50000000 $box $tag sleep 1000; ctr task metrics $tag; ctr task ps $tag; end $tag",
    )?;
    let words: Vec<&str> = said.ended(0)?.out.split_whitespace().collect();
    let value = |name: &str| words.iter().skip_while(|w| **w != name).nth(1).copied();
    ensure!(value("pids.current") == Some("1"), "{said}");
    ensure!(value("memory.usage_limit") == Some("49999872"), "{said}");
    ensure!(
        value("cpu.usage_usec").is_some_and(|used| used != "0"),
        "{said}"
    );
    Ok(())
}

fn outlives(place: &Place<'_>) -> Outcome {
    let containerd = Containerd::ready(place)?;
    containerd
        .ask("ctr run -d $box $tag sleep 1000")?
        .ended(0)?;
    containerd.daemon.end("KILL");
    containerd.begin()?;
    let said = containerd.ask(
        "ctr task ls; ctr task exec --exec-id one $tag echo well; ctr task kill -s KILL $tag; sleep 1; end $tag",
    )?;
    said.ended(0)?.has("RUNNING")?.has("well")?;
    Ok(())
}

/// What it counts is in its memory: begun anew, it would be behind.
fn checkpoint(place: &Place<'_>) -> Outcome {
    let said = Containerd::ready(place)?.ask(
        "ctr run -d $box $tag sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/tmp/new; mv /tmp/new /tmp/count; sleep 0.1; done'
        sleep 3; low=$(cat /proc/$(pid $tag)/root/tmp/count)
        ctr container checkpoint --rw --image --task $tag checkpoint/$tag || exit
        end $tag; ctr container restore --live --rw $tag checkpoint/$tag || exit
        sleep 0.5; high=$(cat /proc/$(pid $tag)/root/tmp/count); [ $high -gt $low ] && echo goes on
        state $tag | jq -r .status; end $tag; ctr image rm checkpoint/$tag >/dev/null",
    )?;
    said.ended(0)?.has("goes on")?.has("running")?;
    Ok(())
}

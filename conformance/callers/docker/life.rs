//! The life of a container: exec, stop, pause, update, restart, files.

use crate::case::{Case, Need};
use crate::check::{Outcome, ensure};
use crate::place::Place;

use super::Docker;

const CRIU: &[Need] = &[Need::Criu];

pub(super) const CASES: &[Case] = &[
    Case::new("docker/stop-and-logs", stop),
    Case::new("docker/kill-and-wait", kill),
    Case::new("docker/exec", exec),
    Case::new("docker/exec-in-a-terminal", exec_terminal),
    Case::new("docker/pause", pause),
    Case::new("docker/top-and-stats", figures),
    Case::new("docker/update", update),
    Case::new("docker/restart", restart),
    Case::new("docker/restart-after-a-failure", restart_policy),
    Case::new("docker/attach", attach),
    Case::new("docker/cp", copy),
    Case::new("docker/health", health),
    Case::new("docker/checkpoint", checkpoint)
        .needs(CRIU)
        .deviates(&[("crun", "it makes its work directory, not those above it")]),
];

fn stop(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "$run -d --name $tag box sh -c 'trap \"echo bye; exit 5\" TERM; echo out; echo err >&2; while :; do sleep 0.1; done'
        until docker logs $tag 2>/dev/null | grep -q out; do sleep 0.2; done
        docker stop $tag; state $tag ExitCode; docker logs $tag; docker rm $tag",
    )?;
    said.ended(0)?
        .has("\n5\nout\nbye\n")?
        .complained(&["err"])?;
    Ok(())
}

fn kill(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "$run -d --name $tag box sh -c 'trap \"echo heard\" USR1; touch /ready; while :; do sleep 0.1; done'
        ready=/proc/$(state $tag Pid)/root/ready; until [ -e $ready ]; do sleep 0.1; done
        docker kill -s USR1 $tag; sleep 1; docker kill $tag
        docker wait $tag; state $tag Status; docker logs $tag; docker rm $tag",
    )?;
    said.ended(0)?.has("\n137\nexited\nheard\n")?;
    Ok(())
}

fn exec(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "$run -d --name $tag -e WHAT=ever box sleep 1000 >/dev/null
        docker exec -u joe -w /tmp -e MORE=over $tag sh -c 'echo $(id -u) $PWD $WHAT $MORE; exit 6'; echo ended $?
        echo from afar | docker exec -i $tag cat
        docker exec $tag helo 2>&1; echo ended $?
        docker exec --privileged $tag grep CapEff /proc/self/status; grep CapEff /proc/self/status; docker rm -f $tag",
    )?;
    said.ended(0)?
        .has("1234 /tmp ever over\nended 6\nfrom afar\n")?
        .has("not found")?;
    let ended = said.out.contains("ended 126") || said.out.contains("ended 127");
    ensure!(ended, "another status: {said}");
    let sets: Vec<&str> = said
        .out
        .lines()
        .filter(|l| l.starts_with("CapEff"))
        .collect();
    ensure!(
        sets.len() == 2 && sets[0] == sets[1],
        "not all capabilities: {said}"
    );
    Ok(())
}

fn exec_terminal(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    docker.ask("$run -d --name $tag box sleep 1000")?.ended(0)?;
    let said = docker.type_in("docker exec -it $tag sh -c 'tty; exit 3'")?;
    said.ended(3)?.has("/dev/pts/0")?;
    docker.ask("docker rm -f $tag")?.ended(0)?;
    Ok(())
}

fn pause(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "$run -d --name $tag box sh -c 'while :; do echo >>/count; sleep 0.05; done' >/dev/null
        count=/proc/$(state $tag Pid)/root/count; docker pause $tag; state $tag Status
        before=$(wc -l <$count); sleep 1; [ $(wc -l <$count) = $before ] && echo stands still
        docker unpause $tag; state $tag Status
        for i in $(seq 50); do [ $(wc -l <$count) != $before ] && echo goes on && break; sleep 0.1; done
        docker pause $tag; docker rm -f $tag",
    )?;
    let tag = &place.tag;
    let wanted = format!("{tag}\npaused\nstands still\n{tag}\nrunning\ngoes on\n{tag}\n{tag}");
    said.ended(0)?.printed(&wanted)?;
    Ok(())
}

fn figures(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "$run -d --name $tag -m 64m box sleep 1000 >/dev/null; docker top $tag
        docker top $tag -o pid,comm; docker stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}}' $tag
        docker rm -f $tag",
    )?;
    said.ended(0)?
        .has("sleep 1000")?
        .has("PID")?
        .has("/ 64MiB 1\n")?;
    Ok(())
}

fn update(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "$run -d --name $tag -m 64m --memory-swap 64m box sleep 1000 >/dev/null
        docker update -m 80m --memory-swap 100m --cpus 0.7 --pids-limit 40 --cpuset-cpus 1 $tag
        docker exec $tag sh -c 'cd /sys/fs/cgroup; cat memory.max memory.swap.max cpu.max pids.max cpuset.cpus
            echo well >/dev/null && echo well'
        docker rm -f $tag",
    )?;
    said.ended(0)?
        .has("83886080\n20971520\n70000 100000\n40\n1\nwell\n")?;
    Ok(())
}

fn restart(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "$run -d --name $tag box sh -c 'echo begun; exec sleep 1000' >/dev/null; first=$(state $tag Pid)
        docker restart -t 0 $tag; second=$(state $tag Pid); [ $first != $second ] && echo another; state $tag Status
        docker stop -t 0 $tag; docker start $tag; docker logs $tag; docker rm -f $tag",
    )?;
    said.ended(0)?
        .has("another\nrunning\n")?
        .has("begun\nbegun\nbegun\n")?;
    Ok(())
}

fn restart_policy(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "$run -d --name $tag --restart on-failure:2 box sh -c 'echo begun; exit 4' >/dev/null
        for i in $(seq 100); do [ $(state $tag Status) = exited ] && break; sleep 0.5; done
        state $tag ExitCode; docker inspect -f '{{.RestartCount}}' $tag; docker logs $tag; docker rm -f $tag",
    )?;
    said.ended(0)?.has("4\n2\nbegun\nbegun\nbegun\n")?;
    Ok(())
}

fn attach(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "$run -d -i --name $tag box sh -c 'read word; sleep 1; echo heard $word; sleep 1; exit 9' >/dev/null
        { echo from afar; sleep 5; } | docker attach $tag; echo ended $?; docker rm $tag",
    )?;
    said.ended(0)?.has("heard from afar\nended 9\n")?;
    Ok(())
}

fn copy(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "$run -d --name $tag -v $dir:/mnt box sleep 1000 >/dev/null; echo here >$dir/file
        docker cp -q $dir/file $tag:/tmp/there; docker exec $tag sh -c 'cat /tmp/there; echo back >/tmp/back'
        docker cp -q $tag:/tmp/back $dir/back; cat $dir/back; docker diff $tag; docker rm -f $tag",
    )?;
    said.ended(0)?.has("here\nback\n")?.has("A /tmp/there")?;
    Ok(())
}

fn health(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "health() { for i in $(seq 100); do [ $(state $tag Health.Status) = $1 ] && echo $1 && return; sleep 0.5; done; }
        $run -d --name $tag --health-cmd 'test -e /tmp/well' --health-interval 1s --health-retries 1 box \
            sh -c 'touch /tmp/well; exec sleep 1000' >/dev/null
        health healthy; rm /proc/$(state $tag Pid)/root/tmp/well; health unhealthy; docker rm -f $tag",
    )?;
    said.ended(0)?.has("healthy\nunhealthy\n")?;
    Ok(())
}

/// docker 26 cannot start from what it has just written, nor leave it running, with any runtime.
fn checkpoint(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "$run -d --name $tag --security-opt seccomp=unconfined box sleep 1000 >/dev/null
        docker checkpoint create $tag one && state $tag Status; docker checkpoint ls $tag; docker rm -f $tag",
    )?;
    said.ended(0)?.has("one\nexited\nCHECKPOINT NAME\none\n")?;
    Ok(())
}

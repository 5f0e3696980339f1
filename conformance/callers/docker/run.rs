//! run: streams, statuses, what the process is given, limits, namespaces.

use crate::case::Case;
use crate::check::{Outcome, ensure};
use crate::place::Place;

use super::Docker;

/// Why docker gives another status.
const WORDS: &str = "docker looks for runc's own words in the complaint to tell the status";
/// What crun does with profiles.
const STACKED: &str =
    "where crun itself has a profile of AppArmor, the container's is stacked upon it";

pub(super) const CASES: &[Case] = &[
    Case::new("docker/run-to-the-end", to_the_end),
    Case::new("docker/run-with-input", input),
    Case::new("docker/run-in-a-terminal", terminal),
    Case::new("docker/run-a-missing-program", missing).deviates(&[("crun", WORDS)]),
    Case::new("docker/run-what-may-not-be-run", forbidden).deviates(&[("crun", WORDS)]),
    Case::new("docker/run-as-somebody-with-volumes", given),
    Case::new("docker/run-confined", confined).deviates(&[("crun", STACKED)]),
    Case::new("docker/run-privileged", privileged),
    Case::new("docker/run-with-limits", limits),
    Case::new("docker/run-out-of-memory", out_of_memory),
    Case::new("docker/run-with-an-init", with_init),
    Case::new("docker/run-with-a-device", device),
    Case::new("docker/run-in-a-network", network),
    Case::new("docker/run-in-anothers-namespaces", joined),
    Case::new("docker/run-with-ids-remapped", remapped),
];

fn to_the_end(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask("$run --rm box sh -c 'echo out; echo err >&2; exit 7'")?;
    said.ended(7)?.printed("out")?.complained(&["err"])?;
    Ok(())
}

fn input(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask("echo from afar | $run --rm -i box cat")?;
    said.ended(0)?.printed("from afar")?;
    Ok(())
}

fn terminal(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.type_in("$run --rm -it box sh -c 'tty; echo $TERM; exit 3'")?;
    said.ended(3)?.has("/dev/pts/0")?.has("xterm")?;
    Ok(())
}

fn missing(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask("$run --rm box helo")?;
    said.ended(127)?.complained(&[
        "executable file not found in $PATH",
        "executable file `helo` not found in $PATH",
    ])?;
    Ok(())
}

fn forbidden(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask("$run --rm box /etc/not-a-program")?;
    said.ended(126)?.complained(&["permission denied"])?;
    Ok(())
}

fn given(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "echo host >$dir/file; mkdir $dir/volume
        $run --rm -e WHAT=ever -w /tmp -u joe --group-add 55 --hostname there --read-only --tmpfs /var:size=64k \
            -v $dir:/mnt:ro --sysctl kernel.msgmax=5000 --ulimit nofile=100:200 --shm-size 1m --init=false box sh -c '
                echo $(id -u) $(id -G | tr \" \" \"\\n\" | sort -nu) $PWD $WHAT $(hostname) $IMAGE $(ulimit -n) $(cat /proc/sys/kernel/msgmax)
                df -k /dev/shm /var | awk \"{ print \\$2, \\$6 }\"; cat /mnt/file; touch /new; touch /mnt/new'",
    )?;
    said.ended(1)?
        .has("1234 55 77 1234 /tmp ever there box 100 5000\n")?
        .has("1024 /dev/shm\n64 /var\nhost")?
        .complained(&["/new: Read-only file system"])?
        .complained(&["/mnt/new: Read-only file system"])?;
    Ok(())
}

fn confined(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "$run --rm --cap-drop ALL --cap-add KILL --security-opt no-new-privileges box sh -c '
            cat /proc/self/attr/current; grep -E \"CapEff|NoNewPrivs|Seccomp:\" /proc/self/status
            chown 1 /tmp; unshare -m true; cat /proc/kcore | wc -c; echo 1 >/proc/sys/kernel/panic'",
    )?;
    said.ended(1)?
        .has("docker-default (enforce)")?
        .has("CapEff:\t0000000000000020\nNoNewPrivs:\t1\nSeccomp:\t2\n0\n")?
        .complained(&["chown: /tmp: Operation not permitted"])?
        .complained(&["unshare"])?
        .complained(&["/proc/sys/kernel/panic: Read-only file system"])?;
    Ok(())
}

fn privileged(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "$run --rm --privileged box sh -c 'mount -t tmpfs none /tmp && echo mounted
            cat /proc/self/attr/current; ls /dev/vda /dev/ttyS0; grep -E \"CapBnd|Seccomp:\" /proc/self/status'
        grep CapBnd /proc/self/status",
    )?;
    said.ended(0)?
        .has("mounted\nunconfined")?
        .has("/dev/vda\n")?
        .has("Seccomp:\t0")?;
    let sets: Vec<&str> = said
        .out
        .lines()
        .filter(|l| l.starts_with("CapBnd"))
        .collect();
    ensure!(
        sets.len() == 2 && sets[0] == sets[1],
        "not all capabilities: {said}"
    );
    Ok(())
}

fn limits(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "$run --rm -m 64m --memory-swap 96m --memory-reservation 32m --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 \
            --pids-limit 30 box sh -c 'cd /sys/fs/cgroup
            cat memory.max memory.swap.max memory.low cpu.max cpu.weight cpuset.cpus pids.max'",
    )?;
    said.ended(0)?
        .has("67108864\n33554432\n33554432\n50000 100000\n")?
        .has("\n0\n30")?;
    Ok(())
}

fn out_of_memory(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "$run --name $tag -m 20m --memory-swap 20m box tail /dev/zero; echo $?
        state $tag OOMKilled; docker rm $tag >/dev/null",
    )?;
    said.ended(0)?.printed("137\ntrue")?;
    Ok(())
}

fn with_init(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said =
        docker.ask("$run --rm --init box sh -c 'tr \"\\0\" \" \" </proc/1/cmdline; exit 6'")?;
    said.ended(6)?.has("/sbin/docker-init -- sh -c")?;
    Ok(())
}

fn device(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "$run --rm --device /dev/vda:/dev/mine:r box sh -c '
            head -c 1 /dev/mine | wc -c; true 2>/dev/null >/dev/mine || echo refused
            mknod /tmp/other b 1 0 && head -c 1 /tmp/other >/dev/null 2>&1 || echo refused'",
    )?;
    said.ended(0)?.printed("1\nrefused\nrefused")?;
    Ok(())
}

/// docker's hook puts the interface into the namespace.
fn network(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "docker network create --internal $tag >/dev/null && docker run -d --name $tag --network $tag box sleep 1000 || exit
        docker run --rm --network $tag box ping -c 1 $tag; docker rm -f $tag; docker network rm $tag",
    )?;
    said.ended(0)?.has("1 packets received")?;
    Ok(())
}

fn joined(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "$run -d --name $tag --ipc shareable box sh -c 'echo shared >/dev/shm/word; exec sleep 1000' || exit
        docker run --rm --network container:$tag --pid container:$tag --ipc container:$tag box \
            sh -c 'cat /dev/shm/word; ps; for i in self 1; do readlink /proc/$i/ns/net; done'; docker rm -f $tag",
    )?;
    said.ended(0)?.has("shared\n")?.has("sleep 1000")?;
    let names: Vec<&str> = said.out.lines().filter(|l| l.starts_with("net:")).collect();
    ensure!(
        names.len() == 2 && names[0] == names[1],
        "not the other's network: {said}"
    );
    Ok(())
}

/// A daemon that maps ids, and makes groups without systemd.
fn remapped(place: &Place<'_>) -> Outcome {
    let flags = "--userns-remap user:user --exec-opt native.cgroupdriver=cgroupfs";
    let docker = Docker::another(place, "docker-remapped", flags)?;
    let said = docker.ask(
        "$run -d --name $tag -m 64m box sh -c 'id -u; echo $(cat /proc/self/uid_map); exec sleep 1000' || exit
        pid=$(state $tag Pid); stat -c %u /proc/$pid/root/bin; stat -c %u /proc/$pid
        cat /sys/fs/cgroup$(cut -d: -f3 /proc/$pid/cgroup)/memory.max /proc/$pid/cgroup
        docker exec $tag sh -c 'id -u; touch /new'; docker logs $tag; docker rm -f $tag",
    );
    docker.end();
    said?
        .ended(0)?
        .has("100000\n100000\n67108864\n0::/docker/")?
        .has("\n0\n0\n0 100000 65536\n")?;
    Ok(())
}

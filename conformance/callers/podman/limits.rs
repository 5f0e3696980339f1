//! Limits, given, changed, felt and told of.

use crate::case::{Case, Need};
use crate::check::Outcome;
use crate::place::Place;

use super::{Podman, shows};

const CONTROLLERS: &[Need] = &[
    Need::Controller("memory"),
    Need::Controller("cpu"),
    Need::Controller("pids"),
];
const SYSTEMD: &[Need] = &[
    Need::Controller("memory"),
    Need::File("/run/systemd/private"),
];

pub(super) const CASES: &[Case] = &[
    Case::new("podman/limits-with-systemds-groups", by_systemd).needs(&[
        Need::Controller("memory"),
        Need::Controller("cpu"),
        Need::Controller("pids"),
        Need::Controller("cpuset"),
        Need::File("/run/systemd/private"),
    ]),
    Case::new("podman/limits-with-groups-made-by-hand", by_hand).needs(CONTROLLERS),
    Case::new("podman/limits-of-the-process", of_the_process),
    Case::new("podman/sysctls", sysctls),
    Case::new("podman/update-limits-of-a-running-one", updated).needs(CONTROLLERS),
    Case::new("podman/stats-and-top", stats).needs(CONTROLLERS),
    Case::new("podman/out-of-memory", out_of_memory).needs(CONTROLLERS),
    Case::new("podman/groups-disabled", disabled).deviates(&[(
        "runc",
        "podman does not count it among those that do without groups",
    )]),
    Case::new("podman/groups-without-conmons", no_conmon),
    Case::new("podman/groups-split", split).needs(SYSTEMD),
    Case::new("podman/groups-below-a-slice", slice).needs(SYSTEMD),
];

const FLAGS: &str = "-m 64m --memory-reservation 32m --memory-swap 96m --cpus 0.5 --pids-limit 20";
const LOOK: &str = "cd /sys/fs/cgroup; cat memory.max memory.low memory.swap.max cpu.max pids.max";
const SEEN: &str = "67108864\n33554432\n33554432\n50000 100000\n20";

fn by_systemd(place: &Place<'_>) -> Outcome {
    shows(
        place,
        &format!(
            "podman run --rm {FLAGS} --cpu-shares 512 --cpuset-cpus 0 box sh -c '{LOOK}; cat cpuset.cpus.effective /proc/self/cgroup'
            podman run -d --name $tag {FLAGS} box sleep 1000 >/dev/null
            id=$(podman inspect --format '{{{{.Id}}}}' $tag)
            systemctl show --value -p ActiveState,MemoryMax,TasksMax libpod-$id.scope | sort
            podman rm -f -t 0 $tag >/dev/null
            systemctl show --value -p LoadState libpod-$id.scope"
        ),
        &format!("{SEEN}\n0\n0::/\n20\n67108864\nactive\nnot-found"),
    )
}

fn by_hand(place: &Place<'_>) -> Outcome {
    shows(
        place,
        &format!("groups=cgroupfs podman run --rm {FLAGS} box sh -c '{LOOK}'"),
        SEEN,
    )
}

fn of_the_process(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run --rm --ulimit nofile=100:200 --ulimit core=0:0 --ulimit nproc=90:95 --oom-score-adj 123 --shm-size 2m \
            box sh -c 'ulimit -n; ulimit -Hn; ulimit -c; grep \"Max processes\" /proc/self/limits | awk \"{print \\$3, \\$4}\"; cat /proc/self/oom_score_adj; df -k /dev/shm | tail -n 1 | awk \"{print \\$2}\"'",
        "100\n200\n0\n90 95\n123\n2048",
    )
}

fn sysctls(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run --rm --sysctl net.ipv4.ip_forward=1 --sysctl net.ipv4.ping_group_range='0 77' --sysctl kernel.shm_rmid_forced=1 \
            box sh -c 'cd /proc/sys; cat net/ipv4/ip_forward kernel/shm_rmid_forced; echo $(cat net/ipv4/ping_group_range)'",
        "1\n1\n0 77",
    )
}

fn updated(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run -d --name $tag -m 64m --pids-limit 20 box sleep 1000 >/dev/null
        podman update --memory 96m --memory-swap 128m --cpus 0.25 --pids-limit 30 $tag >/dev/null
        podman exec $tag sh -c 'cd /sys/fs/cgroup; cat memory.max memory.swap.max cpu.max pids.max'
        podman update --memory 32m --memory-swap 32m $tag >/dev/null
        podman exec $tag sh -c 'cd /sys/fs/cgroup; cat memory.max memory.swap.max cpu.max pids.max; echo x >/dev/null && echo devices stay'
        podman rm -f -t 0 $tag >/dev/null",
        "100663296\n33554432\n25000 100000\n30\n33554432\n0\n25000 100000\n30\ndevices stay",
    )
}

fn stats(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run -d --name $tag -m 64m box sh -c 'sleep 1000; true' >/dev/null
        podman stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDS}}' $tag | sed 's/ [0-9.]*[kM]B / some /'
        podman top $tag pid comm | awk 'NR > 2 { $1 = \"later\" } { print $1, $2 }'
        podman top $tag -o pid,args | awk '{print $NF}'
        podman rm -f -t 0 $tag >/dev/null",
        &format!("{} some / 67.11MB 2\nPID COMMAND\n1 sh\nlater sleep\nCOMMAND\ntrue\n1000", place.tag),
    )
}

fn out_of_memory(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run --name $tag -m 16m --memory-swap 16m box tail /dev/zero || echo with $?
        podman inspect --format '{{.State.OOMKilled}} {{.State.ExitCode}}' $tag
        podman rm $tag >/dev/null",
        "with 137\ntrue 137",
    )
}

/// The container is where its caller is.
fn disabled(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run --rm --cgroups disabled --cgroupns host box cat /proc/self/cgroup >$dir/inside
        grep -c libpod- $dir/inside || cmp $dir/inside /proc/self/cgroup && echo the same",
        "0\nthe same",
    )
}

fn no_conmon(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run --rm --cgroups no-conmon --cgroupns host box sh -c 'cat /proc/self/cgroup; cat /proc/*/comm' >$dir/inside
        grep -c libpod- $dir/inside",
        "1",
    )
}

fn split(place: &Place<'_>) -> Outcome {
    let podman = Podman::root(place)?;
    let said = podman.ask(
        "systemd-run --quiet --scope --unit $tag-outer -p Delegate=yes \
            podman run --rm --cgroups split -m 64m --cgroupns host box cat /proc/self/cgroup",
    )?;
    said.ended(0)?.has("-outer.scope/libpod-payload")?;
    Ok(())
}

fn slice(place: &Place<'_>) -> Outcome {
    let podman = Podman::root(place)?;
    let said = podman.ask(
        "podman run --rm --cgroup-parent machine-callers.slice -m 64m --cgroupns host box cat /proc/self/cgroup",
    )?;
    said.ended(0)?
        .has("/machine.slice/machine-callers.slice/libpod-")?;
    Ok(())
}

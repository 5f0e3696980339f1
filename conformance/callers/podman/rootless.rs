//! As an ordinary user, in a session of systemd's.

use crate::case::{Case, Need};
use crate::check::Outcome;
use crate::place::Place;

use super::{Podman, shows_user};

const SESSION: &[Need] = &[
    Need::File("/run/user/1000/systemd/private"),
    Need::Program("newuidmap"),
];

pub(super) const CASES: &[Case] = &[
    Case::new("podman/rootless-run", run).needs(SESSION),
    Case::new("podman/rootless-keep-id", keep_id).needs(SESSION),
    Case::new("podman/rootless-limits", limits).needs(SESSION),
    Case::new("podman/rootless-exec-and-stop", exec).needs(SESSION),
    Case::new("podman/rootless-pause", pause).needs(SESSION),
    Case::new("podman/rootless-pod", pod).needs(SESSION),
    Case::new("podman/rootless-without-groups", no_groups).needs(SESSION),
    Case::new("podman/rootless-errors", errors).needs(SESSION),
];

fn run(place: &Place<'_>) -> Outcome {
    shows_user(
        place,
        "echo from afar | podman run --rm -i -v $dir:/host --tmpfs /mem --hostname there box sh -c '
            cat; id -u; awk \"{print \\$1, \\$2, \\$3}\" /proc/self/uid_map; hostname; touch /host/mine; exit 7' || echo with $?
        stat -c %U $dir/mine",
        "from afar\n0\n0 1000 1\n1 100000 65536\nthere\nwith 7\nuser",
    )
}

fn keep_id(place: &Place<'_>) -> Outcome {
    shows_user(
        place,
        "podman run --rm --userns keep-id -v $dir:/host box sh -c 'id -u; touch /host/mine; stat -c %u /host/mine'",
        "1000\n1000",
    )
}

fn limits(place: &Place<'_>) -> Outcome {
    shows_user(
        place,
        "podman run -d --name $tag -m 64m --cpus 0.5 --pids-limit 20 box sleep 1000 >/dev/null
        podman exec $tag sh -c 'cd /sys/fs/cgroup; cat memory.max cpu.max pids.max'
        podman stats --no-stream --format '{{.MemUsage}}' $tag | cut -d / -f 2
        podman update --memory 96m $tag >/dev/null
        podman exec $tag cat /sys/fs/cgroup/memory.max
        podman rm -f -t 0 $tag >/dev/null",
        "67108864\n50000 100000\n20\n 67.11MB\n100663296",
    )
}

fn exec(place: &Place<'_>) -> Outcome {
    shows_user(
        place,
        "podman run -d --name $tag box sh -c 'trap \"exit 6\" TERM; while :; do sleep 0.1; done' >/dev/null
        podman exec -u joe -e A=b $tag sh -c 'id -u; echo $A; exit 5' || echo with $?
        podman exec $tag nothing-like-it 2>/dev/null || echo with $?
        podman top $tag pid | head -n 2 | tail -n 1
        podman stop -t 50 $tag >/dev/null
        podman inspect --format '{{.State.ExitCode}}' $tag
        podman rm $tag >/dev/null",
        "1234\nb\nwith 5\nwith 127\n1\n6",
    )
}

fn pause(place: &Place<'_>) -> Outcome {
    shows_user(
        place,
        "podman run -d --name $tag box sleep 1000 >/dev/null
        podman pause $tag >/dev/null
        podman inspect --format '{{.State.Status}}' $tag
        podman unpause $tag >/dev/null
        podman exec $tag echo on
        podman kill $tag >/dev/null
        podman wait $tag
        podman rm $tag >/dev/null",
        "paused\non\n137",
    )
}

fn pod(place: &Place<'_>) -> Outcome {
    shows_user(
        place,
        "podman pod create --name $tag --hostname together --network none >/dev/null
        podman run --rm --pod $tag box hostname
        podman pod rm -f -t 0 $tag >/dev/null",
        "together",
    )
}

fn no_groups(place: &Place<'_>) -> Outcome {
    shows_user(
        place,
        "groups=cgroupfs podman run --rm box echo ran 2>/dev/null",
        "ran",
    )
}

fn errors(place: &Place<'_>) -> Outcome {
    let podman = Podman::user(place)?;
    let said = podman.ask("podman run --rm box nothing-like-it")?;
    said.ended(127)?.complained(&["nothing-like-it"])?;
    let said =
        podman.ask("podman run --rm --device /dev/kmsg --sysctl kernel.pid_max=70000 box true")?;
    crate::check::ensure!(said.status != 0, "expected a failure, {said}");
    Ok(())
}

//! Pods, whose containers share namespaces, and containers that join another's.

use crate::case::{Case, Need};
use crate::check::Outcome;
use crate::place::Place;

use super::shows;

pub(super) const CASES: &[Case] = &[
    // Where podman 4 makes a pod's group by hand, that forbids all devices.
    Case::new("podman/a-pod", pod).needs(&[
        Need::Program("catatonit"),
        Need::File("/run/systemd/private"),
    ]),
    Case::new("podman/a-pods-limit", limited).needs(&[
        Need::Program("catatonit"),
        Need::Controller("memory"),
        Need::File("/run/systemd/private"),
    ]),
    Case::new("podman/namespaces-of-another", joined),
];

fn pod(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman pod create --name $tag --share net,ipc,uts,pid --hostname together --network none >/dev/null
        podman run -d --pod $tag --name $tag-a box sleep 1000 >/dev/null
        podman run --rm --pod $tag box sh -c 'hostname; ps -o args | grep -c [s]leep'
        podman pod pause $tag >/dev/null
        podman inspect --format '{{.State.Status}}' $tag-a
        podman pod unpause $tag >/dev/null
        podman pod stop -t 0 $tag >/dev/null
        podman pod start $tag >/dev/null
        podman exec $tag-a echo again
        podman pod rm -f -t 0 $tag >/dev/null",
        "together\n1\npaused\nagain",
    )
}

fn limited(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman pod create --name $tag --network none -m 64m >/dev/null
        podman run --rm --pod $tag --cgroupns host box cat /proc/self/cgroup | grep -c 'libpod_pod_.*slice/libpod-'
        podman run -d --pod $tag --name $tag-a box sleep 1000 >/dev/null
        pid=$(podman inspect --format '{{.State.Pid}}' $tag-a)
        dir=/sys/fs/cgroup$(cut -d : -f 3 /proc/$pid/cgroup)
        cat ${dir%.slice/*}.slice/memory.max
        podman pod rm -f -t 0 $tag >/dev/null",
        "1\n67108864",
    )
}

fn joined(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run -d --name $tag --ipc shareable --hostname first box sleep 1000 >/dev/null
        podman run --rm --pid container:$tag --network container:$tag --ipc container:$tag box sh -c '
            ps -o args | grep -c [s]leep
            for kind in ipc net pid; do readlink /proc/self/ns/$kind; done >/dev/shm/seen'
        podman exec $tag sh -c 'for kind in ipc net pid; do readlink /proc/self/ns/$kind; done | cmp - /dev/shm/seen && echo the same'
        podman rm -f -t 0 $tag >/dev/null",
        "1\nthe same",
    )
}

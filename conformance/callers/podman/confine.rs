//! What keeps a container in: capabilities, seccomp, devices, masks, namespaces, AppArmor; and what lets it out.

use std::fs;

use crate::case::{Case, Need};
use crate::check::Outcome;
use crate::place::Place;

use super::{Podman, shows};

const FUSE: &[Need] = &[Need::File("/dev/fuse")];

pub(super) const CASES: &[Case] = &[
    Case::new("podman/capabilities", capabilities),
    Case::new("podman/no-new-privileges", no_new_privileges),
    Case::new("podman/privileged", privileged),
    Case::new("podman/seccomp-of-its-own-and-none", seccomp_default),
    Case::new("podman/seccomp-by-a-profile", seccomp_profile),
    Case::new("podman/a-device-to-be-read", device).needs(FUSE),
    Case::new("podman/a-rule-for-devices", device_rule).needs(FUSE),
    Case::new("podman/masked-and-unmasked", masks),
    Case::new("podman/apparmor", apparmor)
        .needs(&[Need::File("/sys/kernel/security/apparmor/profiles")]),
    Case::new("podman/ids-mapped", mapped),
    Case::new("podman/namespaces-of-the-host", namespaces),
];

fn capabilities(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run --rm --cap-drop all --cap-add chown,net_bind_service box sh -c 'grep -E \"Cap(Eff|Bnd|Amb)\" /proc/self/status'
        podman run --rm --cap-drop all --cap-add net_bind_service -u joe box sh -c 'grep -E \"Cap(Eff|Bnd|Amb)\" /proc/self/status'
        podman run --rm -u joe box sh -c 'grep CapEff /proc/self/status; chown root /home 2>/dev/null || echo not'",
        "CapEff:\t0000000000000401\nCapBnd:\t0000000000000401\nCapAmb:\t0000000000000000\n\
         CapEff:\t0000000000000400\nCapBnd:\t0000000000000400\nCapAmb:\t0000000000000400\n\
         CapEff:\t0000000000000000\nnot",
    )
}

fn no_new_privileges(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run --rm --security-opt no-new-privileges box grep NoNewPrivs /proc/self/status
        podman run --rm box grep NoNewPrivs /proc/self/status",
        "NoNewPrivs:\t1\nNoNewPrivs:\t0",
    )
}

fn privileged(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run --rm --privileged box sh -c '
            grep -q \"Seccomp:.0\" /proc/self/status && echo no filter
            mkdir /tmp/m && mount -t tmpfs none /tmp/m && echo may mount
            ls /dev/loop-control /dev/kmsg 2>&1
            [ -w /proc/sys/kernel/hostname ] && echo may set
            head -c 1 /dev/kmsg >/dev/null && echo may read'",
        "no filter\nmay mount\n/dev/kmsg\n/dev/loop-control\nmay set\nmay read",
    )
}

fn seccomp_default(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run --rm box grep Seccomp: /proc/self/status
        podman run --rm --security-opt seccomp=unconfined box grep Seccomp: /proc/self/status",
        "Seccomp:\t2\nSeccomp:\t0",
    )
}

fn seccomp_profile(place: &Place<'_>) -> Outcome {
    let profile = serde_json::json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [
            {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 30},
            {"names": ["chmod", "fchmodat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28, "args":
                [{"index": 2, "value": 0o777, "op": "SCMP_CMP_EQ"}]},
            {"names": ["sethostname"], "action": "SCMP_ACT_KILL_PROCESS"}]
    });
    fs::write(place.dir.join("profile.json"), profile.to_string())?;
    shows(
        place,
        "podman run --rm --security-opt seccomp=$dir/profile.json box sh -c '
            mkdir /x 2>&1 | grep -o \"Read-only file system\"
            hostname other; echo with $?; echo on'",
        "Read-only file system\nwith 159\non",
    )
}

fn device(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run --rm --device /dev/fuse:/dev/mine:r box sh -c '
            true </dev/mine && echo to be read
            true 2>/dev/null >/dev/mine || echo not to be written
            ls -l /dev/mine | cut -c 1'",
        "to be read\nnot to be written\nc",
    )
}

fn device_rule(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run --rm --cap-add mknod --device-cgroup-rule 'c 10:229 r' box sh -c '
            mknod /dev/a c 10 229
            true </dev/a && echo may
            true 2>/dev/null >/dev/a || echo not'",
        "may\nnot",
    )
}

fn masks(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "look='cat /proc/timer_list | wc -c; ls /proc/acpi /sys/firmware | grep -v : | grep -c .; ls /home | wc -l; (: >>/proc/sysrq-trigger) 2>/dev/null || echo not to be written'
        podman run --rm --security-opt mask=/home box sh -c \"touch /home/x 2>/dev/null; $look\"
        podman run --rm --security-opt unmask=ALL box sh -c '[ $(ls /sys/firmware | wc -l) != 0 ] && echo seen'",
        "0\n0\n0\nnot to be written\nseen",
    )
}

fn apparmor(place: &Place<'_>) -> Outcome {
    let podman = Podman::root(place)?;
    let said = podman.ask(
        "podman run --rm box cat /proc/self/attr/current
        podman run -d --name $tag box sleep 1000 >/dev/null
        podman exec $tag cat /proc/self/attr/current
        podman rm -f -t 0 $tag >/dev/null
        podman run --rm --security-opt apparmor=unconfined box cat /proc/self/attr/current",
    )?;
    said.ended(0)?;
    let lines: Vec<&str> = said.out.lines().collect();
    let [first, executed, last] = lines[..] else {
        return Err(said.to_string().into());
    };
    let confined =
        first.contains("containers-default") && first.contains("(enforce)") && executed == first;
    crate::check::ensure!(
        confined && last == "unconfined",
        "expected three labels, {said}"
    );
    Ok(())
}

fn mapped(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "touch $dir/theirs; chown 200001:200001 $dir/theirs
        podman run --rm --uidmap 0:200000:2000 --gidmap 0:200000:2000 -v $dir:/host box sh -c '
            awk \"{print \\$1, \\$2, \\$3}\" /proc/self/uid_map
            stat -c %u:%g /bin /host/theirs; touch /host/ours; chown 5 /host/ours; echo $(id -u)'
        stat -c %u:%g $dir/ours; rm $dir/ours",
        "0 200000 2000\n0:0\n1:1\n0\n200005:200000",
    )
}

fn namespaces(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "for kind in ipc net pid uts cgroup; do readlink /proc/self/ns/$kind; done >$dir/host
        look='for kind in ipc net pid uts cgroup; do readlink /proc/self/ns/$kind; done'
        podman run --rm --ipc host --network host --pid host --uts host --cgroupns host box sh -c \"$look\" >$dir/same
        podman run --rm box sh -c \"$look\" >$dir/own
        cmp $dir/host $dir/same && echo the same
        cat $dir/host $dir/own | sort | uniq -d | wc -l",
        "the same\n0",
    )
}

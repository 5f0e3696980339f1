//! run: streams, statuses, what the process is given, limits.

use crate::case::Case;
use crate::check::{Outcome, ensure};
use crate::place::Place;

use super::Containerd;

pub(super) const CASES: &[Case] = &[
    Case::new("containerd/run-to-the-end", to_the_end),
    Case::new("containerd/run-with-input", input),
    Case::new("containerd/run-in-a-terminal", terminal),
    Case::new("containerd/run-a-missing-program", missing),
    Case::new("containerd/run-as-somebody-with-mounts", given),
    Case::new("containerd/run-privileged", privileged),
    Case::new("containerd/run-confined", confined).deviates(&[(
        "crun",
        "where crun itself has a profile of AppArmor, the container's is stacked upon it",
    )]),
    Case::new("containerd/run-in-the-hosts-network", host_network),
    Case::new("containerd/run-in-anothers-namespaces", joined),
    Case::new("containerd/run-in-a-user-namespace", mapped),
    Case::new("containerd/run-with-limits", limits),
    Case::new("containerd/run-in-a-scope-of-systemd", scope),
    Case::new("containerd/run-out-of-memory", out_of_memory),
    Case::new("containerd/run-with-a-runtime-by-its-path", by_path),
];

fn to_the_end(place: &Place<'_>) -> Outcome {
    let said = Containerd::ready(place)?
        .ask("ctr run --rm $box $tag sh -c 'echo out; echo err >&2; exit 7'")?;
    said.ended(7)?.printed("out")?.complained(&["err"])?;
    Ok(())
}

/// Not to its end: ctr may lose that before the task has begun.
fn input(place: &Place<'_>) -> Outcome {
    let said =
        Containerd::ready(place)?.ask("echo from afar | ctr run --rm $box $tag head -n 1")?;
    said.ended(0)?.printed("from afar")?;
    Ok(())
}

fn terminal(place: &Place<'_>) -> Outcome {
    let containerd = Containerd::ready(place)?;
    let said = containerd.type_in("ctr run --rm -t $box $tag sh -c 'tty; exit 3'")?;
    said.ended(3)?.has("/dev/pts/0")?;
    Ok(())
}

fn missing(place: &Place<'_>) -> Outcome {
    let containerd = Containerd::ready(place)?;
    let said = containerd.ask("ctr run --rm $box $tag helo")?;
    said.ended(1)?.complained(&[
        "executable file `helo` not found in $path",
        "exec: \"helo\": executable file not found in $path",
    ])?;
    // Nothing keeps the name.
    let said = containerd.ask("ctr run --rm $box $tag echo well")?;
    said.ended(0)?.printed("well")?;
    Ok(())
}

fn given(place: &Place<'_>) -> Outcome {
    let containerd = Containerd::ready(place)?;
    let said = containerd.ask(
        "echo host >$dir/file; mkdir $dir/volume
        ctr run --rm --env WHAT=ever --cwd /tmp --user 1234:77 --hostname there --read-only \
            --mount type=bind,src=$dir,dst=/mnt,options=rbind:ro --mount type=tmpfs,dst=/var,options=size=64k:mode=1777 \
            $box $tag sh -c 'echo $(id -u) $(id -g) $PWD $WHAT $(hostname) $IMAGE; cat /mnt/file
                touch /new; touch /mnt/new; touch /var/new && df -k /var | tail -n 1'",
    )?;
    said.ended(0)?
        .has("1234 77 /tmp ever there box\nhost\n")?
        .has("64")?
        .complained(&["/new: Read-only file system"])?
        .complained(&["/mnt/new: Read-only file system"])?;
    Ok(())
}

fn privileged(place: &Place<'_>) -> Outcome {
    let said = Containerd::ready(place)?.ask(
        "ctr run --rm --privileged $box $tag sh -c \
            'grep -E \"CapBnd|Seccomp:\" /proc/self/status; mount -t tmpfs none /tmp && echo mounted'
        grep CapBnd /proc/self/status",
    )?;
    said.ended(0)?.has("mounted")?.has("Seccomp:\t0")?;
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

fn confined(place: &Place<'_>) -> Outcome {
    let said = Containerd::ready(place)?.ask(
        "ctr run --rm --seccomp --apparmor-default-profile $tag --cap-drop CAP_CHOWN $box $tag sh -c \
            'cat /proc/self/attr/current; grep -E \"Seccomp:|NoNewPrivs\" /proc/self/status; chown 1 /tmp; unshare -m true'
        status=$?; echo -n $tag >/sys/kernel/security/apparmor/.remove; exit $status",
    )?;
    said.ended(1)?
        .has(&format!("{} (enforce)", place.tag))?
        .has("Seccomp:\t2")?
        .has("NoNewPrivs:\t1")?
        .complained(&["chown: /tmp: Operation not permitted"])?
        .complained(&["unshare"])?;
    Ok(())
}

fn host_network(place: &Place<'_>) -> Outcome {
    let said = Containerd::ready(place)?.ask(
        "ctr run --rm --net-host $box $tag readlink /proc/self/ns/net; readlink /proc/self/ns/net",
    )?;
    let names: Vec<&str> = said.ended(0)?.out.lines().collect();
    ensure!(
        names.len() == 2 && names[0] == names[1],
        "not the host's network: {said}"
    );
    Ok(())
}

fn joined(place: &Place<'_>) -> Outcome {
    let said = Containerd::ready(place)?.ask(
        "ctr run -d $box $tag sleep 1000; pid=$(pid $tag)
        ctr run --rm --with-ns network:/proc/$pid/ns/net --with-ns pid:/proc/$pid/ns/pid $box $tag-2 \
            sh -c 'readlink /proc/self/ns/net; ps'
        readlink /proc/$pid/ns/net; end $tag",
    )?;
    let names = said.ended(0)?.has("sleep 1000")?.out.lines();
    let names: Vec<&str> = names.filter(|line| line.starts_with("net:")).collect();
    ensure!(
        names.len() == 2 && names[0] == names[1],
        "not the other's network: {said}"
    );
    Ok(())
}

fn mapped(place: &Place<'_>) -> Outcome {
    let said = Containerd::ready(place)?.ask(
        "ctr run --rm --uidmap 0:100000:65536 --gidmap 0:100000:65536 $box $tag \
            sh -c 'id -u; echo $(cat /proc/self/uid_map); touch /new; stat -c %u /new /bin'",
    )?;
    said.ended(0)?.printed("0\n0 100000 65536\n0\n0")?;
    Ok(())
}

fn limits(place: &Place<'_>) -> Outcome {
    let said = Containerd::ready(place)?.ask(
        "ctr run --rm --memory-limit 50000000 --cpus 0.5 --cgroup /$tag/inner \
            --mount type=bind,src=/sys/fs/cgroup,dst=/mnt,options=rbind:ro $box $tag \
            sh -c 'cd /mnt$(cut -d: -f3 /proc/self/cgroup); pwd; cat memory.max cpu.max'
        rmdir /sys/fs/cgroup/$tag 2>/dev/null; true",
    )?;
    let wanted = format!("/mnt/{}/inner\n49999872\n50000 100000", place.tag);
    said.ended(0)?.printed(&wanted)?;
    Ok(())
}

fn scope(place: &Place<'_>) -> Outcome {
    let said = Containerd::ready(place)?.ask(
        "unit=callers-$tag.scope
        ctr run -d --runc-systemd-cgroup --cgroup system.slice:callers:$tag --memory-limit 64000000 $box $tag sleep 1000
        cat /proc/$(pid $tag)/cgroup; systemctl show -p MemoryMax -p ActiveState -p Slice $unit
        end $tag; systemctl show -p LoadState $unit",
    )?;
    said.ended(0)?
        .has(&format!("/system.slice/callers-{}.scope", place.tag))?
        .has("MemoryMax=64000000")?
        .has("ActiveState=active")?
        .has("Slice=system.slice")?
        .has("LoadState=not-found")?;
    Ok(())
}

fn out_of_memory(place: &Place<'_>) -> Outcome {
    let said = Containerd::ready(place)?.ask(
        "ctr events >$dir/events & events=$!
        ctr run --rm --memory-limit 20000000 $box $tag tail /dev/zero; status=$?
        sleep 1; kill $events; grep /tasks/oom $dir/events; exit $status",
    )?;
    said.ended(137)?.has(&place.tag)?;
    Ok(())
}

/// The option is `BinaryName` of the shim.
fn by_path(place: &Place<'_>) -> Outcome {
    let said = Containerd::ready(place)?.ask(
        "printf '#!/bin/sh\\necho \"$@\" >>%s/calls\\nexec %s \"$@\"\\n' $dir $runtime >$dir/own; chmod +x $dir/own
        ctr run --rm --runc-binary $dir/own $box $tag echo well; cat $dir/calls",
    )?;
    said.ended(0)?
        .has("well\n")?
        .has(" create --bundle ")?
        .has(" delete ")?;
    Ok(())
}

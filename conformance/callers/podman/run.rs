//! run: streams, statuses, and what the process is given.

use crate::case::{Case, Need};
use crate::check::Outcome;
use crate::place::Place;

use super::{Podman, shows};

pub(super) const CASES: &[Case] = &[
    Case::new("podman/run-to-the-end", to_the_end),
    Case::new("podman/run-with-input", input),
    Case::new("podman/run-on-a-terminal", terminal),
    Case::new("podman/run-as-somebody-somewhere", somebody),
    Case::new("podman/run-detached-and-wait", detached),
    Case::new("podman/create-then-start-attached", created),
    Case::new("podman/run-under-an-init", init).needs(&[Need::Program("catatonit")]),
    Case::new("podman/run-read-only", read_only),
    Case::new("podman/run-hands-signals-on", signals),
    Case::new("podman/run-with-descriptors-kept", descriptors),
    Case::new("podman/run-and-be-told-when-ready", notified).needs(&[
        Need::Program("socat"),
        Need::Program("systemd-notify"),
        Need::File("/run/systemd/private"),
    ]),
];

fn to_the_end(place: &Place<'_>) -> Outcome {
    let podman = Podman::root(place)?;
    let said = podman.ask("podman run --rm box sh -c 'echo out; echo err >&2; exit 7'")?;
    said.ended(7)?.printed("out")?.complained(&["err"])?;
    Ok(())
}

fn input(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "echo from afar | podman run --rm -i box cat",
        "from afar",
    )
}

/// script(1) gives podman a terminal, of a size that the container's must get.
fn terminal(place: &Place<'_>) -> Outcome {
    let inner =
        "tty; until stty size 2>/dev/null | grep -q 33; do sleep 0.1; done; stty size; exit 4";
    let podman = Podman::root(place)?;
    let said = podman.ask(&format!(
        "cat >$dir/typed <<'END'\nstty rows 33 cols 77; podman run --rm -it box sh -c '{inner}'\nEND
        script -qec \"sh $dir/typed\" /dev/null"
    ))?;
    said.ended(4)?.has("/dev/pts/0\r\n")?.has("33 77\r\n")?;
    Ok(())
}

fn somebody(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run --rm -e COLOUR='dark blue' -w /home -u joe --hostname there --umask 0027 \
        box sh -c 'echo $COLOUR $IMAGE; pwd; id; hostname; umask'
        podman run --rm -u 4321:77 --group-add 1234 box id | sed 's/(4321)//'",
        "dark blue box\n/home\nuid=1234(joe) gid=1234(joe) groups=77(club),1234(joe)\nthere\n0027\n\
         uid=4321 gid=77(club) groups=77(club),1234(joe)",
    )
}

fn detached(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run -d --name $tag box sh -c 'echo hello; sleep 1; echo again >&2; exit 3' >/dev/null
        podman wait $tag
        podman logs $tag 2>&1
        podman inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.OCIRuntime}}' $tag
        podman rm $tag >/dev/null",
        &format!("3\nhello\nagain\nexited 3 {}", place.runtime.name),
    )
}

/// And once more: a container may begin again.
fn created(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman create --name $tag box sh -c 'echo round >>/count; wc -l </count; exit 9' >/dev/null
        podman start -a $tag || echo with $?
        podman start -a $tag || echo with $?
        podman rm $tag >/dev/null",
        "1\nwith 9\n2\nwith 9",
    )
}

fn init(place: &Place<'_>) -> Outcome {
    let podman = Podman::root(place)?;
    let said = podman.ask(
        "podman run --rm --init box sh -c 'cat /proc/1/cmdline | tr \"\\0\" \" \"; kill -SEGV $$'",
    )?;
    said.ended(128 + 11)?.has("init")?;
    Ok(())
}

fn read_only(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run --rm --read-only --tmpfs /scratch:size=1m,mode=1777 box sh -c '
            touch /etc/x 2>/dev/null || echo not in etc
            touch /tmp/x /run/x /scratch/x && echo there
            dd if=/dev/zero of=/scratch/much bs=1k count=2000 2>&1 | grep -o \"No space left on device\"'",
        "not in etc\nthere\nNo space left on device",
    )
}

fn signals(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run --rm box sh -c 'trap \"echo heard; exit 5\" TERM; echo ready; while :; do sleep 0.1; done' >$dir/out &
        until grep -q ready $dir/out; do sleep 0.1; done
        kill -TERM $!
        wait $! || echo with $?
        cat $dir/out",
        "with 5\nready\nheard",
    )
}

fn descriptors(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "echo kept >$dir/file
        podman run --rm --preserve-fds 2 box sh -c 'cat <&3; echo written >&4' 3<$dir/file 4>$dir/out
        cat $dir/out",
        "kept\nwritten",
    )
}

/// The program in the container is the host's own, with what it needs.
fn notified(place: &Place<'_>) -> Outcome {
    let podman = Podman::root(place)?;
    let said = podman.ask(
        "socat -u UNIX-RECV:$dir/notify,mode=777 OPEN:$dir/heard,creat,append & socat=$!
        until [ -e $dir/notify ]; do sleep 0.1; done
        NOTIFY_SOCKET=$dir/notify podman run -d --name $tag --sdnotify=container \
            -v /usr:/usr:ro -v /usr/lib:/lib:ro -v /usr/lib64:/lib64:ro \
            box sh -c '/usr/bin/systemd-notify --ready --status=well; sleep 1000' >/dev/null
        for i in $(seq 100); do grep -q READY=1 $dir/heard && break; sleep 0.2; done
        cat $dir/heard
        podman rm -f -t 0 $tag >/dev/null
        kill $socat",
    )?;
    said.has("READY=1")?;
    Ok(())
}

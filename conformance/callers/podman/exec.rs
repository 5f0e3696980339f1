//! exec into a running container.

use crate::case::Case;
use crate::check::Outcome;
use crate::place::Place;

use super::{Podman, shows};

pub(super) const CASES: &[Case] = &[
    Case::new("podman/exec-streams-and-statuses", streams),
    Case::new("podman/exec-on-a-terminal", terminal),
    Case::new("podman/exec-as-somebody-somewhere", somebody),
    Case::new("podman/exec-detached", detached),
    Case::new("podman/exec-privileged", privileged),
    Case::new("podman/exec-ten-at-a-time", crowd),
    Case::new("podman/exec-what-is-not-there", not_there),
    Case::new("podman/exec-lives-and-ends-with-the-container", ends),
];

/// `inner` with a container called `$tag` that runs.
fn within(place: &Place<'_>, flags: &str, inner: &str, out: &str) -> Outcome {
    let script = format!(
        "podman run -d --name $tag {flags} box sleep 1000 >/dev/null\n{inner}\npodman rm -f -t 0 $tag >/dev/null"
    );
    shows(place, &script, out)
}

fn streams(place: &Place<'_>) -> Outcome {
    within(
        place,
        "",
        "podman exec $tag sh -c 'echo out; echo err >&2; exit 42' 2>&1 || echo with $?
        podman exec $tag sh -c 'kill -KILL $$' || echo with $?
        echo from afar | podman exec -i $tag cat
        podman exec $tag sh -c 'read line || echo nothing to read'",
        "out\nerr\nwith 42\nwith 137\nfrom afar\nnothing to read",
    )
}

fn terminal(place: &Place<'_>) -> Outcome {
    let podman = Podman::root(place)?;
    let inner =
        "tty; until stty size 2>/dev/null | grep -q 33; do sleep 0.1; done; stty size; exit 4";
    let said = podman.ask(&format!(
        "podman run -d --name $tag box sleep 1000 >/dev/null
        cat >$dir/typed <<'END'\nstty rows 33 cols 77; podman exec -it $1 sh -c '{inner}'\nEND
        script -qec \"sh $dir/typed $tag\" /dev/null || echo with $?
        podman rm -f -t 0 $tag >/dev/null"
    ))?;
    said.ended(0)?
        .has("/dev/pts/0\r\n")?
        .has("33 77\r\nwith 4")?;
    Ok(())
}

fn somebody(place: &Place<'_>) -> Outcome {
    within(
        place,
        "-e COLOUR=blue",
        "podman exec -u joe -w /tmp -e MORE='a b' $tag sh -c 'id; pwd; echo $COLOUR $MORE $IMAGE; grep CapEff /proc/self/status'
        podman exec $tag sh -c 'echo $(id -u) $PWD; tail -n 1 /proc/self/cgroup'",
        "uid=1234(joe) gid=1234(joe) groups=77(club)\n/tmp\nblue a b box\nCapEff:\t0000000000000000\n0 /\n0::/",
    )
}

fn detached(place: &Place<'_>) -> Outcome {
    within(
        place,
        "",
        "podman exec -d $tag sh -c 'echo began >/tmp/it; sleep 1000' >/dev/null
        until podman exec $tag cat /tmp/it 2>/dev/null; do sleep 0.1; done
        podman top $tag args | sed 's/ *$//' | sort",
        "began\nCOMMAND\nsleep 1000\nsleep 1000",
    )
}

fn privileged(place: &Place<'_>) -> Outcome {
    within(
        place,
        "--cap-drop all",
        "podman exec $tag grep CapEff /proc/self/status
        grep CapBnd /proc/self/status | cut -f 2 >$dir/all
        podman exec --privileged $tag grep CapEff /proc/self/status | cut -f 2 | cmp - $dir/all && echo all",
        "CapEff:\t0000000000000000\nall",
    )
}

fn crowd(place: &Place<'_>) -> Outcome {
    within(
        place,
        "",
        "for i in 1 2 3 4 5 6 7 8 9 10; do podman exec $tag sh -c \"echo $i; exit $i\" >$dir/out$i & done
        for i in 1 2 3 4 5 6 7 8 9 10; do wait %$i || echo $? >>$dir/statuses; done
        cat $dir/out* | sort -n | tr '\\n' ' '
        sort -n $dir/statuses | tr '\\n' ' '",
        "1 2 3 4 5 6 7 8 9 10 1 2 3 4 5 6 7 8 9 10",
    )
}

/// And the text of the runtime reaches the user.
fn not_there(place: &Place<'_>) -> Outcome {
    within(
        place,
        "",
        "podman exec $tag nothing-like-it 2>$dir/err || echo with $?
        grep -c 'nothing-like-it.*not found' $dir/err
        podman exec $tag /etc/not-a-program 2>$dir/err || echo with $?
        grep -ci 'permission denied' $dir/err
        podman exec -w /no/such/folder $tag true 2>$dir/err || echo with $?
        grep -c '/no/such/folder' $dir/err
        podman exec $tag echo on",
        "with 127\n1\nwith 126\n1\nwith 127\n1\non",
    )
}

fn ends(place: &Place<'_>) -> Outcome {
    within(
        place,
        "",
        "podman exec $tag sh -c 'touch /tmp/it; sleep 1000' & one=$!
        until podman exec $tag test -e /tmp/it; do sleep 0.1; done
        podman kill $tag >/dev/null
        wait $one || echo with $?
        podman wait $tag
        podman exec $tag true 2>&1 | grep -c 'can only create exec sessions on running containers'",
        "with 137\n137\n1",
    )
}

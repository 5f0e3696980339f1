//! stop, kill, pause, restart, and what there is to see of a container's life.

use crate::case::{Case, Need};
use crate::check::Outcome;
use crate::place::Place;

use super::shows;

pub(super) const CASES: &[Case] = &[
    Case::new("podman/stop-is-obeyed", stop_obeyed),
    Case::new("podman/stop-is-ignored", stop_ignored),
    Case::new("podman/kill-by-signal", kill),
    Case::new("podman/pause-and-unpause", pause),
    Case::new("podman/restart", restart),
    Case::new("podman/begin-again-when-it-fails", restart_policy),
    Case::new("podman/logs-followed", logs),
    Case::new("podman/attach", attach),
    Case::new("podman/rename-and-events", rename),
    Case::new("podman/a-check-of-health", health).needs(&[Need::File("/run/systemd/private")]),
    Case::new("podman/several-at-a-time", several),
];

const OBEYS: &str = "sh -c 'trap \"echo ended; exit 6\" TERM; trap \"echo usr1\" USR1; echo ready; while :; do sleep 0.1; done'";
const READY: &str = "until podman logs $tag | grep -q ready; do sleep 0.1; done";

fn stop_obeyed(place: &Place<'_>) -> Outcome {
    shows(
        place,
        &format!(
            "podman run -d --name $tag box {OBEYS} >/dev/null; {READY}
            podman stop -t 50 $tag >/dev/null
            podman logs $tag; podman inspect --format '{{{{.State.Status}}}} {{{{.State.ExitCode}}}}' $tag
            podman rm $tag >/dev/null"
        ),
        "ready\nended\nexited 6",
    )
}

fn stop_ignored(place: &Place<'_>) -> Outcome {
    shows(
        place,
        &format!(
            "podman run -d --name $tag box sh -c 'trap \"\" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null; {READY}
            podman stop -t 1 $tag >/dev/null 2>&1
            podman inspect --format '{{{{.State.ExitCode}}}}' $tag
            podman rm $tag >/dev/null"
        ),
        "137",
    )
}

fn kill(place: &Place<'_>) -> Outcome {
    shows(
        place,
        &format!(
            "podman run -d --name $tag box {OBEYS} >/dev/null; {READY}
            podman kill -s USR1 $tag >/dev/null; podman kill -s SIGTERM $tag >/dev/null
            podman wait $tag
            podman logs $tag | tail -n 2
            podman kill $tag 2>/dev/null || echo not any more
            podman rm $tag >/dev/null"
        ),
        "6\nusr1\nended\nnot any more",
    )
}

/// While it is paused nothing is counted, and it may be removed.
fn pause(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run -d --name $tag -v $dir:/host box sh -c 'while :; do echo x >>/host/count; sleep 0.05; done' >/dev/null
        until [ -s $dir/count ]; do sleep 0.1; done
        podman pause $tag >/dev/null
        podman inspect --format '{{.State.Status}}' $tag
        podman exec $tag true 2>/dev/null || echo not while it is paused
        a=$(wc -l <$dir/count); sleep 1; b=$(wc -l <$dir/count); [ $a = $b ] && echo still
        podman unpause $tag >/dev/null
        sleep 1; [ $(wc -l <$dir/count) -gt $b ] && echo on
        podman pause $tag >/dev/null
        podman rm -f -t 0 $tag >/dev/null",
        "paused\nnot while it is paused\nstill\non",
    )
}

fn restart(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run -d --name $tag -v $dir:/host box sh -c 'echo x >>/host/count; sleep 1000' >/dev/null
        until [ -s $dir/count ]; do sleep 0.1; done
        podman restart -t 0 $tag >/dev/null
        until [ $(wc -l <$dir/count) = 2 ]; do sleep 0.1; done
        podman exec $tag echo on
        podman rm -f -t 0 $tag >/dev/null",
        "on",
    )
}

fn restart_policy(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run -d --restart on-failure:2 --name $tag -v $dir:/host box sh -c 'echo x >>/host/count; exit 1' >/dev/null
        until [ $(wc -l <$dir/count) = 3 ]; do sleep 0.1; done
        until podman inspect --format '{{.State.Status}}' $tag | grep exited; do sleep 0.1; done
        podman inspect --format '{{.RestartCount}}' $tag
        podman rm -f -t 0 $tag >/dev/null
        wc -l <$dir/count",
        "exited\n2\n3",
    )
}

fn logs(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run -d --name $tag -v $dir:/host box sh -c 'echo one; until [ -e /host/go ]; do sleep 0.1; done; echo two; printf three' >/dev/null
        podman logs -f $tag >$dir/log & p=$!
        until grep -q one $dir/log; do sleep 0.1; done
        touch $dir/go
        wait $p
        cat $dir/log; echo
        podman rm -f -t 0 $tag >/dev/null",
        "one\ntwo\nthree",
    )
}

fn attach(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run -d -i --name $tag box sh -c 'read line; echo got $line; exit 8' >/dev/null
        { echo words; until grep -q got $dir/out; do sleep 0.1; done; sleep 1; } | podman attach $tag >$dir/out || true
        grep got $dir/out
        podman wait $tag
        podman rm -f -t 0 $tag >/dev/null",
        "got words\n8",
    )
}

fn rename(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run -d --name $tag box sleep 1000 >/dev/null
        podman rename $tag $tag-new
        podman exec $tag-new echo there
        podman ps --format '{{.Names}} {{.Status}}' | grep -o '.*-new Up'
        podman rm -f -t 0 $tag-new >/dev/null
        podman events --stream=false --filter type=container --format '{{.Status}}' | grep -Ex 'create|init|start|rename|exec|died|remove' | sort -u | tr '\\n' ' '",
        &format!("there\n{}-new Up\ncreate died exec init remove rename start", place.tag),
    )
}

fn health(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run -d --name $tag --health-cmd 'test -e /tmp/well' --health-interval 1s --health-retries 1 --health-start-period 0s box sleep 1000 >/dev/null
        podman healthcheck run $tag >/dev/null || echo not well
        podman exec $tag touch /tmp/well
        podman healthcheck run $tag && echo well
        until podman inspect --format '{{.State.Health.Status}}' $tag | grep -x healthy; do sleep 0.5; done
        podman rm -f -t 0 $tag >/dev/null",
        "not well\nwell\nhealthy",
    )
}

fn several(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "for i in 1 2 3 4 5; do podman run --rm --name $tag-$i box sh -c \"echo $i\" >$dir/out$i & done
        wait
        cat $dir/out* | tr '\\n' ' '
        podman ps -a -q | wc -l",
        "1 2 3 4 5 0",
    )
}

//! checkpoint and restore, by CRIU.

use crate::case::{Case, Need};
use crate::check::Outcome;
use crate::place::Place;

use super::shows;

const CRIU: &[Need] = &[Need::Criu];

pub(super) const CASES: &[Case] = &[
    Case::new("podman/checkpoint-and-restore", here).needs(CRIU),
    Case::new("podman/checkpoint-left-running-and-exported", exported).needs(CRIU),
];

const COUNTS: &str = "sh -c 'i=0; while :; do i=$((i+1)); echo $i >>/tmp/count; sleep 0.1; done'";

fn here(place: &Place<'_>) -> Outcome {
    shows(
        place,
        &format!(
            "podman run -d --name $tag --tmpfs /mem box {COUNTS} >/dev/null
            until podman exec $tag test -s /tmp/count; do sleep 0.1; done
            podman container checkpoint $tag >/dev/null
            podman inspect --format '{{{{.State.Status}}}} {{{{.State.Checkpointed}}}}' $tag
            podman container restore $tag >/dev/null
            podman inspect --format '{{{{.State.Status}}}} {{{{.State.Restored}}}}' $tag
            a=$(podman exec $tag tail -n 1 /tmp/count); sleep 1; b=$(podman exec $tag tail -n 1 /tmp/count)
            [ $b -gt $a ] && echo on
            podman exec $tag sh -c 'sort -n /tmp/count | uniq -d | wc -l'
            podman rm -f -t 0 $tag >/dev/null"
        ),
        "exited true\nrunning true\non\n0",
    )
}

fn exported(place: &Place<'_>) -> Outcome {
    shows(
        place,
        &format!(
            "podman run -d --name $tag box {COUNTS} >/dev/null
            until podman exec $tag test -s /tmp/count; do sleep 0.1; done
            podman container checkpoint --leave-running --export $dir/it.tar $tag >/dev/null
            podman exec $tag echo goes on
            podman rm -f -t 0 $tag >/dev/null
            podman container restore --import $dir/it.tar --name $tag-new >/dev/null
            podman exec $tag-new sh -c 'tail -n 1 /tmp/count >/dev/null && echo elsewhere'
            podman rm -f -t 0 $tag-new >/dev/null"
        ),
        "goes on\nelsewhere",
    )
}

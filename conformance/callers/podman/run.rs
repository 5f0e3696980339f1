//! run: streams, statuses, and what the process is given.

use crate::case::Case;
use crate::check::Outcome;
use crate::place::Place;

use super::Podman;

pub(super) const CASES: &[Case] = &[
    Case::new("podman/run-to-the-end", to_the_end),
    Case::new("podman/run-with-input", input),
    Case::new("podman/run-as-a-user", rootless),
];

fn to_the_end(place: &Place<'_>) -> Outcome {
    let podman = Podman::root(place)?;
    let said =
        podman.ask("podman run --rm --network none box sh -c 'echo out; echo err >&2; exit 7'")?;
    said.ended(7)?.printed("out")?.complained(&["err"])?;
    Ok(())
}

fn input(place: &Place<'_>) -> Outcome {
    let podman = Podman::root(place)?;
    podman
        .ask("echo from afar | podman run --rm -i --network none box cat")?
        .ended(0)?
        .printed("from afar")?;
    Ok(())
}

fn rootless(place: &Place<'_>) -> Outcome {
    let podman = Podman::user(place)?;
    let said =
        podman.ask("podman run --rm --network none box sh -c 'id -u; cat /proc/self/uid_map'")?;
    said.ended(0)?.has("0\n")?.has("1000")?;
    Ok(())
}

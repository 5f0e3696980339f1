//! All callers, and all their cases.

use crate::case::{Caller, Case};
use crate::{buildah, conmon, containerd, docker, podman};

/// All callers, in the report's order.
pub(crate) const CALLERS: &[Caller] = &[
    podman::CALLER,
    docker::CALLER,
    containerd::CALLER,
    buildah::CALLER,
    conmon::CALLER,
];

/// The cases with one of `filters` in their name, in the report's order; all, without filters.
pub(crate) fn chosen(filters: &[String]) -> Vec<Case> {
    let all = CALLERS
        .iter()
        .flat_map(|caller| caller.cases)
        .copied()
        .flatten()
        .copied();
    all.filter(|case| filters.is_empty() || filters.iter().any(|f| case.name.contains(f.as_str())))
        .collect()
}

/// The program that a case is about.
pub(crate) fn program_of(case: &Case) -> &'static str {
    let its = |caller: &&Caller| case.name.split('/').next() == Some(caller.name);
    CALLERS.iter().find(its).map_or("", |caller| caller.program)
}

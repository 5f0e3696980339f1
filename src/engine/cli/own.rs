//! Verbs by which the engine calls itself. No help shows them.

use crate::engine::monitor::holder;
use crate::engine::places::Places;
use crate::engine::{Outcome, ids, init, inside, monitor};
use crate::error::Result;
use std::ffi::OsString;

/// Carries out such a verb; none where it is another.
pub(super) fn carry_out(
    verb: &str,
    rest: &[OsString],
    places: impl FnOnce() -> Result<Places>,
) -> Option<Outcome> {
    let first = || {
        rest.first()
            .map(|word| word.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    Some(match verb {
        monitor::VERB => places()
            .map_err(Into::into)
            .and_then(|places| monitor::monitor(&first(), &places)),
        inside::MAPPER => {
            let pid = first().parse().unwrap_or_default();
            inside::map(pid).map(|()| 0).map_err(Into::into)
        }
        holder::VERB => holder::hold().map(|()| 0).map_err(Into::into),
        ids::mapped::VERB => ids::mapped::hold().map(|()| 0).map_err(Into::into),
        init::VERB => Ok(init::init(rest)),
        _ => return None,
    })
}

//! What a case says: an outcome, and the few comparisons that word a failure.

use std::error::Error;
use std::fmt::Debug;
use std::time::{Duration, Instant};

/// A case's result: nothing, or the sentence that says what was seen instead.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Fails the case with the formatted sentence unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($sentence:tt)+) => {
        if !$condition {
            return Err(format!($($sentence)+).into());
        }
    };
}
pub(crate) use ensure;

/// Fails unless `got` is `want`; `what` names the thing looked at.
pub(crate) fn same<G: PartialEq<W> + Debug, W: Debug>(what: &str, got: G, want: W) -> Outcome {
    ensure!(got == want, "{what}: expected {want:?}, found {got:?}");
    Ok(())
}

/// Fails unless `text` contains `part`.
pub(crate) fn contains(what: &str, text: &str, part: &str) -> Outcome {
    ensure!(
        text.contains(part),
        "{what}: expected to contain {part:?}, found {text:?}"
    );
    Ok(())
}

/// Fails unless `text` contains one of `parts`, whatever the case of its letters.
pub(crate) fn mentions(what: &str, text: &str, parts: &[&str]) -> Outcome {
    let lower = text.to_lowercase();
    ensure!(
        parts
            .iter()
            .any(|part| lower.contains(&part.to_lowercase())),
        "{what}: expected to mention one of {parts:?}, found {text:?}"
    );
    Ok(())
}

/// What ends a case that only finds out on its way that it cannot be judged here: it counts as skipped.
#[derive(Debug)]
pub(crate) struct Hindrance(String);

impl std::fmt::Display for Hindrance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Hindrance {}

/// Ends the case as skipped.
pub(crate) fn skip<T>(reason: &str) -> Outcome<T> {
    Err(Box::new(Hindrance(reason.to_owned())))
}

/// How many times as long as usual things may take: an emulated machine is slow. From the environment
/// variable CONFORMANCE_PATIENCE, 1 by default.
pub(crate) fn patience() -> u32 {
    let given = std::env::var("CONFORMANCE_PATIENCE").unwrap_or_default();
    given.parse().unwrap_or(1).clamp(1, 100)
}

/// How many of `count` repetitions fit into the time that they usually take.
pub(crate) fn scaled(count: u32) -> u32 {
    (count / patience()).max(10).min(count)
}

/// Repeats `look` every few milliseconds until it answers true, at most `limit` long, times [`patience`].
pub(crate) fn eventually(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Outcome<bool>,
) -> Outcome {
    let limit = limit * patience();
    let end = Instant::now() + limit;
    while !look()? {
        ensure!(Instant::now() < end, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(3));
    }
    Ok(())
}

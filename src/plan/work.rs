//! What a container is made from on every platform: its plan, and what was asked for beside it.

use crate::cli::{Create, Verbosity};

/// What a container is made from; `P` is the platform's plan, `H` its host, asked once.
#[derive(Debug)]
pub struct Work<'a, P, H> {
    /// Its plan.
    pub plan: &'a P,
    /// The bytes of config.json.
    pub config: &'a [u8],
    /// What was typed.
    pub request: &'a Create,
    /// The host.
    pub host: H,
    /// Who will let the program begin.
    pub starter: Starter,
    /// Whether to tell of each step that was passed.
    pub verbosity: Verbosity,
}

/// Who will let the container's program begin: on Linux, who will open gate E.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Starter {
    /// A later `orbital start`, at a socket in the container's directory.
    Later,
    /// This invocation (`run`), on the connection of the other gates.
    Ourselves,
}

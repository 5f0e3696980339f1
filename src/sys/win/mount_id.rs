//! Which mount is meant, in records of Linux; here none is ever laid.

use serde::{Deserialize, Serialize};

/// A mount of Linux's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountId {}

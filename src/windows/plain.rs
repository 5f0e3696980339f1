//! The plan of a container for Linux, which only Linux can make: it is full of what that kernel calls things.

use crate::cli::{Create, PlanFormat};
use crate::error::{Cause, Error, Object, Result};
use crate::spec::Bundle;

/// Refuses.
///
/// # Errors
/// Always.
pub fn told(_: &Bundle, _: &Create, _: PlanFormat) -> Result<String> {
    let object = Object::Argument("--platform linux".to_owned());
    let why = "this build is for Windows, and plans containers on Job Objects alone".to_owned();
    Err(
        Error::new("plan the container", object, Cause::Refused(why))
            .hint("ask an orbital on Linux"),
    )
}

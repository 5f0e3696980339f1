//! What `create` has done so far, to be undone in reverse when a later step fails.

use crate::error::{Error, Result};

type Step<'a> = Box<dyn FnOnce() -> Result<()> + 'a>;

/// A list of acts to be undone. Each is registered on the line after it was done.
#[derive(Default)]
pub struct Undo<'a>(Vec<Step<'a>>);

impl std::fmt::Debug for Undo<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Undo({} steps)", self.0.len())
    }
}

impl<'a> Undo<'a> {
    /// Registers how to undo what was just done.
    pub fn push(&mut self, step: impl FnOnce() -> Result<()> + 'a) {
        self.0.push(Box::new(step));
    }

    /// All went well: what was done stays.
    pub fn forget(self) {
        drop(self);
    }

    /// Undoes everything, last act first. A step that fails does not keep the others from running; its
    /// failure is added to the error that led here.
    #[must_use]
    pub fn after(self, error: Error) -> Error {
        let failures: Vec<Error> = self
            .0
            .into_iter()
            .rev()
            .filter_map(|step| step().err())
            .collect();
        error.also(failures)
    }
}

#[cfg(test)]
mod tests {
    use super::Undo;
    use crate::error::Error;
    use std::cell::RefCell;

    #[test]
    fn backwards_and_to_the_end() {
        let seen = RefCell::new(Vec::new());
        let mut undo = Undo::default();
        for name in ["a", "b", "c"] {
            let seen = &seen;
            undo.push(move || {
                seen.borrow_mut().push(name);
                if name == "b" {
                    Err(Error::container("undo", "b", "stuck"))
                } else {
                    Ok(())
                }
            });
        }
        let error = undo.after(Error::container("create x", "x", "first"));
        assert_eq!(*seen.borrow(), ["c", "b", "a"]);
        assert_eq!(error.report().also.len(), 1);
        assert!(error.one_line().starts_with("cannot create x"));
    }
}

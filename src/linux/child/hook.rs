//! Hooks that run inside: createContainer before the pivot, startContainer after `start`.

use crate::linux::failure::{Miss, Of};
use crate::linux::held::{Documents, Held};
use crate::linux::hook::{self, ReadyHook};
use std::os::fd::{AsFd, OwnedFd};

/// createContainer: the container's namespaces, the runtime's files.
pub fn create_container(h: &Held) -> Result<(), Miss> {
    all(&h.create_container, h, |documents| &documents.creating)
}

/// startContainer: the container's namespaces and files.
pub fn start_container(h: &Held) -> Result<(), Miss> {
    all(&h.start_container, h, |documents| &documents.created)
}

fn all(hooks: &[ReadyHook], h: &Held, document: fn(&Documents) -> &OwnedFd) -> Result<(), Miss> {
    let Some(documents) = &h.documents else {
        return Ok(());
    };
    for (index, ready) in hooks.iter().enumerate() {
        let streams = hook::Streams {
            document: document(documents).as_fd(),
            output: documents.output.as_fd(),
            files: &documents.files,
        };
        hook::run(ready, c"/", &streams).of(index)?;
    }
    Ok(())
}

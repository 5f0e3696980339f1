//! Second names of files.

use super::{Place, Tree, clean};
use crate::engine::unpack::{Overlay, tar};
use crate::sys::path::{self, Links};
use rustix::fs::AtFlags;
use std::ffi::CString;
use std::io::Result;
use std::os::fd::AsFd as _;

impl Tree {
    /// A second name of a file. The first may be a symbolic link: that itself is linked. Where this layer has no such
    /// file a lower one may: that is seen when all of them are there.
    pub(super) fn link(&mut self, place: &Place, target: &[u8]) -> Result<()> {
        let path = clean(target)?;
        let cut = path.iter().rposition(|byte| *byte == b'/');
        let text = |part: Option<&[u8]>| {
            CString::new(part.unwrap_or_default())
                .map_err(|_| tar::wrong("a link's text has a zero byte"))
        };
        let (parent, name) = (
            text(path.get(..cut.unwrap_or(0)))?,
            text(path.get(cut.map_or(0, |cut| cut + 1)..))?,
        );
        let shown = String::from_utf8_lossy(target).into_owned();
        let missing = || {
            tar::wrong(format!(
                "it is a hard link to {shown:?}, which the archive does not have before it"
            ))
        };
        let found = path::find(self.root.as_fd(), &parent, Links::Inside);
        let linked = match &found {
            Ok(parent) => {
                rustix::fs::linkat(parent, &name, &place.parent, &place.name, AtFlags::empty())
            }
            Err(_) => Err(rustix::io::Errno::NOENT),
        };
        match linked {
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => match self.overlay {
                Overlay::None => Err(missing()),
                _ => {
                    self.borrowed.push((place.path.clone(), path));
                    Ok(())
                }
            },
            Err(rustix::io::Errno::PERM) => Err(tar::wrong(format!(
                "it is a hard link to {shown:?}, which is a directory"
            ))),
            other => Ok(other?),
        }
    }
}

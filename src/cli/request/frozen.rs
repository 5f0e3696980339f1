//! What clap found → [`Checkpoint`], [`Restore`].

use super::{either, id, path, text_of};
use crate::cli::checkpoint::{CgroupMode, Checkpoint, Extent, Images, Restore, SWITCHES, Verbs};
use crate::cli::found::Found;
use crate::cli::{Attendance, Manager, misuse};
use crate::error::Error;
use clap::ArgMatches;
use std::ffi::OsString;
use std::path::PathBuf;

/// The request of `checkpoint`.
///
/// # Errors
/// Words that are no address, no descriptor, or no namespace that can be empty.
pub(super) fn checkpoint(found: &mut ArgMatches) -> Result<Checkpoint, Error> {
    let page_server = text_of(found, "page-server")?;
    let status_fd = text_of(found, "status-fd")?;
    let parent = path(found, "parent-path");
    if let Some(parent) = parent.as_deref().filter(|parent| parent.is_absolute()) {
        return Err(misuse::refused(
            &format!("--parent-path={}", parent.display()),
            "it is relative to --image-path, so that both can be moved together",
        )
        .hint("write it as seen from --image-path, such as ../before"));
    }
    Ok(Checkpoint {
        id: id(found)?,
        images: images(found, Verbs::Checkpoint)?,
        extent: either(found, "pre-dump", Extent::Memory, Extent::All),
        parent,
        page_server: page_server.map(|typed| address(&typed)).transpose()?,
        status_fd: match status_fd.as_deref() {
            None | Some("-1") => None,
            Some(typed) => Some(descriptor(typed)?),
        },
    })
}

/// The request of `restore`.
///
/// # Errors
/// As [`checkpoint`].
pub(super) fn restore(found: &mut ArgMatches, manager: Manager) -> Result<Restore, Error> {
    Ok(Restore {
        images: images(found, Verbs::Restore)?,
        attendance: either(
            found,
            "detach",
            Attendance::Detached,
            Attendance::Foreground,
        ),
        lsm_profile: text_of(found, "lsm-profile")?,
        lsm_mount_context: text_of(found, "lsm-mount-context")?,
        create: crate::cli::Create {
            console_socket: path(found, "console-socket"),
            pid_file: path(found, "pid-file"),
            manager,
            ..crate::cli::Create::of(id(found)?, super::bundle(found))
        },
    })
}

fn images(found: &mut ArgMatches, verb: Verbs) -> Result<Images, Error> {
    for typed in found
        .remove_many::<OsString>("empty-ns")
        .into_iter()
        .flatten()
    {
        if typed != "network" {
            let typed = format!("--empty-ns={}", typed.to_string_lossy());
            return Err(misuse::refused(
                &typed,
                "only a network namespace can be brought up empty",
            ));
        }
    }
    let given = |flag: &str| found.get_flag(flag);
    let switches = SWITCHES
        .iter()
        .filter(|one| one.of.holds(verb) && given(one.flag))
        .collect();
    Ok(Images {
        switches,
        path: path(found, "image-path").unwrap_or_else(|| PathBuf::from("checkpoint")),
        work: path(found, "work-path"),
        cgroups: match found.word("manage-cgroups-mode").as_deref() {
            Some("full") => CgroupMode::Full,
            Some("strict") => CgroupMode::Strict,
            Some("ignore") => CgroupMode::Ignore,
            _ => CgroupMode::Soft,
        },
    })
}

/// `ADDRESS:PORT`, an address of IPv6 in brackets.
fn address(typed: &str) -> Result<(String, u16), Error> {
    let parts = typed.rsplit_once(':').and_then(|(address, port)| {
        let bare = address
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let address = bare.unwrap_or(address);
        let is_plain = bare.is_some() || !address.contains(':');
        (is_plain && !address.is_empty()).then_some((address.to_owned(), port.parse().ok()?))
    });
    parts.ok_or_else(|| {
        misuse::refused(&format!("--page-server={typed}"), "it is no ADDRESS:PORT")
            .hint("write it as 192.0.2.7:27000 or [2001:db8::7]:27000")
    })
}

fn descriptor(typed: &str) -> Result<i32, Error> {
    let number = typed.parse::<i32>().ok().filter(|number| *number >= 0);
    number.ok_or_else(|| {
        misuse::refused(
            &format!("--status-fd={typed}"),
            "not the number of a descriptor",
        )
    })
}

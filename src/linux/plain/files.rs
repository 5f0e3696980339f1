//! The steps that make the container's tree of files.

use super::flags;
use super::flags::{inside, words};
use super::part::Part;
use crate::plan::Plan;
use crate::plan::console::Console;
use crate::plan::devices::Make;
use crate::plan::idmap::Map;
use crate::plan::masks::Covered;
use crate::plan::mounts::{
    AttrChange, Begins, FsOption, IdMapping, Ids, MountOp, Recursive, Source, SourceLink,
};
use crate::plan::root::{Access, Entry};

pub(super) fn propagation(plan: &Plan) -> Vec<Part> {
    if plan.root.entry == Entry::Chroot {
        return Vec::new();
    }
    let what = match plan.root.host_propagation {
        0 => "only / itself is cut off: what the host mounts and what is mounted here show on both sides".to_owned(),
        bits => format!("{}: what is mounted here does not show on the host", flags::propagation(bits)),
    };
    vec![Part::asked(
        what,
        "mount_setattr",
        "/linux/rootfsPropagation",
    )]
}

pub(super) fn root(plan: &Plan) -> Vec<Part> {
    if plan.root.entry == Entry::Chroot {
        return vec![Part::asked(
            "takes its root from the runtime, which has laid it",
            "clone3",
            plan.root.pointer.as_str(),
        )];
    }
    let what = format!("makes {} a mount of its own", words(&plan.root.path));
    vec![Part::asked(
        what,
        "open_tree, move_mount",
        plan.root.pointer.as_str(),
    )]
}

pub(super) fn mounts(plan: &Plan) -> Vec<Part> {
    plan.mounts.iter().map(mount).collect()
}

fn mount(op: &MountOp) -> Part {
    let (what, mut options) = source(&op.source);
    let call = match op.source {
        Source::New { .. } => "fsopen, fsconfig, fsmount, move_mount",
        Source::Bind { .. } => "open_tree, mount_setattr, move_mount",
        Source::Again { .. } => "fspick, fsconfig, mount_setattr",
    };
    options.extend(op.propagation.iter().map(|bits| flags::propagation(*bits)));
    let options = if options.is_empty() {
        String::new()
    } else {
        format!(": {}", options.join(", "))
    };
    Part::asked(
        format!("on {}, {what}{options}", inside(&op.target)),
        call,
        op.pointer.as_str(),
    )
}

/// What is mounted, and its options.
fn source(source: &Source) -> (String, Vec<String>) {
    match source {
        Source::New {
            kind,
            options,
            attributes,
            begins,
            root_label,
        } => {
            let all = flags::attributes(*attributes)
                .into_iter()
                .chain(options.iter().map(option))
                .chain(
                    root_label
                        .iter()
                        .map(|label| format!("labelled {}", words(label))),
                );
            let copy = match begins {
                Begins::Fresh => "",
                Begins::AsCovered(_) => " with a copy of what it covers",
            };
            (format!("a new {}{copy}", words(kind)), all.collect())
        }
        Source::Bind {
            path,
            recursive,
            attributes,
            tree_attributes,
            ids,
            link,
            ..
        } => {
            let below = if *recursive == Recursive::Yes {
                " with all mounts below it"
            } else {
                ""
            };
            let what = format!("the host's {}{below}{}", words(path), unfollowed(*link));
            let mapped = ids.as_ref().map(mapped);
            let all = changes(attributes, tree_attributes).chain(mapped);
            (what, all.collect())
        }
        Source::Again {
            options,
            attributes,
            tree_attributes,
        } => {
            let all = changes(attributes, tree_attributes).chain(options.iter().map(option));
            ("what is mounted there changes".to_owned(), all.collect())
        }
    }
}

fn changes(top: &AttrChange, tree: &AttrChange) -> impl Iterator<Item = String> {
    let tree = flags::change(tree).into_iter();
    let tree = tree.map(|word| format!("{word} all the way down"));
    flags::change(top).into_iter().chain(tree)
}

fn unfollowed(link: SourceLink) -> &'static str {
    match link {
        SourceLink::Follow => "",
        SourceLink::Itself => ", a symbolic link itself",
        SourceLink::Copy => ", of a symbolic link a copy",
    }
}

/// Whose the files seem to be, as pairs of ranges.
fn mapped(ids: &IdMapping) -> String {
    let far = match ids.recursive {
        Recursive::No => "",
        Recursive::Yes => " all the way down",
    };
    let Ids::Maps(users, groups) = &ids.by else {
        return format!("ids as in the user namespace that is joined{far}");
    };
    let lines = |map: &Map| {
        let line =
            |(file, seen, count): &(u32, u32, u32)| format!("{file} seen as {seen} ({count})");
        map.lines.iter().map(line).collect::<Vec<_>>().join(" and ")
    };
    format!("users {}, groups {}{far}", lines(users), lines(groups))
}

/// An option of a file system as mount(8) takes it.
pub(super) fn option(option: &FsOption) -> String {
    match &option.value {
        Some(value) => format!("{}={}", words(&option.key), words(value)),
        None => words(&option.key),
    }
}

pub(super) fn devices(plan: &Plan) -> Vec<Part> {
    let nodes = plan.devices.nodes.iter().map(|node| {
        let path = inside(&node.path);
        let from = node.pointer.as_ref().map_or("", |pointer| pointer.as_str());
        match node.make {
            Make::Node | Make::NodeOrBind => {
                let kind = flags::device_kind(node.mode);
                let what = format!(
                    "{path}, {kind} {}:{}, mode {:o}",
                    node.major,
                    node.minor,
                    node.mode & 0o7777
                );
                Part::asked(what, "mknodat", from)
            }
            Make::Bind => Part::asked(
                format!("{path}, the host's {path}"),
                "open_tree, move_mount",
                from,
            ),
        }
    });
    let links = plan.devices.links.iter().map(|link| {
        Part::always(
            format!("{} -> {}", inside(&link.path), words(&link.target)),
            "symlinkat",
        )
    });
    nodes.chain(links).collect()
}

pub(super) fn console(plan: &Plan) -> Vec<Part> {
    let Console::Terminal { size } = plan.console else {
        return Vec::new();
    };
    let size = size.map_or_else(String::new, |(rows, columns)| {
        format!(", {rows} lines of {columns} characters")
    });
    let what = format!(
        "a terminal of the container's own /dev/pts becomes its /dev/console and its streams{size}"
    );
    vec![Part::asked(
        what,
        "openat, ioctl TIOCGPTPEER, TIOCSCTTY, sendmsg",
        "/process/terminal",
    )]
}

pub(super) fn pivot(plan: &Plan) -> Vec<Part> {
    vec![match plan.root.entry {
        Entry::Pivot => Part::always(
            "its root becomes /, and the host's mounts are taken away",
            "fchdir, pivot_root, umount2",
        ),
        Entry::MoveAndChroot => Part::always(
            "its root is moved onto / (--no-pivot)",
            "fchdir, mount MS_MOVE, chroot",
        ),
        Entry::Chroot => Part::asked(
            "its root becomes /; the mount namespace stays the runtime's",
            "fchdir, chroot",
            "/linux/namespaces",
        ),
    }]
}

pub(super) fn root_flags(plan: &Plan) -> Vec<Part> {
    let mut parts = Vec::new();
    if plan.root.final_propagation != 0 {
        parts.push(Part::asked(
            flags::propagation(plan.root.final_propagation),
            "mount_setattr",
            "/linux/rootfsPropagation",
        ));
    }
    if plan.root.access == Access::ReadOnly {
        parts.push(Part::asked("read-only", "mount_setattr", "/root/readonly"));
    }
    parts
}

pub(super) fn streams() -> Vec<Part> {
    vec![Part::always(
        "puts those standard streams that are the host's /dev/null onto the container's",
        "dup3",
    )]
}

pub(super) fn sysctls(plan: &Plan) -> Vec<Part> {
    let told = plan.sysctls.iter().map(|one| {
        let what = format!(
            "/proc/{} = {}",
            words(&one.path),
            String::from_utf8_lossy(&one.value)
        );
        Part::asked(what, "openat2, write", one.pointer.as_str())
    });
    told.collect()
}

pub(super) fn read_only(plan: &Plan) -> Vec<Part> {
    covered(
        "makes read-only",
        "open_tree, mount_setattr, move_mount",
        &plan.masks.read_only,
    )
}

pub(super) fn masked(plan: &Plan) -> Vec<Part> {
    covered("makes empty", "move_mount", &plan.masks.masked)
}

fn covered(what: &str, call: &'static str, paths: &[Covered]) -> Vec<Part> {
    paths
        .iter()
        .map(|one| {
            Part::asked(
                format!("{what}, if it is there: {}", inside(&one.path)),
                call,
                one.pointer.as_str(),
            )
        })
        .collect()
}

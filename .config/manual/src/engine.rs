//! The engine's pages, and what may be typed where both programs are installed.

use crate::PROGRAM;
use crate::pages::{kept, of_root, of_verb, path};
use clap::{Arg, Command};
use std::io::Result;
use std::path::PathBuf;

/// As it is installed; what is typed is `orbital VERB`.
pub(crate) const ENGINE: &str = "orbital-engine";

const EXITS: (&str, [(&str, &str); 2]) = (
    "That of the command that was run; 125 where the engine could not do what was asked for, 126 where the command is there \
     and cannot be run, 127 where it is not there, 128 and the number of a signal that ended it.",
    [
        (
            "/var/lib/orbital",
            "Images, containers and volumes of root's; of a user's, $XDG_DATA_HOME/orbital.",
        ),
        (
            "/run/orbital-engine",
            "What runs, of root's; of a user's, $XDG_RUNTIME_DIR/orbital-engine.",
        ),
    ],
);

/// One page for the engine and one per verb; a verb that the runtime does not have is found by `man orbital-VERB`, too.
pub(crate) fn pages() -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let root = orbital::engine::cli::whole();
    let runtime = orbital::cli::help::whole(PROGRAM);
    let mut pages = vec![(path(ENGINE), of_root(&root, EXITS)?)];
    for verb in root.get_subcommands() {
        let name = verb.get_name();
        let dashed = name.replace(' ', "-");
        let page = format!("{ENGINE}-{dashed}");
        pages.push((
            path(&page),
            of_verb(verb, &page, &format!("{PROGRAM} {name}"))?,
        ));
        if runtime.find_subcommand(name).is_none() {
            let link = format!(".so man1/{page}.1\n");
            pages.push((path(&format!("{PROGRAM}-{dashed}")), link.into_bytes()));
        }
    }
    Ok(pages)
}

/// Both programs' verbs; a verb of both has the flags of both.
pub(crate) fn typed() -> Command {
    let engine = orbital::engine::cli::whole();
    let mut all = orbital::cli::help::whole(PROGRAM);
    for verb in engine.get_subcommands() {
        // `image prune` is of two words.
        if let Some((first, second)) = verb.get_name().split_once(' ') {
            let below = verb.clone().name(kept(second));
            all = all.subcommand(Command::new(kept(first)).subcommand(below));
            continue;
        }
        let own = all.find_subcommand(verb.get_name()).cloned();
        match own {
            None => all = all.subcommand(verb.clone()),
            Some(own) => {
                let has = |arg: &&Arg| {
                    own.get_arguments()
                        .all(|other| other.get_id() != arg.get_id())
                        && !arg.is_positional()
                };
                let more: Vec<Arg> = verb.get_arguments().filter(has).cloned().collect();
                all = all.mut_subcommand(verb.get_name(), |own| more.into_iter().fold(own, joined));
            }
        }
    }
    all.args(
        engine
            .get_arguments()
            .filter(|arg| ["store", "state"].contains(&arg.get_id().as_str())),
    )
}

/// With one flag more; a letter that is taken already stays whose it was.
fn joined(command: Command, arg: Arg) -> Command {
    let taken = |letter: &char| {
        command
            .get_arguments()
            .any(|other| other.get_short() == Some(*letter))
    };
    let short = arg.get_short().filter(|letter| !taken(letter));
    command.arg(arg.short(short))
}

//! Pages of section 1.

use crate::PROGRAM;
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use orbital::cli::help::whole;
use std::io::Result;
use std::path::PathBuf;

/// Every page: its path below share, its bytes.
pub(crate) fn all() -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let root = whole(PROGRAM);
    let mut pages = vec![(path(PROGRAM), of_root(&root, EXITS)?)];
    for verb in root.get_subcommands() {
        let name = format!("{PROGRAM}-{}", verb.get_name());
        let typed = name.replace('-', " ");
        pages.push((path(&name), of_verb(verb, &name, &typed)?));
    }
    Ok(pages)
}

/// The runtime's exit statuses, and its places.
const EXITS: (&str, [(&str, &str); 1]) = (
    "0, or 1 where what was asked for could not be done. In the foreground run, restore and exec exit with the status of \
     the process, or with 128 and the number of the signal that ended it; exec exits with 255 where the process could not be \
     begun.",
    [(
        "/run/orbital",
        "What is remembered of each container of root's; of a user's, $XDG_RUNTIME_DIR/orbital.",
    )],
);

pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(format!("man/man1/{name}.1"))
}

/// The page of a whole program: its verbs, exit statuses and files.
pub(crate) fn of_root<const N: usize>(
    root: &Command,
    (statuses, files): (&str, [(&str, &str); N]),
) -> Result<Vec<u8>> {
    let man = Man::new(root.clone()).manual("User Commands");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    let mut more = Roff::new();
    more.control("SH", ["VERBS"]);
    for verb in root.get_subcommands() {
        let about = verb.get_about().map(ToString::to_string);
        more.control("TP", []);
        more.text([bold(format!("{}-{}(1)", root.get_name(), verb.get_name()))]);
        more.text([roman(about.unwrap_or_default())]);
    }
    more.control("SH", ["EXIT STATUS"]);
    more.text([roman(statuses)]);
    more.control("SH", ["FILES"]);
    for (file, what) in files {
        more.control("TP", []);
        more.text([bold(file)]);
        more.text([roman(what)]);
    }
    example(root, &mut more);
    more.to_writer(&mut page)?;
    Ok(plain(&page))
}

/// With characters beyond ASCII in roff's own words: how else they are read depends on the program.
fn plain(page: &[u8]) -> Vec<u8> {
    let mut plain = String::new();
    for letter in String::from_utf8_lossy(page).chars() {
        match letter.is_ascii() {
            true => plain.push(letter),
            false => plain.push_str(&format!("\\[u{:04X}]", u32::from(letter))),
        }
    }
    plain.into_bytes()
}

/// A name as clap wants it. Each is made once, for a program that ends at once.
pub(crate) fn kept(name: &str) -> &'static str {
    Box::leak(name.to_owned().into_boxed_str())
}

/// The page of a verb: what it is called, and what is typed.
pub(crate) fn of_verb(verb: &Command, name: &str, typed: &str) -> Result<Vec<u8>> {
    // The page's own name, and what is typed.
    let title = kept(name);
    let man = Man::new(
        verb.clone()
            .name(title)
            .bin_name(typed.to_owned())
            .display_name(title),
    );
    let man = man.manual("User Commands");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    let mut more = Roff::new();
    example(verb, &mut more);
    more.control("SH", ["SEE ALSO"]);
    more.text([bold(format!("{PROGRAM}(1)"))]);
    more.to_writer(&mut page)?;
    Ok(plain(&page))
}

/// The help ends with one, in lines that are to stay lines.
fn example(command: &Command, more: &mut Roff) {
    let Some(text) = command.get_after_help().map(ToString::to_string) else {
        return;
    };
    let text = text
        .trim_start_matches("Examples:")
        .trim_start_matches("Example:")
        .trim_matches('\n')
        .to_owned();
    more.control("SH", ["EXAMPLE"]);
    more.control("nf", []);
    for line in text.lines() {
        more.text([roman(line)]);
    }
    more.control("fi", []);
}

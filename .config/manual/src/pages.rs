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
    let mut pages = vec![(path(PROGRAM), of_root(&root)?)];
    for verb in root.get_subcommands() {
        let name = format!("{PROGRAM}-{}", verb.get_name());
        pages.push((path(&name), of_verb(verb, &name)?));
    }
    Ok(pages)
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(format!("man/man1/{name}.1"))
}

fn of_root(root: &Command) -> Result<Vec<u8>> {
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
        more.text([bold(format!("{PROGRAM}-{}(1)", verb.get_name()))]);
        more.text([roman(about.unwrap_or_default())]);
    }
    more.control("SH", ["EXIT STATUS"]);
    more.text([roman(
        "0, or 1 where what was asked for could not be done. In the foreground run, restore and exec exit with \
         the status of the process, or with 128 and the number of the signal that ended it; exec exits with 255 \
         where the process could not be begun.",
    )]);
    more.control("SH", ["FILES"]);
    more.control("TP", []);
    more.text([bold("/run/orbital")]);
    more.text([roman(
        "What is remembered of each container of root's; of a user's, $XDG_RUNTIME_DIR/orbital.",
    )]);
    example(root, &mut more);
    more.to_writer(&mut page)?;
    Ok(page)
}

fn of_verb(verb: &Command, name: &str) -> Result<Vec<u8>> {
    // The page's own name, and what is typed. Each is made once, for a program that ends at once.
    let title: &'static str = Box::leak(name.to_owned().into_boxed_str());
    let typed = name.replace('-', " ");
    let man = Man::new(verb.clone().name(title).bin_name(typed).display_name(title));
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
    Ok(page)
}

/// The help ends with one, in lines that are to stay lines.
fn example(command: &Command, more: &mut Roff) {
    let Some(text) = command.get_after_help().map(ToString::to_string) else {
        return;
    };
    let text = text
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

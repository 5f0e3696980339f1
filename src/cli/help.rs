//! The whole command line as one definition, from which `.config/manual` writes man pages and completions. The
//! program itself never makes it: a verb that is not typed costs nothing.

use super::args;
use clap::Command;

/// The global flags, with all verbs below. Each verb's `about` is its line in `orbital --help`, its `long_about`
/// what its own help begins with.
#[must_use]
pub fn whole(program: &'static str) -> Command {
    let verbs = args::names().filter_map(|verb| {
        let command = args::verb(program, verb.name)?;
        let long = command.get_about().cloned().unwrap_or_default();
        Some(command.about(verb.line).long_about(long))
    });
    args::root(program)
        .about("run containers as the Open Container Initiative describes them")
        .long_about(args::WHAT_IT_IS)
        .after_help(args::ROOT_EXAMPLE)
        .disable_help_subcommand(true)
        .subcommands(verbs)
}

#[cfg(test)]
mod tests {
    use super::whole;
    use crate::cli::args;

    #[test]
    fn every_verb_is_there_and_clap_finds_nothing_wrong() {
        let command = whole("orbital");
        for verb in args::names() {
            let found = command.find_subcommand(verb.name).unwrap();
            assert_eq!(found.get_about().unwrap().to_string(), verb.line);
            assert!(found.get_long_about().is_some(), "{}", verb.name);
        }
        command.debug_assert();
    }
}

//! What callers really send → what clap understands.
//!
//! Callers were written against Go's `flag` package: one dash or two mean the same, a flag with a
//! value takes the next word whatever it looks like (`-1`), a switch may say `=false`, and
//! everything may come twice, the last one counting. Which flags there are and which take values
//! is read from clap's own definition. People who know docker join letters and values too ([`Letters`]).

use super::flags::Extent;
use super::misuse;
use crate::error::Error;
use clap::{Arg, Command};
use std::ffi::{OsStr, OsString};

/// What may stand behind one dash where it is no flag's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    /// Switches: `-af` for `-a -f`.
    Switches,
    /// These and at last one with its value, as docker has it: `-p80:80`, `-eNAME=VALUE`, `-ite NAME=VALUE`.
    Values,
}

/// A command line in order.
#[derive(Debug, Default)]
pub struct Normal {
    /// Flags: `--name` or `--name=value`.
    pub flags: Vec<OsString>,
    /// What is no flag; with [`Extent::FirstWord`] that word and all after it.
    pub words: Vec<OsString>,
    /// The first thing wrong; the flags before it are in `flags`.
    pub fault: Option<Error>,
}

impl Normal {
    /// As clap wants it: a name, the flags, and the words where none of them can be taken for a flag.
    pub fn for_clap(&self) -> impl Iterator<Item = &OsStr> {
        let words = self.words.iter().map(OsString::as_os_str);
        self.flags_for_clap().chain([OsStr::new("--")]).chain(words)
    }

    /// The same without the words.
    pub fn flags_for_clap(&self) -> impl Iterator<Item = &OsStr> {
        let flags = self.flags.iter().map(OsString::as_os_str);
        [OsStr::new("orbital")].into_iter().chain(flags)
    }
}

/// Puts `argv` (without the name) in order for `command`.
#[must_use]
pub fn normal(command: &Command, argv: &[OsString], reach: Extent, letters: Letters) -> Normal {
    let mut found = Normal::default();
    let mut rest = argv.iter();
    while let Some(token) = rest.next() {
        let text = token.to_str().unwrap_or_default();
        if text == "--" {
            found.words.extend(rest.cloned());
            break;
        }
        if !token.as_encoded_bytes().starts_with(b"-") || text == "-" {
            found.words.push(token.clone());
            if reach == Extent::FirstWord {
                found.words.extend(rest.cloned());
                break;
            }
            continue;
        }
        if let Err(error) = found.take(command, token, letters, &mut rest) {
            found.fault = Some(error);
            break;
        }
    }
    found
}

impl Normal {
    fn take<'a>(
        &mut self,
        command: &Command,
        token: &OsStr,
        letters: Letters,
        rest: &mut impl Iterator<Item = &'a OsString>,
    ) -> Result<(), Error> {
        let Some(text) = token.to_str() else {
            return self.take_bytes(command, token);
        };
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let bare = name
            .strip_prefix("--")
            .or(name.strip_prefix('-'))
            .unwrap_or(name);
        let Some(flag) = flag(command, bare) else {
            return match letters {
                Letters::Switches => self.take_letters(command, text),
                Letters::Values => self.take_joined(command, text, rest),
            };
        };
        let long = flag.get_long().unwrap_or(bare);
        match (flag.get_action().takes_values(), value) {
            (true, Some(value)) => self.push(long, OsStr::new(value)),
            (true, None) => self.push(
                long,
                rest.next().ok_or_else(|| misuse::needs_argument(long))?,
            ),
            (false, None) => self.on(long),
            (false, Some(value)) if truth(text, value)? => self.on(long),
            (false, Some(_)) => self.off(long),
        }
        Ok(())
    }

    /// `--log=FILE` whose FILE is not UTF-8: clap splits it. Anything else of that kind is no flag of ours.
    fn take_bytes(&mut self, command: &Command, token: &OsStr) -> Result<(), Error> {
        let text = token.to_string_lossy();
        let name = text
            .strip_prefix("--")
            .and_then(|text| text.split_once('='))
            .map(|(name, _)| name);
        match name.and_then(|name| flag(command, name)) {
            Some(flag) if flag.get_action().takes_values() => self.flags.push(token.to_owned()),
            _ => return Err(misuse::unknown_flag(&text, command)),
        }
        Ok(())
    }

    /// `-af` for `-a -f`, where all letters are switches.
    fn take_letters(&mut self, command: &Command, text: &str) -> Result<(), Error> {
        let unknown = || misuse::unknown_flag(text, command);
        let letters = text
            .strip_prefix('-')
            .filter(|letters| !letters.starts_with('-'))
            .ok_or_else(unknown)?;
        let found: Option<Vec<&Arg>> = letters
            .chars()
            .map(|letter| {
                command
                    .get_arguments()
                    .find(|arg| arg.get_short() == Some(letter) && !arg.get_action().takes_values())
            })
            .collect();
        for arg in found.ok_or_else(unknown)? {
            self.on(arg.get_long().unwrap_or_default());
        }
        Ok(())
    }

    /// `-ip80:80` for `-i -p 80:80`: from the first letter whose flag takes a value, the rest is that value, or the
    /// next word where nothing is left.
    fn take_joined<'a>(
        &mut self,
        command: &Command,
        text: &str,
        rest: &mut impl Iterator<Item = &'a OsString>,
    ) -> Result<(), Error> {
        let unknown = || misuse::unknown_flag(text, command);
        let letters = text
            .strip_prefix('-')
            .filter(|letters| !letters.starts_with('-'))
            .ok_or_else(unknown)?;
        let of = |letter| {
            command
                .get_arguments()
                .find(|arg| arg.get_short() == Some(letter))
        };
        let mut switches = Vec::new();
        for (index, letter) in letters.char_indices() {
            let arg = of(letter).ok_or_else(unknown)?;
            let long = arg.get_long().unwrap_or_default();
            if !arg.get_action().takes_values() {
                switches.push(long);
                continue;
            }
            switches.into_iter().for_each(|switch| self.on(switch));
            let joined = letters.get(index + letter.len_utf8()..).unwrap_or_default();
            match joined.strip_prefix('=').unwrap_or(joined) {
                "" => self.push(
                    long,
                    rest.next().ok_or_else(|| misuse::needs_argument(long))?,
                ),
                value => self.push(long, OsStr::new(value)),
            }
            return Ok(());
        }
        switches.into_iter().for_each(|switch| self.on(switch));
        Ok(())
    }

    fn push(&mut self, long: &str, value: &OsStr) {
        let mut flag = OsString::from(format!("--{long}="));
        flag.push(value);
        self.flags.push(flag);
    }

    fn on(&mut self, long: &str) {
        self.off(long);
        self.flags.push(OsString::from(format!("--{long}")));
    }

    /// The last one wins: what was said before is taken back.
    fn off(&mut self, long: &str) {
        self.flags.retain(|earlier| {
            earlier.to_str().and_then(|text| text.strip_prefix("--")) != Some(long)
        });
    }
}

fn flag<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    let is_short = |arg: &&Arg| {
        arg.get_short()
            .is_some_and(|letter| name.chars().eq([letter]))
    };
    command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(name) || is_short(arg))
}

/// The words that Go's `strconv.ParseBool` takes.
fn truth(text: &str, value: &str) -> Result<bool, Error> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(misuse::refused(text, "neither true nor false")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Extent, Letters, normal};
    use clap::{Arg, ArgAction, Command};
    use std::ffi::OsString;

    fn command() -> Command {
        let switch = |name, letter| {
            let arg = Arg::new(name).long(name).short(letter);
            arg.action(ArgAction::SetTrue)
        };
        let value = |name, letter| Arg::new(name).long(name).short(letter);
        Command::new("run").args([
            switch("interactive", 'i'),
            switch("tty", 't'),
            value("env", 'e').action(ArgAction::Append),
            value("publish", 'p'),
        ])
    }

    fn flags(line: &str, letters: Letters) -> Option<Vec<String>> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let found = normal(&command(), &words, Extent::FirstWord, letters);
        let text = |flag: &OsString| flag.to_string_lossy().into_owned();
        found
            .fault
            .is_none()
            .then(|| found.flags.iter().map(text).collect())
    }

    #[test]
    fn letters_are_joined_for_people_and_only_switches_for_callers() {
        let people = |line: &str| flags(line, Letters::Values).map(|flags| flags.join(" "));
        for (line, same) in [
            ("-it", "--interactive --tty"),
            ("-eA=1", "--env=A=1"),
            ("-e=A=1", "--env=A=1"),
            ("-e A=1", "--env=A=1"),
            (
                "-iteA=1 -p80:80",
                "--interactive --tty --env=A=1 --publish=80:80",
            ),
            ("-itp 80:80 x", "--interactive --tty --publish=80:80"),
            ("-publish 80:80", "--publish=80:80"),
            ("-p80", "--publish=80"),
        ] {
            assert_eq!(people(line).as_deref(), Some(same), "{line}");
        }
        for wrong in ["-ix", "--it", "-ip", "--p80", "-\u{e4}"] {
            assert_eq!(people(wrong), None, "{wrong}");
        }
        let callers = |line: &str| flags(line, Letters::Switches);
        assert!(callers("-it").is_some() && callers("-p80:80").is_none());
    }
}

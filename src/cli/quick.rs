//! The command lines that callers send all day, read without clap.
//!
//! To define a verb for clap and have it parsed takes longer than `state` takes for all the rest. So what
//! is plain is read here, by the tables from which clap's definitions are made too; whatever is
//! unusual or wrong in any way is left to clap, which has the words for it. A test has both read the same.

use super::flags::Extent;
use super::flags::{self, Flag, Takes};
use super::found::Found;
use super::{Global, Request, request};
use std::ffi::OsString;

/// Reads `argv` without its first word; `None` where that is not so simple.
pub(super) fn parse(argv: &[OsString]) -> Option<(Global, Request)> {
    let mut before = Typed::read(&[&flags::GLOBAL], argv, Extent::FirstWord)?;
    let verb = *before.words.first()?;
    let usage = flags::usage(verb)?;
    let after = argv.get(argv.len() - (before.words.len() - 1)..)?;
    let mut found = Typed::read(usage.flags, after, usage.reach)?;
    found.names = usage.words;
    let many = usage.reach == Extent::FirstWord;
    if found.words.is_empty() || (found.words.len() > usage.words.len() && !many) {
        return None;
    }
    let manager = request::manager(&mut before);
    let request = request::daily(verb, &mut found, manager).ok()??;
    Some((request::globals(&mut before), request))
}

/// A part of the command line.
#[derive(Default)]
struct Typed<'a> {
    flags: Vec<(&'static Flag, &'a str)>,
    words: Vec<&'a str>,
    names: &'static [&'static str],
}

impl<'a> Typed<'a> {
    fn read(known: &[&'static [Flag]], argv: &'a [OsString], reach: Extent) -> Option<Typed<'a>> {
        let mut typed = Typed::default();
        let mut rest = argv.iter().map(|word| word.to_str());
        while let Some(token) = rest.next() {
            let token = token?;
            let Some(dashed) = token.strip_prefix('-') else {
                typed.words.push(token);
                if reach == Extent::FirstWord {
                    typed.words.extend(rest.collect::<Option<Vec<_>>>()?);
                    break;
                }
                continue;
            };
            let bare = dashed.strip_prefix('-').unwrap_or(dashed);
            let (name, value) = match bare.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (bare, None),
            };
            let flag = known
                .iter()
                .flat_map(|table| table.iter())
                .find(|flag| flag.is_typed(name))?;
            let value = match (flag.takes, value) {
                (Takes::Nothing, None) => "",
                (Takes::Nothing, Some(_)) => return None,
                (_, Some(value)) => value,
                (_, None) => rest.next()??,
            };
            flag.may_have(value)
                .then(|| typed.flags.push((flag, value)))?;
        }
        Some(typed)
    }

    /// The last one counts.
    fn last(&self, name: &str) -> Option<&'a str> {
        let flags = self.flags.iter().rev();
        let flag = flags
            .filter(|(flag, _)| flag.name == name)
            .map(|(_, value)| *value);
        let words = self.names.iter().zip(&self.words);
        let word = words
            .filter(|(known, _)| **known == name)
            .map(|(_, word)| *word);
        flag.chain(word).next()
    }
}

impl Flag {
    fn is_typed(&self, name: &str) -> bool {
        self.name == name || self.short.is_some_and(|letter| name.chars().eq([letter]))
    }

    fn may_have(&self, value: &str) -> bool {
        match self.takes {
            Takes::Nothing | Takes::Text(_) | Takes::Many(_) => true,
            Takes::Word(_, words) => words.contains(&value),
            Takes::Number(_) => value.parse::<u32>().is_ok(),
        }
    }
}

impl Found for Typed<'_> {
    fn value(&mut self, name: &str) -> Option<OsString> {
        self.last(name).map(OsString::from)
    }

    fn word(&mut self, name: &str) -> Option<String> {
        self.last(name).map(str::to_owned)
    }

    fn number(&mut self, name: &str) -> Option<u32> {
        self.last(name)?.parse().ok()
    }

    fn all(&mut self, name: &str) -> Vec<OsString> {
        let flags = self.flags.iter().filter(|(flag, _)| flag.name == name);
        let at = self.names.iter().position(|known| *known == name);
        let words = at.and_then(|at| self.words.get(at..)).unwrap_or_default();
        let flags = flags.map(|(_, value)| value);
        flags.chain(words).map(OsString::from).collect()
    }

    fn is_on(&self, name: &str) -> bool {
        self.last(name).is_some()
    }
}

#[cfg(test)]
mod tests;

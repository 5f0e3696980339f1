//! Values of D-Bus, as properties of units have them, and GVariant's text for them, in which
//! annotations give them (GVariant Text Format).

use std::iter::Peekable;
use std::str::Chars;

/// How deep lists may be in one another.
const MOST_DEPTH: u32 = 8;

/// A value with its type; D-Bus Specification, "Type System".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variant {
    /// `b`
    Bool(bool),
    /// `y`
    Byte(u8),
    /// `n`
    Int16(i16),
    /// `q`
    Uint16(u16),
    /// `i`
    Int32(i32),
    /// `u`
    Uint32(u32),
    /// `x`
    Int64(i64),
    /// `t`
    Uint64(u64),
    /// `s`
    Text(String),
    /// `a`, all of one type
    List {
        /// The type of the members.
        of: String,
        /// The members.
        members: Vec<Variant>,
    },
    /// `(…)`
    Tuple(Vec<Variant>),
}

impl Variant {
    /// Text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Variant {
        Variant::Text(text.into())
    }

    /// `as`
    #[must_use]
    pub fn texts(texts: impl IntoIterator<Item = String>) -> Variant {
        Variant::List {
            of: "s".to_owned(),
            members: texts.into_iter().map(Variant::Text).collect(),
        }
    }

    /// `ay`
    #[must_use]
    pub fn bytes(bytes: Vec<u8>) -> Variant {
        Variant::List {
            of: "y".to_owned(),
            members: bytes.into_iter().map(Variant::Byte).collect(),
        }
    }

    /// Its type.
    #[must_use]
    pub fn signature(&self) -> String {
        let letter = match self {
            Variant::Bool(_) => "b",
            Variant::Byte(_) => "y",
            Variant::Int16(_) => "n",
            Variant::Uint16(_) => "q",
            Variant::Int32(_) => "i",
            Variant::Uint32(_) => "u",
            Variant::Int64(_) => "x",
            Variant::Uint64(_) => "t",
            Variant::Text(_) => "s",
            Variant::List { of, .. } => return format!("a{of}"),
            Variant::Tuple(members) => {
                let members: String = members.iter().map(Variant::signature).collect();
                return format!("({members})");
            }
        };
        letter.to_owned()
    }
}

/// As systemctl shows it, more or less.
impl std::fmt::Display for Variant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Variant::Bool(value) => f.write_str(if *value { "yes" } else { "no" }),
            Variant::Byte(value) => value.fmt(f),
            Variant::Int16(value) => value.fmt(f),
            Variant::Uint16(value) => value.fmt(f),
            Variant::Int32(value) => value.fmt(f),
            Variant::Uint32(value) => value.fmt(f),
            Variant::Int64(value) => value.fmt(f),
            Variant::Uint64(u64::MAX) => f.write_str("infinity"),
            Variant::Uint64(value) => value.fmt(f),
            Variant::Text(text) => f.write_str(text),
            Variant::List { members, .. } | Variant::Tuple(members) => {
                let words: Vec<String> = members.iter().map(ToString::to_string).collect();
                f.write_str(&words.join(" "))
            }
        }
    }
}

/// Reads GVariant's text: `true`, `7`, `uint64 7`, `@t 7`, `'text'`, `['a', 'b']`, `('a', 1)`.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub fn parse(text: &str) -> Result<Variant, String> {
    let mut rest = Text(text.chars().peekable());
    let value = rest.value(None, MOST_DEPTH)?;
    match rest.next_letter() {
        None => Ok(value),
        Some(more) => Err(format!("{more:?} stands after the value")),
    }
}

/// What is still to be read.
struct Text<'a>(Peekable<Chars<'a>>);

impl Text<'_> {
    /// The next letter that is no blank, not taken.
    fn next_letter(&mut self) -> Option<char> {
        while self.0.next_if(|letter| letter.is_whitespace()).is_some() {}
        self.0.peek().copied()
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(letter) = self
            .0
            .next_if(|c| c.is_ascii_alphanumeric() || "+-._".contains(*c))
        {
            word.push(letter);
        }
        word
    }

    fn value(&mut self, expected: Option<&str>, depth: u32) -> Result<Variant, String> {
        let depth = depth.checked_sub(1).ok_or("it is nested too deep")?;
        match self.next_letter() {
            None => Err("a value is missing".to_owned()),
            Some('@') => {
                self.0.next();
                let mut kind = String::new();
                while let Some(letter) = self.0.next_if(|c| !c.is_whitespace()) {
                    kind.push(letter);
                }
                self.value(Some(&kind), depth)
            }
            Some(quote @ ('\'' | '"')) => self.quoted(quote, expected),
            Some('[') => self.list(expected, depth),
            Some('(') => self.tuple(depth),
            Some(_) => self.plain(expected, depth),
        }
    }

    fn quoted(&mut self, quote: char, expected: Option<&str>) -> Result<Variant, String> {
        self.0.next();
        let mut text = String::new();
        loop {
            match self.0.next() {
                None => return Err(format!("a {quote} is missing at its end")),
                Some('\\') => text.push(match self.0.next() {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some(letter) if !letter.is_ascii_alphanumeric() => letter,
                    _ => return Err("a \\ stands before n, t, \\ and quotes".to_owned()),
                }),
                Some('\0') => return Err("it holds a NUL character".to_owned()),
                Some(letter) if letter == quote => break,
                Some(letter) => text.push(letter),
            }
        }
        match expected {
            None | Some("s") => Ok(Variant::Text(text)),
            Some(other) => Err(format!("a text is no value of the type {other}")),
        }
    }

    fn list(&mut self, expected: Option<&str>, depth: u32) -> Result<Variant, String> {
        let mut of = match expected {
            None => None,
            Some(kind) => Some(
                kind.strip_prefix('a')
                    .map(str::to_owned)
                    .ok_or_else(|| format!("a list is no value of the type {kind}"))?,
            ),
        };
        let members = self.members(']', |text, _| {
            let member = text.value(of.as_deref(), depth)?;
            let kind = member.signature();
            match &of {
                Some(known) if *known != kind => {
                    Err(format!("a list of the type {known} has a member of {kind}"))
                }
                _ => {
                    of = Some(kind);
                    Ok(member)
                }
            }
        })?;
        let of = of.ok_or("an empty list needs its type, such as @as []")?;
        Ok(Variant::List { of, members })
    }

    fn tuple(&mut self, depth: u32) -> Result<Variant, String> {
        let members = self.members(')', |text, _| text.value(None, depth))?;
        Ok(Variant::Tuple(members))
    }

    /// Values between brackets, with commas between them.
    fn members(
        &mut self,
        end: char,
        mut member: impl FnMut(&mut Self, usize) -> Result<Variant, String>,
    ) -> Result<Vec<Variant>, String> {
        self.0.next();
        let mut members = Vec::new();
        loop {
            if self.next_letter() == Some(end) {
                self.0.next();
                return Ok(members);
            }
            members.push(member(self, members.len())?);
            match self.next_letter() {
                Some(',') => {
                    self.0.next();
                }
                Some(letter) if letter == end => {}
                _ => return Err(format!("a {end} is missing at its end")),
            }
        }
    }

    /// A word: true, false, a number, or a type before its value.
    fn plain(&mut self, expected: Option<&str>, depth: u32) -> Result<Variant, String> {
        let word = self.word();
        let typed = match word.as_str() {
            "true" | "false" if matches!(expected, None | Some("b")) => {
                return Ok(Variant::Bool(word == "true"));
            }
            "boolean" => "b",
            "byte" => "y",
            "int16" => "n",
            "uint16" => "q",
            "int32" => "i",
            "uint32" => "u",
            "int64" => "x",
            "uint64" => "t",
            "string" => "s",
            _ => return number(&word, expected.unwrap_or("i")),
        };
        self.value(Some(typed), depth)
    }
}

fn number(word: &str, kind: &str) -> Result<Variant, String> {
    let odd = || match word {
        "" => "it is no value: a text stands in quotes".to_owned(),
        word => format!("{word:?} is no number of the type {kind}, and a text stands in quotes"),
    };
    let value: i128 = match word.strip_prefix("0x") {
        Some(digits) => i128::from_str_radix(digits, 16),
        None => word.parse(),
    }
    .map_err(|_| odd())?;
    let fits = match kind {
        "y" => u8::try_from(value).map(Variant::Byte).ok(),
        "n" => i16::try_from(value).map(Variant::Int16).ok(),
        "q" => u16::try_from(value).map(Variant::Uint16).ok(),
        "i" => i32::try_from(value).map(Variant::Int32).ok(),
        "u" => u32::try_from(value).map(Variant::Uint32).ok(),
        "x" => i64::try_from(value).map(Variant::Int64).ok(),
        "t" => u64::try_from(value).map(Variant::Uint64).ok(),
        _ => None,
    };
    fits.ok_or_else(odd)
}

#[cfg(test)]
mod tests;

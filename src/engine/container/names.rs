//! Ids, and names by which people know them.

use crate::error::{Cause, Error, Object, Result};
use std::io::Read as _;

const FIRST: [&str; 32] = [
    "amber",
    "apogee",
    "ascending",
    "austral",
    "azure",
    "bright",
    "calm",
    "circular",
    "cold",
    "distant",
    "eccentric",
    "elliptic",
    "faint",
    "far",
    "free",
    "gentle",
    "golden",
    "high",
    "inclined",
    "keen",
    "lucid",
    "northern",
    "patient",
    "polar",
    "quick",
    "quiet",
    "rising",
    "silver",
    "steady",
    "swift",
    "tidal",
    "wandering",
];

const SECOND: [&str; 32] = [
    "anning",
    "brahe",
    "cannon",
    "cassini",
    "clarke",
    "fleming",
    "gagarin",
    "galileo",
    "goddard",
    "halley",
    "herschel",
    "hypatia",
    "jemison",
    "johnson",
    "kepler",
    "kirch",
    "korolev",
    "lagrange",
    "laplace",
    "leavitt",
    "lovell",
    "mitchell",
    "newton",
    "oberth",
    "payne",
    "ride",
    "rubin",
    "sagan",
    "somerville",
    "tereshkova",
    "tombaugh",
    "vaughan",
];

/// `count` random bytes; random(4).
///
/// # Errors
/// A host without /dev/urandom.
fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    match read {
        Ok(()) => Ok(bytes),
        Err(error) => Err(Error::io(
            "read random bytes",
            "/dev/urandom",
            "read",
            &error,
        )),
    }
}

/// A new id: 64 hexadecimal digits. The first twelve are never all decimal, as a shell's number would be.
///
/// # Errors
/// As reading /dev/urandom.
pub(crate) fn id() -> Result<String> {
    loop {
        let id: String = random::<32>()?
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        if id.bytes().take(12).any(|byte| !byte.is_ascii_digit()) {
            return Ok(id);
        }
    }
}

/// Whether it is an id, by its looks.
#[must_use]
pub(crate) fn is_id(word: &str) -> bool {
    word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A name that is none of `taken`.
///
/// # Errors
/// As reading /dev/urandom.
pub(crate) fn name(taken: impl Fn(&str) -> bool) -> Result<String> {
    let mut tries = 0_u32;
    loop {
        let [first, second] = random::<2>()?;
        let pick = |of: &[&'static str; 32], byte: u8| {
            of.get(usize::from(byte % 32)).copied().unwrap_or_default()
        };
        let mut name = format!("{}_{}", pick(&FIRST, first), pick(&SECOND, second));
        // There are a thousand of them; after that they are numbered.
        if tries > 20 {
            name.push_str(&tries.to_string());
        }
        if !taken(&name) {
            return Ok(name);
        }
        tries += 1;
    }
}

/// Refuses what docker refuses: a name is a letter or a digit, then letters, digits, `_`, `.` and `-`.
///
/// # Errors
/// The name.
pub(crate) fn check(name: &str, what: &str) -> Result<()> {
    let mut letters = name.bytes();
    let first = letters
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    let rest = name.len() > 1
        && letters.all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if first && rest {
        return Ok(());
    }
    let why = "a name begins with a letter or a digit, and goes on with one or more letters, digits, _ . or -";
    Err(Error::new(
        format!("name a {what}"),
        Object::Argument(name.to_owned()),
        Cause::Refused(why.to_owned()),
    ))
}

#[cfg(test)]
mod tests {
    use super::{check, id, name};

    #[test]
    fn ids_are_long_and_differ() {
        let (one, other) = (id().unwrap(), id().unwrap());
        assert_eq!(one.len(), 64);
        assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(one, other);
    }

    #[test]
    fn a_taken_name_is_not_given_again() {
        let first = name(|_| false).unwrap();
        let second =
            name(|name| name == first || name.bytes().all(|byte| !byte.is_ascii_digit())).unwrap();
        assert_ne!(first, second);
        check(&second, "container").unwrap();
    }

    #[test]
    fn names_have_dockers_rules() {
        for good in ["ab", "a1", "1a", "web-1", "a_b.c"] {
            assert!(check(good, "container").is_ok(), "{good}");
        }
        for bad in ["", "a", "-a", ".a", "a b", "a/b", "ä1", "a\n"] {
            assert!(check(bad, "container").is_err(), "{bad:?}");
        }
    }
}

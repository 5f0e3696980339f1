//! `--detach-keys`: what is typed to leave a container, docker's way of writing it.

use crate::error::{Cause, Error, Object, Result};

/// ctrl-p ctrl-q.
const USUAL: [u8; 2] = [16, 17];

/// Bytes that are typed one after the other; none for no way to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keys(Vec<u8>);

impl Default for Keys {
    fn default() -> Keys {
        Keys(USUAL.into())
    }
}

/// Reads `ctrl-a,x`: letters, or ctrl and one of a to z, `@`, `[`, `\\`, `]`, `^` and `_`; nothing for none.
///
/// # Errors
/// A word that is no key.
pub(crate) fn read(typed: &str) -> Result<Keys> {
    let wrong = |word: &str| {
        let why = Cause::Refused(format!("there is no key {word}"));
        let object = Object::Argument(format!("--detach-keys={typed}"));
        Error::new("read the command line", object, why)
            .hint("write it as ctrl-p,ctrl-q, or ctrl-x")
    };
    let key = |word: &str| match (
        word.strip_prefix("ctrl-").map(str::as_bytes),
        word.as_bytes(),
    ) {
        (Some([letter]), _) if letter.is_ascii_lowercase() || b"@[\\]^_".contains(letter) => {
            Ok(letter.to_ascii_uppercase() & 0x1f)
        }
        (None, [letter]) if letter.is_ascii_graphic() => Ok(*letter),
        _ => Err(wrong(word)),
    };
    match typed {
        "" => Ok(Keys(Vec::new())),
        typed => typed.split(',').map(key).collect::<Result<_>>().map(Keys),
    }
}

/// How far somebody has typed them.
#[derive(Debug, Default)]
pub(super) struct Watch {
    keys: Keys,
    met: usize,
}

impl Watch {
    pub(super) fn new(keys: Keys) -> Watch {
        Watch { keys, met: 0 }
    }

    /// What of `bytes` is for the container; none where the keys are complete. Keys that were held back and led
    /// nowhere are handed on.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let keys = &self.keys.0;
        let mut passed = Vec::with_capacity(bytes.len());
        for byte in bytes {
            if keys.get(self.met) == Some(byte) {
                self.met += 1;
                if self.met == keys.len() {
                    return None;
                }
                continue;
            }
            passed.extend(keys.iter().take(self.met));
            self.met = usize::from(keys.len() > 1 && keys.first() == Some(byte));
            if self.met == 0 {
                passed.push(*byte);
            }
        }
        Some(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Keys, Watch, read};

    #[test]
    fn keys_as_docker_writes_them() {
        assert_eq!(read("ctrl-p,ctrl-q").unwrap(), Keys::default());
        assert_eq!(read("a,ctrl-[,ctrl-\\").unwrap(), Keys(vec![b'a', 27, 28]));
        assert_eq!(read("").unwrap(), Keys(Vec::new()));
        for wrong in ["ctrl-", "ctrl-P", "ctrl-pq", "ab", ",", "shift-a"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_leads_nowhere_is_handed_on() {
        let pass = |keys: &str, typed: &[&[u8]]| {
            let mut watch = Watch::new(read(keys).unwrap());
            let passed: Option<Vec<Vec<u8>>> =
                typed.iter().map(|bytes| watch.pass(bytes)).collect();
            passed.map(|parts| parts.concat())
        };
        assert_eq!(pass("x,y", &[b"a", b"x", b"y"]), None);
        assert_eq!(pass("x,y", &[b"axb", b"xxz"]).unwrap(), b"axbxxz");
        assert_eq!(pass("x", &[b"ax"]), None);
        assert_eq!(pass("", &[b"anything"]).unwrap(), b"anything");
    }
}

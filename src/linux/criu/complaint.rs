//! CRIU's first error, found in its log: what follows it are the consequences.

use super::talk::{Break, Refusal};
use crate::error::{Cause, Error, Object};
use std::path::Path;

/// Tells why `doing` came to nothing; `log` is where CRIU has written what it did.
#[must_use]
pub fn told(doing: &str, log: &Path, end: Break) -> Error {
    let refusal = match end {
        Break::Ours(error) => return error,
        Break::Refused(refusal) => refusal,
    };
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let why = match (first(&text), refusal) {
        (Some((number, line)), _) => format!("criu says, in line {number} of its log: {line}"),
        (
            None,
            Refusal {
                words: Some(words), ..
            },
        ) => format!("criu says: {words}"),
        (None, Refusal { errno: 0, .. }) => "criu ended without a word".to_owned(),
        (None, Refusal { errno, .. }) => {
            let name = nix::errno::Errno::from_raw(errno).desc();
            format!("criu says: {name}")
        }
    };
    let object = Object::File(log.to_owned());
    let error = Error::new(doing, object, Cause::Refused(why));
    match first(&text).and_then(|(_, line)| hint(line)) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// The first line with an error, its number counted from 1, and its text without the time before it.
fn first(log: &str) -> Option<(usize, &str)> {
    let lines = log.lines().zip(1..);
    let mut errors = lines.filter_map(|(line, number)| {
        let at = line.find("Error (")?;
        Some((number, line.get(at..)?.trim_end()))
    });
    errors.next()
}

/// What CRIU asks for, by the flag's name that orbital has for it.
fn hint(line: &str) -> Option<String> {
    let flags = [
        ("tcp-established", "tcp-established"),
        ("ext-unix-sk", "ext-unix-sk"),
        ("external socket", "ext-unix-sk"),
        ("shell-job", "shell-job"),
        ("file-locks", "file-locks"),
        ("link-remap", "link-remap"),
    ];
    let (_, flag) = flags.into_iter().find(|(word, _)| line.contains(word))?;
    Some(format!("--{flag} allows that"))
}

#[cfg(test)]
mod tests {
    use super::{first, told};
    use crate::linux::criu::talk::{Break, Refusal};

    const LOG: &str = "\
(00.000001) Version: 4.1.1 (gitid 0)
(00.048401) Warn  (criu/kerndat.c:1153): Can't keep kdat cache on non-tempfs
(00.051111) Error (criu/sk-inet.c:188): inet: Connected TCP socket, consider using --tcp-established option.
(00.051222) Error (criu/cr-dump.c:1781): Dump files (pid: 4711) failed with -1
";

    #[test]
    fn the_first_error_counts() {
        let (number, line) = first(LOG).unwrap();
        assert_eq!(number, 3);
        assert!(
            line.starts_with("Error (criu/sk-inet.c:188): inet: Connected TCP"),
            "{line}"
        );
        assert_eq!(first("(00.1) Warn  (x): Error"), None);
    }

    #[test]
    fn and_names_the_flag() {
        let log = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(log.path(), LOG).unwrap();
        let refusal = || {
            Break::Refused(Refusal {
                errno: 0,
                words: None,
            })
        };
        let line = told("checkpoint c", log.path(), refusal()).one_line();
        assert!(
            line.contains("in line 3 of its log: Error (criu/sk-inet.c:188)"),
            "{line}"
        );
        assert!(line.contains("--tcp-established allows that"), "{line}");
        let none = log.path().with_extension("none");
        let line = told("checkpoint c", &none, refusal()).one_line();
        assert!(line.contains("criu ended without a word"), "{line}");
    }
}

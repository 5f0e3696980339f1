//! Arguments and environment, as CreateProcess takes them.

use super::DOING;
use crate::error::{Error, Pointer, Result};
use crate::plan::cstrings;
use oci_spec::runtime::Process;
use std::ffi::CString;
use std::path::Path;

/// Most UTF-16 units of a command line, with the end mark; CreateProcessW.
const LONGEST: usize = 32_767;

/// The command line, the program as it stands there, and where it stands.
///
/// # Errors
/// Nothing to run; a NUL; more than Windows takes.
pub(super) fn line(given: &Process, place: &Pointer) -> Result<(String, String, Pointer)> {
    let whole = given.command_line().as_deref().unwrap_or_default();
    let (line, program, pointer) = if whole.is_empty() {
        let args = given.args().as_deref().unwrap_or_default();
        let at = place.at("args");
        let Some(program) = args.first() else {
            let error = Error::refused(DOING, at, "there is no program to execute");
            return Err(error.hint("name it: \"args\": [\"cmd.exe\", \"/c\", \"ver\"]"));
        };
        (join(args), program.clone(), at.at(0))
    } else {
        let program = first(whole);
        (whole.to_owned(), program, place.at("commandLine"))
    };
    if program.trim().is_empty() {
        return Err(Error::refused(DOING, pointer, "the program has no name"));
    }
    if line.contains('\0') {
        return Err(Error::refused(
            DOING,
            pointer,
            "a command line cannot hold the character NUL",
        ));
    }
    if line.encode_utf16().count() >= LONGEST {
        let why = "Windows takes command lines of 32766 characters at most";
        return Err(Error::refused(DOING, pointer, why));
    }
    Ok((line, program, pointer))
}

/// The arguments as one line that the usual rules (CommandLineToArgvW) take apart into them again. A program that
/// has rules of its own, as cmd has, wants `commandLine`.
#[must_use]
pub fn join(args: &[String]) -> String {
    let quoted: Vec<String> = args.iter().map(|arg| quote(arg)).collect();
    quoted.join(" ")
}

fn quote(arg: &str) -> String {
    if !arg.is_empty() && !arg.contains([' ', '\t', '\n', '\u{b}', '"']) {
        return arg.to_owned();
    }
    let mut quoted = String::from('"');
    let mut slashes = 0;
    for letter in arg.chars() {
        match letter {
            '\\' => slashes += 1,
            '"' => {
                // Those before a quotation mark count double, and it gets one of its own.
                quoted.extend(std::iter::repeat_n('\\', slashes + 1));
                slashes = 0;
            }
            _ => slashes = 0,
        }
        quoted.push(letter);
    }
    quoted.extend(std::iter::repeat_n('\\', slashes));
    quoted.push('"');
    quoted
}

/// The program of a whole command line: what stands in the first quotation marks, or up to the first blank.
fn first(line: &str) -> String {
    let line = line.trim_start();
    let found = match line.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => line.split([' ', '\t']).next(),
    };
    found.unwrap_or_default().to_owned()
}

/// The working directory.
///
/// # Errors
/// One that is not absolute.
pub(super) fn cwd(cwd: &str, place: &Pointer) -> Result<String> {
    if is_absolute(cwd) {
        return Ok(cwd.to_owned());
    }
    let why = "the path must be absolute, that is, begin with a drive or with \\\\";
    Err(
        Error::refused("enter the working directory", place.at("cwd"), why)
            .hint("write such as \"C:\\\\\" in JSON"),
    )
}

/// Whether Windows would look for this path at the same place whatever the current directory and drive.
#[must_use]
pub fn is_absolute(path: &str) -> bool {
    let drive = |bytes: &[u8]| match bytes {
        [letter, b':', slash, ..] => letter.is_ascii_alphabetic() && matches!(slash, b'\\' | b'/'),
        _ => false,
    };
    !path.contains('\0') && (drive(path.as_bytes()) || path.starts_with("\\\\"))
}

/// A hook's program as a C string.
///
/// # Errors
/// A path that is not absolute.
pub(super) fn hook(path: &Path, doing: &str, pointer: &Pointer) -> Result<CString> {
    let text = path.to_string_lossy();
    if is_absolute(&text) {
        return cstrings::text(text.as_ref(), doing, pointer);
    }
    let why = "the path must be absolute, that is, begin with a drive or with \\\\";
    Err(Error::refused(doing, pointer, why))
}

/// The environment. Names do not tell small letters from capital ones.
///
/// # Errors
/// A variable without `=` or without a name, a NUL.
pub(super) fn environment(given: &[String], place: &Pointer) -> Result<Vec<String>> {
    let mut kept: Vec<(String, String)> = Vec::with_capacity(given.len());
    for (index, variable) in given.iter().enumerate() {
        let refuse =
            |why: &str| Error::refused("set the environment", place.at("env").at(index), why);
        let Some((name, _)) = variable.split_once('=') else {
            return Err(refuse("a variable is NAME=VALUE, and there is no =")
                .hint(format!("write {variable}= for an empty value")));
        };
        if name.is_empty() {
            return Err(refuse("the variable has no name"));
        }
        if variable.contains('\0') {
            return Err(refuse("a variable cannot hold the character NUL"));
        }
        let name = name.to_uppercase();
        match kept.iter_mut().find(|(earlier, _)| *earlier == name) {
            Some((_, text)) => text.clone_from(variable),
            None => kept.push((name, variable.clone())),
        }
    }
    Ok(kept.into_iter().map(|(_, text)| text).collect())
}

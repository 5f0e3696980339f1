//! The checkout as the rules see it: its text files, its Rust files in tokens, and the paths
//! (`a::b::c`) that a Rust file writes. It asks git nothing, so that it works in a tarball too.

use crate::scan::{self, Token};
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that are made, not written.
const NOT_WRITTEN: [&str; 4] = ["target", ".git", "rootfs", "rootfs.new"];

/// One Rust file.
#[derive(Debug)]
pub(crate) struct Source {
    /// Relative to the top of the checkout, with `/`.
    pub path: String,
    /// As written.
    pub raw: String,
    /// The inside of its string literals.
    pub text: String,
    /// All of its code.
    pub tokens: Vec<Token>,
    /// Its code without the inline test modules; empty in a file that is only tests.
    pub product: Vec<Token>,
}

impl Source {
    /// Reads one file's text; `path` decides which rules concern it.
    pub(crate) fn new(path: &str, raw: &str) -> Source {
        let views = scan::views(raw);
        let tokens = scan::tokens(&views.code);
        let tests = scan::test_modules(&tokens);
        let only_tests = path.ends_with("/tests.rs") || path.contains("/tests/");
        let kept = tokens.iter().enumerate();
        let kept = kept.filter(|(at, _)| !only_tests && !tests.iter().any(|t| t.contains(at)));
        let product = kept.map(|(_, token)| token.clone()).collect();
        Source {
            path: path.to_owned(),
            raw: raw.to_owned(),
            text: views.text,
            tokens,
            product,
        }
    }
}

/// The top of the checkout.
pub(crate) fn top() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// A file of the checkout by its relative path; `None` if there is none.
pub(crate) fn read(path: &str) -> Option<String> {
    fs::read_to_string(top().join(path)).ok()
}

/// Every Rust file, in the order of its path.
pub(crate) fn sources() -> Vec<Source> {
    let files = text_files();
    let rust = files.iter().filter(|(path, _)| path.ends_with(".rs"));
    rust.map(|(path, raw)| Source::new(path, raw)).collect()
}

/// Every file that is UTF-8 text, as (relative path, content), in the order of its path.
pub(crate) fn text_files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(&top(), "", &mut found);
    found.sort();
    found
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<(String, String)>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return; // another process may have removed it since it was listed
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() && !NOT_WRITTEN.contains(&name.as_str()) {
            walk(&entry.path(), &format!("{path}/"), found);
        } else if kind.is_file()
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            found.push((path, text));
        }
    }
}

/// The paths of two or more names that the tokens write, `use` trees spelt out, as (line, path).
pub(crate) fn paths(tokens: &[Token]) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let inside = at > 0 && tokens[at - 1].text == "::"; // `<T>::name`
        if scan::is_name(&tokens[at]) && !inside {
            at = path_tree(tokens, at, &[], &mut found);
        } else {
            at += 1;
        }
    }
    found.retain(|(_, path)| path.len() > 1);
    found
}

/// Reads the path, or the tree of paths, at `at`; returns the index after it.
fn path_tree(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let line = tokens[at].line;
    let mut path = prefix.to_vec();
    path.push(tokens[at].text.clone());
    while tokens.get(at + 1).is_some_and(|t| t.text == "::") {
        match tokens.get(at + 2) {
            Some(next) if scan::is_name(next) => {
                path.push(next.text.clone());
                at += 2;
            }
            Some(next) if next.text == "{" => {
                let end = scan::closing(tokens, at + 2);
                let mut inner = at + 3;
                while inner < end {
                    if tokens[inner].text == "as" {
                        inner += 2; // a name of the file's own
                    } else if scan::is_name(&tokens[inner]) {
                        inner = path_tree(tokens, inner, &path, found);
                    } else {
                        inner += 1;
                    }
                }
                return end + 1;
            }
            _ => break, // `::*` or a turbofish
        }
    }
    found.push((line, path));
    at + 1
}

/// `super::` and `self::` spelt out from the place of the file: `crate::…`. A path that begins with
/// another name is returned as it is.
pub(crate) fn from_the_root(file: &str, path: &[String]) -> Vec<String> {
    let inside = file.strip_prefix("src/").unwrap_or(file);
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    let inside = inside.strip_suffix("/mod").unwrap_or(inside);
    let mut module: Vec<String> = inside.split('/').map(str::to_owned).collect();
    let mut rest = path;
    match rest.first().map(String::as_str) {
        Some("self") => rest = &rest[1..],
        Some("super") => {}
        _ => return path.to_vec(),
    }
    while rest.first().is_some_and(|name| name == "super") {
        module.pop();
        rest = &rest[1..];
    }
    let mut whole = vec!["crate".to_owned()];
    whole.extend(module);
    whole.extend_from_slice(rest);
    whole
}

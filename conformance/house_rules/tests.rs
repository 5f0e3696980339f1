//! The rules, put to small inputs: what they accept, and above all that they can refuse.

use crate::tree::{self, Source};
use crate::{layers, paper, scan, shape, walls};

/// The complaints of one rule about one invented file.
fn about(rule: fn(&Source) -> Vec<String>, path: &str, raw: &str) -> Vec<String> {
    rule(&Source::new(path, raw))
}

fn code(raw: &str) -> String {
    scan::views(raw).code
}

#[test]
fn comments_and_literals_are_not_code() {
    assert_eq!(code("a // b\nc"), "a     \nc");
    assert_eq!(code("a /* b /* c */ d */ e"), "a                   e");
    assert_eq!(code(r#"f("x \" } {", 1)"#), "f(          , 1)");
    assert_eq!(
        code(r###"r#"un"safe"# b"{" c"}" x"###),
        "             b    c    x"
    );
    assert_eq!(
        code(r"let q = '\''; let b = '{'; 'a: loop"),
        "let q =     ; let b =    ; 'a: loop"
    );
    assert_eq!(
        code("fn r#type<'a>(x: &'a str)"),
        "fn r#type<'a>(x: &'a str)"
    );
    assert_eq!(scan::views("f(\"words\") // no").text.trim(), "\"words\"");
}

#[test]
fn functions_end_where_their_brace_closes() {
    let tokens = scan::tokens(&code(
        "trait T { fn bare(&self); }\nfn a(x: [u8; 2]) -> T {\n  let s = \"}\";\n  fn b() {}\n}\nfn c() {}",
    ));
    let found: Vec<_> = scan::functions(&tokens)
        .into_iter()
        .map(|f| (f.name, f.first, f.last))
        .collect();
    let expected = [("a", 2, 5), ("b", 4, 4), ("c", 6, 6)];
    assert_eq!(found, expected.map(|(n, a, b)| (n.to_owned(), a, b)));
}

#[test]
fn long_files_and_functions_are_seen() {
    assert_eq!(
        about(shape::file_length, "src/a.rs", &"\n".repeat(400)).len(),
        0
    );
    assert_eq!(
        about(shape::file_length, "src/a.rs", &"\n".repeat(401)).len(),
        1
    );
    let calls = |n: usize| format!("fn build() {{\n{}}}\n", "    f();\n".repeat(n));
    assert_eq!(
        about(shape::function_length, "src/a.rs", &calls(58)).len(),
        0
    );
    assert_eq!(
        about(shape::function_length, "src/a.rs", &calls(59)).len(),
        1
    );
    let list = "src/life/create.rs";
    assert_eq!(about(shape::function_length, list, &calls(90)).len(), 0);
    let turning = calls(90).replacen("f();", "for x in y {}", 1);
    assert_eq!(about(shape::function_length, list, &turning).len(), 1);
    let tests = |n| format!("#[cfg(test)]\nmod tests {{\n{}}}", "\n".repeat(n));
    assert_eq!(about(shape::inline_tests, "src/a.rs", &tests(77)).len(), 0);
    assert_eq!(about(shape::inline_tests, "src/a.rs", &tests(78)).len(), 1);
}

#[test]
fn empty_names_are_seen() {
    for path in [
        "src/utils.rs",
        "src/common/mod.rs",
        "conformance/src/helpers.rs",
    ] {
        assert_eq!(about(shape::file_name, path, "").len(), 1, "{path}");
    }
    assert_eq!(about(shape::file_name, "src/miscount.rs", "").len(), 0);
    let types = "struct FooManager; enum Ok {} trait MountBuilder {} type MountContext = u8; enum Manager {} // struct XImpl";
    assert_eq!(about(shape::type_names, "src/a.rs", types).len(), 3);
}

#[test]
fn introductions_are_wanted() {
    assert_eq!(about(shape::opening, "src/plan/mod.rs", "// no\n").len(), 1);
    assert_eq!(
        about(shape::opening, "src/plan/mod.rs", "//! The plan.\n").len(),
        0
    );
    let said = "//! X.\n\n/// A.\nmod a;\n\n/// B.\n#[path = \"x.rs\"]\npub mod b;\n#[cfg(test)]\nmod tests;\n";
    assert_eq!(
        about(shape::mod_lines, "src/lib.rs", said),
        Vec::<String>::new()
    );
    let unsaid = "//! X.\n\nmod a;\n/// B.\npub(crate) mod b;\n";
    let complaints = about(shape::mod_lines, "src/lib.rs", unsaid);
    assert_eq!(
        complaints,
        [
            "src/lib.rs:3: a mod line with no sentence above it",
            "src/lib.rs:5: a mod line with no blank line above its sentence",
        ]
    );
}

#[test]
fn wording_is_judged_in_literals_only() {
    let raw = "// failed to\nfn f() { g(\"Failed to mount\"); failed_to(); }";
    assert_eq!(
        about(shape::wording, "src/a.rs", raw),
        ["src/a.rs:2: say \"cannot\""]
    );
}

#[test]
fn unsafe_has_one_home_and_one_call() {
    let raw = "fn f() {\n    // SAFETY: fd is open for the whole call (close(2)), its owner gave it up.\n    let r =\n        unsafe { libc::close(fd) };\n}\n";
    assert_eq!(about(walls::unsafe_home, "src/plan/a.rs", raw).len(), 1);
    assert_eq!(about(walls::unsafe_home, "src/sys/a.rs", raw).len(), 0);
    assert_eq!(
        about(
            walls::unsafe_home,
            "src/a.rs",
            "#![deny(unsafe_op_in_unsafe_fn)] // unsafe"
        )
        .len(),
        0
    );
    assert_eq!(about(walls::unsafe_contract, "src/sys/a.rs", raw).len(), 0);
    let silent = raw.replace("// SAFETY: ", "// ");
    assert_eq!(
        about(walls::unsafe_contract, "src/sys/a.rs", &silent).len(),
        1
    );
    let empty = "// SAFETY: all parameters are valid here.\nunsafe { f() }";
    assert_eq!(
        about(walls::unsafe_contract, "src/sys/a.rs", empty).len(),
        1
    );
    let two = raw.replace("libc::close(fd)", "f(); g()");
    assert_eq!(about(walls::unsafe_contract, "src/sys/a.rs", &two).len(), 1);
    let early =
        "// SAFETY: this comment stands too far away to be its.\n\nunsafe impl Send for X {}";
    assert_eq!(
        about(walls::unsafe_contract, "src/sys/a.rs", early).len(),
        1
    );
}

#[test]
fn paths_are_found_in_trees_and_in_expressions() {
    let source = Source::new(
        "src/plan/root.rs",
        "use std::{ffi::CStr, os::{fd, unix::ffi::OsStrExt as E}};\nlet x = Vec::<u8>::new(); a::b(c);",
    );
    let found: Vec<_> = tree::paths(&source.tokens)
        .into_iter()
        .map(|(line, path)| format!("{line} {}", path.join("::")))
        .collect();
    let expected = [
        "1 std::ffi::CStr",
        "1 std::os::fd",
        "1 std::os::unix::ffi::OsStrExt",
        "2 a::b",
    ];
    assert_eq!(found, expected);
}

#[test]
fn relative_paths_are_followed_to_the_root() {
    let path = |p: &str| p.split("::").map(str::to_owned).collect::<Vec<_>>();
    let root = |file, p| tree::from_the_root(file, &path(p)).join("::");
    assert_eq!(
        root("src/plan/root.rs", "super::super::sys::x"),
        "crate::sys::x"
    );
    assert_eq!(
        root("src/plan/seccomp/mod.rs", "super::names"),
        "crate::plan::names"
    );
    assert_eq!(root("src/plan/mod.rs", "self::root"), "crate::plan::root");
    assert_eq!(root("src/plan/mod.rs", "std::fs"), "std::fs");
}

#[test]
fn the_plan_is_kept_pure() {
    let asks = "use std::{collections::BTreeMap, fs};\nfn f() { super::super::sys::now(); nix::unistd::getpid(); }";
    assert_eq!(
        about(walls::pure_plan, "src/plan/root.rs", asks),
        [
            "src/plan/root.rs:1: the plan may not ask std::fs",
            "src/plan/root.rs:2: the plan may not ask crate::sys::now",
            "src/plan/root.rs:2: the plan may not ask nix::unistd::getpid",
        ]
    );
    assert_eq!(about(walls::pure_plan, "src/linux/ask.rs", asks).len(), 0);
    let data = "use libc::MS_REC;\nfn f() -> u64 { libc::MS_BIND | g(libc::getpid()) }";
    assert_eq!(about(walls::pure_plan, "src/plan/root.rs", data).len(), 1);
    let tested = "use std::ffi::CString;\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
    assert_eq!(about(walls::pure_plan, "src/plan/root.rs", tested).len(), 0);
    assert_eq!(
        about(walls::pure_plan, "src/plan/root/tests.rs", asks).len(),
        0
    );
}

#[test]
fn the_engine_is_kept_out_of_the_runtime() {
    let asks = "use crate::engine::store;\nfn f() { sha2::Sha256::new(); crate::cli::front::engine::execute() }";
    assert_eq!(
        about(walls::no_engine, "src/life/run.rs", asks),
        [
            "src/life/run.rs:1: the runtime may not know crate::engine::store",
            "src/life/run.rs:2: the runtime may not know sha2::Sha256::new",
        ]
    );
    assert_eq!(
        about(walls::no_engine, "src/engine/pull/mod.rs", asks).len(),
        0
    );
}

#[test]
fn the_child_is_kept_bare() {
    let file = "src/linux/child/mount.rs";
    let plain = "use crate::{plan::Plan, sys::mount};\nuse std::convert::Infallible;\nuse super::super::failure::Failure;\nuse core::ffi::CStr;\nuse crate::sys::caps;\nuse rustix::fs::{OFlags, CWD};\nfn g() { caps::set() }\nfn f() -> Result<Infallible, Failure> { mount::bind() }";
    assert_eq!(about(walls::bare_child, file, plain), Vec::<String>::new());
    for (wrong, name) in [
        ("use std::fs::File;", "std::fs::File"),
        ("fn f() { libc::ENOENT; caps::read() }", "caps::read"),
        ("use crate::error::Error;", "crate::error::Error"),
        (
            "use super::super::super::state::Record;",
            "crate::state::Record",
        ),
        ("fn f() { rustix::io::close(x) }", "rustix::io::close"),
        ("fn f(x: Vec<u8>) {}", "Vec"),
        ("fn f() { g(&format!(\"{x}\")) }", "format"),
    ] {
        let complaints = about(walls::bare_child, file, wrong);
        assert!(
            complaints.len() == 1 && complaints[0].ends_with(name),
            "{wrong}: {complaints:?}"
        );
    }
    let tested = "#[cfg(test)]\nmod tests { use super::*; fn f(x: Vec<u8>) {} }";
    assert_eq!(about(walls::bare_child, file, tested), Vec::<String>::new());
}

#[test]
fn steps_want_goldens() {
    let step = "steps! {\n     9 Mount \"mount\": \"in order\";\n    10 Hostname \"hostname\": \"later\";\n}\n";
    let golden = ["error: cannot mount proc\n  step:  9 of 38, in the container".to_owned()];
    assert_eq!(
        paper::steps_without_golden(step, &golden),
        ["src/linux/step.rs: no golden message shows step 10, Hostname"]
    );
    let silent = "steps! {\n    1 SealHeap \"seal the heap\": \"first\";\n}\n";
    assert_eq!(
        paper::steps_without_golden(silent, &[]),
        Vec::<String>::new()
    );
    assert_eq!(
        paper::steps_without_golden("fn none() {}", &golden).len(),
        1
    );
}

#[test]
fn a_hint_without_a_bundle_is_seen() {
    let table = "Some(format!(\"make {path} on the host \\\"first\\\", or else\")); let known = [\"one\"]; Some(\"never said by any bundle\")";
    let golden = ["  hint:  make /x on the host \"first\", or else\n".to_owned()];
    assert_eq!(
        paper::hints_without_golden(table, &golden),
        ["src/linux/hints.rs: no broken bundle triggers \"never said by any bundle\""]
    );
    assert_eq!(paper::hints_without_golden(table, &[]).len(), 2);
}

#[test]
fn dependencies_want_reasons() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\n# A reason that is a sentence.\na = \"1\"\nb = \"2\"\n\nc = \"3\"\n[dev-dependencies]\n# no sentence\nd = { version = \"1\" }\n";
    assert_eq!(
        paper::dependencies("Cargo.toml", manifest, 4),
        [
            "Cargo.toml: no sentence of reason above c = \"3\"",
            "Cargo.toml: no sentence of reason above d = { version = \"1\" }",
        ]
    );
    assert!(
        paper::dependencies("Cargo.toml", manifest, 3)[2].contains("4 dependencies, 3 are allowed")
    );
    let lock = "source = \"registry+https://github.com/rust-lang/crates.io-index\"\nsource = \"git+https://example.org/x\"\n";
    assert_eq!(
        paper::lock_sources(lock),
        ["Cargo.lock: source = \"git+https://example.org/x\""]
    );
}

#[test]
fn places_and_private_hosts_are_seen() {
    let places = ["/data/me/orbital".to_owned()];
    let found = |line: &str| paper::local_names("a.md", line, &places).len();
    assert_eq!(found("cd /data/me/orbital && make"), 1);
    assert_eq!(found("see /data/me/orbital/src"), 1);
    assert_eq!(found("/data/me/orbital-two is another"), 0);
    assert_eq!(found(&["http:", "//mirror.lan:8080/x"].concat()), 1);
    assert_eq!(
        found("from https://github.com/opencontainers/runtime-spec"),
        0
    );
    assert!(paper::places_of_this_machine()[0].starts_with('/'));
}

#[test]
fn arrows_that_point_up_are_seen() {
    let up = "use crate::{error, life::undo::Undo};\nfn f() { super::super::engine::g(); } // crate::cli";
    assert_eq!(
        about(layers::arrows, "src/linux/make.rs", up),
        [
            "src/linux/make.rs:1: linux may not know crate::life::undo::Undo",
            "src/linux/make.rs:2: linux may not know crate::engine::g",
        ]
    );
    let through = "use super::super::backend::look;";
    assert_eq!(about(layers::arrows, "src/state/dir.rs", through).len(), 1);
    let tests = "#[cfg(test)]\nmod tests { use crate::life; }";
    for (path, fine) in [
        (
            "src/linux/make.rs",
            "use crate::state::Record; use super::birth;",
        ),
        (
            "src/life/run.rs",
            "use crate::backend::look; use super::create;",
        ),
        ("src/state/dir.rs", tests),
        ("src/main.rs", "use crate::life::run;"),
    ] {
        assert_eq!(about(layers::arrows, path, fine), Vec::<String>::new());
    }
    assert_eq!(about(layers::arrows, "src/new/mod.rs", "").len(), 1);
}

/// The list of rooms has no way round.
#[test]
fn rooms_know_only_what_stands_above_them_in_the_list() {
    for (at, (room, below)) in layers::ROOMS.iter().enumerate() {
        let earlier = &layers::ROOMS[..at];
        for name in *below {
            let is_earlier = earlier.iter().any(|(room, _)| room == name);
            let is_platform = *room == "life" && *name == layers::PLATFORM;
            assert!(is_earlier || is_platform, "{room} knows {name}");
        }
    }
}

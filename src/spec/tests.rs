use super::*;
use std::fs;

/// A bundle with this config.json.
fn bundle(text: impl AsRef<[u8]>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), text).unwrap();
    folder
}

/// A whole config.json around one member.
fn with(member: &str) -> String {
    format!(r#"{{"ociVersion": "1.2.0", {member}}}"#)
}

fn process(members: &str) -> String {
    with(&format!(r#""process": {{"cwd": "/", {members}}}"#))
}

/// Members of a process, and what is said of them.
const WRONG_PROCESSES: [(&str, &str); 9] = [
    (
        r#""user": {}, "terminal": "yes""#,
        r#"/process/terminal = "yes": refused: it must be true or false"#,
    ),
    (
        r#""user": {"uid": -1}"#,
        "/process/user/uid = -1: refused: it must be a whole number from 0 to 4294967295",
    ),
    (
        r#""user": {"uid": 4294967296}"#,
        "/process/user/uid = 4294967296: refused: it must be a whole number from 0",
    ),
    (
        r#""user": {"uid": 1.5}"#,
        "/process/user/uid = 1.5: refused: it must be a whole number",
    ),
    (
        r#""user": {}, "args": "/bin/sh""#,
        r#"/process/args = "/bin/sh": refused: it must be a list"#,
    ),
    (
        r#""user": {}, "args": ["a", 7]"#,
        "/process/args/1 = 7: refused: it must be a string",
    ),
    (
        r#""user": "root""#,
        r#"/process/user = "root": refused: it must be an object"#,
    ),
    (
        r#""user": [0, 0]"#,
        "/process/user = [0,0]: refused: it must be an object",
    ),
    (
        r#""user": {}, "rlimits": [{"type": "RLIMIT_NOFILES"}]"#,
        "(hint: did you mean RLIMIT_NOFILE?)",
    ),
];

/// Members of the document, and what is said of them.
const WRONG_MEMBERS: [(&str, &str); 11] = [
    (
        r#""process": {"user": {}, "args": []}"#,
        "/process/cwd: refused: it is required, and missing",
    ),
    (r#""root": 5"#, "/root = 5: refused: it must be an object"),
    (
        r#""root": ["rootfs"]"#,
        r#"/root = ["rootfs"]: refused: it must be an object"#,
    ),
    (
        r#""linux": {"namespaces": [{"type": "pid"}, {"type": "net"}]}"#,
        r#"/linux/namespaces/1/type = "net": refused: it must be mount,"#,
    ),
    (
        r#""linux": {"namespaces": [{"type": "net"}]}"#,
        "(hint: did you mean network?)",
    ),
    (
        r#""linux": {"namespaces": [{"type": 7}]}"#,
        "/linux/namespaces/0/type = 7: refused: it must be a string",
    ),
    (
        r#""linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALOW"}}"#,
        "(hint: did you mean SCMP_ACT_ALLOW?)",
    ),
    (
        r#""mounts": {"a": 1}"#,
        r#"/mounts = {"a":1}: refused: it must be a list"#,
    ),
    (
        r#""annotations": {"a": 1}"#,
        "/annotations/a = 1: refused: it must be a string",
    ),
    (
        r#""annotations": {"": "x"}"#,
        "the name of an annotation must not be empty",
    ),
    (
        r#""root": {"path": "r"}}"#,
        "/config.json: line 1, column 47: the configuration has ended, and something follows",
    ),
];

/// Whole documents, and what is said of them.
const WRONG_DOCUMENTS: [(&str, &str); 8] = [
    (
        r#"{"root": {"path": "r"}}"#,
        "/ociVersion: refused: it is required, and missing",
    ),
    (
        r#"{"ociVersion": 1}"#,
        "/ociVersion = 1: refused: it must be a string",
    ),
    (
        r#"{"ociVersion": "2.0.0"}"#,
        r#"/ociVersion = "2.0.0": refused: orbital knows versions 1.x"#,
    ),
    (
        r#"["ociVersion", "1.2.0"]"#,
        "/config.json: refused: it must hold an object",
    ),
    (
        r#"["1.2.0"]"#,
        "/config.json: refused: it must hold an object",
    ),
    (
        "{\n  \"ociVersion\": \"1.2.0\"\n  \"root\": {}}",
        "/config.json: line 3, column 3: after this member there must be a comma",
    ),
    (
        "",
        "/config.json: refused: it is empty (hint: write a first one with orbital spec)",
    ),
    (
        "\u{1}",
        "/config.json: refused: it is not JSON, which begins with {",
    ),
];

#[cfg(unix)]
#[test]
fn what_is_wrong_is_told_with_its_place_and_value() {
    let processes = WRONG_PROCESSES
        .iter()
        .map(|(members, told)| (process(members), *told));
    let members = WRONG_MEMBERS
        .iter()
        .map(|(member, told)| (with(member), *told));
    let documents = WRONG_DOCUMENTS
        .iter()
        .map(|(document, told)| ((*document).to_owned(), *told));
    let deep = std::iter::once(("[".repeat(200), "nested deeper than 128 levels"));
    for (text, told) in processes.chain(members).chain(documents).chain(deep) {
        let line = load(bundle(&text).path()).unwrap_err().one_line();
        assert!(line.contains(told), "{text}\n{line}");
        assert!(line.starts_with("cannot read config.json: "), "{line}");
    }
}

#[test]
fn what_other_readers_take_is_taken() {
    for text in [
        with(r#""root": {"path": "a"}, "root": {"path": "rootfs"}"#),
        with(r#""root": {"path": "rootfs", "readonly": null}, "mounts": null, "hooks": null"#),
        format!("\u{feff}{}", with(r#""root": {"path": "rootfs"}"#)),
        with(r#""root": {"path": "rootfs"}, "vendor": [[{"root": ["x"]}]]"#),
        format!("\n\n{}\n\n", with(r#""root": {"path": "rootfs"}"#)),
    ] {
        let bundle = load(bundle(&text).path()).unwrap();
        assert_eq!(
            bundle.spec.root().as_ref().unwrap().path(),
            Path::new("rootfs"),
            "{text}"
        );
        assert_eq!(bundle.warnings, [] as [String; 0]);
    }
}

#[test]
fn a_process_without_user_is_root_s() {
    let bundle = load(bundle(process(r#""args": ["/bin/true"]"#)).path()).unwrap();
    let user = bundle.spec.process().as_ref().unwrap().user();
    assert_eq!((user.uid(), user.gid()), (0, 0));
}

#[test]
fn unknown_capabilities_are_left_out_with_a_warning() {
    let text = process(
        r#""user": {}, "capabilities": {"bounding": ["CAP_KILL", "CAP_FLY"], "permitted": ["CAP_FLY"]}"#,
    );
    let bundle = load(bundle(text).path()).unwrap();
    let given = bundle
        .spec
        .process()
        .as_ref()
        .unwrap()
        .capabilities()
        .as_ref()
        .unwrap();
    assert_eq!(given.bounding().as_ref().unwrap().len(), 1);
    assert_eq!(given.permitted().as_ref().unwrap().len(), 0);
    assert_eq!(
        bundle.warnings,
        [
            "left \"CAP_FLY\" out of /process/capabilities/bounding: there is no such capability",
            "left \"CAP_FLY\" out of /process/capabilities/permitted: there is no such capability",
        ]
    );
    let wrong = process(r#""user": {}, "capabilities": {"bounding": ["CAP_FLY", 7]}"#);
    let line = load(self::bundle(wrong).path()).unwrap_err().one_line();
    assert!(line.contains("/process/capabilities/bounding"), "{line}");
}

#[cfg(unix)]
#[test]
fn files_that_cannot_be_read_are_named() {
    let empty = tempfile::tempdir().unwrap();
    let line = load(empty.path()).unwrap_err().one_line();
    assert!(
        line.contains("config.json: ENOENT") && line.contains("orbital spec"),
        "{line}"
    );

    let line = load(&empty.path().join("nowhere")).unwrap_err().one_line();
    assert!(
        line.starts_with("cannot find the bundle: ") && line.contains("nowhere: ENOENT"),
        "{line}"
    );

    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("config.json")).unwrap();
    let line = load(folder.path()).unwrap_err().one_line();
    assert!(
        line.ends_with("config.json: refused: it is a directory"),
        "{line}"
    );

    let fifo = tempfile::tempdir().unwrap();
    nix::unistd::mkfifo(
        &fifo.path().join("config.json"),
        nix::sys::stat::Mode::S_IRWXU,
    )
    .unwrap();
    let line = load(fifo.path()).unwrap_err().one_line();
    assert!(
        line.ends_with("refused: it is not a regular file"),
        "{line}"
    );

    let large = bundle("");
    fs::File::options()
        .write(true)
        .open(large.path().join("config.json"))
        .unwrap()
        .set_len(LARGEST + 1)
        .unwrap();
    let line = load(large.path()).unwrap_err().one_line();
    assert!(
        line.ends_with("refused: it is larger than 16 MiB"),
        "{line}"
    );
}

#[cfg(unix)]
#[test]
fn the_bundle_s_path_is_absolute_and_without_links() {
    let real = bundle(with(r#""root": {"path": "r"}"#));
    let other = tempfile::tempdir().unwrap();
    let link = other.path().join("link");
    std::os::unix::fs::symlink(real.path(), &link).unwrap();
    assert_eq!(
        load(&link).unwrap().path,
        fs::canonicalize(real.path()).unwrap()
    );
}

#[test]
fn other_encodings_are_told_as_such() {
    let utf16: Vec<u8> = "\u{feff}{\"ociVersion\": \"1.2.0\"}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let told = from_bytes(utf16, "/b".into()).unwrap_err().one_line();
    assert!(
        told.contains("line 1, column 1: it is not UTF-8") && told.contains("UTF-16"),
        "{told}"
    );
    let latin = b"{\"ociVersion\": \"1.2.0\",\n \"hostname\": \"caf\xe9\"}".to_vec();
    let told = from_bytes(latin, "/b".into()).unwrap_err().one_line();
    assert!(
        told.contains("line 2, column 18: it is not UTF-8"),
        "{told}"
    );
}

#[cfg(unix)]
#[test]
fn a_message_does_not_move_the_cursor() {
    let text = with(r#""root": {"path": "r"}, "mounts": ["\u001b[2J\n\u202e"]"#);
    let told = from_bytes(text.into_bytes(), "/b\u{1b}".into()).unwrap_err();
    let line = told.one_line();
    assert!(
        line.contains("/mounts/0") && !line.contains(char::is_control),
        "{line}"
    );
    let file = from_bytes(b"{".to_vec(), "/b\u{1b}\u{202e}".into()).unwrap_err();
    let shown = file.to_string();
    assert!(shown.contains("/b\\u{1b}\\u{202e}/config.json"), "{shown}");
}

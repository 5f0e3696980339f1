use crate::PROGRAM;
use orbital::cli::help::whole;
use std::path::Path;
use std::process::Command;

fn written() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    crate::write(dir.path()).unwrap();
    dir
}

fn read(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).unwrap()
}

/// roff writes a dash that is to be copied as `\-`.
fn plain(page: &str) -> String {
    page.replace("\\-", "-")
        .replace("\\fB", "")
        .replace("\\fR", "")
        .replace("\\fI", "")
}

#[test]
fn every_flag_of_every_verb_is_in_its_page() {
    let dir = written();
    let root = whole(PROGRAM);
    let commands = root
        .get_subcommands()
        .map(|verb| (format!("orbital-{}", verb.get_name()), verb));
    let commands = commands.chain([("orbital".to_owned(), &root)]);
    let mut flags = 0;
    for (name, command) in commands {
        let page = plain(&read(dir.path(), &format!("man/man1/{name}.1")));
        assert!(page.contains(".SH NAME"), "{name}");
        assert!(page.contains(".SH EXAMPLE"), "{name}");
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            if let Some(long) = arg.get_long() {
                assert!(
                    page.contains(&format!("--{long}")),
                    "--{long} is not in {name}.1"
                );
                flags += 1;
            }
            if let Some(short) = arg.get_short() {
                assert!(
                    page.contains(&format!("-{short}")),
                    "-{short} is not in {name}.1"
                );
            }
            let help = arg.get_help().unwrap().to_string();
            let first = help.split(' ').next().unwrap();
            assert!(page.contains(first), "{help} is not in {name}.1");
        }
    }
    assert!(flags > 80, "only {flags} flags were looked at");
}

#[test]
fn every_verb_is_in_the_page_of_all() {
    let page = plain(&read(written().path(), "man/man1/orbital.1"));
    for verb in whole(PROGRAM).get_subcommands() {
        assert!(page.contains(&format!("orbital-{}(1)", verb.get_name())));
        assert!(page.contains(&verb.get_about().unwrap().to_string()));
    }
}

/// The pages are roff that a man program takes without a complaint; where there is one.
#[test]
fn the_pages_are_roff() {
    let dir = written();
    for entry in std::fs::read_dir(dir.path().join("man/man1"))
        .unwrap()
        .flatten()
    {
        let checked = Command::new("groff")
            .args(["-man", "-Tutf8", "-wall", "-z"])
            .current_dir(dir.path().join("man"))
            .arg(entry.path())
            .output();
        let Ok(checked) = checked else { return };
        let complaints = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert!(
            checked.status.success() && complaints.is_empty(),
            "{complaints}"
        );
    }
}

/// What bash offers after these words, the last one being completed.
fn offered(dir: &Path, words: &[&str]) -> Vec<String> {
    let script = dir.join("bash-completion/completions/orbital");
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let last = words.len() - 1;
    let text = format!(
        "source '{}'; complete -p orbital >/dev/null || exit 3; COMP_WORDS=({}); COMP_CWORD={last}; \
         _orbital orbital '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        quoted.join(" "),
        words[last],
        words[last.saturating_sub(1)],
    );
    let said = Command::new("bash")
        .args(["--norc", "-c", &text])
        .output()
        .unwrap();
    assert!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    let out = String::from_utf8_lossy(&said.stdout).into_owned();
    out.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn bash_completes_verbs_flags_and_their_words() {
    let dir = written();
    let dir = dir.path();
    assert_eq!(offered(dir, &["orbital", "cre"]), ["create"]);
    assert_eq!(
        offered(dir, &["orbital", "create", "--con"]),
        ["--console-socket"]
    );
    assert_eq!(
        offered(dir, &["orbital", "restore", "--lsm"]),
        ["--lsm-profile", "--lsm-mount-context"]
    );
    assert_eq!(
        offered(dir, &["orbital", "list", "--format", "j"]),
        ["json"]
    );
    assert_eq!(
        offered(dir, &["orbital", "--log-format", ""]),
        ["text", "json"]
    );
    assert_eq!(
        offered(dir, &["orbital", "--cgroup-manager", "sys"]),
        ["systemd"]
    );
    let all = offered(dir, &["orbital", ""]);
    for verb in whole(PROGRAM).get_subcommands() {
        assert!(
            all.contains(&verb.get_name().to_owned()),
            "{} is not in {all:?}",
            verb.get_name()
        );
        let flags = offered(dir, &["orbital", verb.get_name(), "--"]);
        for arg in verb.get_arguments().filter(|arg| !arg.is_hide_set()) {
            if let Some(long) = arg.get_long() {
                assert!(
                    flags.contains(&format!("--{long}")),
                    "--{long} of {} is not in {flags:?}",
                    verb.get_name()
                );
            }
        }
    }
}

/// zsh and fish read their scripts without a complaint; where they are installed.
#[test]
fn the_other_shells_can_read_theirs() {
    let dir = written();
    let scripts = [
        ("zsh", "zsh/site-functions/_orbital"),
        ("fish", "fish/vendor_completions.d/orbital.fish"),
    ];
    for (shell, script) in scripts {
        let text = read(dir.path(), script);
        assert!(
            text.contains("checkpoint") && text.contains("console-socket"),
            "{shell}"
        );
        let Ok(read) = Command::new(shell)
            .arg("-n")
            .arg(dir.path().join(script))
            .output()
        else {
            continue;
        };
        assert!(
            read.status.success(),
            "{shell}: {}",
            String::from_utf8_lossy(&read.stderr)
        );
    }
}

#[cfg(feature = "engine")]
#[test]
fn the_engines_verbs_have_pages_and_are_completed_beside_the_runtimes() {
    let dir = written();
    let dir = dir.path();
    let root = orbital::engine::cli::whole();
    let all = offered(dir, &["orbital", ""]);
    for verb in root.get_subcommands() {
        let name = verb.get_name().replace(' ', "-");
        let page = plain(&read(dir, &format!("man/man1/orbital-engine-{name}.1")));
        for arg in verb.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let Some(long) = arg.get_long() else { continue };
            assert!(
                page.contains(&format!("--{long}")),
                "--{long} is not in {name}"
            );
        }
        // What man finds by the typed words: the runtime's page, or one that leads to the engine's.
        assert!(!read(dir, &format!("man/man1/orbital-{name}.1")).is_empty());
        let first = verb.get_name().split(' ').next().unwrap();
        assert!(
            all.iter().any(|word| word == first),
            "{first} is not in {all:?}"
        );
    }
    assert_eq!(
        read(dir, "man/man1/orbital-pull.1"),
        ".so man1/orbital-engine-pull.1\n"
    );
    let page = plain(&read(dir, "man/man1/orbital-engine.1"));
    assert!(page.contains("orbital-engine-run(1)") && page.contains("125"));
    assert_eq!(offered(dir, &["orbital", "pul"]), ["pull"]);
    assert_eq!(
        offered(dir, &["orbital", "run", "--publish-"]),
        ["--publish-all"]
    );
    assert_eq!(offered(dir, &["orbital", "run", "--bun"]), ["--bundle"]);
}

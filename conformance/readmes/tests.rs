use super::*;

const README: &str = "\
# an example

```sh
one
```

```text
1
```

Between.

```text
belongs to nothing
```

```sh user needs=memory,/dev/fuse
two
three
```

and words, so that the next is not its output:

```text
neither
```

```json
{}
```

```sh no-test
four
```
";

#[test]
fn blocks_carry_their_line_runner_needs_and_output() {
    let found = blocks(README).unwrap();
    let scripts: Vec<_> = found.iter().map(|b| (b.line, &*b.script)).collect();
    assert_eq!(
        scripts,
        [(3, "one\n"), (17, "two\nthree\n"), (32, "four\n")]
    );
    let outputs: Vec<_> = found.iter().map(|b| b.output.as_deref()).collect();
    assert_eq!(outputs, [Some("1\n"), None, None]);
    assert_eq!(found[0].runner, Runner::Caller);
    assert_eq!(found[1].runner, Runner::User);
    assert_eq!(found[1].needs, ["memory", "/dev/fuse"]);
    assert_eq!(found[2].runner, Runner::Nobody);
}

#[test]
fn a_misspelt_word_and_an_open_fence_are_errors_with_their_line() {
    let error = blocks("\n```sh no-tset\n```\n").unwrap_err();
    assert_eq!(error, "line 2: unknown word \"no-tset\" after sh");
    let error = blocks("```sh\nforever\n").unwrap_err();
    assert_eq!(error, "line 1: the fence is not closed");
}

#[test]
fn an_ellipsis_is_a_part_of_a_line_or_whole_lines() {
    for (expected, printed, same) in [
        ("a\nb\n", "a\nb\n", true),
        ("a\nb\n", "a\r\nb \n\n", true),
        ("a\nb\n", "a\n", false),
        ("a\n", "a\nb\n", false),
        ("", "", true),
        ("", "a\n", false),
        ("pid …\n", "pid 17\n", true),
        ("pid …\n", "pid\n", false),
        ("…17\n", "pid 17\n", true),
        ("p…d … of …\n", "pid 17 of us\n", true),
        ("p…d …\n", "17 pid\n", false),
        ("a\n…\nz\n", "a\nz\n", true),
        ("a\n…\nz\n", "a\nb\nc\nz\n", true),
        ("a\n…\nz\n", "a\nb\nc\n", false),
        ("…\nz\n…\n", "x\ny\nz\n", true),
    ] {
        assert_eq!(
            matches(expected, printed),
            same,
            "{expected:?} and {printed:?}"
        );
    }
}

/// An example in a scratch folder of the test, with a runtime that prints its arguments.
fn example(name: &str, readme: &str) -> (PathBuf, PathBuf) {
    let top = std::env::temp_dir().join(format!("readmes-test-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&top);
    let folder = top.join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("README.md"), readme).unwrap();
    let runtime = top.join("runtime");
    fs::write(&runtime, "#!/bin/sh\necho ran \"$@\"\n").unwrap();
    fs::set_permissions(&runtime, fs::Permissions::from_mode(0o755)).unwrap();
    (folder, runtime)
}

#[test]
fn blocks_run_in_a_copy_of_the_folder_with_the_runtime_on_path() {
    let readme = "```sh\norbital run x\necho left >here; echo also >&2\n```\n```text\nran run x\nalso\n```\n\
                  ```sh\ncat here\n```\n```text\nleft\n```\n\
                  ```sh needs=/no/such/file,no-such-controller\nfalse\n```\n```sh no-test\nfalse\n```\n";
    let (folder, runtime) = example("good", readme);
    let outcome = execute(&folder, &runtime).unwrap();
    assert_eq!(outcome.ran, 2);
    let skipped = outcome.skipped.join("\n");
    assert!(
        skipped.contains("README.md:15: this host has no /no/such/file, no-such-controller"),
        "{skipped}"
    );
    assert!(skipped.contains("README.md:18: not for tests"), "{skipped}");
    assert!(
        !folder.join("here").exists(),
        "a block wrote into the checkout"
    );
    fs::remove_dir_all(folder.parent().unwrap()).unwrap();
}

#[test]
fn a_failing_or_differing_block_is_reported_with_what_it_printed() {
    for (name, readme, why) in [
        (
            "fails",
            "```sh\necho before\nfalse\necho after\n```\n",
            "README.md:1: the block ended with exit status: 1",
        ),
        (
            "unset",
            "```sh\necho before; : $no_such_variable\n```\n",
            "README.md:1: the block ended with exit status: ",
        ),
        (
            "differs",
            "\n```sh\necho before\n```\n\n```text\nafter\n```\n",
            "README.md:2: the output differs",
        ),
        ("empty", "no blocks\n", "README.md: there is no sh block"),
    ] {
        let (folder, runtime) = example(name, readme);
        let error = execute(&folder, &runtime).unwrap_err();
        assert!(error.contains(why), "{error}");
        assert_eq!(
            error.contains("--- printed\nbefore\n"),
            name != "empty",
            "{error}"
        );
        fs::remove_dir_all(folder.parent().unwrap()).unwrap();
    }
}

#[test]
fn a_user_block_is_not_run_by_root() {
    let (folder, runtime) = example(
        "user",
        "```sh user\n[ \"$(id -u)\" != 0 ]\ntouch \"$XDG_RUNTIME_DIR/mine\"\n```\n",
    );
    execute(&folder, &runtime).unwrap();
    fs::remove_dir_all(folder.parent().unwrap()).unwrap();
}

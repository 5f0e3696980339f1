//! What the small engines before this one could do, row by row, in their own spellings.

use super::ground::Ground;
use super::lab::program;

#[test]
fn a_command_runs_on_a_directory_and_its_exit_status_is_passed_on() {
    let Some(ground) = Ground::new() else { return };
    let ran = ground.run(&["--rm"], &["/bin/sh", "-c", "echo $$; exit 7"]);
    assert_eq!((ran.status, ran.out.as_str()), (7, "1\n"), "{}", ran.err);
    ground.nothing_is_left();
}

#[test]
fn orbital_itself_hands_the_seeds_words_over() {
    let Some(ground) = Ground::new() else { return };
    let place = ground.lab.path();
    std::fs::rename(ground.root(), place.join("my-rootfs")).unwrap();
    let orbital = |words: &[&str]| {
        let output = std::process::Command::new(program().with_file_name("orbital"))
            .args(words)
            .current_dir(place)
            .env("HOME", place)
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let (store, state) = (place.join("store"), place.join("state"));
    let places = [
        "--store",
        store.to_str().unwrap(),
        "--state",
        state.to_str().unwrap(),
    ];
    let seeds = [
        "run",
        "-network",
        "none",
        "-rm",
        "-hostname",
        "gobox",
        "./my-rootfs",
        "/bin/sh",
        "-c",
        "hostname; exit 4",
    ];
    let ran = orbital(&[&places[..], &seeds].concat());
    assert_eq!(ran, (Some(4), "gobox".to_owned(), String::new()));
    // The engine's own verbs need nothing before them.
    let (status, text, told) = orbital(&["images", "--help"]);
    assert!(
        status == Some(0) && text.contains("Usage: orbital images"),
        "{text}{told}"
    );
    // One word beside a bundle is runc's.
    ground.lab.write("config.json", "{}");
    let (status, _, told) = orbital(&["run", "web"]);
    assert!(status == Some(1) && told.contains("config.json"), "{told}");
    std::fs::rename(place.join("my-rootfs"), ground.root()).unwrap();
    ground.nothing_is_left();
}

#[test]
fn proc_and_tmp_are_there_and_the_hosts_processes_are_not() {
    let Some(ground) = Ground::new() else { return };
    let seen = ground.sh(&[], "ls -d /proc/[0-9]*; echo x > /tmp/x");
    assert!(
        seen.lines().count() <= 3 && seen.starts_with("/proc/1"),
        "{seen}"
    );
}

#[test]
fn the_hosts_environment_never_leaks() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    ground.lab.set("SECRET_OF_THE_HOST", "leaked");
    let env = ground.sh(&["-e", "GIVEN=1", "-e", "NOT_SET_ANYWHERE"], "env");
    assert!(
        env.contains("GIVEN=1") && !env.contains("leaked") && !env.contains("NOT_SET"),
        "{env}"
    );
    let asked = ground.sh(&["-e", "SECRET_OF_THE_HOST"], "env");
    assert!(asked.contains("SECRET_OF_THE_HOST=leaked"), "{asked}");
}

#[test]
fn both_spellings_of_the_host_name() {
    let Some(ground) = Ground::new() else { return };
    for flag in ["--hostname", "-h", "-H", "-hostname"] {
        assert_eq!(ground.sh(&[flag, "gobox"], "hostname"), "gobox", "{flag}");
    }
    assert_eq!(ground.sh(&[], "hostname").len(), 12);
}

#[test]
fn an_overlay_keeps_the_directory_as_it_was() {
    let Some(ground) = Ground::new() else { return };
    let root = ground.root();
    let seen = ground.sh(
        &["--overlay"],
        "echo new > /file; rm /etc/group; ls /etc /file",
    );
    assert!(seen.contains("/file") && !seen.contains("group"), "{seen}");
    assert!(!root.join("file").exists() && root.join("etc/group").exists());
    ground.sh(&[], "echo new > /file");
    assert!(
        root.join("file").exists(),
        "without an overlay the directory itself is written"
    );
}

#[test]
fn the_hosts_own_files_under_a_throw_away_overlay() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    let mark = format!("/mark-of-{}", std::process::id());
    for words in [
        &["--rootfs", "/"][..],
        &["--rootfs", "/:O"],
        &["--rootfs", "/", "--overlay"],
    ] {
        let mut all = vec!["run", "--rm", "--network", "none"];
        all.extend(words);
        let script = format!("touch {mark}; test -e {mark} && ls -d /usr");
        all.extend(["--", "sh", "-c", &script]);
        assert_eq!(lab.good(&all), "/usr", "{words:?}");
        assert!(!std::path::Path::new(&mark).exists());
    }
    ground.nothing_is_left();
}

#[test]
fn raw_and_human_limits_are_understood() {
    let Some(ground) = Ground::new() else { return };
    // Which controllers there are is the host's: the document that the runtime reads shows what was understood.
    let limits = |flags: &[&str]| -> serde_json::Value {
        let mut all = vec!["--name", "limited"];
        all.extend(flags);
        let ran = ground.run(&all, &["true"]);
        let about = ground.lab.json(&["inspect", "limited"]);
        ground.lab.good(&["rm", "limited"]);
        assert!(
            ran.status == 0 || ran.err.contains("controller"),
            "{}",
            ran.err
        );
        about[0]["HostConfig"]["Limits"].clone()
    };
    let raw = limits(&["-cpu", "50000 100000", "-memory", "100M"]);
    assert_eq!(
        (raw["cpu_quota"].as_i64(), raw["memory"].as_i64()),
        (Some(50_000), Some(104_857_600))
    );
    let ours = limits(&["--cpus", "0.5", "-m", "100m"]);
    assert_eq!(
        (ours["cpu_quota"].as_i64(), ours["memory"].as_i64()),
        (Some(50_000), Some(104_857_600))
    );
    let ran = ground.run(&["--rm", "--memory", "much"], &["true"]);
    assert_eq!(ran.status, 125);
    assert!(ran.err.contains("--memory=much"), "{}", ran.err);
}

#[test]
fn capabilities_come_and_go() {
    let Some(ground) = Ground::new() else { return };
    let bounding = |flags: &[&str]| ground.sh(flags, "grep CapBnd /proc/self/status");
    assert!(
        bounding(&[]).ends_with("00000000800405fb"),
        "{}",
        bounding(&[])
    );
    assert!(bounding(&["--cap-drop", "ALL", "--cap-add", "net_raw"]).ends_with("0000000000002000"));
    assert!(bounding(&["--security-opt", "caps=docker"]).ends_with("00000000a80425fb"));
}

#[test]
fn a_stop_is_a_sigterm_and_after_a_while_a_sigkill() {
    let Some(ground) = Ground::new() else { return };
    let script = "trap 'echo asked; exit 5' TERM; echo ready; while true; do sleep 0.05; done";
    ground.good(&["-d", "--name", "polite"], &["sh", "-c", script]);
    super::life::until(|| ground.lab.good(&["logs", "polite"]) == "ready");
    ground.lab.good(&["stop", "polite"]);
    assert_eq!(ground.lab.good(&["wait", "polite"]), "5");
    assert!(ground.lab.good(&["logs", "polite"]).contains("asked"));
    ground.good(
        &["-d", "--name", "deaf"],
        &["sh", "-c", "trap '' TERM; while true; do sleep 0.05; done"],
    );
    ground.lab.good(&["stop", "-t", "1", "deaf"]);
    assert_eq!(ground.lab.good(&["wait", "deaf"]), "137");
    ground.lab.good(&["rm", "polite", "deaf"]);
    ground.nothing_is_left();
}

#[test]
fn a_bare_name_is_an_image_even_where_a_directory_is_called_so() {
    let Some(ground) = Ground::new() else { return };
    let ran = ground
        .lab
        .run(&["run", "--rm", "--pull=never", "root", "true"]);
    assert_eq!(ran.status, 125);
    assert!(ran.err.contains("image"), "{}", ran.err);
}

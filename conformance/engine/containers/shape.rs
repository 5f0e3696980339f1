//! What a container is given, and what it is not.

use super::ground::Ground;

#[test]
fn users_are_looked_up_in_the_containers_own_files() {
    let Some(ground) = Ground::new() else { return };
    assert_eq!(
        ground.sh(&["-u", "web"], "id; echo $HOME"),
        "uid=33(web) gid=34(web) groups=4(logs)\n/srv"
    );
    assert_eq!(
        ground.sh(&["-u", "7:8", "--group-add", "logs"], "id"),
        "uid=7 gid=8 groups=4(logs)"
    );
    let ran = ground.run(&["--rm", "-u", "nobody-here"], &["true"]);
    assert_eq!(ran.status, 125);
    assert!(
        ran.err.contains("nobody-here") && ran.err.contains("/etc/passwd"),
        "{}",
        ran.err
    );
    ground.nothing_is_left();
}

#[test]
fn the_working_directory_is_made() {
    let Some(ground) = Ground::new() else { return };
    assert_eq!(
        ground.sh(&["-w", "/made/here", "--overlay"], "pwd"),
        "/made/here"
    );
    assert_eq!(
        ground.run(&["--rm", "-w", "relative"], &["true"]).status,
        125
    );
}

#[test]
fn a_seccomp_filter_and_hidden_paths_are_the_default() {
    let Some(ground) = Ground::new() else { return };
    let status = "grep -E 'Seccomp:|NoNewPrivs' /proc/self/status";
    let seen = ground.sh(
        &[],
        &format!("{status}; cat /proc/timer_list | wc -c; echo x > /proc/sysrq-trigger || echo no"),
    );
    assert_eq!(seen, "NoNewPrivs:\t0\nSeccomp:\t2\n0\nno");
    let open = ground.sh(
        &[
            "--security-opt",
            "seccomp=unconfined",
            "--security-opt",
            "no-new-privileges",
        ],
        status,
    );
    assert_eq!(open, "NoNewPrivs:\t1\nSeccomp:\t0");
    let privileged = ground.sh(
        &["--privileged"],
        "grep CapEff /proc/self/status; mount -t tmpfs t /tmp && echo mounted",
    );
    assert!(privileged.contains("mounted"), "{privileged}");
    let ran = ground.run(&["--rm", "--security-opt", "unknown=x"], &["true"]);
    assert!(
        ran.status == 125 && ran.err.contains("unknown=x"),
        "{}",
        ran.err
    );
}

#[test]
fn limits_of_processes_devices_and_kernel_parameters() {
    let Some(ground) = Ground::new() else { return };
    assert_eq!(
        ground.sh(&["--ulimit", "nofile=77:88"], "ulimit -n; ulimit -Hn"),
        "77\n88"
    );
    assert_eq!(
        ground.sh(
            &["--sysctl", "kernel.shm_rmid_forced=1"],
            "cat /proc/sys/kernel/shm_rmid_forced"
        ),
        "1"
    );
    assert_eq!(
        ground.sh(&["--shm-size", "1m"], "df -k /dev/shm | grep -c 1024"),
        "1"
    );
    assert_eq!(ground.sh(&[], "df -k /dev/shm | grep -c 65536"), "1");
    let fuse = std::path::Path::new("/dev/fuse");
    if fuse.exists() {
        assert_eq!(
            ground.sh(
                &["--device", "/dev/fuse:/dev/mine"],
                "test -c /dev/mine && echo there"
            ),
            "there"
        );
    }
    let ran = ground.run(&["--rm", "--device", "/etc/passwd"], &["true"]);
    assert!(
        ran.status == 125 && ran.err.contains("no device"),
        "{}",
        ran.err
    );
    ground.nothing_is_left();
}

#[test]
fn a_process_one_of_ours_collects_orphans_and_passes_the_status_on() {
    let Some(ground) = Ground::new() else { return };
    // The program of the tests needs the host's libraries, unlike a release.
    let words = [
        "run",
        "--rm",
        "--init",
        "--network",
        "none",
        "--rootfs",
        "/",
        "--",
        "sh",
        "-c",
    ];
    let run = |script: &str| {
        let all: Vec<&str> = words.iter().copied().chain([script]).collect();
        ground.lab.run(&all)
    };
    let ran = run(
        "cat /proc/1/cmdline | tr '\\0' ' '; (sleep 0.1 &); sleep 0.4; ls -d /proc/[0-9]* | wc -l; exit 9",
    );
    assert_eq!(ran.status, 9, "{ran:?}");
    assert!(ran.out.starts_with("/dev/init init -- sh"), "{ran:?}");
    assert_eq!(run("kill -TERM $$; sleep 1").status, 143);
    ground.nothing_is_left();
}

#[test]
fn namespaces_may_be_the_hosts_or_anothers() {
    let Some(ground) = Ground::new() else { return };
    let own = |flags: &[&str]| {
        ground.sh(
            flags,
            "ls -l /proc/self/ns/uts /proc/self/ns/ipc /proc/self/ns/pid",
        )
    };
    let host = std::fs::read_link("/proc/self/ns/uts")
        .unwrap()
        .display()
        .to_string();
    assert!(own(&["--uts", "host"]).contains(&host));
    assert!(!own(&[]).contains(&host));
    ground.good(&["-d", "--name", "first"], &["sleep", "1000"]);
    let seen = ground.sh(&["--pid", "container:first"], "ps");
    assert!(seen.contains("sleep 1000"), "{seen}");
    let ran = ground.run(&["--rm", "--pid", "container:nobody"], &["true"]);
    assert_eq!(ran.status, 125);
    ground.lab.good(&["rm", "-f", "first"]);
    ground.nothing_is_left();
}

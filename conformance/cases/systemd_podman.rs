//! podman with its defaults, which let systemd make the group: as root and as a user.

use std::path::Path;

use crate::case::{Case, Need};
use crate::check::{Outcome, ensure, eventually, mentions, same};
use crate::lab::Lab;
use crate::probe;

use super::systemd::PATIENCE;

const ROOTFUL: &[Need] = &[
    Need::Root,
    Need::CgroupV2,
    Need::Controller("memory"),
    Need::File("/run/systemd/private"),
    Need::Program("systemctl"),
    Need::Program("podman"),
];
const ROOTLESS: &[Need] = &[
    Need::Root,
    Need::UserNs,
    Need::CgroupV2,
    Need::Controller("memory"),
    Need::File("/run/user/1000/systemd/private"),
    Need::Program("setpriv"),
    Need::Program("newuidmap"),
    Need::Program("podman"),
];

pub(super) const CASES: &[Case] = &[
    Case::new("podmans-limits-as-root", |lab| podman(lab, Who::Root)).needs(ROOTFUL),
    Case::new("podmans-limits-as-a-user", |lab| podman(lab, Who::User)).needs(ROOTLESS),
];

/// Whose podman.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Root,
    User,
}

impl Who {
    /// A shell script with `$podman`, `$systemctl` and `$runtime`; what it prints.
    fn says(self, lab: &Lab, home: &Path, script: &str) -> Outcome<String> {
        let home = home.to_string_lossy();
        let runtime = lab.runtime.path.to_string_lossy();
        // Images and containers of its own: nobody's else are touched, and nothing is left.
        let head = format!(
            "set -e; cd /; export HOME={home}; runtime={runtime}
            podman=\"podman --root {home}/storage --runroot {home}/run --storage-driver vfs --runtime $runtime \
            --cgroup-manager systemd --log-level error\"\n"
        );
        let (front, mode) = match self {
            Who::Root => (vec!["env"], "systemctl=systemctl"),
            Who::User => (
                vec![
                    "setpriv",
                    "--reuid",
                    "1000",
                    "--regid",
                    "1000",
                    "--clear-groups",
                    "env",
                    "HOME=/tmp",
                    "XDG_RUNTIME_DIR=/run/user/1000",
                    "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus",
                ],
                "systemctl='systemctl --user'",
            ),
        };
        let script = format!("{head}{mode}\n{script}");
        let words = [
            &front[..],
            &["PATH=/usr/bin:/bin:/usr/sbin:/sbin", "sh", "-c", &script],
        ]
        .concat();
        lab.host(&words)
    }
}

fn podman(lab: &Lab, who: Who) -> Outcome {
    // Beside the lab, whose mounts a user's podman does not see: it lives in namespaces of its own.
    let ground = lab.dir.parent().ok_or("no parent")?;
    let home = ground.join(format!("{}-podman", lab.tag()));
    std::fs::create_dir(&home)?;
    if who == Who::User {
        std::os::unix::fs::chown(&home, Some(1000), Some(1000))?;
    }
    let outcome = life(lab, who, &home);
    let shares = match who {
        Who::Root => "",
        Who::User => "$podman unshare",
    };
    who.says(
        lab,
        &home,
        &format!("{shares} rm -rf {0}/* {0}/.[a-z]*", home.display()),
    )?;
    std::fs::remove_dir(&home)?;
    outcome
}

fn life(lab: &Lab, who: Who, home: &Path) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    let image = home.join("image.tar");
    let rootfs = bundle.rootfs();
    lab.host(&[
        "tar",
        "-C",
        &rootfs.to_string_lossy(),
        "-cf",
        &image.to_string_lossy(),
        ".",
    ])?;
    let says = |script: &str| who.says(lab, home, script);
    says(&format!(
        "$podman import -q {} box >/dev/null",
        image.display()
    ))?;
    // Once to its end, which the user of the container sees.
    let flags = "--network none -m 64m --cpus 0.5 --pids-limit 20";
    let heard = says(&format!(
        "$podman run --rm {flags} box sh -c 'echo heard; exit 3' || echo with $?"
    ))?;
    same("podman run", heard.as_str(), "heard\nwith 3\n")?;
    let id = says(&format!("$podman run -d {flags} box sleep 1000"))?;
    let id = id.trim();
    let unit = format!("libpod-{id}.scope");
    let pid = says(&format!(
        "$podman inspect --format '{{{{.State.Pid}}}}' {id}"
    ))?;
    let group = probe::cgroup_dir(pid.trim().parse()?)?;
    ensure!(
        group.to_string_lossy().contains(&unit),
        "it is in {}",
        group.display()
    );
    for (file, want) in [
        ("memory.max", "67108864"),
        ("cpu.max", "50000 100000"),
        ("pids.max", "20"),
    ] {
        // The payload may be a group below the one that was limited.
        let group = group
            .ancestors()
            .find(|dir| dir.ends_with(&unit))
            .unwrap_or(&group);
        let found = std::fs::read_to_string(group.join(file))?;
        same(file, found.trim(), want)?;
    }
    let status = says(&format!("$systemctl status --no-pager {unit}"))?;
    mentions("systemctl status", &status, &["active (running)"])?;
    mentions("systemctl status", &status, &["max: 64M"])?;
    let stats = says(&format!(
        "$podman stats --no-stream --format '{{{{.MemUsage}}}}' {id}"
    ))?;
    mentions("podman stats", &stats, &["67.11MB", "64MiB"])?;
    says(&format!("$podman rm -f -t 0 {id} >/dev/null"))?;
    eventually("the unit to be forgotten", PATIENCE, || {
        let state = says(&format!(
            "$systemctl show --value --property LoadState {unit}"
        ))?;
        Ok(state.trim() == "not-found" && probe::cgroups_with(id).is_empty())
    })?;
    says(&format!(
        "! $runtime state {id} 2>/dev/null; $podman system reset -f >/dev/null 2>&1; rm -rf {}/*",
        home.display()
    ))
    .map(drop)
}

//! podman with its defaults, which let systemd make the group: as root and as a user.

use std::path::PathBuf;

use crate::case::{Case, Need};
use crate::check::{Outcome, eventually, mentions, same};
use crate::lab::Lab;
use crate::probe;

use super::systemd::{AS_USER, PATIENCE};

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

const FLAGS: &str = "--network none -m 64m --cpus 0.5 --pids-limit 20";

/// What a user's podman finds in its environment, and nothing else.
const ENVIRONMENT: &[&str] = &[
    "env",
    // The suite's own USER is root, and a runtime in a user namespace asks that.
    "-i",
    "USER=user",
    "XDG_RUNTIME_DIR=/run/user/1000",
    "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus",
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

/// A podman with a place of its own for images and containers: nobody else's are touched.
struct Podman<'l> {
    lab: &'l Lab,
    who: Who,
    home: PathBuf,
}

impl Podman<'_> {
    /// What a shell script prints that has `$podman`, `$systemctl` and `$runtime`.
    fn says(&self, script: &str) -> Outcome<String> {
        let home = self.home.to_string_lossy();
        let runtime = self.lab.runtime.path.to_string_lossy();
        let (front, own) = match self.who {
            Who::Root => (vec!["env"], ""),
            Who::User => ([AS_USER, ENVIRONMENT].concat(), "--user"),
        };
        let script = format!(
            "set -e; cd /; export HOME={home}; runtime={runtime}; systemctl='systemctl {own}'
            podman=\"podman --root {home}/storage --runroot {home}/run --storage-driver vfs --runtime $runtime \
            --cgroup-manager systemd --log-level error\"
            {script}"
        );
        let shell = ["PATH=/usr/bin:/bin:/usr/sbin:/sbin", "sh", "-c", &script];
        self.lab.host(&[&front[..], &shell].concat())
    }

    /// An image from the lab's own root file system, called `box`.
    fn import(&self) -> Outcome {
        let (bundle, image) = (self.lab.bundle(|_| ())?, self.home.join("image.tar"));
        let (rootfs, image) = (bundle.rootfs(), image.to_string_lossy());
        let rootfs = rootfs.to_string_lossy();
        self.lab.host(&["tar", "-C", &rootfs, "-cf", &image, "."])?;
        self.says(&format!("$podman import -q {image} box >/dev/null"))?;
        Ok(())
    }

    /// Removes what it has. conmon calls podman once more when a container has ended, which may still be
    /// writing.
    fn remove(&self) -> Outcome {
        let home = self.home.display();
        let script =
            format!("for i in 1 2 3 4 5 6 7 8 9; do rm -rf {home} && exit; sleep 1; done; exit 1");
        self.lab.host(&["sh", "-c", &script]).map(drop)
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
    let podman = Podman { lab, who, home };
    let outcome = podman.import().and_then(|()| life(&podman));
    let removed = podman.remove();
    outcome?;
    removed
}

fn life(podman: &Podman<'_>) -> Outcome {
    // To its end, which the user of the container sees.
    let script = "sh -c 'echo heard; exit 3' || echo with $?";
    let heard = podman.says(&format!("$podman run --rm {FLAGS} box {script}"))?;
    same("podman run", heard.as_str(), "heard\nwith 3\n")?;
    let id = podman.says(&format!("$podman run -d {FLAGS} box sleep 1000"))?;
    let (id, unit) = (id.trim(), format!("libpod-{}.scope", id.trim()));
    in_force(podman, id, &unit)?;
    let status = podman.says(&format!("$systemctl status --no-pager {unit}"))?;
    mentions("systemctl status", &status, &["active (running)"])?;
    mentions("systemctl status", &status, &["max: 64M"])?;
    let format = "--format '{{.MemUsage}}'";
    let stats = podman.says(&format!("$podman stats --no-stream {format} {id}"))?;
    mentions("podman stats", &stats, &["67.11MB", "64MiB"])?;
    podman.says(&format!("$podman rm -f -t 0 {id} >/dev/null"))?;
    let show = format!("$systemctl show --value --property LoadState {unit}");
    eventually("the unit to be forgotten", PATIENCE, || {
        let state = podman.says(&show)?;
        Ok(state.trim() == "not-found" && probe::cgroups_with(id).is_empty())
    })?;
    podman
        .says(&format!("! $runtime state {id} 2>/dev/null"))
        .map(drop)
}

fn in_force(podman: &Podman<'_>, id: &str, unit: &str) -> Outcome {
    let format = "--format '{{.State.Pid}}'";
    let pid = podman.says(&format!("$podman inspect {format} {id}"))?;
    let group = probe::cgroup_dir(pid.trim().parse()?)?;
    // The payload may be in a group below the one that is limited.
    let scope = group.ancestors().find(|dir| dir.ends_with(unit));
    let scope = scope.ok_or_else(|| format!("it is in {}", group.display()))?;
    let files = [
        ("memory.max", "67108864"),
        ("cpu.max", "50000 100000"),
        ("pids.max", "20"),
    ];
    for (file, want) in files {
        same(
            file,
            std::fs::read_to_string(scope.join(file))?.trim(),
            want,
        )?;
    }
    Ok(())
}

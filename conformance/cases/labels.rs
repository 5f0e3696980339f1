//! Security modules: the profile that a process runs under, and labels that nobody could enforce.

use serde_json::json;

use crate::case::{Case, Need};
use crate::check::{Outcome, ensure, mentions, same};
use crate::lab::Lab;

const APPARMOR: &[Need] = &[
    Need::Root,
    Need::File("/sys/kernel/security/apparmor"),
    Need::File("/sys/kernel/security/apparmor/profiles"),
    Need::Program("apparmor_parser"),
];

pub(super) const CASES: &[Case] = &[
    Case::new("a-profile-confines", confines).needs(APPARMOR),
    Case::new(
        "a-profile-confines-with-no-new-privileges",
        confines_for_good,
    )
    .needs(APPARMOR),
    Case::new("a-profile-confines-under-a-false-proc", false_proc).needs(APPARMOR),
    Case::new("a-profile-that-is-not-loaded", not_loaded).needs(APPARMOR),
    Case::new("unconfined-is-what-a-process-is-anyway", unconfined)
        .deviates(&[("runc", "1.1 writes it where the module is absent too")]),
    Case::new("a-profile-without-the-module", without_apparmor)
        .needs(&[Need::Root, Need::NoFile("/sys/kernel/security/apparmor")])
        .deviates(&[("crun", "leaves the profile out")]),
    Case::new("a-label-without-the-module", without_selinux)
        .needs(&[Need::Root, Need::NoFile("/sys/fs/selinux/enforce")])
        .deviates(&[("crun", "fails without a word of the label")]),
];

/// Loads a profile that denies one file, for as long as it lives.
struct Profile<'l> {
    lab: &'l Lab,
    name: String,
    file: String,
}

impl<'l> Profile<'l> {
    fn load(lab: &'l Lab) -> Outcome<Self> {
        let name = lab.id("profile");
        let text = format!(
            "profile {name} flags=(attach_disconnected) {{ file, capability, network, mount, umount, signal, ptrace, deny /tmp/secret rw, }}\n"
        );
        let file = lab.file("profile", &text)?.to_string_lossy().into_owned();
        lab.host(&["apparmor_parser", "--replace", "--skip-cache", &file])?;
        Ok(Profile { lab, name, file })
    }
}

impl Drop for Profile<'_> {
    fn drop(&mut self) {
        // A profile that stays is of no consequence to other cases, ignored.
        let _ = self.lab.host(&["apparmor_parser", "--remove", &self.file]);
    }
}

const TRY: &str = "cat /proc/1/attr/current; echo x > /tmp/open && echo wrote; echo x > /tmp/secret || echo denied";

fn judge(lab: &Lab, no_new_privileges: bool) -> Outcome {
    let profile = Profile::load(lab)?;
    let out = lab.look(TRY, |spec| {
        spec.mount("/tmp", "tmpfs", "tmpfs", &[])
            .set("/process/apparmorProfile", json!(profile.name))
            .set("/process/noNewPrivileges", json!(no_new_privileges));
    })?;
    mentions(
        "the process",
        &out,
        &[&format!("{} (enforce)", profile.name), "wrote", "denied"],
    )
}

fn confines(lab: &Lab) -> Outcome {
    judge(lab, false)
}

fn confines_for_good(lab: &Lab) -> Outcome {
    judge(lab, true)
}

/// CVE-2019-16884: an image with a volume where the runtime writes the profile. Refused, or confined all the same.
fn false_proc(lab: &Lab) -> Outcome {
    let profile = Profile::load(lab)?;
    let bundle = lab.bundle(|spec| {
        spec.sh("cat /proc/1/attr/apparmor/current /proc/self/attr/current 2>&1; echo end")
            .mount("/proc/self/attr", "tmpfs", "tmpfs", &[])
            .set("/process/apparmorProfile", json!(profile.name));
    })?;
    let said = lab.run_in(&bundle)?;
    let confined = said.out.contains(&format!("{} (enforce)", profile.name));
    ensure!(
        !said.status.success() || confined,
        "neither refused nor confined: {said}"
    );
    Ok(())
}

fn not_loaded(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.set("/process/apparmorProfile", json!("no-such-profile"));
    })?;
    mentions("the error", &said.err.to_lowercase(), &["apparmor"])
}

fn unconfined(lab: &Lab) -> Outcome {
    let out = lab.look("echo ran", |spec| {
        spec.set("/process/apparmorProfile", json!("unconfined"));
    })?;
    same("the process", out.trim(), "ran")
}

fn without_apparmor(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.set("/process/apparmorProfile", json!("docker-default"));
    })?;
    mentions("the error", &said.err.to_lowercase(), &["apparmor"])
}

fn without_selinux(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.set(
            "/process/selinuxLabel",
            json!("system_u:system_r:container_t:s0"),
        );
    })?;
    mentions("the error", &said.err.to_lowercase(), &["selinux"])
}

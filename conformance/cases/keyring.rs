//! The session keyring: one of the container's own, which its processes may search.

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, same};
use crate::lab::Lab;

pub(super) const CASES: &[Case] = &[
    Case::new("it-is-the-containers-own", own),
    Case::new("its-user-may-search-it", searchable)
        .deviates(&[("crun", "1.28 leaves it as the kernel makes it")]),
    Case::new("no-new-keyring-keeps-the-callers", callers).needs(CALLER),
    Case::new("a-user-with-too-many-keys-is-told", quota).needs(&[
        Need::Root,
        Need::UserNs,
        Need::OrbitalOnly,
        Need::Program("setpriv"),
        Need::Program("perl"),
    ]),
];

const CALLER: &[Need] = &[Need::Root, Need::Program("perl")];

/// The line of the container's own keyring: flags, use, time left, permissions, user, group, kind, name.
fn line(lab: &Lab) -> Outcome<String> {
    let keys = lab.look("cat /proc/keys", |spec| {
        spec.set("/linux/maskedPaths", serde_json::json!([]));
    })?;
    let own = keys.lines().find(|line| {
        line.split_whitespace().nth(7) == Some("keyring")
            && line.contains(&format!("{}-run", lab.tag()))
    });
    Ok(own
        .ok_or(format!("no keyring of its own in:\n{keys}"))?
        .to_owned())
}

fn own(lab: &Lab) -> Outcome {
    let line = line(lab)?;
    contains("the keyring", &line, ": empty")
}

fn searchable(lab: &Lab) -> Outcome {
    let line = line(lab)?;
    let permissions = line.split_whitespace().nth(4).unwrap_or_default();
    // Possessor, user, group, others; keyctl_setperm(3).
    same("permissions", permissions, "3f1b0000")
}

/// A caller with a session keyring of its own, named by the first word, and the rest of the line run in it.
const JOIN: &str = r#"my $call = {x86_64 => 250, aarch64 => 219}->{qx(uname -m) =~ s/\s//r};
my $name = shift; syscall($call, 1, $name) > 0 or die "keyctl: $!";
exec @ARGV"#;

fn callers(lab: &Lab) -> Outcome {
    let name = format!("{}-callers", lab.tag());
    let bundle = lab.bundle(|spec| {
        spec.sh("cat /proc/keys")
            .set("/linux/maskedPaths", serde_json::json!([]));
    })?;
    let through = ["perl", "-e", JOIN, &name];
    let id = lab.id("run");
    let new = lab
        .call(&["run", "--bundle", bundle.arg(), &id])
        .through(&through)
        .ok()?;
    contains("the keys", &new.out, &id)?;
    let id = lab.id("kept");
    let kept = lab
        .call(&["run", "--no-new-keyring", "--bundle", bundle.arg(), &id])
        .through(&through)
        .ok()?;
    contains("the keys", &kept.out, &name)?;
    ensure!(
        !kept.out.contains(&id),
        "it has one of its own: {}",
        kept.out
    );
    Ok(())
}

/// Fills a user's quota with keys and runs the line.
const FILL: &str = r#"my $call = {x86_64 => 248, aarch64 => 217}->{qx(uname -m) =~ s/\s//r};
my ($kind, $value) = ("user", "x");
for my $n (1 .. 1_000_000) { my $name = "k$n"; last if syscall($call, $kind, $name, $value, 1, -3) < 0; }
exec @ARGV"#;

/// Nobody else's, so that no other case is without keys.
const COLLECTOR: u32 = 54_321;

fn quota(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.rootless(COLLECTOR);
    })?;
    bundle.give_to(COLLECTOR)?;
    let line = ["run", "--bundle", bundle.arg(), &lab.id("full")];
    let said = lab
        .call_as(COLLECTOR, &line)?
        .through(&["perl", "-e", FILL])
        .refused()?;
    contains("the refusal", &said.err, "EDQUOT")?;
    contains("the refusal", &said.err, "--no-new-keyring")
}

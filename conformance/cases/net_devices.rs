//! Network devices that are moved in. The "host" of these cases is a network namespace of their own: the
//! runtime is called in it, so that no device of this machine is touched.

use serde_json::{Value, json};

use crate::bundle::Bundle;
use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::lab::Lab;
use crate::runtime::Call;
use crate::spec::Spec;

const NEEDS: &[Need] = &[Need::Root, Need::Program("ip")];

const OLD: (&str, &str) = ("runc", "1.1 knows no network devices");

pub(super) const CASES: &[Case] = &[
    Case::new("moved-with-its-addresses-and-up", moved)
        .needs(NEEDS)
        .deviates(&[OLD]),
    Case::new("renamed", renamed).needs(NEEDS).deviates(&[OLD]),
    Case::new("renamed-by-a-template", template)
        .needs(NEEDS)
        .deviates(&[OLD, ("crun", "1.28 takes the template for a name")]),
    Case::new("addresses-of-the-link-stay-behind", link_scope)
        .needs(NEEDS)
        .deviates(&[OLD]),
    Case::new("version-6-addresses-too", six)
        .needs(NEEDS)
        .deviates(&[OLD]),
    Case::new("into-a-namespace-by-path", by_path)
        .needs(NEEDS)
        .deviates(&[OLD]),
    Case::new("a-device-stays-where-it-was-moved", stays)
        .needs(NEEDS)
        .deviates(&[OLD]),
    Case::new("into-a-user-namespaces-network", user_namespace)
        .needs(&[Need::Root, Need::UserNs, Need::Program("ip")])
        .deviates(&[OLD]),
    Case::new("a-name-that-is-taken-is-refused", taken)
        .needs(NEEDS)
        .deviates(&[OLD, ("crun", "1.28 loses the device")]),
    Case::new("a-device-that-is-not-there-is-refused", missing)
        .needs(NEEDS)
        .deviates(&[OLD, ("crun", "1.28 loses the other device")]),
    Case::new("a-later-failure-gives-them-back", given_back)
        .needs(NEEDS)
        .deviates(&[OLD, ("crun", "1.28 loses the device")]),
    Case::new("the-hosts-own-network-is-refused", hosts_own)
        .needs(NEEDS)
        .deviates(&[OLD, ("crun", "1.28 renames the host's device")]),
    Case::new("without-a-network-namespace-is-refused", without)
        .needs(NEEDS)
        .deviates(&[OLD, ("crun", "1.28 leaves the device where it is")]),
    Case::new("not-for-an-ordinary-user", ordinary_user)
        .needs(&[Need::Root, Need::UserNs])
        .deviates(&[OLD]),
];

/// Makes va (down, with vb as its other end) and vc (up, with vd) in a network namespace that is new, and
/// then runs the rest of the line there. What is left of them is printed after it.
const HOST: &str = "exec unshare --net sh -c '
ip link add va type veth peer name vb && ip link add vc type veth peer name vd &&
ip addr add 10.9.8.7/24 brd 10.9.8.255 dev va && ip addr add 10.9.9.9/32 dev va && ip addr add 10.7.7.7/24 dev vc &&
ip link set vc up && ip link set vd up && ip -6 addr add fd00:9::7/64 dev vc nodad || exit 99
\"$@\"; status=$?; { echo HOST; ip -o addr show; ip -o link show; } >&2; exit $status' sh \"$@\"";

/// A bundle that moves these devices and runs this script.
fn bundle(
    lab: &Lab,
    devices: Value,
    script: &str,
    edit: impl FnOnce(&mut Spec),
) -> Outcome<Bundle> {
    lab.bundle(|spec| {
        spec.set("/linux/netDevices", devices).sh(script);
        edit(spec);
    })
}

/// `run` of it on that host.
fn run<'l>(lab: &'l Lab, bundle: &Bundle) -> Call<'l> {
    lab.call(&["run", "--bundle", bundle.arg(), &lab.id("net")])
        .through_sh(HOST)
}

/// The same to a success; gives what the script printed, and the devices that were left.
fn look(lab: &Lab, devices: Value, script: &str) -> Outcome<(String, String)> {
    let bundle = bundle(lab, devices, script, |_| ())?;
    let said = run(lab, &bundle).ok()?;
    Ok((said.out, said.err))
}

const SHOW: &str = "ip -o addr show; ip -o link show";

fn moved(lab: &Lab) -> Outcome {
    let (inside, host) = look(lab, json!({"va": {}}), SHOW)?;
    for part in ["10.9.8.7/24", "brd 10.9.8.255", "10.9.9.9/32"] {
        contains("addresses inside", &inside, part)?;
    }
    let link = inside
        .lines()
        .find(|line| line.contains(": va") && line.contains("mtu"));
    let link = link.ok_or_else(|| format!("no va inside: {inside:?}"))?;
    contains("flags of va", link, "UP")?;
    ensure!(!host.contains(": va"), "va is still on the host: {host}");
    contains("the host", &host, ": vc")
}

fn renamed(lab: &Lab) -> Outcome {
    let (inside, host) = look(
        lab,
        json!({"va": {"name": "eth0"}, "vc": {"name": "va"}}),
        "ip -o -4 addr show eth0; echo; ip -o -4 addr show va",
    )?;
    let (eth0, va) = inside.split_once("\n\n").ok_or("one device only")?;
    contains("eth0", eth0, "10.9.8.7/24")?;
    contains("va", va, "10.7.7.7/24")?;
    ensure!(!host.contains(": vc"), "vc is still on the host: {host}");
    Ok(())
}

fn template(lab: &Lab) -> Outcome {
    let devices = json!({"va": {"name": "lan%d"}, "vc": {"name": "lan%d"}});
    let (inside, _) = look(lab, devices, "ls /sys/class/net")?;
    same(
        "devices inside",
        inside
            .split_whitespace()
            .filter(|name| name.starts_with("lan"))
            .collect::<Vec<_>>(),
        vec!["lan0", "lan1"],
    )
}

fn link_scope(lab: &Lab) -> Outcome {
    let bundle = bundle(lab, json!({"va": {}}), SHOW, |_| ())?;
    let more = HOST.replace(
        "|| exit 99",
        "&& ip addr add 169.254.3.3/16 dev va scope link && ip addr add 10.66.66.6/24 dev va valid_lft 900 preferred_lft 900 || exit 99",
    );
    let said = lab
        .call(&["run", "--bundle", bundle.arg(), &lab.id("net")])
        .through_sh(&more)
        .ok()?;
    contains("addresses inside", &said.out, "10.9.8.7/24")?;
    for left in ["169.254.3.3", "10.66.66.6"] {
        ensure!(!said.out.contains(left), "{left} came along: {}", said.out);
    }
    Ok(())
}

fn six(lab: &Lab) -> Outcome {
    let (inside, _) = look(lab, json!({"vc": {}}), SHOW)?;
    contains("addresses inside", &inside, "fd00:9::7/64")
}

fn by_path(lab: &Lab) -> Outcome {
    let infra = lab.started(|_| ())?;
    let path = format!("/proc/{}/ns/net", infra.pid);
    let bundle = bundle(lab, json!({"va": {}}), SHOW, |spec| {
        spec.join("network", &path);
    })?;
    let said = run(lab, &bundle).ok()?;
    contains("addresses inside", &said.out, "10.9.8.7/24")?;
    ensure!(
        !said.err.contains(": va"),
        "va is still on the host: {}",
        said.err
    );
    infra.end()
}

/// The namespace outlives the container, and the device is in it afterwards, up and with its address.
fn stays(lab: &Lab) -> Outcome {
    let infra = lab.started(|_| ())?;
    let path = format!("/proc/{}/ns/net", infra.pid);
    let bundle = bundle(lab, json!({"va": {}}), "true", |spec| {
        spec.join("network", &path);
    })?;
    // Looked at while the other end of it is there: it goes with the namespace that it came from.
    let script = format!(
        "exec unshare --net sh -c 'ip link add va type veth peer name vb && ip addr add 10.9.8.7/24 dev va || exit 99
\"$@\" || exit 98; nsenter --net={path} ip -o addr show va; nsenter --net={path} ip -o link show va' sh \"$@\""
    );
    let id = lab.id("moved");
    let call = lab.call(&["run", "--bundle", bundle.arg(), &id]);
    let said = call.through(&["sh", "-c", &script, "sh"]).ok()?;
    contains("the addresses afterwards", &said.out, "10.9.8.7/24")?;
    ensure!(
        said.out.contains(",UP") || said.out.contains("<UP"),
        "{said}"
    );
    infra.end()
}

fn user_namespace(lab: &Lab) -> Outcome {
    let bundle = bundle(lab, json!({"va": {}}), SHOW, |spec| {
        spec.user_namespace(100_000, 65536);
    })?;
    bundle.give_to(100_000)?;
    let said = run(lab, &bundle).ok()?;
    contains("addresses inside", &said.out, "10.9.8.7/24")
}

/// A refusal on that host, after which both devices are there as they were.
fn refused(lab: &Lab, bundle: &Bundle) -> Outcome<String> {
    let said = lab
        .call(&["create", "--bundle", bundle.arg(), &lab.id("bad")])
        .through_sh(HOST)
        .refused()?;
    let (words, host) = said
        .err
        .split_once("HOST\n")
        .ok_or("the host never came up")?;
    for part in ["10.9.8.7/24", "10.9.9.9/32", "10.7.7.7/24", "fd00:9::7/64"] {
        contains("addresses of the host", host, part)?;
    }
    for (name, up) in [("va", false), ("vc", true)] {
        let link = host
            .lines()
            .find(|line| line.contains(&format!(": {name}@")) && line.contains("mtu"));
        let link = link.ok_or_else(|| format!("{name} is gone: {host}"))?;
        let flags = link.split(['<', '>']).nth(1).unwrap_or_default();
        same(
            &format!("{name} is up"),
            flags.split(',').any(|flag| flag == "UP"),
            up,
        )?;
    }
    Ok(words.to_owned())
}

fn taken(lab: &Lab) -> Outcome {
    let bundle = bundle(lab, json!({"vc": {}, "va": {"name": "lo"}}), SHOW, |_| ())?;
    mentions(
        "the refusal",
        &refused(lab, &bundle)?,
        &["lo already", "exist"],
    )
}

fn missing(lab: &Lab) -> Outcome {
    let bundle = bundle(lab, json!({"vc": {}, "vx": {}}), SHOW, |_| ())?;
    mentions(
        "the refusal",
        &refused(lab, &bundle)?,
        &["vx", "no such device"],
    )
}

fn given_back(lab: &Lab) -> Outcome {
    let devices = json!({"va": {"name": "eth0"}, "vc": {"name": "wan%d"}});
    let words = refused(
        lab,
        &bundle(lab, devices.clone(), SHOW, |spec| {
            spec.args(&["/no/such/program"]);
        })?,
    )?;
    mentions("the refusal", &words, &["no such file"])?;
    let words = refused(
        lab,
        &bundle(lab, devices, SHOW, |spec| {
            spec.hook("createRuntime", "exit 3");
        })?,
    )?;
    mentions("the refusal", &words, &["hook"])
}

fn hosts_own(lab: &Lab) -> Outcome {
    let bundle = bundle(lab, json!({"va": {"name": "eth0"}}), SHOW, |spec| {
        spec.join("network", "/proc/self/ns/net");
    })?;
    mentions(
        "the refusal",
        &refused(lab, &bundle)?,
        &["network", "namespace"],
    )
}

fn without(lab: &Lab) -> Outcome {
    let bundle = bundle(lab, json!({"va": {}}), SHOW, |spec| {
        spec.no_namespace("network").no_mount("/sys");
        spec.bind("/sys", "/sys", &["rbind", "ro"]);
    })?;
    mentions(
        "the refusal",
        &refused(lab, &bundle)?,
        &["network namespace", "NET namespace"],
    )
}

fn ordinary_user(lab: &Lab) -> Outcome {
    let bundle = lab.user_bundle(|spec| {
        spec.push("/linux/namespaces", json!({"type": "network"}))
            .set("/linux/netDevices", json!({"lo1": {}}));
    })?;
    let said = lab
        .user_call(&["create", "--bundle", bundle.arg(), &lab.id("user")])?
        .refused()?;
    mentions(
        "the refusal",
        &said.err,
        &["root", "rootless", "permission", "permitted"],
    )
}

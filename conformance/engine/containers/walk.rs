//! The walk from nothing to nothing: an image is fetched, a web server runs of it and is called, looked into, stopped,
//! removed; and the host is as it was. By root, and by a user with pasta or slirp4netns.

use super::archive::{Entry, Tar, entry};
use super::host::{Caller, HOST, OUTSIDE, Who, network, on_a_host, page, path_with, shell};
use super::image::{Image, Layer, image_with};
use super::life::until;
use super::registry::Registry;
use serde_json::json;

/// A web server of two layers, with a file that belongs to somebody else.
pub(crate) fn web() -> Image {
    let busybox = std::fs::read("/bin/busybox").unwrap();
    let programs = ["sh", "cat", "echo", "httpd", "sleep", "stat", "id"];
    let mut base = Tar::default()
        .directory("bin/", 0o755)
        .directory("tmp/", 0o1777)
        .add(
            &Entry {
                mode: 0o755,
                ..entry("bin/busybox", b'0')
            },
            &busybox,
        );
    for program in programs {
        base = base.symlink(&format!("bin/{program}"), "busybox");
    }
    let pages = Tar::default()
        .directory("www/", 0o755)
        .file("www/index.html", "it works\n")
        .directory("etc/", 0o755)
        .file(
            "etc/passwd",
            "root:x:0:0::/:/bin/sh\nweb:x:33:33::/:/bin/sh\n",
        )
        .add(
            &Entry {
                owner: (33, 33),
                ..entry("www/mine", b'0')
            },
            b"mine\n",
        );
    let config = json!({
        "Env": ["PATH=/bin"],
        "Cmd": ["httpd", "-f", "-v", "-p", "80", "-h", "/www"],
        "ExposedPorts": {"80/tcp": {}},
        "StopSignal": "SIGKILL",
    });
    let layers = [base, pages].map(|tar| Layer::gzip(&tar.end()));
    image_with("amd64", config, layers.to_vec())
}

impl Caller<'_> {
    /// From the registry's image to a page that is read on both sides of the host.
    fn there(&self, name: &str) {
        let pulled = self.run(&["pull", name]);
        assert_eq!(pulled.status, 0, "{}", pulled.err);
        let done = pulled.err.lines().filter(|line| line.contains("done"));
        assert_eq!(done.count(), 2, "a line for each layer: {}", pulled.err);
        let words = ["run", "-d", "--name", "web", "-p", "8080:80", name];
        let id = self.good(&words);
        assert_eq!(id.len(), 64, "{id}");
        let host = || page(&[], "http://127.0.0.1:8080/");
        until(|| host().is_some());
        assert_eq!(host().as_deref(), Some("it works"));
        let outside = ["ip", "netns", "exec", "outside"];
        let from_outside = || page(&outside, &format!("http://{HOST}:8080/"));
        assert_eq!(from_outside().as_deref(), Some("it works"));
        assert_eq!(self.good(&["port", "web"]), "80/tcp -> 0.0.0.0:8080");
        assert!(self.good(&["ps"]).contains("0.0.0.0:8080->80/tcp"));
        self.good(&["exec", "web", "sh", "-c", "echo changed > /www/index.html"]);
        assert_eq!(from_outside().as_deref(), Some("changed"));
        let about = ["exec", "web", "stat", "-c", "%u %U", "/www/mine"];
        assert_eq!(self.good(&about), "33 web");
    }

    /// Looked into, and away with it.
    fn back(&self, name: &str) {
        let logs = self.run(&["logs", "web"]);
        let answered = logs
            .err
            .lines()
            .filter(|line| line.contains("response:200"));
        assert!(answered.count() >= 3, "{logs:?}");
        // What is translated by the kernel, or carried by pasta, comes from where it comes from.
        if self.more.is_empty() {
            assert!(logs.err.contains(OUTSIDE), "{logs:?}");
        }
        assert_eq!(self.good(&["stop", "web"]), "web");
        assert_eq!(page(&[], "http://127.0.0.1:8080/"), None);
        assert!(self.good(&["ps", "-a"]).contains("Exited (137)"));
        assert_eq!(self.good(&["rm", "web"]), "web");
        self.good(&["rmi", name]);
        assert_eq!(self.good(&["images", "-q"]), "");
    }

    fn walk(&self) {
        self.who.settle(self.ground);
        let registry = Registry::new();
        registry.push("web", "1", &web());
        let name = registry.name("web:1");
        let before = network();
        self.there(&name);
        assert_ne!(network(), before, "it listens at least");
        self.back(&name);
        until(|| self.who.left(self.ground).is_empty());
        self.ground.nothing_is_left();
        until(|| network() == before);
    }
}

#[test]
fn from_nothing_to_nothing_as_root() {
    on_a_host(|ground| {
        let (who, more) = (Who::Root, Vec::new());
        Caller { ground, who, more }.walk();
    });
}

#[test]
fn from_nothing_to_nothing_as_a_user() {
    if !Who::User.may() {
        return;
    }
    on_a_host(|ground| {
        if shell("command -v pasta || true").is_empty() {
            return println!("skipped: there is no pasta");
        }
        let (who, more) = (Who::User, Vec::new());
        Caller { ground, who, more }.walk();
    });
}

/// The same on a host without pasta.
#[test]
fn from_nothing_to_nothing_by_slirp4netns() {
    if !Who::User.may() {
        return;
    }
    on_a_host(|ground| {
        let Some(bin) = path_with(ground, "slirp4netns") else {
            return println!("skipped: there is no slirp4netns");
        };
        let (who, more) = (Who::User, vec![("PATH", bin.as_str())]);
        let walk = Caller { ground, who, more };
        walk.walk();
        let doctor = walk.run(&["doctor"]);
        assert!(doctor.out.contains("slirp4netns carries"), "{doctor:?}");
    });
}

//! Archives that want out. Beside each layer's directory, and at the ends of the ways out, lies a file that
//! nothing may touch; what an archive makes inside is its own affair.

use super::archive::{Entry, Tar, entry};
use super::image::{Layer, image};
use super::lab::Lab;
use super::registry::Registry;
use std::fs;
use std::path::PathBuf;

/// What a hostile archive aims at.
pub(crate) struct Target {
    pub(crate) lab: Lab,
    pub(crate) registry: Registry,
}

const BEFORE: &str = "as it was";

impl Target {
    pub(crate) fn new() -> Target {
        let lab = Lab::new();
        lab.write("outside/victim", BEFORE);
        lab.write("store/layers-beside", BEFORE);
        Target {
            lab,
            registry: Registry::new(),
        }
    }

    fn outside(&self) -> PathBuf {
        self.lab.path().join("outside")
    }

    fn pull(&self, tar: &[u8]) -> super::lab::Ran {
        self.registry.push("a", "1", &image(vec![Layer::gzip(tar)]));
        self.lab.run(&["pull", "-q", &self.registry.name("a:1")])
    }

    /// Nothing outside is another than before.
    #[track_caller]
    fn untouched(&self) {
        assert_eq!(
            fs::read_to_string(self.outside().join("victim")).unwrap(),
            BEFORE
        );
        assert_eq!(
            fs::read_to_string(self.lab.store().join("layers-beside")).unwrap(),
            BEFORE
        );
        assert_eq!(fs::read_dir(self.outside()).unwrap().count(), 1);
        let mut names: Vec<_> = fs::read_dir(self.lab.store())
            .unwrap()
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        names.sort();
        let known = [
            "blobs",
            "images.json",
            "layers",
            "layers-beside",
            "locks",
            "pins",
        ];
        assert!(
            names
                .iter()
                .all(|name| known.iter().any(|known| name == known)),
            "{names:?}"
        );
        for name in ["evil", "victim"] {
            assert!(
                !PathBuf::from("/").join(name).exists()
                    && !PathBuf::from("/tmp").join(name).exists()
            );
        }
    }

    #[track_caller]
    pub(crate) fn refuses(tar: Vec<u8>, why: &str) {
        let target = Target::new();
        let ran = target.pull(&tar);
        assert_eq!(ran.status, 125, "{ran:?}");
        assert!(
            ran.err.contains("error: cannot unpack layer") && ran.err.contains(why),
            "{}",
            ran.err
        );
        target.untouched();
        assert!(
            target.lab.listed("layers").is_empty(),
            "{:?}",
            target.lab.listed("layers")
        );
    }

    /// It is unpacked, inside; the layer's directory.
    #[track_caller]
    fn stays_inside(tar: Vec<u8>) -> (Target, PathBuf) {
        let target = Target::new();
        let ran = target.pull(&tar);
        assert_eq!(ran.status, 0, "{}", ran.err);
        target.untouched();
        let layer = target.lab.layers(&target.registry.name("a:1")).remove(0);
        (target, layer)
    }
}

const UP: &str = "../../../../../../../../../../../../..";

#[test]
fn names_that_lead_up() {
    for name in [
        "../evil",
        "a/../../evil",
        "./../evil",
        "..",
        "a/b/../../../evil",
        &format!("{UP}/tmp/evil"),
    ] {
        Target::refuses(
            Tar::default().file(name, "x").end(),
            "its name leads out of the layer",
        );
        Target::refuses(
            Tar::default().directory(name, 0o755).end(),
            "its name leads out of the layer",
        );
        Target::refuses(
            Tar::default().symlink(name, "x").end(),
            "its name leads out of the layer",
        );
    }
    let long = format!("{UP}/tmp/evil");
    Target::refuses(
        Tar::default()
            .pax(&[("path", long.as_bytes())])
            .file("good", "x")
            .end(),
        "leads out of the layer",
    );
    let gnu = Tar::default()
        .add(&entry("././@LongLink", b'L'), long.as_bytes())
        .file("good", "x")
        .end();
    Target::refuses(gnu, "leads out of the layer");
}

#[test]
fn absolute_names_are_the_layers_own() {
    let (_target, layer) = Target::stays_inside(
        Tar::default()
            .file("/tmp/evil", "x")
            .file("//etc/evil", "y")
            .end(),
    );
    assert_eq!(fs::read_to_string(layer.join("tmp/evil")).unwrap(), "x");
    assert_eq!(fs::read_to_string(layer.join("etc/evil")).unwrap(), "y");
}

#[test]
fn through_a_link_that_leads_out() {
    let target = Target::new();
    let outside = target.outside().display().to_string();
    for link in [
        outside.as_str(),
        "/",
        UP,
        &format!("{UP}{outside}"),
        "/proc/self/root",
        "/proc/self/cwd",
    ] {
        let tar = Tar::default()
            .symlink("out", link)
            .file("out/victim", "evil")
            .end();
        let ran = target.pull(&tar);
        target.untouched();
        // Inside the layer it leads to a place of the layer's own, or to nothing.
        assert!(
            ran.status == 0 || ran.err.contains("cannot unpack layer"),
            "{link}: {ran:?}"
        );
        target.lab.run(&["image", "prune", "--all"]);
    }
}

#[test]
fn a_file_in_the_place_of_a_link_replaces_the_link() {
    let target = Target::new();
    let victim = target.outside().join("victim").display().to_string();
    let tar = Tar::default()
        .symlink("link", &victim)
        .file("link", "evil")
        .end();
    assert_eq!(target.pull(&tar).status, 0);
    target.untouched();
    let layer = target.lab.layers(&target.registry.name("a:1")).remove(0);
    assert!(fs::symlink_metadata(layer.join("link")).unwrap().is_file());
}

#[test]
fn a_chain_of_links_and_a_directory_in_place_of_one() {
    let target = Target::new();
    let outside = target.outside().display().to_string();
    let tar = Tar::default()
        .symlink("a", &outside)
        .symlink("b", "a")
        .directory("b/", 0o777)
        .add(
            &Entry {
                mode: 0o777,
                ..entry("a/", b'5')
            },
            b"",
        )
        .file("b/victim", "evil")
        .file("a/victim", "evil")
        .end();
    assert_eq!(target.pull(&tar).status, 0);
    target.untouched();
    // Modes and times at the end go to what is there by then.
    let tar = Tar::default()
        .directory("d/", 0o700)
        .symlink("d", &outside)
        .end();
    assert_eq!(target.pull(&tar).status, 0);
    target.untouched();
}

#[test]
fn hard_links_out() {
    let target = Target::new();
    let victim = target.outside().join("victim").display().to_string();
    Target::refuses(
        Tar::default().hard_link("l", &victim).end(),
        "which neither this layer nor one below it has",
    );
    Target::refuses(
        Tar::default()
            .hard_link("l", &format!("{UP}{victim}"))
            .end(),
        "leads out of the layer",
    );
    Target::refuses(
        Tar::default().hard_link("l", "/etc/passwd").end(),
        "which neither this layer nor one below it has",
    );
    Target::refuses(
        Tar::default().hard_link("l", "../../layer.json").end(),
        "leads out of the layer",
    );
    Target::refuses(
        Tar::default()
            .directory("d/", 0o755)
            .hard_link("l", "d")
            .end(),
        "which is a directory",
    );
    // By way of a link, and then written through.
    let folder = target.outside().display().to_string();
    let tar = Tar::default()
        .symlink("s", &folder)
        .hard_link("l", "s/victim")
        .end();
    Target::refuses(tar, "which neither this layer nor one below it has");
    let tar = Tar::default()
        .symlink("s", &victim)
        .hard_link("l", "s")
        .file("l", "evil")
        .end();
    Target::stays_inside(tar);
    let tar = Tar::default().hard_link("self", "self").end();
    Target::refuses(tar, "which neither this layer nor one below it has");
}

#[test]
fn whiteouts_of_what_is_not_inside() {
    for name in [".wh...", "a/.wh...", ".wh..", ".wh."] {
        Target::refuses(
            Tar::default().file(name, "").end(),
            "a whiteout of what is not inside its directory",
        );
    }
    Target::refuses(
        Tar::default().file("../.wh.layers-beside", "").end(),
        "leads out of the layer",
    );
    let target = Target::new();
    let outside = target.outside().display().to_string();
    let tar = Tar::default()
        .symlink("out", &outside)
        .file("out/.wh.victim", "")
        .end();
    target.pull(&tar);
    target.untouched();
}

#[test]
fn overlays_own_attributes_are_not_an_images() {
    let tar = Tar::default()
        .pax(&[
            ("SCHILY.xattr.trusted.overlay.redirect", b"/etc"),
            ("SCHILY.xattr.user.overlay.redirect", b"/etc"),
        ])
        .directory("d/", 0o755)
        .end();
    let (_target, layer) = Target::stays_inside(tar);
    let mut names = vec![0_u8; 1024];
    let length = rustix::fs::llistxattr(layer.join("d"), &mut names).unwrap();
    let names = String::from_utf8_lossy(&names[..length]).into_owned();
    assert!(!names.contains("overlay"), "{names}");
}

#[test]
fn nothing_is_read_through_links_of_a_lower_layer() {
    // A directory that the second layer implies is, in the first, a link out.
    let target = Target::new();
    let outside = target.outside().display().to_string();
    let first = Tar::default().symlink("d", &outside).end();
    let second = Tar::default().file("d/file", "x").end();
    target.registry.push(
        "a",
        "1",
        &image(vec![Layer::gzip(&first), Layer::gzip(&second)]),
    );
    target
        .lab
        .good(&["pull", "-q", &target.registry.name("a:1")]);
    target.untouched();
}

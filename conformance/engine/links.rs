//! Hard links whose first name is in a lower layer: docker's and podman's archives may have them.

use super::archive::{Entry, Tar, entry};
use super::image::{Layer, image};
use super::lab::{Lab, is_root};
use super::registry::Registry;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The layers' directories of an image of these tars, bottom first; or why there are none.
fn pulled(lab: &Lab, tars: &[Vec<u8>]) -> Result<Vec<PathBuf>, String> {
    let registry = Registry::new();
    let layers = tars.iter().map(|tar| Layer::gzip(tar)).collect();
    registry.push("a", "1", &image(layers));
    let ran = lab.run(&["pull", "-q", &registry.name("a:1")]);
    match ran.status {
        0 => Ok(lab.layers(&registry.name("a:1"))),
        _ => Err(ran.err),
    }
}

fn inode(path: &Path) -> (u64, u64) {
    let look =
        fs::symlink_metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (look.ino(), look.nlink())
}

fn base() -> Tar {
    let first = Entry {
        mode: 0o4750,
        mtime: 1_000_000,
        owner: (0, 0),
        ..entry("usr/bin/one", b'0')
    };
    Tar::default()
        .directory("usr/", 0o755)
        .directory("usr/bin/", 0o711)
        .add(&first, b"program")
        .symlink("bin", "usr/bin")
}

#[test]
fn a_file_of_a_lower_layer_comes_up_with_all_that_it_has() {
    let lab = Lab::new();
    let second = Tar::default()
        .directory("opt/", 0o755)
        .hard_link("opt/two", "usr/bin/one")
        .hard_link("opt/three", "opt/two")
        .hard_link("opt/link", "bin");
    let layers = pulled(&lab, &[base().end(), second.end()]).unwrap();
    let up = &layers[1];
    let first = inode(&up.join("usr/bin/one"));
    assert_eq!(first.1, 3, "the first name, and two more");
    assert_eq!(inode(&up.join("opt/two")), first);
    assert_eq!(inode(&up.join("opt/three")), first);
    let look = fs::metadata(up.join("opt/two")).unwrap();
    assert_eq!((look.mode() & 0o7777, look.mtime()), (0o4750, 1_000_000));
    assert_eq!(fs::read(up.join("opt/three")).unwrap(), b"program");
    // The directories on the way are as the lower layer describes them.
    assert_eq!(
        fs::metadata(up.join("usr/bin")).unwrap().mode() & 0o7777,
        0o711
    );
    assert_eq!(
        fs::read_link(up.join("opt/link")).unwrap(),
        Path::new("usr/bin")
    );
    assert_eq!(
        inode(&layers[0].join("usr/bin/one")).1,
        1,
        "the lower layer stays as it was"
    );
    let pulled_again = pulled(
        &lab,
        &[
            base().end(),
            Tar::default().hard_link("x", "usr/bin/one").end(),
        ],
    )
    .unwrap();
    assert_eq!(pulled_again[0], layers[0]);
}

#[test]
fn what_the_archive_did_to_the_first_name_counts() {
    let lab = Lab::new();
    // Hidden after, replaced after, reached through a link, hidden by a layer between.
    let second = Tar::default()
        .hard_link("hidden", "usr/bin/one")
        .file("usr/bin/.wh.one", "");
    let layers = pulled(&lab, &[base().end(), second.end()]).unwrap();
    assert_eq!(fs::read(layers[1].join("hidden")).unwrap(), b"program");
    assert!(
        fs::symlink_metadata(layers[1].join("usr/bin/one"))
            .unwrap()
            .rdev()
            == 0
    );
    let second = Tar::default()
        .hard_link("old", "usr/bin/one")
        .file("usr/bin/one", "new");
    let layers = pulled(&lab, &[base().end(), second.end()]).unwrap();
    assert_eq!(fs::read(layers[1].join("old")).unwrap(), b"program");
    assert_eq!(fs::read(layers[1].join("usr/bin/one")).unwrap(), b"new");
    let second = Tar::default().hard_link("through", "bin/one");
    let layers = pulled(&lab, &[base().end(), second.end()]).unwrap();
    assert_eq!(fs::read(layers[1].join("through")).unwrap(), b"program");
    assert!(
        !layers[1].join("bin").exists(),
        "the link of the lower layer is not covered"
    );
    if !is_root() {
        println!("skipped: layers over each other need root here");
        return;
    }
    let between = Tar::default().file("usr/bin/.wh.one", "").end();
    let told = pulled(
        &lab,
        &[
            base().end(),
            between,
            Tar::default().hard_link("l", "usr/bin/one").end(),
        ],
    );
    let told = told.unwrap_err();
    assert!(
        told.contains("which neither this layer nor one below it has"),
        "{told}"
    );
}

#[test]
fn no_link_of_a_lower_layer_leads_out() {
    let lab = Lab::new();
    lab.write("outside/victim", "secret");
    let outside = lab.path().join("outside").display().to_string();
    let first = Tar::default().symlink("s", &outside).directory("d/", 0o755);
    for (target, why) in [
        ("s/victim", "which neither this layer"),
        ("d", "which is a directory"),
    ] {
        let second = Tar::default().hard_link("l", target).end();
        let told = pulled(&lab, &[first.clone().end(), second]).unwrap_err();
        assert!(
            told.contains(why) && told.contains("entry l"),
            "{target}: {told}"
        );
    }
    assert_eq!(
        fs::metadata(lab.path().join("outside/victim"))
            .unwrap()
            .nlink(),
        1
    );
    assert!(
        lab.listed("layers")
            .iter()
            .all(|name| !name.starts_with("new-"))
    );
}

//! A user without privileges: their own range of ids, where there is one, and their own alone elsewhere.

use super::archive::{Entry, Tar, entry};
use super::image::{Layer, image};
use super::lab::{Lab, is_root, program};
use super::registry::Registry;
use super::stranger;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

/// Runs the program as the stranger, if the tests are root's, else as whoever they are.
fn run(lab: &Lab, words: &[&str]) -> (i32, String) {
    let mut engine = stranger::engine(lab.path());
    engine
        .env("XDG_RUNTIME_DIR", lab.path())
        .env("CONTAINERS_REGISTRIES_CONF", "/nonexistent")
        .args(words);
    stranger::said(&mut engine)
}

/// The lab belongs to the stranger, and has a copy of the program that they may run.
fn lab() -> Option<Lab> {
    let lab = Lab::new();
    std::fs::copy(program(), lab.path().join("orbital-engine")).unwrap();
    std::fs::set_permissions(lab.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    if is_root() {
        chown(lab.path(), Some(stranger::ID), Some(stranger::ID)).unwrap();
        if !stranger::may_make_user_namespaces() {
            return None;
        }
    }
    Some(lab)
}

/// What only root could make as it is.
fn owned_by_others() -> super::image::Image {
    let first = Tar::default()
        .directory("d/", 0o755)
        .add(
            &Entry {
                mode: 0o500,
                ..entry("closed/", b'5')
            },
            b"",
        )
        .add(
            &Entry {
                owner: (33, 33),
                ..entry("closed/www", b'0')
            },
            b"w",
        )
        .device("null", b'3', (1, 3))
        .end();
    let second = Tar::default()
        .file(".wh.null", "")
        .directory("d/", 0o755)
        .file("d/.wh..wh..opq", "")
        .end();
    image(vec![Layer::gzip(&first), Layer::gzip(&second)])
}

#[test]
fn a_user_has_a_store_of_their_own_and_owns_what_is_in_it() {
    let Some(lab) = lab() else { return };
    let registry = Registry::new();
    registry.push("a", "1", &owned_by_others());
    let (status, text) = run(&lab, &["pull", &registry.name("a:1")]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("note: 1 devices were left out"), "{text}");
    let (_, about) = run(&lab, &["inspect", &registry.name("a:1")]);
    let about: serde_json::Value = serde_json::from_str(&about).unwrap();
    let layers = &about[0]["GraphDriver"]["Data"]["Layers"];
    let (first, second) = (
        Path::new(layers[0].as_str().unwrap()),
        Path::new(layers[1].as_str().unwrap()),
    );
    let store = lab.path().join(".local/share/orbital");
    assert!(first.starts_with(&store));
    let closed = std::fs::metadata(first.join("closed")).unwrap();
    assert_eq!(closed.mode() & 0o777, 0o500);
    if is_root() {
        assert_eq!(closed.uid(), stranger::ID);
        assert_eq!(
            std::fs::metadata(first.join("closed/www")).unwrap().uid(),
            stranger::ID
        );
    }
    let mut value = [0; 8];
    assert_eq!(
        rustix::fs::lgetxattr(second.join("d"), "user.overlay.opaque", &mut value),
        Ok(1)
    );
    let (status, text) = run(&lab, &["rmi", &registry.name("a:1")]);
    assert_eq!(status, 0, "{text}");
    assert_eq!(std::fs::read_dir(store.join("layers")).unwrap().count(), 0);
}

#[test]
fn places_are_a_users_own() {
    let Some(lab) = lab() else { return };
    let (status, text) = run(&lab, &["info"]);
    assert_eq!(status, 0, "{text}");
    let info: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        info["store"],
        lab.path()
            .join(".local/share/orbital")
            .display()
            .to_string()
    );
    assert_eq!(
        info["state"],
        lab.path().join("orbital-engine").display().to_string()
    );
    assert_eq!(info["rootless"], "yes");
}

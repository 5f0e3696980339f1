//! What layers become in the store: files as they were, whiteouts as overlay wants them.

use super::archive::{Entry, Tar, entry};
use super::image::{Layer, image};
use super::lab::{Lab, is_root};
use super::registry::Registry;
use std::fs::{self, Metadata};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::PathBuf;

/// The layers' directories of an image of these tars, bottom first.
fn unpacked(lab: &Lab, tars: &[Vec<u8>]) -> Vec<PathBuf> {
    let registry = Registry::new();
    registry.push(
        "a",
        "1",
        &image(tars.iter().map(|tar| Layer::gzip(tar)).collect()),
    );
    lab.good(&["pull", "-q", &registry.name("a:1")]);
    lab.layers(&registry.name("a:1"))
}

fn look(path: PathBuf) -> Metadata {
    fs::symlink_metadata(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn attribute(path: &PathBuf, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 256];
    let length = rustix::fs::lgetxattr(path, name, &mut value).ok()?;
    value.truncate(length);
    Some(value)
}

/// One of each kind, none as it would be by itself.
fn described() -> Vec<u8> {
    Tar::default()
        .add(
            &Entry {
                mode: 0o1777,
                mtime: 1_234_567,
                ..entry("tmp/", b'5')
            },
            b"",
        )
        .add(
            &Entry {
                mode: 0o4755,
                owner: (12, 34),
                ..entry("tmp/suid", b'0')
            },
            b"x",
        )
        .symlink("tmp/link", "/nowhere")
        .hard_link("tmp/again", "tmp/suid")
        .pax(&[
            ("mtime", b"1000000001.25"),
            ("SCHILY.xattr.user.note", b"hello"),
        ])
        .file("tmp/noted", "n")
        .add(
            &Entry {
                owner: (7, 8),
                mode: 0o644,
                ..entry("fifo", b'6')
            },
            b"",
        )
        .end()
}

#[test]
fn modes_owners_and_times_are_kept() {
    let lab = Lab::new();
    let layer = unpacked(&lab, &[described()]).remove(0);
    let tmp = look(layer.join("tmp"));
    assert_eq!((tmp.mode() & 0o7777, tmp.mtime()), (0o1777, 1_234_567));
    let suid = look(layer.join("tmp/suid"));
    assert_eq!(
        (suid.mode() & 0o7777, suid.nlink(), suid.mtime()),
        (0o4755, 2, 1_000_000_000)
    );
    assert_eq!(look(layer.join("tmp/again")).ino(), suid.ino());
    assert_eq!(
        fs::read_link(layer.join("tmp/link")).unwrap().to_str(),
        Some("/nowhere")
    );
    let noted = look(layer.join("tmp/noted"));
    assert_eq!(
        (noted.mtime(), noted.mtime_nsec()),
        (1_000_000_001, 250_000_000)
    );
    assert!(look(layer.join("fifo")).file_type().is_fifo());
    if is_root() {
        assert_eq!((suid.uid(), suid.gid()), (12, 34));
        assert_eq!(
            attribute(&layer.join("tmp/noted"), "user.note").as_deref(),
            Some(b"hello".as_slice())
        );
    }
}

#[test]
fn a_files_capabilities_survive_its_owner() {
    if !is_root() {
        println!("skipped: only root may set them");
        return;
    }
    let lab = Lab::new();
    // cap_net_raw, version 2: linux/capability.h.
    let capability = [
        1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let tar = Tar::default()
        .pax(&[("SCHILY.xattr.security.capability", &capability)])
        .add(
            &Entry {
                owner: (5, 5),
                mode: 0o755,
                ..entry("ping", b'0')
            },
            b"x",
        )
        .end();
    let layer = unpacked(&lab, &[tar]).remove(0);
    assert_eq!(
        attribute(&layer.join("ping"), "security.capability").as_deref(),
        Some(capability.as_slice())
    );
}

#[test]
fn whiteouts_become_overlays_own() {
    let lab = Lab::new();
    let first = Tar::default()
        .directory("d/", 0o755)
        .file("d/old", "o")
        .file("gone", "g")
        .end();
    let second = Tar::default()
        .file(".wh.gone", "")
        .directory("d/", 0o755)
        .file("d/new", "n")
        .file("d/.wh..wh..opq", "")
        .file("d/.wh..wh.plnk", "")
        .directory("e/", 0o700)
        .file(".wh.e", "")
        .file(".wh.f", "")
        .directory("f/", 0o700)
        .end();
    let layers = unpacked(&lab, &[first, second]);
    let gone = look(layers[1].join("gone"));
    assert!(gone.file_type().is_char_device() && gone.rdev() == 0);
    assert!(!layers[1].join(".wh.gone").exists() && !layers[1].join("d/.wh..wh..opq").exists());
    assert!(!layers[1].join("d/.wh..wh.plnk").exists());
    // A directory that is hidden and there is one that hides what is below it, whichever came first.
    for name in ["d", "e", "f"] {
        let opaque = if is_root() {
            "trusted.overlay.opaque"
        } else {
            "user.overlay.opaque"
        };
        assert_eq!(
            attribute(&layers[1].join(name), opaque).as_deref(),
            Some(b"y".as_slice()),
            "{name}"
        );
        assert!(layers[1].join(name).is_dir());
    }
    assert!(layers[1].join("d/new").exists());
}

#[test]
fn overlay_shows_what_was_meant() {
    if !is_root() {
        println!("skipped: only root may mount here");
        return;
    }
    let lab = Lab::new();
    let first = Tar::default()
        .directory("d/", 0o755)
        .file("d/old", "o")
        .file("gone", "g")
        .file("same", "1")
        .end();
    let second = Tar::default()
        .file(".wh.gone", "")
        .file("same", "2")
        .file("d/.wh.old", "")
        .file("d/new", "n")
        .end();
    let layers = unpacked(&lab, &[first, second]);
    let script = format!(
        "mount -t overlay overlay -o lowerdir={}:{} \"$1\" && cd \"$1\" && ls . d | tr '\\n' ' ' && cat same",
        layers[1].display(),
        layers[0].display()
    );
    let view = lab.write("view/x", "");
    let view = PathBuf::from(view).parent().unwrap().to_owned();
    let output = std::process::Command::new("unshare")
        .args(["-m", "sh", "-ec", &script, "sh"])
        .arg(&view)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(text, ".: d same  d: new 2");
}

#[test]
fn directories_that_an_archive_leaves_out_are_as_below() {
    let lab = Lab::new();
    let first = Tar::default()
        .directory("tmp/", 0o1777)
        .directory("deep/", 0o750)
        .end();
    let second = Tar::default()
        .file("tmp/a", "a")
        .file("deep/er/b", "b")
        .end();
    let layers = unpacked(&lab, &[first, second.clone()]);
    assert_eq!(look(layers[1].join("tmp")).mode() & 0o7777, 0o1777);
    assert_eq!(look(layers[1].join("deep")).mode() & 0o7777, 0o750);
    assert_eq!(look(layers[1].join("deep/er")).mode() & 0o7777, 0o755);
    // The same layer on another one below has another place.
    let other = Tar::default().directory("tmp/", 0o700).end();
    let again = unpacked(&lab, &[other, second]);
    assert_eq!(look(again[1].join("tmp")).mode() & 0o7777, 0o700);
    assert_eq!(look(layers[1].join("tmp")).mode() & 0o7777, 0o1777);
}

#[test]
fn a_later_entry_takes_the_place_of_an_earlier() {
    let lab = Lab::new();
    let tar = Tar::default()
        .file("file", "first")
        .file("file", "second")
        .directory("was-dir/", 0o755)
        .file("was-dir/inner", "x")
        .file("was-dir", "now a file")
        .symlink("was-link", "was-dir")
        .directory("was-link/", 0o755)
        .directory("stays/", 0o755)
        .file("stays/inner", "kept")
        .directory("stays/", 0o711)
        .end();
    let layer = unpacked(&lab, &[tar]).remove(0);
    assert_eq!(fs::read_to_string(layer.join("file")).unwrap(), "second");
    assert_eq!(
        fs::read_to_string(layer.join("was-dir")).unwrap(),
        "now a file"
    );
    assert!(look(layer.join("was-link")).is_dir());
    assert_eq!(
        fs::read_to_string(layer.join("stays/inner")).unwrap(),
        "kept"
    );
    assert_eq!(look(layer.join("stays")).mode() & 0o7777, 0o711);
}

#[test]
fn links_of_directories_are_followed_inside() {
    let lab = Lab::new();
    let tar = Tar::default()
        .directory("usr/lib/", 0o755)
        .symlink("lib", "/usr/lib")
        .file("lib/so", "here")
        .end();
    let layer = unpacked(&lab, &[tar]).remove(0);
    assert_eq!(
        fs::read_to_string(layer.join("usr/lib/so")).unwrap(),
        "here"
    );
    assert!(look(layer.join("lib")).is_symlink());
}

#[test]
fn long_names_in_every_dialect() {
    let lab = Lab::new();
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(150));
    let gnu = format!("{}/{}", "g".repeat(120), "h".repeat(150));
    let mut zero = gnu.clone().into_bytes();
    zero.push(0);
    let tar = Tar::default()
        .pax(&[("path", long.as_bytes())])
        .file("short", "pax")
        .add(&entry("././@LongLink", b'L'), &zero)
        .file("short", "gnu")
        .pax(&[("linkpath", long.as_bytes())])
        .symlink("link", "short")
        .end();
    let layer = unpacked(&lab, &[tar]).remove(0);
    assert_eq!(fs::read_to_string(layer.join(&long)).unwrap(), "pax");
    assert_eq!(fs::read_to_string(layer.join(&gnu)).unwrap(), "gnu");
    assert_eq!(
        fs::read_link(layer.join("link")).unwrap(),
        PathBuf::from(&long)
    );
}

#[test]
fn sparse_files_keep_their_holes_in_every_form() {
    let lab = Lab::new();
    let script = "truncate -s 3M holes; printf begin | dd of=holes conv=notrunc status=none
        printf middle | dd of=holes bs=1 seek=1500000 conv=notrunc status=none; printf tail >> holes
        i=0; while [ $i -lt 30 ]; do printf x | dd of=many bs=1 seek=$((i * 200000)) conv=notrunc status=none; i=$((i+1)); done
        for form in gnu pax0.0 pax0.1 pax1.0; do
            case $form in gnu) f=--format=gnu ;; *) f=\"--format=pax --sparse-version=${form#pax}\" ;; esac
            tar $f --sparse -cf $form.tar --transform s,^,$form-, holes many
        done";
    let made = std::process::Command::new("sh")
        .args(["-ec", script])
        .current_dir(lab.path())
        .status()
        .unwrap();
    assert!(made.success());
    let forms = ["gnu", "pax0.0", "pax0.1", "pax1.0"];
    let tars: Vec<Vec<u8>> = forms
        .iter()
        .map(|form| fs::read(lab.path().join(format!("{form}.tar"))).unwrap())
        .collect();
    let layers = unpacked(&lab, &tars);
    for (layer, form) in layers.iter().zip(forms) {
        for name in ["holes", "many"] {
            let path = layer.join(format!("{form}-{name}"));
            assert_eq!(
                fs::read(&path).unwrap(),
                fs::read(lab.path().join(name)).unwrap(),
                "{form} {name}"
            );
            let look = look(path);
            assert!(
                look.blocks() * 512 < look.len() / 2,
                "{form} {name} has no holes: {} blocks",
                look.blocks()
            );
        }
    }
}

#[test]
fn devices_are_roots() {
    let lab = Lab::new();
    let tar = Tar::default()
        .device("null", b'3', (1, 3))
        .device("sda", b'4', (8, 0))
        .file("after", "a")
        .end();
    let layer = unpacked(&lab, &[tar]).remove(0);
    assert!(layer.join("after").exists());
    if is_root() {
        let null = look(layer.join("null"));
        assert!(null.file_type().is_char_device() && null.rdev() == 0x103);
        assert!(look(layer.join("sda")).file_type().is_block_device());
    } else {
        assert!(!layer.join("null").exists());
    }
}

//! Images that are refused, each with its reason.

use super::archive::{Entry, Tar, entry};
use super::image::{CONFIG, GZIP, Image, Layer, MANIFEST, described, digest, image};
use super::lab::Lab;
use super::registry::Registry;
use serde_json::json;

/// Says why an image with this manifest is refused, and that nothing of it is left.
#[track_caller]
fn refused(change: impl FnOnce(&mut serde_json::Value), why: &str) {
    let (lab, registry) = (Lab::new(), Registry::new());
    let image = super::images::small();
    registry.push("a", "0", &image);
    let mut manifest: serde_json::Value = serde_json::from_slice(&image.manifest).unwrap();
    change(&mut manifest);
    registry.document("a", "1", MANIFEST, manifest.to_string().as_bytes());
    let told = lab.bad(&["pull", &registry.name("a:1")], why);
    assert!(told.contains("at:    image 127.0.0.1:"), "{told}");
    assert!(lab.good(&["images", "-q"]).is_empty() && lab.listed("layers").is_empty());
}

#[test]
fn old_encrypted_and_foreign_ones() {
    refused(
        |m| *m = json!({"schemaVersion": 1, "name": "a", "fsLayers": [{"blobSum": "x"}]}),
        "schema 1",
    );
    refused(
        |m| m["layers"][0]["mediaType"] = json!(format!("{GZIP}+encrypted")),
        "a layer is encrypted",
    );
    refused(
        |m| {
            m["layers"][1]["mediaType"] =
                json!("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")
        },
        "may not be distributed",
    );
    refused(
        |m| m["config"]["mediaType"] = json!("application/vnd.cncf.helm.config.v1+json"),
        "an artifact of type",
    );
    refused(
        |m| m["layers"][0]["digest"] = json!("sha512:00"),
        "is no sha256 digest",
    );
    refused(|m| m["manifests"] = json!([]), "an index as well");
    refused(
        |m| drop(m["layers"].as_array_mut().unwrap().pop()),
        "its manifest has 1 layers, and its config 2",
    );
}

#[test]
fn a_size_that_is_not_the_manifests() {
    for (size, why) in [
        (10, "more than the 10 bytes come"),
        (99_999, "again and again"),
    ] {
        let (lab, registry) = (Lab::new(), Registry::new());
        let image = super::images::small();
        registry.push("a", "0", &image);
        let mut manifest: serde_json::Value = serde_json::from_slice(&image.manifest).unwrap();
        manifest["layers"][0]["size"] = json!(size);
        registry.document("a", "1", MANIFEST, manifest.to_string().as_bytes());
        lab.bad(&["pull", &registry.name("a:1")], why);
        assert!(lab.good(&["images", "-q"]).is_empty());
    }
}

#[test]
fn content_that_is_not_what_the_config_says() {
    let (lab, registry) = (Lab::new(), Registry::new());
    let mut layer = Layer::gzip(&Tar::default().file("a", "a").end());
    layer.diff_id = digest(b"something else");
    registry.push("a", "1", &image(vec![layer]));
    lab.bad(
        &["pull", &registry.name("a:1")],
        "its content hashes to sha256:",
    );
    assert!(lab.listed("layers").is_empty());
}

#[test]
fn one_bad_layer_is_enough() {
    let (lab, registry) = (Lab::new(), Registry::new());
    let good = Layer::gzip(&Tar::default().file("a", "a").end());
    let mut bad = good.clone();
    bad.blob = b"no archive of any kind, but long enough to be taken for one".repeat(20);
    bad.diff_id = digest(&bad.blob);
    registry.push("a", "1", &image(vec![good, bad]));
    lab.bad(&["pull", &registry.name("a:1")], "it is no tar archive");
    assert!(lab.good(&["images", "-q"]).is_empty());
    lab.good(&["image", "prune"]);
    assert!(lab.listed("layers").is_empty() && lab.listed("blobs/sha256").is_empty());
}

#[test]
fn another_operating_system() {
    let (lab, registry) = (Lab::new(), Registry::new());
    let Image { layers, config, .. } = super::images::small();
    let config = String::from_utf8(config)
        .unwrap()
        .replace("\"linux\"", "\"windows\"")
        .into_bytes();
    let manifest = json!({
        "schemaVersion": 2, "config": described(CONFIG, &config),
        "layers": layers.iter().map(|layer| described(&layer.kind, &layer.blob)).collect::<Vec<_>>(),
    });
    registry.push(
        "a",
        "1",
        &Image {
            layers,
            config,
            manifest: manifest.to_string().into_bytes(),
        },
    );
    lab.bad(
        &["pull", &registry.name("a:1")],
        "it is made for windows/amd64",
    );
}

#[test]
fn more_than_a_layer_may_unpack_to() {
    let (lab, registry) = (Lab::new(), Registry::new());
    let tar = Tar::default().file("zeros", vec![0; 3 << 20]).end();
    registry.push("a", "1", &image(vec![Layer::gzip(&tar)]));
    let name = registry.name("a:1");
    let told = lab.bad(
        &["pull", "--max-unpacked", "2m", &name],
        "more than 2097152 bytes come out of it",
    );
    assert!(told.contains("entry zeros"), "{told}");
    assert!(lab.listed("layers").is_empty());
    lab.good(&["pull", "-q", "--max-unpacked", "4m", &name]);
    lab.bad(&["pull", "--max-unpacked", "lots", &name], "no size");
}

#[test]
fn other_compressions() {
    let (lab, registry) = (Lab::new(), Registry::new());
    for (blob, why) in [
        (b"\xfd7zXZ\0".as_slice(), "by xz"),
        (b"BZh91AY", "by bzip2"),
    ] {
        let layer = Layer {
            kind: GZIP.to_owned(),
            blob: blob.to_vec(),
            diff_id: digest(blob),
        };
        registry.push("a", "1", &image(vec![layer]));
        lab.bad(&["pull", &registry.name("a:1")], why);
    }
    let mut broken = Layer::gzip(&Tar::default().file("a", "a".repeat(9999)).end());
    broken.blob.truncate(40);
    registry.push("a", "1", &image(vec![broken]));
    lab.bad(&["pull", &registry.name("a:1")], "unpack layer");
    let odd = Tar::default()
        .add(
            &Entry {
                ..entry("odd", b'Z')
            },
            b"",
        )
        .end();
    registry.push("a", "1", &image(vec![Layer::gzip(&odd)]));
    lab.bad(
        &["pull", &registry.name("a:1")],
        "of a kind that no layer has",
    );
}

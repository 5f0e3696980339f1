use super::{Document, Platform};
use serde_json::{Value, json};

const D: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn blob(kind: &str) -> Value {
    json!({"mediaType": kind, "digest": D, "size": 3})
}

fn manifest(config: &str, layer: &str) -> Value {
    json!({"schemaVersion": 2, "config": blob(config), "layers": [blob(layer)]})
}

#[track_caller]
fn refused(document: &Value, why: &str) {
    let error = Document::read(document.to_string().as_bytes(), "x")
        .unwrap_err()
        .to_string();
    assert!(error.contains(why), "{error}");
}

#[test]
fn both_families_are_read() {
    for (config, layer) in [
        (
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.oci.image.layer.v1.tar+zstd",
        ),
        (
            "application/vnd.docker.container.image.v1+json",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ),
    ] {
        let text = manifest(config, layer).to_string();
        match Document::read(text.as_bytes(), "x").unwrap() {
            Document::Manifest(manifest) => assert_eq!(manifest.layers[0].size, 3),
            Document::Index(_) => panic!("an index"),
        }
    }
}

#[test]
fn what_is_refused_says_why() {
    let good = "application/vnd.oci.image.config.v1+json";
    let tar = "application/vnd.oci.image.layer.v1.tar";
    refused(&json!({"schemaVersion": 1, "fsLayers": []}), "schema 1");
    refused(
        &manifest(good, &format!("{tar}+gzip+encrypted")),
        "is encrypted",
    );
    refused(
        &manifest(
            good,
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        ),
        "may not be distributed",
    );
    refused(
        &manifest(
            good,
            "application/vnd.oci.image.layer.nondistributable.v1.tar",
        ),
        "may not be distributed",
    );
    refused(&manifest(good, "application/x-thing"), "cannot unpack");
    refused(
        &manifest("application/vnd.cncf.helm.config.v1+json", tar),
        "artifact of type application/vnd.cncf.helm",
    );
    refused(
        &json!({"schemaVersion": 2, "manifests": [], "config": blob(good), "layers": []}),
        "an index as well",
    );
    refused(
        &json!({"schemaVersion": 2}),
        "neither a manifest nor an index",
    );
    refused(
        &json!({"schemaVersion": 2, "manifests": [{"digest": "sha256:1", "size": 1}]}),
        "no sha256 digest",
    );
    refused(
        &json!({"schemaVersion": 2, "config": blob(good), "layers": vec![blob(tar); 501]}),
        "501 layers",
    );
}

#[test]
fn the_nearest_platform_is_chosen() {
    let entry = |platform: &str| {
        let mut entry: super::Descriptor = serde_json::from_value(blob("")).unwrap();
        entry.platform = Some(Platform::parse(platform).unwrap());
        entry
    };
    let all = [
        "linux/amd64",
        "linux/arm64/v8",
        "linux/arm/v6",
        "linux/arm/v5",
        "windows/amd64",
        "unknown/unknown",
    ];
    let all: Vec<_> = all.into_iter().map(entry).collect();
    for (wanted, found) in [
        ("linux/amd64", Some("linux/amd64")),
        ("amd64", Some("linux/amd64")),
        ("x86_64", Some("linux/amd64")),
        ("linux/arm64", Some("linux/arm64/v8")),
        ("linux/arm/v7", Some("linux/arm/v6")),
        ("linux/arm/v5", Some("linux/arm/v5")),
        ("linux/s390x", None),
    ] {
        let chosen = Platform::parse(wanted).unwrap();
        let chosen = chosen
            .choose(&all)
            .and_then(|entry| entry.platform.as_ref());
        assert_eq!(
            chosen.map(ToString::to_string).as_deref(),
            found,
            "{wanted}"
        );
    }
    assert!(Platform::parse("a/b/c/d").is_err());
}

//! Folders and tars in a registry's place: oci:, oci-archive:, docker-archive:, import.

use super::archive::{Tar, gzip};
use super::image::digest;
use super::images::small;
use super::lab::Lab;
use super::layout::{layout, tar};
use serde_json::json;
use std::fs;

#[test]
fn an_oci_layout_as_a_folder_and_as_a_tar() {
    let lab = Lab::new();
    layout(&lab, "dir", &small(), "v1");
    tar(&lab, "dir", "dir.tar");
    for name in [
        "oci:dir",
        "oci:./dir:v1",
        "oci-archive:dir.tar",
        "oci-archive:dir.tar:v1",
    ] {
        assert_eq!(lab.good(&["pull", "-q", name]), digest(&small().config));
        assert_eq!(
            fs::read_to_string(lab.layers("localhost/dir:v1")[1].join("etc/two")).unwrap(),
            "22"
        );
        lab.good(&["rmi", "localhost/dir:v1"]);
    }
    let told = lab.bad(&["pull", "oci:./dir:v2"], "it has no image called v2");
    assert!(told.contains("name one after a colon: v1"), "{told}");
    lab.bad(&["pull", "oci:./nothing"], "ENOENT");
    lab.write(
        "packed.tar",
        gzip(&fs::read(lab.path().join("dir.tar")).unwrap()),
    );
    lab.bad(&["pull", "oci-archive:packed.tar"], "compressed as a whole");
}

#[test]
fn a_layout_with_other_bytes_is_refused() {
    let lab = Lab::new();
    layout(&lab, "dir", &small(), "v1");
    let layer = digest(&small().layers[0].blob);
    lab.write(
        &format!("dir/blobs/sha256/{}", &layer[7..]),
        "x".repeat(small().layers[0].blob.len()),
    );
    lab.bad(&["pull", "oci:dir"], "what came hashes to");
}

#[test]
fn what_docker_save_writes() {
    let lab = Lab::new();
    let first = Tar::default().file("one", "1").end();
    let second = Tar::default().file("two", "2").end();
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {"Cmd": ["x"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(&first), digest(&second)]},
    });
    lab.write("saved/config.json", config.to_string());
    lab.write("saved/1/layer.tar", &first);
    lab.write("saved/2/real.tar", &second);
    std::os::unix::fs::symlink("../2/real.tar", lab.path().join("saved/1/other.tar")).unwrap();
    let manifest = json!([{"Config": "config.json", "RepoTags": ["mine:v1"], "Layers": ["1/layer.tar", "1/other.tar"]}]);
    lab.write("saved/manifest.json", manifest.to_string());
    tar(&lab, "saved", "saved.tar");
    lab.good(&["pull", "-q", "docker-archive:saved.tar"]);
    let layers = lab.layers("mine:v1");
    assert_eq!(fs::read_to_string(layers[1].join("two")).unwrap(), "2");
    lab.good(&["pull", "-q", "docker-archive:saved.tar:mine:v1"]);
    lab.bad(
        &["pull", "docker-archive:saved.tar:other:v1"],
        "it has no image called other:v1",
    );
    lab.bad(&["pull", "oci-archive:saved.tar"], "docker-archive:FILE");
}

#[test]
fn a_root_tar_becomes_an_image() {
    let lab = Lab::new();
    let root = Tar::default()
        .directory("./", 0o755)
        .directory("./bin/", 0o755)
        .file("./bin/sh", "#!")
        .end();
    let plain = lab.write("root.tar", &root);
    let packed = lab.write("root.tar.gz", gzip(&root));
    let change = [
        "-c",
        "CMD [\"/bin/sh\", \"-l\"]",
        "-c",
        "ENV A=b c",
        "-c",
        "EXPOSE 80",
        "--change=WORKDIR /x",
    ];
    let words: Vec<&str> = ["import", &plain, "mine:v1"]
        .into_iter()
        .chain(change)
        .collect();
    let id = lab.good(&words);
    let about = lab.json(&["inspect", "mine:v1"]);
    assert_eq!(about[0]["Id"], id);
    assert_eq!(about[0]["Config"]["Cmd"], json!(["/bin/sh", "-l"]));
    assert_eq!(about[0]["Config"]["Env"], json!(["A=b c"]));
    assert_eq!(about[0]["Config"]["ExposedPorts"], json!({"80/tcp": {}}));
    assert_eq!(about[0]["RootFS"]["Layers"], json!([digest(&root)]));
    assert_eq!(
        fs::read_to_string(lab.layers("mine:v1")[0].join("bin/sh")).unwrap(),
        "#!"
    );
    lab.good(&["import", &packed, "mine:v2"]);
    assert_eq!(lab.layers("mine:v1"), lab.layers("mine:v2"));
    let ran = lab.run_with(&["import", "-", "mine:v3"], &root);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(lab.layers("mine:v3"), lab.layers("mine:v1"));
    lab.bad(&["import", &plain, "-c", "RUN x"], "only CMD, ENTRYPOINT");
    lab.bad(&["import", &plain, "Upper"], "capital letters");
    let evil = lab.write("evil.tar", Tar::default().file("../x", "x").end());
    lab.bad(&["import", &evil], "leads out of the layer");
    let none = lab.write("none.tar", "");
    lab.bad(&["import", &none], "it is empty");
}

//! Containers of images: what an image wishes for them, and where it may lie.

use super::archive::Tar;
use super::ground::Ground;
use super::image::{Layer, image_with};
use super::layout::{layout, tar};
use super::life::until;
use serde_json::json;

/// The machine's architecture, as images call it.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// The ground's root file system as a layer.
pub(crate) fn base(ground: &Ground) -> Layer {
    let root = ground.root().display().to_string();
    tar(&ground.lab, &root, "base.tar");
    Layer::plain(&std::fs::read(ground.lab.path().join("base.tar")).unwrap())
}

const RUN: [&str; 4] = ["run", "--rm", "--network", "none"];

fn words<'w>(more: &[&'w str]) -> Vec<&'w str> {
    RUN.iter().chain(more).copied().collect()
}

#[test]
fn what_an_image_wishes_is_done() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    let wishes = json!({
        "Env": ["COLOUR=red", "PATH=/bin"],
        "Entrypoint": ["sh", "-c"],
        "Cmd": ["echo $COLOUR; pwd; id -u; id -g"],
        "User": "web",
        "WorkingDir": "/made/by/it",
        "StopSignal": "SIGUSR2",
        "Labels": {"of": "image"},
        "Volumes": {"/data": {}},
    });
    let wishing = image_with(architecture(), wishes, vec![base(&ground)]);
    layout(lab, "wishing", &wishing, "v1");
    assert_eq!(
        lab.good(&words(&["-q", "oci:wishing"])),
        "red\n/made/by/it\n33\n34"
    );
    // The command line is heard last.
    let other = [
        "-q",
        "-e",
        "COLOUR=blue",
        "-w",
        "/",
        "-u",
        "0",
        "oci:wishing",
    ];
    assert_eq!(lab.good(&words(&other)), "blue\n/\n0\n0");
    let command = ["-q", "oci:wishing", "test -d /data && echo mounted"];
    assert_eq!(lab.good(&words(&command)), "mounted");
    let entrypoint = ["-q", "--entrypoint", "echo", "oci:wishing", "only", "this"];
    assert_eq!(lab.good(&words(&entrypoint)), "only this");
    let script = "trap 'echo heard; exit 3' USR2; echo ready; while true; do sleep 0.05; done";
    let detached = [
        "run",
        "-d",
        "--name",
        "w1",
        "--network",
        "none",
        "-u0",
        "-q",
        "oci:wishing",
    ];
    lab.good(&[&detached[..], &[script]].concat());
    until(|| lab.good(&["logs", "w1"]) == "ready");
    lab.good(&["stop", "w1"]);
    assert_eq!(lab.good(&["wait", "w1"]), "3");
    assert_eq!(
        lab.good(&["ps", "-aq", "--filter", "label=of=image"]).len(),
        12
    );
    lab.good(&["rm", "w1"]);
    ground.nothing_is_left();
}

#[test]
fn folders_and_archives_run_by_their_names() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    layout(
        lab,
        "folder",
        &image_with(architecture(), json!({}), vec![base(&ground)]),
        "v1",
    );
    tar(lab, "folder", "folder.tar");
    for name in ["oci:folder", "oci:./folder:v1", "oci-archive:folder.tar"] {
        assert_eq!(
            lab.good(&words(&["-q", name, "echo", "ran"])),
            "ran",
            "{name}"
        );
    }
    lab.good(&["save", "-q", "-o", "saved.tar", "localhost/folder:v1"]);
    lab.good(&["rmi", "localhost/folder:v1"]);
    assert_eq!(
        lab.good(&words(&["-q", "docker-archive:saved.tar", "echo", "ran"])),
        "ran"
    );
    let refused = lab.bad(&words(&["oci:./nowhere", "true"]), "nowhere");
    assert!(refused.contains("ENOENT"), "{refused}");
}

#[test]
fn more_than_a_hundred_layers_lie_over_each_other() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    let mut layers = vec![base(&ground)];
    for number in 1..=150 {
        let text = number.to_string();
        let layer = Tar::default()
            .file(&format!("layer-{number}"), &text)
            .file("last", &text);
        layers.push(Layer::plain(&layer.end()));
    }
    let many = image_with(architecture(), json!({}), layers);
    layout(lab, "many", &many, "v1");
    let script = "ls /layer-* | wc -l; cat /last; rm /layer-7; ls /layer-* | wc -l";
    let said = lab.good(&words(&["-q", "oci:many", "sh", "-c", script]));
    assert_eq!(said, "150\n150149");
    ground.nothing_is_left();
}

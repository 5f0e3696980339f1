//! Images fetched, listed, named and removed.

use super::archive::Tar;
use super::image::{INDEX, Image, Layer, digest, image, image_for, index};
use super::lab::Lab;
use super::registry::Registry;

/// Two layers, one file in each.
pub(crate) fn small() -> Image {
    let first = Tar::default()
        .directory("bin/", 0o755)
        .file("bin/one", "1")
        .end();
    let second = Tar::default()
        .directory("etc/", 0o755)
        .file("etc/two", "22")
        .end();
    image(vec![Layer::gzip(&first), Layer::zstd(&second)])
}

fn id(image: &Image) -> String {
    digest(&image.config)
}

#[test]
fn a_pull_prints_the_id_and_the_image_is_listed() {
    let (lab, registry) = (Lab::new(), Registry::new());
    registry.push("team/app", "v1", &small());
    let ran = lab.run(&["pull", &registry.name("team/app:v1")]);
    assert_eq!(
        (ran.status, ran.out.trim_end()),
        (0, id(&small()).as_str()),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("pulling 127.0.0.1:") && ran.err.contains(": done"),
        "{}",
        ran.err
    );
    let table = lab.good(&["images"]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(
        lines[0].starts_with("REPOSITORY") && lines.len() == 2,
        "{table}"
    );
    assert!(
        lines[1].contains("team/app")
            && lines[1].contains("v1")
            && lines[1].contains(&id(&small())[7..19]),
        "{table}"
    );
    let json = lab.json(&["images", "--format", "json"]);
    assert_eq!(json[0]["digest"], digest(&small().manifest));
    assert_eq!(json[0]["created"], "2024-05-06T07:08:09Z");
    let layers = lab.layers(&registry.name("team/app:v1"));
    assert_eq!(
        std::fs::read_to_string(layers[0].join("bin/one")).unwrap(),
        "1"
    );
    assert_eq!(
        std::fs::read_to_string(layers[1].join("etc/two")).unwrap(),
        "22"
    );
    let about = lab.json(&["inspect", &id(&small())[7..15]]);
    assert_eq!(about[0]["Config"]["Env"][0], "A=b");
    assert_eq!(
        about[0]["RepoDigests"][0],
        registry.name(&format!("team/app@{}", digest(&small().manifest)))
    );
}

#[test]
fn what_is_here_is_not_fetched_again() {
    let (lab, registry) = (Lab::new(), Registry::new());
    registry.push("a", "1", &small());
    // Another image with one layer of the first.
    let mut more = small().layers;
    more.push(Layer::gzip(&Tar::default().file("three", "333").end()));
    registry.push("b", "1", &image(more));
    lab.good(&["pull", "-q", &registry.name("a:1")]);
    lab.good(&["pull", "-q", &registry.name("b:1")]);
    for layer in small().layers {
        assert_eq!(registry.heard(&digest(&layer.blob)).len(), 1);
    }
    assert_eq!(lab.listed("layers").len(), 3);
    // Downloads are not kept.
    assert!(
        lab.listed("blobs/sha256")
            .iter()
            .all(|name| !name.ends_with(".part"))
    );
}

#[test]
fn two_pulls_at_once_fetch_each_blob_once() {
    let (lab, registry) = (Lab::new(), Registry::new());
    registry.push("a", "1", &small());
    let name = registry.name("a:1");
    std::thread::scope(|scope| {
        let pulls: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| lab.good(&["pull", "-q", &name])))
            .collect();
        for pull in pulls {
            assert_eq!(pull.join().unwrap(), id(&small()));
        }
    });
    for layer in small().layers {
        assert_eq!(registry.heard(&digest(&layer.blob)).len(), 1);
    }
    assert_eq!(
        lab.json(&["images", "--format=json"])
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_digest_names_one_image_for_ever() {
    let (lab, registry) = (Lab::new(), Registry::new());
    registry.push("a", "1", &small());
    let named = registry.name(&format!("a@{}", digest(&small().manifest)));
    lab.good(&["pull", "-q", &named]);
    lab.good(&["inspect", &named]);
    lab.bad(
        &["inspect", &registry.name("a:1")],
        "there is no such image",
    );
    let table = lab.good(&["images"]);
    assert!(table.contains("<none>"), "{table}");
}

#[test]
fn an_index_is_asked_for_this_machine_or_the_one_wanted() {
    let (lab, registry) = (Lab::new(), Registry::new());
    let own = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    };
    let layer = |text: &str| vec![Layer::gzip(&Tar::default().file("which", text).end())];
    let (first, other) = (
        image_for(own, layer("own")),
        image_for("s390x", layer("other")),
    );
    registry.push("a", "own", &first);
    registry.push("a", "other", &other);
    registry.document(
        "a",
        "1",
        INDEX,
        &index(&[("linux/s390x", &other), (&format!("linux/{own}"), &first)]),
    );
    let which = |words: &[&str]| {
        lab.good(words);
        std::fs::read_to_string(lab.layers(&registry.name("a:1"))[0].join("which")).unwrap()
    };
    assert_eq!(which(&["pull", &registry.name("a:1")]), "own");
    assert_eq!(
        which(&["pull", "--platform", "linux/s390x", &registry.name("a:1")]),
        "other"
    );
    let told = lab.bad(
        &["pull", "--platform=linux/riscv64", &registry.name("a:1")],
        "not made for linux/riscv64",
    );
    assert!(
        told.contains("hint:  it is made for: linux/s390x, linux/"),
        "{told}"
    );
    lab.bad(
        &["pull", "--platform=linux/riscv64", &registry.name("a:own")],
        "not for linux/riscv64",
    );
}

#[test]
fn names_come_and_go_and_the_last_one_takes_the_image() {
    let (lab, registry) = (Lab::new(), Registry::new());
    registry.push("a", "1", &small());
    let name = registry.name("a:1");
    lab.good(&["pull", "-q", &name]);
    lab.good(&["tag", &name, "mine:v1", "quay.io/x/y"]);
    let table = lab.good(&["images", "mine"]);
    assert!(
        table.contains("mine") && table.lines().count() == 2,
        "{table}"
    );
    lab.bad(&["rmi", &id(&small())[7..19]], "it has several names");
    assert_eq!(
        lab.good(&["rmi", "mine:v1"]),
        "untagged: docker.io/library/mine:v1"
    );
    assert_eq!(lab.listed("layers").len(), 2);
    let gone = lab.good(&["image", "rm", &name, "quay.io/x/y"]);
    assert!(
        gone.ends_with(&format!("deleted: {}", id(&small()))),
        "{gone}"
    );
    assert!(lab.listed("layers").is_empty() && lab.listed("blobs/sha256").is_empty());
    lab.bad(&["rmi", &name], "there is no such image");
    assert_eq!(lab.good(&["images"]).lines().count(), 1);
}

#[test]
fn a_name_goes_to_the_newer_image_and_prune_takes_the_older() {
    let (lab, registry) = (Lab::new(), Registry::new());
    registry.push("a", "1", &small());
    lab.good(&["pull", "-q", &registry.name("a:1")]);
    let newer = image(vec![Layer::gzip(&Tar::default().file("new", "n").end())]);
    registry.push("a", "1", &newer);
    assert_eq!(lab.good(&["pull", "-q", &registry.name("a:1")]), id(&newer));
    assert_eq!(
        lab.json(&["images", "--format=json"])
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let told = lab.good(&["image", "prune"]);
    assert!(
        told.contains(&format!("deleted: {}", id(&small()))) && told.contains("removed 2 layers"),
        "{told}"
    );
    assert_eq!(lab.listed("layers").len(), 1);
    let told = lab.good(&["image", "prune", "--all"]);
    assert!(told.contains(&id(&newer)), "{told}");
}

#[test]
fn what_a_container_uses_stays() {
    let (lab, registry) = (Lab::new(), Registry::new());
    registry.push("a", "1", &small());
    let name = registry.name("a:1");
    lab.good(&["pull", "-q", &name]);
    std::fs::write(lab.store().join("pins/web"), id(&small())).unwrap();
    lab.bad(&["rmi", &name], "containers use it: web");
    lab.good(&["rmi", "--force", &name]);
    lab.good(&["image", "prune", "--all"]);
    assert_eq!(lab.listed("layers").len(), 2);
    std::fs::remove_file(lab.store().join("pins/web")).unwrap();
    lab.good(&["image", "prune"]);
    assert!(lab.listed("layers").is_empty());
}

#[test]
fn programs_are_told_by_json_and_nobody_by_quiet() {
    let (lab, registry) = (Lab::new(), Registry::new());
    registry.push("a", "1", &small());
    let ran = lab.run(&["pull", "--progress", "json", &registry.name("a:1")]);
    let all: Vec<serde_json::Value> = ran
        .err
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let layer = &small().layers[0].blob;
    let short = &digest(layer)[7..19];
    let told: Vec<&str> = all
        .iter()
        .filter(|line| line["id"] == short)
        .filter_map(|line| line["status"].as_str())
        .collect();
    assert!(
        told.contains(&"downloading")
            && told.contains(&"unpacking")
            && told.last() == Some(&"done"),
        "{told:?}"
    );
    assert!(all.iter().any(|line| line["total"] == layer.len()));
    let ran = lab.run(&["pull", "--quiet", &registry.name("a:1")]);
    assert_eq!(ran.err, "");
}

#[test]
fn a_registry_of_settings_is_reached_by_its_mirror_first() {
    let (lab, mirror, own) = (Lab::new(), Registry::new(), Registry::new());
    mirror.push("cache/app", "1", &small());
    own.push("real/app", "1", &small());
    let settings = format!(
        "[[registry]]\nprefix = \"fancy.example\"\nlocation = \"127.0.0.1:{}/real\"\n[[registry.mirror]]\nlocation = \"127.0.0.1:{}/cache\"\n",
        own.port, mirror.port
    );
    lab.write("registries.conf", settings);
    lab.good(&["pull", "-q", "fancy.example/app:1"]);
    assert!(own.heard("/v2/").is_empty() && !mirror.heard("/v2/cache/app/manifests/1").is_empty());
    lab.good(&["inspect", "fancy.example/app:1"]);
    lab.good(&["rmi", "fancy.example/app:1"]);
    // A mirror that does not have it is passed over.
    own.push("real/other", "1", &small());
    lab.good(&["pull", "-q", "fancy.example/other:1"]);
    assert!(!own.heard("/v2/real/other/manifests/1").is_empty());
    lab.write(
        "registries.conf",
        "[[registry]]\nlocation = \"fancy.example\"\nblocked = true\n",
    );
    lab.bad(
        &["pull", "fancy.example/app:1"],
        "registries.conf blocks fancy.example",
    );
}

#[test]
fn misuse_is_told_as_the_runtime_tells_it() {
    let lab = Lab::new();
    lab.bad(&["pull"], "IMAGE>... is missing");
    lab.bad(&["pul", "x"], "did you mean pull?");
    lab.bad(&["pull", "--platfrm", "x", "y"], "did you mean --platform?");
    lab.bad(&["pull", "Upper"], "no capital letters");
    lab.bad(&["inspect", "nothing"], "orbital pull nothing");
    assert!(lab.good(&["help"]).contains("rmi"));
    assert!(lab.good(&["pull", "--help"]).contains("--max-unpacked"));
}

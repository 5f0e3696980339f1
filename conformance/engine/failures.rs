//! Registries that fail, and connections that break.

use super::archive::Tar;
use super::image::{Image, Layer, digest, image};
use super::images::small;
use super::lab::Lab;
use super::registry::{Fault, Registry, header};

/// One layer of some size that no compression makes small.
fn large() -> Image {
    let mut seed = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        seed.to_be_bytes()[0]
    })
    .take(3 << 20)
    .collect();
    image(vec![Layer::plain(
        &Tar::default().file("noise", noise).end(),
    )])
}

fn with(image: &Image, faults: impl IntoIterator<Item = Fault>) -> (Lab, Registry, String, String) {
    let (lab, registry) = (Lab::new(), Registry::new());
    registry.push("a", "1", image);
    let layer = digest(&image.layers[0].blob);
    registry.fault(&layer, faults);
    let name = registry.name("a:1");
    (lab, registry, name, layer)
}

#[test]
fn busy_servers_are_asked_again() {
    let faults = [
        Fault::Status(429, "Retry-After: 0"),
        Fault::Status(503, "X: y"),
        Fault::Status(500, "X: y"),
    ];
    let (lab, registry, name, layer) = with(&small(), faults);
    lab.good(&["pull", "-q", &name]);
    assert_eq!(registry.heard(&layer).len(), 4);
}

#[test]
fn the_time_that_a_server_names_is_waited() {
    let (lab, _registry, name, _) = with(&small(), [Fault::Status(429, "Retry-After: 1")]);
    let began = std::time::Instant::now();
    lab.good(&["pull", "-q", &name]);
    assert!(began.elapsed().as_millis() >= 1000);
}

#[test]
fn what_stays_broken_is_told() {
    let (lab, registry, name, layer) = with(&small(), vec![Fault::Status(503, "X: y"); 20]);
    lab.bad(&["pull", &name], "the registry answers 503");
    assert!(registry.heard(&layer).len() < 8);
    assert_eq!(lab.good(&["images", "-q"]), "");
}

#[test]
fn a_cut_download_goes_on_where_it_ended() {
    let (lab, registry, name, layer) = with(&large(), [Fault::Cut(1_000_000), Fault::Cut(500_000)]);
    lab.good(&["pull", "-q", &name]);
    let ranges: Vec<_> = registry
        .heard(&layer)
        .iter()
        .map(|heard| header(heard, "range"))
        .collect();
    assert_eq!(
        ranges,
        [
            None,
            Some("bytes=1000000-".to_owned()),
            Some("bytes=1500000-".to_owned())
        ]
    );
}

#[test]
fn a_silent_connection_counts_as_cut() {
    let (lab, registry, name, layer) = with(&large(), [Fault::Stall(1_000_000)]);
    lab.good(&["pull", "-q", &name]);
    let ranges: Vec<_> = registry
        .heard(&layer)
        .iter()
        .map(|heard| header(heard, "range"))
        .collect();
    assert_eq!(ranges, [None, Some("bytes=1000000-".to_owned())]);
}

#[test]
fn a_server_without_ranges_sends_all_again() {
    let (lab, registry, name, layer) = with(&large(), [Fault::Cut(1_000_000), Fault::Whole]);
    lab.good(&["pull", "-q", &name]);
    assert_eq!(registry.heard(&layer).len(), 2);
}

#[test]
fn the_next_pull_goes_on_with_what_the_last_one_left() {
    let faults: Vec<Fault> = [Fault::Cut(2_000_000)]
        .into_iter()
        .chain(vec![Fault::Status(404, "X: y"); 9])
        .collect();
    let (lab, registry, name, layer) = with(&large(), faults);
    lab.bad(&["pull", &name], "404");
    assert_eq!(
        lab.listed("blobs/sha256"),
        [format!("{}.part", &layer[7..])]
    );
    registry.push("b", "1", &large());
    let again = Registry::new();
    again.push("a", "1", &large());
    lab.good(&["pull", "-q", &again.name("a:1")]);
    assert_eq!(
        header(&again.heard(&layer)[0], "range").as_deref(),
        Some("bytes=2000000-")
    );
}

#[test]
fn other_bytes_are_never_used() {
    let (lab, _registry, name, layer) = with(&large(), [Fault::Corrupt]);
    let why = format!("at:    {layer}\n  cause: what came hashes to sha256:");
    lab.bad(&["pull", &name], &why);
    assert!(lab.listed("layers").is_empty() && lab.good(&["images", "-q"]).is_empty());
    // What was wrong is not kept to be gone on with.
    assert!(lab.listed("blobs/sha256").is_empty());
    lab.good(&["pull", "-q", &name]);
}

#[test]
fn every_document_is_compared_with_its_digest() {
    let (lab, registry) = (Lab::new(), Registry::new());
    registry.push("a", "1", &small());
    registry.fault(&digest(&small().config), [Fault::Corrupt]);
    lab.bad(&["pull", &registry.name("a:1")], "what came hashes to");
    let manifest = digest(&small().manifest);
    registry.fault(&manifest, [Fault::Corrupt]);
    lab.bad(
        &["pull", &registry.name(&format!("a@{manifest}"))],
        "what came hashes to",
    );
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let (lab, registry, name, layer) = with(&small(), []);
    let there = format!("/v2/b/blobs/{layer}");
    registry.fault(&layer, [Fault::Redirect(there.clone())]);
    lab.good(&["pull", "-q", &name]);
    assert!(!registry.heard(&there).is_empty());
    let (lab, registry, name, layer) = with(&small(), []);
    registry.fault(
        &layer,
        vec![Fault::Redirect(format!("/v2/b/blobs/{layer}")); 100],
    );
    lab.bad(&["pull", &name], "redirects more than 10 times");
}

#[test]
fn missing_images_and_hosts_are_told_apart() {
    let (lab, registry) = (Lab::new(), Registry::new());
    let told = lab.bad(
        &["pull", &registry.name("nothing:1")],
        "404 (MANIFEST_UNKNOWN: manifest unknown)",
    );
    assert!(
        told.contains("manifests/1") && told.contains("hint:"),
        "{told}"
    );
    let told = lab.bad(&["pull", "127.0.0.1:1/x"], "refused");
    assert!(
        told.contains("see whether 127.0.0.1:1 can be reached"),
        "{told}"
    );
}

#[test]
fn plain_http_serves_only_this_machine_unless_it_is_allowed() {
    let (lab, registry, name, _) = with(&small(), []);
    lab.bad(&["pull", "--tls-verify=true", &name], "");
    lab.good(&["pull", "-q", "--tls-verify=false", &name]);
    assert!(!registry.heard("/v2/").is_empty());
}

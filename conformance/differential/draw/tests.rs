use super::*;

#[test]
fn a_bundle_is_the_same_for_the_same_seed_whatever_was_drawn_before() {
    let host = Host::default();
    let all: Vec<_> = (0..50)
        .map(|number| draw(1, number, &host).spec.0)
        .collect();
    assert_eq!(draw(1, 49, &host).spec.0, all[49]);
    assert_ne!(draw(2, 49, &host).spec.0, all[49]);
    let mut texts: Vec<String> = all.iter().map(ToString::to_string).collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 50, "two of fifty bundles are alike");
}

#[test]
fn every_part_is_drawn_within_the_bundles_of_a_full_run() {
    let controllers = ["hugetlb", "pids", "memory", "cpu", "io"]
        .map(str::to_owned)
        .to_vec();
    let host = Host { controllers };
    let all: Vec<_> = (0..300)
        .map(|number| draw(1, number, &host).spec.0)
        .collect();
    for pointer in [
        "/process/user/umask",
        "/process/user/additionalGids/0",
        "/process/oomScoreAdj",
        "/process/rlimits/1",
        "/process/capabilities/ambient/0",
        "/linux/personality",
        "/linux/sysctl",
        "/linux/devices/0",
        "/linux/rootfsPropagation",
        "/linux/uidMappings",
        "/linux/resources/unified",
        "/domainname",
        "/linux/resources/hugepageLimits",
        "/linux/resources/memory/swap",
        "/linux/resources/cpu/shares",
    ] {
        assert!(
            all.iter().any(|spec| spec.pointer(pointer).is_some()),
            "{pointer}"
        );
    }
}

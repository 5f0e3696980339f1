use super::Reference;

const D: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn names_in_full() {
    let digest = format!("docker.io/library/alpine@{D}");
    let both = format!("docker.io/library/alpine:3@{D}");
    for (typed, full) in [
        ("alpine", "docker.io/library/alpine:latest"),
        ("alpine:3.19", "docker.io/library/alpine:3.19"),
        (&format!("alpine@{D}"), digest.as_str()),
        (&format!("alpine:3@{D}"), both.as_str()),
        ("grafana/grafana", "docker.io/grafana/grafana:latest"),
        ("docker.io/alpine", "docker.io/library/alpine:latest"),
        ("index.docker.io/alpine", "docker.io/library/alpine:latest"),
        ("quay.io/a/b/c:v1", "quay.io/a/b/c:v1"),
        ("localhost/x", "localhost/x:latest"),
        ("localhost:5000/x", "localhost:5000/x:latest"),
        ("127.0.0.1:5000/x:y", "127.0.0.1:5000/x:y"),
        ("[::1]:5000/x", "[::1]:5000/x:latest"),
        ("Registry/x", "Registry/x:latest"),
        ("a__b/c-d---e.f_g", "docker.io/a__b/c-d---e.f_g:latest"),
    ] {
        assert_eq!(
            Reference::parse(typed).unwrap().to_string(),
            full,
            "{typed}"
        );
    }
}

#[test]
fn the_digest_wins_over_the_tag() {
    let reference = Reference::parse(&format!("alpine:3@{D}")).unwrap();
    assert_eq!(reference.wanted(), D);
    assert_eq!(Reference::parse("alpine:3").unwrap().wanted(), "3");
}

#[test]
fn what_is_no_name() {
    for (typed, why) in [
        ("", "no name"),
        (":tag", "no name"),
        ("alpine:", "is no tag"),
        ("alpine:-x", "is no tag"),
        ("Alpine", "no capital letters"),
        ("a//b", "is empty"),
        ("a/", "is empty"),
        ("-a", "is no part"),
        ("a..b", "is no part"),
        ("a___b", "is no part"),
        ("../../etc", "is no host"),
        ("a/../b", "is no part"),
        ("a.b:x/c", "is no host"),
        ("a@sha256:12", "is no sha256 digest"),
        ("a@md5:12", "is no sha256 digest"),
        ("é", "is no part"),
        (&D[7..], "image's id"),
        (&format!("quay.io/{}", "x".repeat(300)), "longer than 255"),
        (&format!("a:{}", "x".repeat(129)), "is no tag"),
    ] {
        let error = Reference::parse(typed).unwrap_err().to_string();
        assert!(error.contains(why), "{typed}: {error}");
    }
}

#[test]
fn as_people_write_it() {
    for (typed, short) in [
        ("alpine", "alpine"),
        ("grafana/grafana", "grafana/grafana"),
        ("quay.io/a/b", "quay.io/a/b"),
    ] {
        assert_eq!(Reference::parse(typed).unwrap().familiar(), short);
    }
}

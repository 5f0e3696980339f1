//! Passwords and tokens.

use super::images::small;
use super::lab::Lab;
use super::registry::{Door, Fault, Registry, header};
use std::os::unix::fs::PermissionsExt;

/// ana:secret
const ANA: &str = "YW5hOnNlY3JldA==";

fn behind(door: Door) -> (Lab, Registry, String) {
    let (lab, registry) = (Lab::new(), Registry::new());
    registry.push("a", "1", &small());
    registry.state().door = door;
    let name = registry.name("a:1");
    (lab, registry, name)
}

#[test]
fn a_token_is_got_without_a_password() {
    let (lab, registry, name) = behind(Door::Bearer(None));
    lab.good(&["pull", "-q", &name]);
    let asked = registry.heard("/token");
    assert!(
        asked.len() < 6
            && asked[0].contains("service=tests")
            && asked[0].contains("scope=repository%3Aa%3Apull"),
        "{asked:?}"
    );
}

#[test]
fn a_password_opens_both_kinds_of_doors() {
    for door in [Door::Basic(ANA), Door::Bearer(Some(ANA))] {
        let (lab, _registry, name) = behind(door.clone());
        let told = lab.bad(&["pull", &name], "401");
        assert!(
            told.contains("hint:") && told.contains("orbital login 127.0.0.1:"),
            "{told}"
        );
        lab.bad(&["pull", "--creds", "ana:wrong", &name], "401");
        lab.good(&["pull", "-q", "--creds", "ana:secret", &name]);
    }
}

#[test]
fn login_keeps_what_the_registry_has_approved() {
    let (lab, registry, name) = behind(Door::Bearer(Some(ANA)));
    let host = format!("127.0.0.1:{}", registry.port);
    let login = |password: &[u8]| {
        lab.run_with(&["login", "-u", "ana", "--password-stdin", &host], password)
    };
    let wrong = login(b"wrong\n");
    assert_eq!(wrong.status, 125, "{wrong:?}");
    let file = lab.path().join("run/containers/auth.json");
    assert!(!file.exists());
    let right = login(b"secret\n");
    assert_eq!(
        (right.status, right.out),
        (0, format!("logged in to {host}\n")),
        "{}",
        right.err
    );
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(kept["auths"][&host]["auth"], ANA);
    lab.good(&["pull", "-q", &name]);
    lab.good(&["logout", &host]);
    lab.good(&["rmi", &name]);
    lab.bad(&["pull", &name], "401");
    lab.bad(&["logout", &host], "no password for it is kept");
}

#[test]
fn dockers_files_and_programs_are_asked() {
    let (mut lab, registry, name) = behind(Door::Basic(ANA));
    let host = format!("127.0.0.1:{}", registry.port);
    lab.write(
        ".docker/config.json",
        format!(r#"{{"auths": {{"http://{host}/v1/": {{"auth": "{ANA}"}}}}}}"#),
    );
    lab.good(&["pull", "-q", &name]);
    lab.good(&["rmi", &name]);
    let helper = lab.write("bin/docker-credential-test", format!(
        "#!/bin/sh\nread server\n[ \"$1 $server\" = \"get {host}\" ] && echo '{{\"Username\":\"ana\",\"Secret\":\"secret\"}}'\n"
    ));
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        lab.path().join("bin").display(),
        std::env::var("PATH").unwrap()
    );
    lab.set("PATH", path);
    lab.write(
        ".docker/config.json",
        format!(r#"{{"credHelpers": {{"{host}": "test"}}}}"#),
    );
    lab.good(&["pull", "-q", &name]);
    lab.good(&["rmi", &name]);
    lab.write(".docker/config.json", r#"{"credsStore": "missing"}"#);
    lab.bad(&["pull", &name], "docker-credential-missing");
    lab.write(".docker/config.json", "{");
    lab.bad(&["pull", &name], "line 1, column 1");
}

#[test]
fn another_host_is_not_told_the_password() {
    let (lab, registry, name) = behind(Door::Basic(ANA));
    let other = Registry::new();
    other.push("elsewhere", "1", &small());
    let layer = super::image::digest(&small().layers[0].blob);
    let there = format!("http://localhost:{}/v2/elsewhere/blobs/{layer}", other.port);
    registry.fault(&layer, [Fault::Redirect(there)]);
    lab.good(&["pull", "-q", "--creds", "ana:secret", &name]);
    let heard = other.heard(&layer);
    assert_eq!(heard.len(), 1);
    assert_eq!(header(&heard[0], "authorization"), None, "{}", heard[0]);
    assert!(
        registry
            .heard("/blobs/")
            .iter()
            .any(|heard| header(heard, "authorization").is_some())
    );
}

//! Registries behind TLS, with a certificate of an authority that only the test knows.

use super::archive::Tar;
use super::image::{Image, Layer, digest, image};
use super::images::small;
use super::lab::Lab;
use super::registry::{Door, Fault, Registry, header};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// ana:secret, and the second word as bcrypt has it.
const ANA: &str = "YW5hOnNlY3JldA==";
const HASHED: &str = "ana:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

/// An authority and what it has signed: for 127.0.0.1 and localhost.
struct Authority {
    folder: PathBuf,
}

impl Authority {
    /// Nothing where there is no openssl; it says so.
    fn new(lab: &Lab) -> Option<Authority> {
        if Command::new("openssl").arg("version").output().is_err() {
            println!("skipped: there is no openssl");
            return None;
        }
        lab.write(
            "tls/extensions",
            "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n",
        );
        let folder = lab.path().join("tls");
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        let script = format!(
            "openssl req -x509 {key} -keyout ca.key -out ca.crt -days 2 -subj /CN=authority &&
             openssl req {key} -keyout own.key -out own.csr -subj /CN=registry &&
             openssl x509 -req -in own.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out own.crt"
        );
        let made = Command::new("sh")
            .args(["-c", &script])
            .current_dir(&folder)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&made.stderr).into_owned();
        assert!(made.status.success(), "{told}");
        Some(Authority { folder })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The lab's user trusts it for this registry.
    fn trusted(&self, lab: &Lab, host: &str) {
        let text = std::fs::read(self.file("ca.crt")).unwrap();
        lab.write(&format!(".config/containers/certs.d/{host}/ca.crt"), text);
    }

    /// Puts TLS before the registry, on another port.
    fn before(&self, registry: &Registry) -> u16 {
        let chain = CertificateDer::pem_file_iter(self.file("own.crt")).unwrap();
        let key = PrivateKeyDer::from_pem_file(self.file("own.key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.map(Result::unwrap).collect(), key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        registry.state().realm = format!("https://127.0.0.1:{port}");
        let (config, inner) = (Arc::new(config), registry.port);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let config = Arc::clone(&config);
                // Who does not like the certificate hangs up: that is one of the cases.
                std::thread::spawn(move || drop(pass_on(stream, config, inner)));
            }
        });
        port
    }
}

/// One request and its answer.
fn pass_on(stream: TcpStream, config: Arc<ServerConfig>, inner: u16) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let told = |error: rustls::Error| std::io::Error::other(error.to_string());
    let mut outer = StreamOwned::new(ServerConnection::new(config).map_err(told)?, stream);
    let mut head = String::new();
    {
        let mut reader = BufReader::new(&mut outer);
        while reader.read_line(&mut head)? > 2 {}
    }
    let mut inner = TcpStream::connect(("127.0.0.1", inner))?;
    inner.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    inner.read_to_end(&mut answer)?;
    outer.write_all(&answer)?;
    outer.conn.send_close_notify();
    outer.flush()
}

/// A registry with TLS before it, and the name of an image in it.
fn behind(lab: &Lab, door: Door) -> Option<(Authority, Registry, String)> {
    let authority = Authority::new(lab)?;
    let registry = Registry::new();
    registry.push("a", "1", &small());
    registry.state().door = door;
    let host = format!("127.0.0.1:{}", authority.before(&registry));
    Some((authority, registry, host))
}

/// What everybody does with a registry that is not on their own machine.
const VERIFIED: &str = "--tls-verify=true";

#[test]
fn an_unknown_authority_is_refused_with_what_to_do() {
    let lab = Lab::new();
    let Some((authority, registry, host)) = behind(&lab, Door::Open) else {
        return;
    };
    let name = format!("{host}/a:1");
    let began = Instant::now();
    let told = lab.bad(&["pull", VERIFIED, &name], "certificate");
    assert!(told.contains(&format!("certs.d/{host}/ca.crt")), "{told}");
    assert!(told.contains("--tls-verify=false"), "{told}");
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "it is not asked again and again"
    );
    assert_eq!(registry.heard("/v2/"), [""; 0], "nothing was asked of it");
    authority.trusted(&lab, &host);
    lab.good(&["pull", "-q", VERIFIED, &name]);
    lab.good(&["rmi", &name]);
    lab.write(
        &format!(".config/containers/certs.d/{host}/ca.crt"),
        "no certificate\n",
    );
    lab.bad(&["pull", VERIFIED, &name], "certificate");
    lab.good(&["pull", "-q", "--tls-verify=false", &name]);
}

#[test]
fn a_certificate_of_another_host_is_refused() {
    let lab = Lab::new();
    let Some((authority, _registry, host)) = behind(&lab, Door::Open) else {
        return;
    };
    // Another name of the same machine, for which nothing was signed.
    let other = host.replace("127.0.0.1", "127.0.0.2");
    let inner = TcpListener::bind(&other).unwrap();
    let to = host.clone();
    std::thread::spawn(move || {
        for mut from in inner.incoming().flatten() {
            let mut there = TcpStream::connect(&to).unwrap();
            let (mut back_from, mut back_to) =
                (there.try_clone().unwrap(), from.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut back_from, &mut back_to));
            std::thread::spawn(move || std::io::copy(&mut from, &mut there));
        }
    });
    authority.trusted(&lab, &other);
    lab.bad(&["pull", VERIFIED, &format!("{other}/a:1")], "certificate");
}

#[test]
fn passwords_and_tokens_go_through_tls() {
    for door in [Door::Basic(ANA), Door::Bearer(Some(ANA))] {
        let lab = Lab::new();
        let Some((authority, registry, host)) = behind(&lab, door) else {
            return;
        };
        authority.trusted(&lab, &host);
        let name = format!("{host}/a:1");
        let told = lab.bad(&["pull", VERIFIED, &name], "401");
        assert!(told.contains(&format!("orbital login {host}")), "{told}");
        let login = ["login", VERIFIED, "-u", "ana", "--password-stdin", &host];
        assert_eq!(lab.run_with(&login, b"wrong\n").status, 125);
        let right = lab.run_with(&login, b"secret\n");
        assert_eq!(right.status, 0, "{right:?}");
        lab.good(&["pull", "-q", VERIFIED, &name]);
        let layers = registry.heard("/blobs/");
        assert!(
            layers
                .iter()
                .all(|heard| header(heard, "authorization").is_some())
        );
    }
}

#[test]
fn a_redirect_to_another_host_takes_no_password_along_and_never_leaves_tls() {
    let lab = Lab::new();
    let Some((authority, registry, host)) = behind(&lab, Door::Basic(ANA)) else {
        return;
    };
    authority.trusted(&lab, &host);
    let other = Registry::new();
    other.push("elsewhere", "1", &small());
    let port = authority.before(&other);
    authority.trusted(&lab, &format!("localhost:{port}"));
    let layers = small().layers.into_iter().map(|layer| digest(&layer.blob));
    for layer in layers {
        let there = format!("https://localhost:{port}/v2/elsewhere/blobs/{layer}");
        registry.fault(&layer, [Fault::Redirect(there)]);
    }
    let name = format!("{host}/a:1");
    // The other host's certificate is judged by what is trusted for the registry.
    lab.good(&["pull", "-q", VERIFIED, "--creds", "ana:secret", &name]);
    let heard = other.heard("/blobs/");
    assert_eq!(heard.len(), small().layers.len());
    for heard in heard {
        assert_eq!(header(&heard, "authorization"), None, "{heard}");
    }
    lab.good(&["rmi", &name]);
    let plain = format!("http://localhost:{}/v2/elsewhere/blobs/", other.port);
    for layer in small().layers {
        let layer = digest(&layer.blob);
        let there = format!("{plain}{layer}");
        registry.fault(&layer, vec![Fault::Redirect(there); 20]);
    }
    lab.bad(
        &["pull", VERIFIED, "--creds", "ana:secret", &name],
        "it redirects from TLS to http://localhost",
    );
}

/// Debian's docker-registry, as somebody sets it up: TLS, a password, files.
struct Debians(Child);

impl Drop for Debians {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Debians {
    fn start(lab: &Lab, authority: &Authority, port: u16) -> Debians {
        let (tls, place) = (&authority.folder, lab.path());
        lab.write("passwords", format!("{HASHED}\n"));
        let config = lab.write(
            "registry.yml",
            format!(
                "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
                 storage: {{filesystem: {{rootdirectory: {0}/registry}}}}\n\
                 auth: {{htpasswd: {{realm: here, path: {0}/passwords}}}}\n\
                 http: {{addr: \"127.0.0.1:{port}\", tls: {{certificate: {1}/own.crt, key: {1}/own.key}}}}\n",
                place.display(),
                tls.display()
            ),
        );
        let mut command = Command::new("docker-registry");
        command
            .args(["serve", &config])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let registry = Debians(command.spawn().unwrap());
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "docker-registry does not listen");
            std::thread::sleep(Duration::from_millis(30));
        }
        registry
    }

    /// Puts an image where that registry keeps its own.
    fn keep(lab: &Lab, name: &str, tag: &str, image: &Image) {
        let top = "registry/docker/registry/v2";
        let hex = |bytes: &[u8]| digest(bytes).split_off("sha256:".len());
        let blobs = image.layers.iter().map(|layer| &layer.blob);
        for blob in blobs.chain([&image.config, &image.manifest]) {
            let name_of = hex(blob);
            lab.write(
                &format!("{top}/blobs/sha256/{}/{name_of}/data", &name_of[..2]),
                blob,
            );
            let layer = format!("{top}/repositories/{name}/_layers/sha256/{name_of}/link");
            lab.write(&layer, digest(blob));
        }
        let of_manifest = hex(&image.manifest);
        for place in [
            format!("revisions/sha256/{of_manifest}"),
            format!("tags/{tag}/current"),
            format!("tags/{tag}/index/sha256/{of_manifest}"),
        ] {
            let link = format!("{top}/repositories/{name}/_manifests/{place}/link");
            lab.write(&link, digest(&image.manifest));
        }
    }
}

#[test]
fn debians_registry_serves_us() {
    let lab = Lab::new();
    if Command::new("docker-registry")
        .arg("--version")
        .output()
        .is_err()
    {
        return println!("skipped: there is no docker-registry");
    }
    let Some(authority) = Authority::new(&lab) else {
        return;
    };
    let large: Vec<u8> = (0_u32..1 << 19).flat_map(u32::to_le_bytes).collect();
    let mut layers = small().layers;
    layers.push(Layer::zstd(&Tar::default().file("large", &large).end()));
    Debians::keep(&lab, "team/app", "v1", &image(layers));
    // Free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let _registry = Debians::start(&lab, &authority, port);
    let host = format!("127.0.0.1:{port}");
    let name = format!("{host}/team/app:v1");
    lab.bad(&["pull", VERIFIED, &name], "certificate");
    authority.trusted(&lab, &host);
    let told = lab.bad(&["pull", VERIFIED, &name], "401");
    assert!(told.contains("orbital login"), "{told}");
    let login = ["login", VERIFIED, "-u", "ana", "--password-stdin", &host];
    let wrong = lab.run_with(&login, b"wrong\n");
    assert!(
        wrong.status == 125 && wrong.err.contains("401"),
        "{wrong:?}"
    );
    let right = lab.run_with(&login, b"secret\n");
    assert_eq!(right.status, 0, "{right:?}");
    lab.good(&["pull", "-q", VERIFIED, &name]);
    let layers = lab.layers(&name);
    assert_eq!(std::fs::read(layers[2].join("large")).unwrap(), large);
    let missing = format!("{host}/team/app:v2");
    let told = lab.bad(&["pull", VERIFIED, &missing], "404");
    assert!(told.contains("MANIFEST_UNKNOWN"), "{told}");
}

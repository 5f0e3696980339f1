//! A registry, asked by distribution-spec's HTTP: manifests and blobs, with what is needed to get them from
//! registries as they are.
//!
//! * `http` sends one request, and again where that may help: 429 and 5xx after the time the server names,
//!   connections that break after a growing while; it follows redirects, and tells no other host the
//!   password;
//! * `token` gets a token where the registry wants one (WWW-Authenticate);
//! * `blob` reads a blob to its end, going on with Range where the connection is cut.
//!
//! What it does not do: trust. Digests are compared by whoever keeps what comes.

/// Where an image may be: registries.conf.
pub mod settings;

/// Certificates: the host's authorities, and those of certs.d.
mod tls;

/// What it says of its failure.
mod complaint;

/// One request, and again where that may help.
mod http;

/// What a registry wants to be told, and the token it gives for it.
mod token;

/// A blob to its end.
mod blob;

use super::auth::Credentials;
use super::digest::Digest;
use super::image::manifest::{ACCEPTED, LARGEST_DOCUMENT};
use crate::error::{Cause, Error, Object, Result};
use settings::{Endpoint, Trust};
use std::io::Read;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A repository of a registry.
#[derive(Debug)]
pub struct Client {
    endpoint: Endpoint,
    agent: ureq::Agent,
    credentials: Credentials,
    state: Mutex<State>,
}

/// What is learned on the way.
#[derive(Debug)]
struct State {
    scheme: &'static str,
    /// The scheme has served once, and is not changed any more.
    proven: bool,
    authorization: Option<String>,
}

/// How long nothing may come before a connection counts as broken.
const SILENCE: Duration = Duration::from_secs(30);

impl Client {
    /// For one repository. Nothing is asked yet.
    ///
    /// # Errors
    /// Certificates that cannot be read.
    pub fn new(endpoint: Endpoint, credentials: Credentials) -> Result<Client> {
        let trust = match endpoint.trust {
            Trust::ByAddress if is_loopback(&endpoint.host) => Trust::Insecure,
            Trust::ByAddress => Trust::Verified,
            named => named,
        };
        let endpoint = Endpoint { trust, ..endpoint };
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("orbital/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(SILENCE))
            .timeout_recv_response(Some(2 * SILENCE))
            .timeout_per_read(Some(silence()))
            .tls_config(tls::config(&endpoint)?)
            .build();
        let state = State {
            scheme: "https",
            proven: false,
            authorization: None,
        };
        Ok(Client {
            endpoint,
            agent: config.into(),
            credentials,
            state: Mutex::new(state),
        })
    }

    /// Where it asks.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is in it is whole at any time.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The manifest or index of this tag or digest, and its media type.
    ///
    /// # Errors
    /// What the registry answers; a document that is too large, or hashes to something else.
    pub fn manifest(&self, wanted: &str) -> Result<Vec<u8>> {
        let doing = "fetch the manifest";
        let path = format!("manifests/{wanted}");
        let accept = ACCEPTED.join(", ");
        let mut answer = self.get(doing, &path, &[("Accept", &accept)])?;
        self.expect(doing, &path, &mut answer, &[200])?;
        let bytes = self.small(doing, &path, answer)?;
        match Digest::parse(wanted) {
            Some(digest) if Digest::of(&bytes) != digest => {
                let why = format!("what came hashes to {}", Digest::of(&bytes));
                Err(self.failed(doing, &path, why))
            }
            _ => Ok(bytes),
        }
    }

    /// A small blob: a config.
    ///
    /// # Errors
    /// As [`Client::manifest`].
    pub fn document(&self, digest: &Digest) -> Result<Vec<u8>> {
        let doing = "fetch a document";
        let path = format!("blobs/{digest}");
        let mut answer = self.get(doing, &path, &[])?;
        self.expect(doing, &path, &mut answer, &[200])?;
        let bytes = self.small(doing, &path, answer)?;
        if Digest::of(&bytes) == *digest {
            return Ok(bytes);
        }
        Err(self.failed(
            doing,
            &path,
            format!("what came hashes to {}", Digest::of(&bytes)),
        ))
    }

    /// Asks whether the credentials are right, as login does.
    ///
    /// # Errors
    /// What the registry answers.
    pub fn ping(&self) -> Result<()> {
        let doing = "log in";
        let mut answer = self.ask_base(doing)?;
        self.expect(doing, "", &mut answer, &[200])
    }

    fn small(&self, doing: &str, path: &str, answer: http::Answer) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = answer
            .body()
            .take(LARGEST_DOCUMENT + 1)
            .read_to_end(&mut bytes);
        match read {
            Err(error) => Err(self.failed(doing, path, error.to_string())),
            Ok(_) if bytes.len() as u64 > LARGEST_DOCUMENT => Err(self.failed(
                doing,
                path,
                format!("it has more than {LARGEST_DOCUMENT} bytes"),
            )),
            Ok(_) => Ok(bytes),
        }
    }

    /// A failure about this repository.
    fn failed(&self, doing: &str, path: &str, why: String) -> Error {
        let what = format!("{}/{}", self.endpoint.host, self.endpoint.path);
        let object = match path {
            "" => Object::Argument(self.endpoint.host.clone()),
            path => Object::Argument(format!("{what} {path}")),
        };
        Error::new(doing, object, Cause::Answer(why))
    }
}

/// Tests need not wait as long as people do.
fn silence() -> Duration {
    let asked =
        super::places::variable("ORBITAL_SILENCE_MS").and_then(|text| text.to_str()?.parse().ok());
    asked.map_or(SILENCE, Duration::from_millis)
}

/// Whether a registry is on this machine.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    let name = name.unwrap_or_default();
    name == "localhost"
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

//! A registry that answers as it is told to, also wrongly. Each connection brings one request.

use super::image::{Image, MANIFEST, digest};
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// What goes wrong once, with the next request whose path contains a word.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// This status, with a header.
    Status(u16, &'static str),
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// After so many bytes nothing comes any more.
    Stall(usize),
    /// Another address.
    Redirect(String),
    /// The bytes are others.
    Corrupt,
    /// Range is not heard.
    Whole,
}

/// Who is let in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Door {
    #[default]
    Open,
    /// With `Authorization: Basic` of this.
    Basic(&'static str),
    /// With a token, which is given to whoever has this `Authorization: Basic`, or to all.
    Bearer(Option<&'static str>),
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) door: Door,
    /// Scheme, host and port where tokens are given; by itself where it is empty.
    pub(crate) realm: String,
    documents: BTreeMap<String, (String, Vec<u8>)>,
    blobs: BTreeMap<String, Vec<u8>>,
    faults: Vec<(String, VecDeque<Fault>)>,
    /// Each request: its line and its headers.
    pub(crate) heard: Vec<String>,
}

/// A server on the loopback interface, until it is dropped.
#[derive(Clone)]
pub(crate) struct Registry {
    state: Arc<Mutex<State>>,
    pub(crate) port: u16,
}

const TOKEN: &str = "good-token";

impl Registry {
    pub(crate) fn new() -> Registry {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let registry = Registry {
            state: Arc::default(),
            port,
        };
        let own = registry.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let own = own.clone();
                // A caller that went away is one of the cases.
                std::thread::spawn(move || drop(own.answer(&stream)));
            }
        });
        registry
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody has panicked")
    }

    /// `127.0.0.1:PORT/REST`.
    pub(crate) fn name(&self, rest: &str) -> String {
        format!("127.0.0.1:{}/{rest}", self.port)
    }

    pub(crate) fn push(&self, repository: &str, tag: &str, image: &Image) {
        let mut state = self.state();
        let manifest = (MANIFEST.to_owned(), image.manifest.clone());
        for wanted in [tag.to_owned(), digest(&image.manifest)] {
            state.documents.insert(
                format!("/v2/{repository}/manifests/{wanted}"),
                manifest.clone(),
            );
        }
        let layers = image.layers.iter().map(|layer| &layer.blob);
        for blob in layers.chain([&image.config]) {
            state.blobs.insert(digest(blob), blob.clone());
        }
    }

    pub(crate) fn document(&self, repository: &str, tag: &str, kind: &str, bytes: &[u8]) {
        for wanted in [tag.to_owned(), digest(bytes)] {
            let path = format!("/v2/{repository}/manifests/{wanted}");
            self.state()
                .documents
                .insert(path, (kind.to_owned(), bytes.to_vec()));
        }
    }

    pub(crate) fn fault(&self, path: &str, faults: impl IntoIterator<Item = Fault>) {
        self.state()
            .faults
            .push((path.to_owned(), faults.into_iter().collect()));
    }

    /// Requests whose first line contains the word.
    pub(crate) fn heard(&self, word: &str) -> Vec<String> {
        let state = self.state();
        let lines = state
            .heard
            .iter()
            .filter(|heard| heard.lines().next().is_some_and(|line| line.contains(word)));
        lines.cloned().collect()
    }

    fn answer(&self, stream: &TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while reader.read_line(&mut head)? > 2 && head.len() < 65536 {}
        if !head.starts_with("GET ") {
            return Ok(());
        }
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let fault = {
            let mut state = self.state();
            state.heard.push(head.clone());
            let queue = state
                .faults
                .iter_mut()
                .find(|(word, queue)| path.contains(word.as_str()) && !queue.is_empty());
            queue.and_then(|(_, queue)| queue.pop_front())
        };
        self.reply(stream, &head, &path, fault.as_ref())
    }

    fn reply(
        &self,
        to: &TcpStream,
        head: &str,
        path: &str,
        fault: Option<&Fault>,
    ) -> std::io::Result<()> {
        match fault {
            Some(Fault::Status(status, header)) => {
                return send(to, *status, &format!("{header}\r\n"), b"{}", None);
            }
            Some(Fault::Redirect(url)) => {
                return send(to, 307, &format!("Location: {url}\r\n"), b"", None);
            }
            _ => {}
        }
        if path.starts_with("/token") {
            return self.token(to, head);
        }
        if let Some(challenge) = self.refused(head) {
            let header = format!("WWW-Authenticate: {challenge}\r\n");
            return send(
                to,
                401,
                &header,
                br#"{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}"#,
                None,
            );
        }
        let (documents, blobs) = {
            let state = self.state();
            let blob = path
                .rsplit('/')
                .next()
                .and_then(|digest| state.blobs.get(digest).cloned());
            (
                state.documents.get(path).cloned(),
                blob.filter(|_| path.contains("/blobs/")),
            )
        };
        match (documents, blobs) {
            _ if path == "/v2/" => send(to, 200, "", b"{}", None),
            (Some((kind, bytes)), _) => {
                send(to, 200, &format!("Content-Type: {kind}\r\n"), &bytes, fault)
            }
            (None, Some(blob)) => blob_to(to, head, &blob, fault),
            (None, None) => send(
                to,
                404,
                "",
                br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#,
                None,
            ),
        }
    }

    fn refused(&self, head: &str) -> Option<String> {
        let given = header(head, "authorization").unwrap_or_default();
        let state = self.state();
        let realm = match state.realm.as_str() {
            "" => format!("http://127.0.0.1:{}", self.port),
            other => other.to_owned(),
        };
        match &state.door {
            Door::Basic(wanted) if given != format!("Basic {wanted}") => {
                Some("Basic realm=\"here\"".to_owned())
            }
            Door::Bearer(_) if given != format!("Bearer {TOKEN}") => {
                Some(format!("Bearer realm=\"{realm}/token\",service=\"tests\""))
            }
            _ => None,
        }
    }

    fn token(&self, to: &TcpStream, head: &str) -> std::io::Result<()> {
        let given = header(head, "authorization");
        match &self.state().door {
            Door::Bearer(Some(wanted)) if given != Some(format!("Basic {wanted}")) => {
                send(to, 401, "", b"{}", None)
            }
            _ => send(
                to,
                200,
                "",
                format!(r#"{{"token":"{TOKEN}"}}"#).as_bytes(),
                None,
            ),
        }
    }
}

pub(crate) fn header(head: &str, name: &str) -> Option<String> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let mut found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.trim().to_owned())
}

fn blob_to(to: &TcpStream, head: &str, blob: &[u8], fault: Option<&Fault>) -> std::io::Result<()> {
    let range = header(head, "range").filter(|_| !matches!(fault, Some(Fault::Whole)));
    let from = range.and_then(|range| {
        range
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse::<usize>()
            .ok()
    });
    match from {
        Some(from) if from >= blob.len() => send(to, 416, "", b"", None),
        Some(from) => {
            let header = format!(
                "Content-Range: bytes {from}-{}/{}\r\n",
                blob.len() - 1,
                blob.len()
            );
            send(to, 206, &header, &blob[from..], fault)
        }
        None => send(to, 200, "", blob, fault),
    }
}

fn send(
    mut to: &TcpStream,
    status: u16,
    headers: &str,
    body: &[u8],
    fault: Option<&Fault>,
) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n",
        body.len()
    );
    to.write_all(head.as_bytes())?;
    match fault {
        Some(Fault::Cut(after)) => to.write_all(&body[..*after]),
        Some(Fault::Stall(after)) => {
            to.write_all(&body[..*after])?;
            std::thread::sleep(Duration::from_secs(3));
            Ok(())
        }
        Some(Fault::Corrupt) => to.write_all(&body.iter().map(|byte| byte ^ 1).collect::<Vec<_>>()),
        _ => to.write_all(body),
    }
}

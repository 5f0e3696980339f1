//! One request, and again where that may help.

use super::complaint::words;
use super::settings::Trust;
use super::{Client, token};
use crate::error::{Error, Result};
use std::io::Read;
use std::thread::sleep;
use std::time::Duration;
use ureq::http::Response;
use ureq::{Body, BodyReader};

/// How often one request is sent.
const MOST_TRIES: u32 = 6;

/// How often one redirect may lead to the next.
const MOST_REDIRECTS: u32 = 10;

/// Longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What came, its body still to be read.
#[derive(Debug)]
pub(super) struct Answer(Response<Body>);

impl Answer {
    pub(super) fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.0.headers().get(name)?.to_str().ok()
    }

    pub(super) fn headers(&self, name: &str) -> Vec<String> {
        let all = self.0.headers().get_all(name).iter();
        all.filter_map(|value| value.to_str().ok())
            .map(str::to_owned)
            .collect()
    }

    pub(super) fn body(self) -> BodyReader<'static> {
        self.0
            .into_body()
            .into_with_config()
            .limit(u64::MAX)
            .reader()
    }
}

/// How long to wait before try `number`, from 1: half a second, and twice as long each time.
pub(super) fn pause(number: u32) -> Duration {
    let first = if super::silence() < super::SILENCE {
        20
    } else {
        500
    };
    Duration::from_millis(first << number.saturating_sub(1).min(4))
}

impl Client {
    /// Gets `path` of the repository, whatever the status is at last.
    pub(super) fn get(&self, doing: &str, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
        let inner = format!("/v2/{}/{path}", self.endpoint.path);
        self.ask(doing, path, &inner, headers)
    }

    /// Gets the registry's root, which says whether we are let in.
    pub(super) fn ask_base(&self, doing: &str) -> Result<Answer> {
        self.ask(doing, "", "/v2/", &[])
    }

    fn ask(
        &self,
        doing: &str,
        path: &str,
        inner: &str,
        headers: &[(&str, &str)],
    ) -> Result<Answer> {
        let mut tries = 0;
        let mut authorized = 0;
        loop {
            tries += 1;
            let scheme = self.state().scheme;
            let url = format!("{scheme}://{}{inner}", self.endpoint.host);
            let answer = match self.follow(&url, headers) {
                Ok(answer) => answer,
                Err(_) if self.goes_plain() => continue,
                // Who has the wrong certificate has it the next time, too.
                Err(why) if tries < MOST_TRIES && !is_about_certificate(&why) => {
                    sleep(pause(tries));
                    continue;
                }
                Err(why) => return Err(self.unreachable(doing, path, why)),
            };
            self.state().proven = true;
            match answer.status() {
                401 if authorized < 2 => {
                    authorized += 1;
                    let found =
                        token::authorization(self, &answer.headers("WWW-Authenticate"), scheme)?;
                    match found {
                        Some(found) => self.state().authorization = Some(found),
                        None => return Ok(answer),
                    }
                }
                429 | 500 | 502..=504 if tries < MOST_TRIES => sleep(wanted_pause(&answer, tries)),
                _ => return Ok(answer),
            }
        }
    }

    /// Where TLS is not asked for and nothing has come by it, plain HTTP is tried.
    fn goes_plain(&self) -> bool {
        let mut state = self.state();
        let change =
            self.endpoint.trust == Trust::Insecure && !state.proven && state.scheme == "https";
        if change {
            state.scheme = "http";
        }
        change
    }

    /// Sends it, and follows where the answer leads. Another host is told neither password nor token, and
    /// nothing that came by TLS leads away from it.
    fn follow(&self, first: &str, headers: &[(&str, &str)]) -> std::result::Result<Answer, String> {
        let mut url = first.to_owned();
        for _ in 0..=MOST_REDIRECTS {
            let mut request = self.agent.get(&url);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let authorization = self.state().authorization.clone();
            if let Some(authorization) = authorization.filter(|_| origin(&url) == origin(first)) {
                request = request.header("Authorization", authorization);
            }
            let answer = Answer(request.call().map_err(|error| told(&error))?);
            if !matches!(answer.status(), 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let next = answer.header("Location").ok_or("it redirects to nowhere")?;
            let next = join(&url, next);
            if url.starts_with("https:") && !next.starts_with("https:") {
                return Err(format!("it redirects from TLS to {}", origin(&next)));
            }
            url = next;
        }
        Err(format!("it redirects more than {MOST_REDIRECTS} times"))
    }

    /// Asks another address: a token's. Its answer is small.
    pub(super) fn elsewhere(
        &self,
        url: &str,
        form: Option<&[(&str, &str)]>,
        authorization: Option<&str>,
    ) -> std::result::Result<(u16, Vec<u8>), String> {
        let sent = match form {
            Some(form) => self.agent.post(url).send_form(form.iter().copied()),
            None => {
                let request = self.agent.get(url);
                match authorization {
                    Some(authorization) => request.header("Authorization", authorization).call(),
                    None => request.call(),
                }
            }
        };
        let answer = Answer(sent.map_err(|error| told(&error))?);
        let status = answer.status();
        let mut bytes = Vec::new();
        let read = answer.body().take(1 << 20).read_to_end(&mut bytes);
        read.map(|_| (status, bytes))
            .map_err(|error| error.to_string())
    }

    /// Refuses every other status, in the registry's own words.
    pub(super) fn expect(
        &self,
        doing: &str,
        path: &str,
        answer: &mut Answer,
        good: &[u16],
    ) -> Result<()> {
        let status = answer.status();
        if good.contains(&status) {
            return Ok(());
        }
        let mut bytes = Vec::new();
        let _ = answer
            .0
            .body_mut()
            .as_reader()
            .take(64 << 10)
            .read_to_end(&mut bytes);
        let error = self.failed(
            doing,
            path,
            format!("the registry answers {}", words(status, &bytes)),
        );
        let host = &self.endpoint.host;
        Err(match status {
            401 | 403 if self.credentials.is_anonymous() => error.hint(format!(
                "there may be no such image, or it wants a password: orbital login {host}"
            )),
            401 | 403 => error.hint(format!(
                "the password may be wrong or may not suffice: orbital login {host}"
            )),
            404 => error.hint("see whether the name and the tag are right"),
            429 => error.hint("wait; logging in may allow more"),
            _ => error,
        })
    }

    fn unreachable(&self, doing: &str, path: &str, why: String) -> Error {
        let host = &self.endpoint.host;
        let certificate = is_about_certificate(&why);
        let error = self.failed(doing, path, why);
        if certificate {
            return error.hint(format!("put its authority into /etc/containers/certs.d/{host}/ca.crt, or use --tls-verify=false"));
        }
        error.hint(format!(
            "see whether {host} can be reached, and whether a proxy is needed (HTTPS_PROXY)"
        ))
    }
}

fn is_about_certificate(why: &str) -> bool {
    why.contains("certificate") || why.contains("UnknownIssuer")
}

fn told(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::HostNotFound => "there is no host of this name".to_owned(),
        ureq::Error::ConnectionFailed => "nobody answers there".to_owned(),
        other => other.to_string(),
    }
}

/// Retry-After in seconds, else our own growing pause.
fn wanted_pause(answer: &Answer, tries: u32) -> Duration {
    let asked = answer
        .header("Retry-After")
        .and_then(|text| text.trim().parse().ok());
    asked
        .map_or_else(|| pause(tries), Duration::from_secs)
        .min(LONGEST_WAIT)
}

/// Scheme, host and port.
fn origin(url: &str) -> &str {
    let after = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(after..).and_then(|rest| rest.find(['/', '?', '#']));
    end.and_then(|end| url.get(..after + end)).unwrap_or(url)
}

/// Where `Location` leads: RFC 3986, section 5.2, without dots, which the server resolves.
fn join(base: &str, location: &str) -> String {
    if location.contains("://") {
        return location.to_owned();
    }
    if let Some(rest) = location.strip_prefix("//") {
        let scheme = base.split("://").next().unwrap_or("https");
        return format!("{scheme}://{rest}");
    }
    if location.starts_with('/') {
        return format!("{}{location}", origin(base));
    }
    let path = base.split(['?', '#']).next().unwrap_or(base);
    let folder = path.rsplit_once('/').map_or(path, |(folder, _)| folder);
    format!("{folder}/{location}")
}

#[cfg(test)]
mod tests {
    use super::{join, origin};

    #[test]
    fn locations_are_joined_and_origins_compared() {
        let base = "https://r.example:5000/v2/a/blobs/x?y=1";
        for (location, whole) in [
            ("https://cdn.example/b", "https://cdn.example/b"),
            ("//cdn.example/b", "https://cdn.example/b"),
            ("/b?c", "https://r.example:5000/b?c"),
            ("b", "https://r.example:5000/v2/a/blobs/b"),
        ] {
            assert_eq!(join(base, location), whole);
        }
        assert_eq!(origin(base), "https://r.example:5000");
        assert_ne!(
            origin("https://r.example/"),
            origin("https://r.example.evil.example/")
        );
        assert_ne!(
            origin("https://r.example@evil.example/"),
            origin("https://r.example/")
        );
    }
}

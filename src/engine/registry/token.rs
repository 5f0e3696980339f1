//! What a registry wants to be told (RFC 9110, WWW-Authenticate), and the token it gives for it
//! (distribution's token authentication).

use super::Client;
use super::complaint::words;
use crate::engine::auth::Credentials;
use crate::error::Result;
use std::collections::BTreeMap;

/// One challenge: a scheme and its parameters.
#[derive(Debug, PartialEq, Eq)]
struct Challenge {
    scheme: String,
    parameters: BTreeMap<String, String>,
}

/// The value of Authorization that answers one of these challenges; `None` where there is nothing to tell.
pub(super) fn authorization(
    client: &Client,
    challenges: &[String],
    scheme: &str,
) -> Result<Option<String>> {
    let all: Vec<Challenge> = challenges.iter().flat_map(|text| read(text)).collect();
    let named = |name: &str| all.iter().find(|challenge| challenge.scheme == name);
    if let Some(bearer) = named("bearer") {
        return token(client, bearer, scheme).map(Some);
    }
    Ok(named("basic").and_then(|_| client.credentials.basic()))
}

fn token(client: &Client, challenge: &Challenge, scheme: &str) -> Result<String> {
    let doing = "get a token";
    let failed = |why: String| client.failed(doing, "", why);
    let parameter = |name: &str| {
        challenge
            .parameters
            .get(name)
            .map(String::as_str)
            .unwrap_or_default()
    };
    let realm = parameter("realm");
    let plain = realm.starts_with("http://") && scheme == "http";
    if !plain && !realm.starts_with("https://") {
        return Err(failed(format!(
            "the registry sends us to {realm:?} with the password, which is not by TLS"
        )));
    }
    let (status, body) =
        ask(client, realm, parameter("service"), parameter("scope")).map_err(failed)?;
    if status != 200 {
        let error = failed(format!(
            "{} answers {}",
            origin_of(realm),
            words(status, &body)
        ));
        return Err(error.hint(format!(
            "see the user and the password: orbital login {}",
            client.endpoint.host
        )));
    }
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let token = ["token", "access_token"]
        .iter()
        .find_map(|name| body.get(*name)?.as_str());
    match token.filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic())) {
        Some(token) => Ok(format!("Bearer {token}")),
        None => Err(failed(format!(
            "{} answers without a token",
            origin_of(realm)
        ))),
    }
}

/// Asks the realm, with the password or the token that we have: its status, and what it says.
fn ask(
    client: &Client,
    realm: &str,
    service: &str,
    scope: &str,
) -> std::result::Result<(u16, Vec<u8>), String> {
    let path = &client.endpoint.path;
    let scope = match (scope, path.as_str()) {
        ("", "") => String::new(),
        ("", path) => format!("repository:{path}:pull"),
        (scope, _) => scope.to_owned(),
    };
    match &client.credentials {
        Credentials::Token(refresh) => {
            let form = [
                ("grant_type", "refresh_token"),
                ("service", service),
                ("scope", scope.as_str()),
                ("client_id", "orbital"),
                ("refresh_token", refresh.as_str()),
            ];
            client.elsewhere(realm, Some(&form), None)
        }
        credentials => {
            let basic = credentials.basic();
            let mut url = format!("{realm}{}", if realm.contains('?') { "&" } else { "?" });
            url.push_str(&format!("service={}", escape(service)));
            if !scope.is_empty() {
                url.push_str(&format!("&scope={}", escape(&scope)));
            }
            client.elsewhere(&url, None, basic.as_deref())
        }
    }
}

fn origin_of(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

/// Everything but letters, digits and `-._~` as `%XX`; RFC 3986.
fn escape(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Reads `Bearer realm="…",service="…", Basic realm="…"`.
fn read(header: &str) -> Vec<Challenge> {
    let mut all: Vec<Challenge> = Vec::new();
    let mut rest = header.trim();
    while !rest.is_empty() {
        let end = rest.find([' ', '=', ',']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let after = after.trim_start();
        if let Some(value) = after.strip_prefix('=') {
            let (value, after) = quoted(value.trim_start());
            if let Some(challenge) = all.last_mut() {
                challenge
                    .parameters
                    .insert(word.to_ascii_lowercase(), value);
            }
            rest = after;
        } else {
            if !word.is_empty() {
                all.push(Challenge {
                    scheme: word.to_ascii_lowercase(),
                    parameters: BTreeMap::new(),
                });
            }
            rest = after;
        }
        rest = rest.trim_start_matches([',', ' ', '\t']);
    }
    all
}

/// A value with or without quotes, and what follows it.
fn quoted(text: &str) -> (String, &str) {
    let Some(inner) = text.strip_prefix('"') else {
        let end = text.find([',', ' ']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut letters = inner.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, inner.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
            letter => value.push(letter),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::{escape, read};

    #[test]
    fn challenges_are_read() {
        let header = r#"Bearer realm="https://a.example/token",service="reg, istry",scope="repository:x:pull,push", Basic realm=plain"#;
        let all = read(header);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].scheme, "bearer");
        assert_eq!(all[0].parameters["service"], "reg, istry");
        assert_eq!(all[0].parameters["scope"], "repository:x:pull,push");
        assert_eq!(all[1].scheme, "basic");
        assert_eq!(all[1].parameters["realm"], "plain");
        assert_eq!(read("Negotiate")[0].scheme, "negotiate");
        assert!(read("").is_empty());
        assert_eq!(
            read("Bearer realm=\"unfinished")[0].parameters["realm"],
            "unfinished"
        );
        assert_eq!(escape("repository:a/b:pull"), "repository%3Aa%2Fb%3Apull");
    }
}

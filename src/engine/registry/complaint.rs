//! What a registry says of its failure, for people.

/// What the registry says of its failure: distribution-spec, "Error Codes".
pub(super) fn words(status: u16, body: &[u8]) -> String {
    let told = serde_json::from_slice::<serde_json::Value>(body)
        .ok()
        .and_then(|body| {
            let first = body.get("errors")?.get(0)?;
            let part = |name: &str| {
                first
                    .get(name)
                    .and_then(serde_json::Value::as_str)
                    .unwrap_or_default()
            };
            Some(format!("{}: {}", part("code"), part("message")))
        });
    let name = ureq::http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason());
    match told {
        Some(told) => format!("{status} ({told})"),
        None => format!("{status} {}", name.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn the_registrys_own_words_are_told() {
        let body = br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
        assert_eq!(words(404, body), "404 (MANIFEST_UNKNOWN: manifest unknown)");
        assert_eq!(words(502, b"<html>"), "502 Bad Gateway");
    }
}

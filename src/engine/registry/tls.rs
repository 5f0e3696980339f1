//! Certificates: the host's authorities, and for one registry those of certs.d, as docker and podman have them
//! (containers-certs.d(5)): `HOST:PORT/*.crt` are authorities, `NAME.cert` and `NAME.key` ourselves.

use super::settings::{Endpoint, Trust};
use crate::engine::places::variable;
use crate::error::{Cause, Error, Object, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

/// Where distributions keep their authorities.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

const FOLDERS: [&str; 3] = [
    "/etc/orbital/certs.d",
    "/etc/containers/certs.d",
    "/etc/docker/certs.d",
];

/// TLS as this registry wants it.
pub(super) fn config(endpoint: &Endpoint) -> Result<TlsConfig> {
    let mut roots = authorities()?;
    let mut own = None;
    for folder in folders(&endpoint.host) {
        let listed = fs::read_dir(&folder).into_iter().flatten().flatten();
        for file in listed.map(|entry| entry.path()) {
            match file.extension().and_then(|end| end.to_str()) {
                Some("crt") => roots.extend(certificates(&file)?),
                Some("cert") => own = Some(client(&file)?),
                _ => {}
            }
        }
    }
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .client_cert(own)
        .disable_verification(endpoint.trust == Trust::Insecure)
        .build())
}

fn folders(host: &str) -> Vec<PathBuf> {
    let home = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".config")));
    let own = home.map(|home| home.join("containers/certs.d"));
    let all = FOLDERS.iter().map(PathBuf::from).chain(own);
    all.map(|folder| folder.join(host)).collect()
}

fn authorities() -> Result<Vec<Certificate<'static>>> {
    if let Some(file) = variable("SSL_CERT_FILE") {
        return certificates(Path::new(&file));
    }
    match BUNDLES.iter().map(Path::new).find(|file| file.exists()) {
        Some(file) => certificates(file),
        // A host without any can still reach registries that need none, or that certs.d knows.
        None => Ok(Vec::new()),
    }
}

fn items(file: &Path) -> Result<Vec<PemItem<'static>>> {
    let bytes =
        fs::read(file).map_err(|error| Error::io("read a certificate", file, "read", &error))?;
    parse_pem(&bytes)
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| {
            Error::new(
                "read a certificate",
                Object::File(file.to_owned()),
                Cause::Answer(error.to_string()),
            )
        })
}

fn certificates(file: &Path) -> Result<Vec<Certificate<'static>>> {
    let all = items(file)?.into_iter();
    Ok(all
        .filter_map(|item| {
            if let PemItem::Certificate(one) = item {
                Some(one)
            } else {
                None
            }
        })
        .collect())
}

fn client(file: &Path) -> Result<ClientCert> {
    let key = file.with_extension("key");
    let keys = items(&key)?.into_iter();
    let found = keys
        .filter_map(|item| {
            if let PemItem::PrivateKey(key) = item {
                Some(key)
            } else {
                None
            }
        })
        .next();
    let found: Option<PrivateKey<'static>> = found;
    match found {
        Some(private) => Ok(ClientCert::new_with_certs(&certificates(file)?, private)),
        None => {
            let why = Cause::Answer("there is no private key in it".to_owned());
            Err(Error::new("read a certificate", Object::File(key), why))
        }
    }
}

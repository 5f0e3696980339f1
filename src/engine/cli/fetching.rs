//! Flags about how an image is fetched: for every verb that fetches one.

use super::{text, value};
use crate::engine::auth::Credentials;
use crate::engine::image::Platform;
use crate::engine::progress::{Form, Progress};
use crate::engine::pull::Wish;
use crate::engine::registry::settings::Trust;
use crate::engine::source::{Access, Name};
use crate::error::{Cause, Error, Object, Result};
use clap::builder::PossibleValuesParser;
use clap::{ArgMatches, Command};

/// The flags.
#[must_use]
pub fn fetching(command: Command) -> Command {
    let progress = value(
        "progress",
        "FORM",
        "bars on a terminal and lines elsewhere, or lines, or JSON for programs [auto]",
    );
    command.args([
        value(
            "platform",
            "OS/ARCH",
            "for which machine, such as linux/arm64 [this one]",
        ),
        value(
            "creds",
            "USER:PASSWORD",
            "who we are to the registry, in place of what login keeps",
        ),
        // A switch with a value of its own: --tls-verify=false.
        value(
            "tls-verify",
            "BOOL",
            "false: any certificate will do, and plain HTTP [true; false for this machine's own]",
        )
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .value_parser(PossibleValuesParser::new(["true", "false"])),
        progress.value_parser(PossibleValuesParser::new(["auto", "plain", "json"])),
        value(
            "max-unpacked",
            "SIZE",
            "most bytes that one layer may unpack to [1g, or 100 times its size]",
        ),
    ])
}

/// What these flags say of the image that is typed so, and how its coming is told.
///
/// # Errors
/// Values that are none.
pub fn wish(found: &ArgMatches, typed: &str) -> Result<(Wish, Progress)> {
    let credentials = text(found, "creds")
        .map(|creds| Credentials::parse(&creds))
        .transpose()?;
    let trust = found
        .get_one::<String>("tls-verify")
        .map(|word| match word.as_str() {
            "false" => Trust::Insecure,
            _ => Trust::Verified,
        });
    let platform = text(found, "platform")
        .map(|platform| Platform::parse(&platform))
        .transpose()?;
    let most = text(found, "max-unpacked")
        .map(|size| bytes("max-unpacked", &size))
        .transpose()?;
    let form = match found.get_one::<String>("progress").map(String::as_str) {
        _ if found
            .try_get_one::<bool>("quiet")
            .is_ok_and(|quiet| quiet == Some(&true)) =>
        {
            Form::Quiet
        }
        Some("json") => Form::Json,
        Some("plain") => Form::Plain,
        _ => Form::Auto,
    };
    let access = Access { credentials, trust };
    let wish = Wish {
        name: Name::parse(typed)?,
        typed: typed.to_owned(),
        access,
        platform,
        most,
    };
    Ok((wish, Progress::new(form)))
}

/// A number of bytes: `512`, `64k`, `10m`, `2g`, `1t`, with or without a b at the end.
pub(super) fn bytes(flag: &str, typed: &str) -> Result<u64> {
    let lower = typed.to_ascii_lowercase();
    let bare = lower.strip_suffix('b').unwrap_or(&lower);
    let (number, shift) = match bare.char_indices().next_back() {
        Some((at, 'k')) => (bare.get(..at), 10),
        Some((at, 'm')) => (bare.get(..at), 20),
        Some((at, 'g')) => (bare.get(..at), 30),
        Some((at, 't')) => (bare.get(..at), 40),
        _ => (Some(bare), 0),
    };
    let size = number
        .and_then(|number| number.parse::<u64>().ok())
        .and_then(|number| number.checked_mul(1 << shift));
    size.ok_or_else(|| {
        let why = Cause::Refused("it is no size, such as 512m or 2g".to_owned());
        Error::new(
            "read the command line",
            Object::Argument(format!("--{flag} {typed}")),
            why,
        )
    })
}

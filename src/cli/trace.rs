//! `--debug`: every `tracing` event of orbital becomes a record in the log.
//!
//! Without `--debug` this is never installed, and an event costs one comparison.

use super::log::{Level, Log};
use super::{Global, Verbosity};
use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::fmt::Debug;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// From now on, events are written to `log`, if `global` asks for it. A second call changes nothing.
///
/// # Errors
/// As fcntl(2), of the log's descriptor.
pub fn begin(global: &Global, log: &Log) -> Result<()> {
    if global.verbosity != Verbosity::Debug {
        return Ok(());
    }
    let path = global.log.clone().unwrap_or_default();
    let log = log
        .copy()
        .map_err(|error| Error::io("copy the log's descriptor", path, "fcntl", &error))?;
    // Only an earlier subscriber makes this fail, and that one goes on recording.
    let _ = tracing::subscriber::set_global_default(Trace { log });
    Ok(())
}

#[derive(Debug)]
pub(super) struct Trace {
    pub(super) log: Log,
}

impl Subscriber for Trace {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= tracing::Level::DEBUG
    }

    fn event(&self, event: &Event<'_>) {
        let level = match *event.metadata().level() {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warning,
            tracing::Level::INFO => Level::Info,
            _ => Level::Debug,
        };
        let mut words = Words::default();
        event.record(&mut words);
        self.log.record(level, words.message, words.keys);
    }

    // Spans are not recorded: a command is one act after the other.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// An event's message, and its other fields.
#[derive(Default)]
struct Words {
    message: String,
    keys: Map<String, Value>,
}

impl Words {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            ("message", value) => self.message = value.to_string(),
            (name, value) => {
                self.keys.insert(name.to_owned(), value);
            }
        }
    }
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

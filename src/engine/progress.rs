//! How far a pull is: bars on a terminal, lines elsewhere, JSON for programs, or nothing. It goes to
//! standard error; standard output has the image's id at the end.

use crate::engine::digest::Digest;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// In which form it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Bars on a terminal, lines elsewhere.
    Auto,
    /// Lines.
    Plain,
    /// One JSON object a line.
    Json,
    /// Nothing.
    Quiet,
}

/// Who tells it.
#[derive(Debug)]
pub struct Progress {
    form: Form,
    bars: Option<MultiProgress>,
}

/// One layer's.
#[derive(Debug)]
pub struct Item<'p> {
    all: &'p Progress,
    id: String,
    total: u64,
    bar: Option<ProgressBar>,
    last: Mutex<(&'static str, Instant)>,
}

/// Between two JSON objects about the same layer.
const STEP: Duration = Duration::from_millis(200);

impl Progress {
    /// Tells it in this form.
    #[must_use]
    pub fn new(form: Form) -> Progress {
        let bars = (form == Form::Auto && std::io::stderr().is_terminal())
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Progress { form, bars }
    }

    /// Tells a sentence.
    pub fn say(&self, what: &str) {
        match (self.form, &self.bars) {
            (Form::Quiet, _) => {}
            (Form::Json, _) => put(&json!({"status": what}).to_string()),
            // A terminal that is gone wants to know nothing, ignored.
            (_, Some(bars)) => drop(bars.println(what)),
            (_, None) => put(what),
        }
    }

    /// Begins to tell of one layer of `total` bytes.
    #[must_use]
    pub fn item(&self, digest: &Digest, total: u64) -> Item<'_> {
        let id = digest.short().to_owned();
        let bar = self.bars.as_ref().map(|bars| {
            let style =
                ProgressStyle::with_template("{prefix} {msg:12} [{bar:30}] {bytes}/{total_bytes}");
            let bar = ProgressBar::new(total)
                .with_prefix(id.clone())
                .with_message("waiting");
            bars.add(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
        });
        Item {
            all: self,
            id,
            total,
            bar,
            last: Mutex::new(("", Instant::now())),
        }
    }
}

impl Item<'_> {
    /// It is at `current` bytes of `doing`: downloading, unpacking.
    pub fn at(&self, doing: &'static str, current: u64) {
        if let Some(bar) = &self.bar {
            bar.set_message(doing);
            bar.set_position(current);
            return;
        }
        let Ok(mut last) = self.last.lock() else {
            return;
        };
        let changed = last.0 != doing;
        if self.all.form == Form::Json && (changed || last.1.elapsed() >= STEP) {
            let line =
                json!({"id": self.id, "status": doing, "current": current, "total": self.total});
            put(&line.to_string());
            *last = (doing, Instant::now());
        } else if changed && self.all.form != Form::Quiet && self.all.form != Form::Json {
            put(&format!("{}: {doing} ({} bytes)", self.id, self.total));
            last.0 = doing;
        }
    }

    /// It is ready: `how` says whether it was fetched or there before.
    pub fn done(&self, how: &'static str) {
        match (&self.bar, self.all.form) {
            (Some(bar), _) => {
                bar.set_position(self.total);
                bar.finish_with_message(how);
            }
            (None, Form::Quiet) => {}
            (None, Form::Json) => {
                put(&json!({"id": self.id, "status": how, "total": self.total}).to_string())
            }
            (None, _) => put(&format!("{}: {how}", self.id)),
        }
    }
}

fn put(line: &str) {
    // Who closed standard error does not want to know.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

//! What a bundle asks to be mounted: by it the lines of a view are named.

/// What config.json asked to be mounted where, for the names of lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// `/mounts`, by destination.
    pub(crate) mounts: Vec<String>,
    /// `/linux/maskedPaths`.
    pub(crate) masked: Vec<String>,
    /// `/linux/readonlyPaths`.
    pub(crate) read_only: Vec<String>,
}

impl Asked {
    /// What a mount at `target` is called. Only those of `/mounts` are asked for as mounts; how a path is
    /// masked is the runtime's own matter.
    pub(crate) fn word(&self, target: &str) -> &'static str {
        let is = |path: &String| is_at(path, target);
        if self.masked.iter().any(is) {
            "masked"
        } else if self.read_only.iter().any(is) && !self.mounts.iter().any(is) {
            "read-only"
        } else {
            "mount"
        }
    }

    /// Whether the line, which begins with a path, is about a masked one.
    pub(crate) fn masks(&self, line: &str) -> bool {
        let path = line
            .split(' ')
            .next()
            .unwrap_or_default()
            .trim_matches('\'');
        self.masked.iter().any(|masked| is_at(masked, path))
    }
}

/// The ordinary root file system has a link /link to /srv.
fn is_at(path: &str, target: &str) -> bool {
    path == target || (path == "/link" && target == "/srv")
}

//! What a container wrote, as docker's json-file: one object a line, with the stream and the time. A file that
//! has become too long is put aside (`log.json.1` and so on), and the oldest is dropped.

use crate::engine::container::wish::Wish;
use crate::sys::clock;
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Longest line that is one entry; docker's.
const LONGEST: usize = 16 << 10;

/// Which stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output, or the terminal.
    Out,
    /// Standard error.
    Err,
}

/// An open log.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: Option<File>,
    written: u64,
    most: u64,
    files: u32,
    begun: [Vec<u8>; 2],
}

impl Log {
    /// Opens it, at its end. Where it cannot be written nothing is kept: the container is worth more.
    pub(crate) fn open(path: &Path, wish: &Wish) -> Log {
        let file = match wish.log_driver.as_str() {
            "none" => None,
            _ => append(path),
        };
        let written = file
            .as_ref()
            .and_then(|file| file.metadata().ok())
            .map_or(0, |look| look.len());
        Log {
            path: path.to_path_buf(),
            file,
            written,
            most: wish.log_size,
            files: wish.log_files.max(1),
            begun: [Vec::new(), Vec::new()],
        }
    }

    /// Writes whole lines; the rest waits for its end.
    pub(crate) fn write(&mut self, stream: Stream, bytes: &[u8]) {
        if self.file.is_none() {
            return;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let begun = match stream {
                Stream::Out => &mut self.begun[0],
                Stream::Err => &mut self.begun[1],
            };
            let end = rest
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(rest.len(), |at| at + 1);
            let room = LONGEST.saturating_sub(begun.len()).max(1);
            let (now, later) = rest.split_at(end.min(room));
            begun.extend_from_slice(now);
            rest = later;
            if begun.last() == Some(&b'\n') || begun.len() >= LONGEST {
                let line = std::mem::take(begun);
                self.entry(stream, &line);
            }
        }
    }

    /// Writes what has no line's end.
    pub(crate) fn close(&mut self) {
        for (stream, index) in [(Stream::Out, 0), (Stream::Err, 1)] {
            let line = self
                .begun
                .get_mut(index)
                .map(std::mem::take)
                .unwrap_or_default();
            if !line.is_empty() {
                self.entry(stream, &line);
            }
        }
    }

    fn entry(&mut self, stream: Stream, line: &[u8]) {
        let name = match stream {
            Stream::Out => "stdout",
            Stream::Err => "stderr",
        };
        let text = String::from_utf8_lossy(line);
        let mut entry =
            json!({ "log": text, "stream": name, "time": clock::now_rfc3339() }).to_string();
        entry.push('\n');
        let length = entry.len() as u64;
        if self.most > 0 && self.written > 0 && self.written + length > self.most {
            self.turn();
        }
        if let Some(file) = &mut self.file {
            // A full disk must not end the container, ignored.
            let _ = file.write_all(entry.as_bytes());
            self.written += length;
        }
    }

    /// Puts the file aside and begins another.
    fn turn(&mut self) {
        for number in (1..self.files).rev() {
            let older = aside(&self.path, number);
            let newer = if number == 1 {
                self.path.clone()
            } else {
                aside(&self.path, number - 1)
            };
            // There are not yet as many, ignored.
            let _ = std::fs::rename(newer, older);
        }
        if self.files == 1 {
            // What is kept is the newest, ignored where it is gone.
            let _ = std::fs::remove_file(&self.path);
        }
        self.file = append(&self.path);
        self.written = 0;
    }
}

/// `log.json.1` for 1.
pub(crate) fn aside(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

fn append(path: &Path) -> Option<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_what_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.json");
        let mut log = Log::open(&path, &Wish::default());
        log.write(Stream::Out, b"one\ntw");
        log.write(Stream::Err, b"bad\n");
        log.write(Stream::Out, b"o\nlast");
        log.close();
        let lines = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let texts: Vec<_> = lines
            .iter()
            .map(|line| line["log"].as_str().unwrap())
            .collect();
        assert_eq!(texts, ["one\n", "bad\n", "two\n", "last"]);
        assert_eq!(lines[1]["stream"], "stderr");
    }

    #[test]
    fn long_logs_are_put_aside_and_the_oldest_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.json");
        let mut log = Log::open(
            &path,
            &Wish {
                log_size: 300,
                log_files: 2,
                ..Wish::default()
            },
        );
        for number in 0..20 {
            log.write(Stream::Out, format!("line {number}\n").as_bytes());
        }
        let names = std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(names, 2);
        assert!(std::fs::read_to_string(&path).unwrap().contains("line 19"));
        for file in [path.clone(), aside(&path, 1)] {
            assert!(std::fs::metadata(file).unwrap().len() <= 300);
        }
    }
}

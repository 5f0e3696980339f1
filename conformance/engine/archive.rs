//! Archives, byte by byte: also those that no honest program makes.

use std::io::Write;
use std::process::{Command, Stdio};

/// A tar on its way.
#[derive(Default, Clone)]
pub(crate) struct Tar(Vec<u8>);

/// What differs from an ordinary file.
#[derive(Clone)]
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: u8,
    pub(crate) link: &'a str,
    pub(crate) mode: u32,
    pub(crate) owner: (u32, u32),
    pub(crate) mtime: u64,
    pub(crate) device: (u32, u32),
    /// What the header says, where that is not the data's length.
    pub(crate) size: Option<u64>,
}

pub(crate) fn entry(name: &str, kind: u8) -> Entry<'_> {
    Entry {
        name,
        kind,
        link: "",
        mode: 0o644,
        owner: (0, 0),
        mtime: 1_000_000_000,
        device: (0, 0),
        size: None,
    }
}

impl Tar {
    pub(crate) fn add(mut self, entry: &Entry<'_>, data: &[u8]) -> Tar {
        let mut block = [0_u8; 512];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        let octal = |value: u64, width: usize| format!("{value:0width$o}").into_bytes();
        put(0, entry.name.as_bytes());
        put(100, &octal(entry.mode.into(), 7));
        put(108, &octal(entry.owner.0.into(), 7));
        put(116, &octal(entry.owner.1.into(), 7));
        put(124, &octal(entry.size.unwrap_or(data.len() as u64), 11));
        put(136, &octal(entry.mtime, 11));
        put(148, b"        ");
        put(156, &[entry.kind]);
        put(157, entry.link.as_bytes());
        put(257, b"ustar\x0000");
        put(329, &octal(entry.device.0.into(), 7));
        put(337, &octal(entry.device.1.into(), 7));
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        block[148..155].copy_from_slice(&[octal(sum, 6).as_slice(), b"\0"].concat());
        self.0.extend_from_slice(&block);
        self.0.extend_from_slice(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn file(self, name: &str, data: impl AsRef<[u8]>) -> Tar {
        self.add(&entry(name, b'0'), data.as_ref())
    }

    pub(crate) fn directory(self, name: &str, mode: u32) -> Tar {
        self.add(
            &Entry {
                mode,
                ..entry(name, b'5')
            },
            b"",
        )
    }

    pub(crate) fn symlink(self, name: &str, link: &str) -> Tar {
        self.add(
            &Entry {
                link,
                mode: 0o777,
                ..entry(name, b'2')
            },
            b"",
        )
    }

    pub(crate) fn hard_link(self, name: &str, link: &str) -> Tar {
        self.add(
            &Entry {
                link,
                ..entry(name, b'1')
            },
            b"",
        )
    }

    pub(crate) fn device(self, name: &str, kind: u8, device: (u32, u32)) -> Tar {
        self.add(
            &Entry {
                device,
                ..entry(name, kind)
            },
            b"",
        )
    }

    /// An extended header for the next entry.
    pub(crate) fn pax(self, records: &[(&str, &[u8])]) -> Tar {
        let mut text = Vec::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let length = (1..)
                .find(|digits| (rest + digits).to_string().len() == *digits)
                .unwrap_or(0)
                + rest;
            text.extend_from_slice(format!("{length} {key}=").as_bytes());
            text.extend_from_slice(value);
            text.push(b'\n');
        }
        self.add(&entry("pax", b'x'), &text)
    }

    /// What is there so far, without an end.
    pub(crate) fn cut(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        self.0
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new("gzip")
        .args(["-c", "-1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("gzip");
    let mut stdin = child.stdin.take().expect("stdin");
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&bytes));
    let output = child.wait_with_output().expect("gzip ends");
    writer.join().expect("a thread").expect("gzip reads");
    output.stdout
}

/// A frame of raw blocks: RFC 8878, section 3.1.1.
pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    frame.extend_from_slice(&u32::try_from(bytes.len()).expect("small").to_le_bytes());
    let blocks: Vec<&[u8]> = bytes.chunks(100_000).collect();
    for (at, block) in blocks.iter().enumerate() {
        let last = u32::from(at + 1 == blocks.len());
        let header = last | u32::try_from(block.len()).expect("small") << 3;
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.extend_from_slice(block);
    }
    frame
}

//! What a container's monitor and those in front of it say to each other: one record of a SEQPACKET socket is
//! one frame, its first byte the kind.

/// Bytes of input or output in one frame at most.
pub(crate) const MOST: usize = 32 << 10;

/// A frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    /// To the monitor: show me the output from now on.
    Attach,
    /// To the monitor: for standard input; nothing for its end.
    Input(&'a [u8]),
    /// To the monitor: the terminal's rows and columns.
    Resize(u16, u16),
    /// To the monitor: a signal for the first process.
    Signal(i32),
    /// From the monitor: the program has begun.
    Started,
    /// From the monitor: it could not begin; status and error as JSON.
    Failed(&'a [u8]),
    /// From the monitor: what the user should know, in words.
    Note(&'a [u8]),
    /// From the monitor: standard output, or the terminal.
    Output(&'a [u8]),
    /// From the monitor: standard error.
    Error(&'a [u8]),
    /// From the monitor: it has ended with this status, and all is tidied.
    Ended(i32),
}

impl Frame<'_> {
    /// The record.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let with = |kind: u8, rest: &[u8]| {
            let mut bytes = Vec::with_capacity(rest.len() + 1);
            bytes.push(kind);
            bytes.extend_from_slice(rest);
            bytes
        };
        match self {
            Frame::Attach => with(b'a', &[]),
            Frame::Input(bytes) => with(b'i', bytes),
            Frame::Resize(rows, columns) => {
                let [one, two] = rows.to_le_bytes();
                let [three, four] = columns.to_le_bytes();
                with(b'r', &[one, two, three, four])
            }
            Frame::Signal(number) => with(b's', &number.to_le_bytes()),
            Frame::Started => with(b'b', &[]),
            Frame::Failed(bytes) => with(b'f', bytes),
            Frame::Note(bytes) => with(b'n', bytes),
            Frame::Output(bytes) => with(b'o', bytes),
            Frame::Error(bytes) => with(b'e', bytes),
            Frame::Ended(status) => with(b'x', &status.to_le_bytes()),
        }
    }

    /// The frame of a record; none for what is none.
    pub(crate) fn read(record: &[u8]) -> Option<Frame<'_>> {
        let (kind, rest) = record.split_first()?;
        let number = || rest.try_into().ok().map(i32::from_le_bytes);
        Some(match kind {
            b'a' => Frame::Attach,
            b'i' => Frame::Input(rest),
            b'r' => {
                let [one, two, three, four] = rest.try_into().ok()?;
                Frame::Resize(
                    u16::from_le_bytes([one, two]),
                    u16::from_le_bytes([three, four]),
                )
            }
            b's' => Frame::Signal(number()?),
            b'b' => Frame::Started,
            b'f' => Frame::Failed(rest),
            b'n' => Frame::Note(rest),
            b'o' => Frame::Output(rest),
            b'e' => Frame::Error(rest),
            b'x' => Frame::Ended(number()?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Frame;

    #[test]
    fn every_frame_comes_back_as_it_was() {
        let all = [
            Frame::Attach,
            Frame::Input(b"x"),
            Frame::Input(b""),
            Frame::Resize(24, 80),
            Frame::Signal(15),
            Frame::Started,
            Frame::Failed(b"{}"),
            Frame::Note(b"n"),
            Frame::Output(b"o"),
            Frame::Error(b"e"),
            Frame::Ended(-1),
        ];
        for frame in all {
            assert_eq!(Frame::read(&frame.to_bytes()), Some(frame));
        }
        for wrong in [&b""[..], b"?", b"r12", b"x1"] {
            assert_eq!(Frame::read(wrong), None);
        }
    }
}

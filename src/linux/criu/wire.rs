//! Members of messages as bytes, and back: the part of protobuf's encoding that CRIU's protocol needs
//! (protobuf.dev, "Encoding").

/// A message that is being written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message(Vec<u8>);

impl Message {
    /// Adds a number, or an `enum`'s.
    #[must_use]
    pub fn number(mut self, field: u32, value: i64) -> Message {
        self.key(field, VARINT);
        // A negative one is written as the number of 64 bits that it is.
        self.varint(value.cast_unsigned());
        self
    }

    /// Adds a switch that is on.
    #[must_use]
    pub fn on(self, field: u32) -> Message {
        self.number(field, 1)
    }

    /// Adds text.
    #[must_use]
    pub fn text(mut self, field: u32, text: impl AsRef<[u8]>) -> Message {
        let text = text.as_ref();
        self.key(field, LENGTH);
        self.varint(text.len() as u64);
        self.0.extend_from_slice(text);
        self
    }

    /// Adds a message.
    #[must_use]
    pub fn message(self, field: u32, message: &Message) -> Message {
        self.text(field, &message.0)
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn key(&mut self, field: u32, kind: u64) {
        self.varint(u64::from(field) << 3 | kind);
    }

    fn varint(&mut self, mut value: u64) {
        loop {
            let low = (value & 0x7f) as u8;
            value >>= 7;
            if value == 0 {
                self.0.push(low);
                return;
            }
            self.0.push(low | 0x80);
        }
    }
}

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH: u64 = 2;
const FIXED32: u64 = 5;

/// A member that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A number, a switch or an `enum`.
    Number(u64),
    /// Text, or a message.
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The number; 0 for anything else.
    #[must_use]
    pub fn number(self) -> u64 {
        match self {
            Value::Number(number) => number,
            Value::Bytes(_) => 0,
        }
    }

    /// The bytes; none for anything else.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Value::Number(_) => &[],
            Value::Bytes(bytes) => bytes,
        }
    }
}

/// The members of a message in order, by their field numbers; `None` where it is no message. Members of
/// fixed width, which CRIU's protocol does not use, are skipped.
#[must_use]
pub fn members(mut rest: &[u8]) -> Option<Vec<(u64, Value<'_>)>> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let key = varint(&mut rest)?;
        let value = match key & 7 {
            VARINT => Value::Number(varint(&mut rest)?),
            LENGTH => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                Value::Bytes(take(&mut rest, length)?)
            }
            FIXED64 => {
                take(&mut rest, 8)?;
                continue;
            }
            FIXED32 => {
                take(&mut rest, 4)?;
                continue;
            }
            _ => return None,
        };
        found.push((key >> 3, value));
    }
    Some(found)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, left) = rest.split_first()?;
        *rest = left;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Message, Value, members};

    #[test]
    fn the_bytes_of_protobuf() {
        // The two examples of protobuf's own description.
        assert_eq!(Message::default().number(1, 150).bytes(), [8, 0x96, 1]);
        assert_eq!(
            Message::default().text(2, "testing").bytes(),
            [&[0x12, 7], "testing".as_bytes()].concat()
        );
        let minus = Message::default().number(1, -1);
        assert_eq!(minus.bytes().len(), 11);
        let outer = Message::default().message(3, &Message::default().number(1, 150));
        assert_eq!(outer.bytes(), [0x1a, 3, 8, 0x96, 1]);
    }

    #[test]
    fn there_and_back() {
        let message = Message::default()
            .number(1, 6)
            .on(2)
            .text(37, "net[1]:x")
            .number(63, i64::MAX);
        let found = members(message.bytes()).unwrap();
        assert_eq!(
            found,
            [
                (1, Value::Number(6)),
                (2, Value::Number(1)),
                (37, Value::Bytes(b"net[1]:x")),
                (63, Value::Number(i64::MAX.cast_unsigned())),
            ]
        );
    }

    #[test]
    fn what_is_no_message() {
        for bytes in [
            &[8][..],
            &[8, 0x80],
            &[0x12, 7, b't'],
            &[0x0b],
            &[
                0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
            ],
        ] {
            assert_eq!(members(bytes), None, "{bytes:?}");
        }
        assert_eq!(members(&[0x0d, 1, 2, 3, 4, 8, 1]).unwrap().len(), 1);
    }
}

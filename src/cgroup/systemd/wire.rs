//! Bytes of D-Bus messages (D-Bus Specification, "Marshaling", "Message Protocol"): calls are
//! written in little-endian order, answers are read in whichever order they come.

use crate::plan::cgroup::properties::Property;
use crate::plan::cgroup::variant::Variant;

/// The part of a message that has a fixed size.
pub(super) const FIXED: usize = 16;

/// The largest message that may be sent; D-Bus Specification, "Message Format".
const LARGEST: usize = 1 << 27;

/// A call of a method.
pub(super) struct Call<'a> {
    pub(super) destination: &'a str,
    pub(super) path: &'a str,
    pub(super) interface: &'a str,
    pub(super) member: &'a str,
    pub(super) signature: &'a str,
    pub(super) body: Body,
}

impl Call<'_> {
    /// The whole message.
    pub(super) fn bytes(&self, serial: u32) -> Vec<u8> {
        let fields = [
            (1, 'o', self.path),
            (2, 's', self.interface),
            (3, 's', self.member),
            (6, 's', self.destination),
            (8, 'g', self.signature),
        ];
        let mut message = Body(vec![b'l', 1, 0, 1]);
        message.number(length(self.body.0.len()));
        message.number(serial);
        message.list(8, |list| {
            for (code, kind, value) in fields.into_iter().filter(|(.., value)| !value.is_empty()) {
                list.pad(8);
                list.0.push(code);
                list.signature(kind.encode_utf8(&mut [0; 4]));
                if kind == 'g' {
                    list.signature(value);
                } else {
                    list.text(value);
                }
            }
        });
        message.pad(8);
        message.0.extend_from_slice(&self.body.0);
        message.0
    }
}

/// No list here is near this size.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Values as bytes.
#[derive(Default)]
pub(super) struct Body(pub(super) Vec<u8>);

impl Body {
    fn pad(&mut self, to: usize) {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
    }

    fn number(&mut self, value: u32) {
        self.pad(4);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// `b`
    pub(super) fn truth(&mut self, value: bool) {
        self.number(u32::from(value));
    }

    /// `s` and `o`.
    pub(super) fn text(&mut self, text: &str) {
        self.number(length(text.len()));
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
    }

    /// `g`: at most 255 bytes.
    fn signature(&mut self, text: &str) {
        self.0.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
    }

    /// `a`: its length does not count the gap before the first member.
    fn list(&mut self, align: usize, members: impl FnOnce(&mut Body)) {
        self.number(0);
        let count_at = self.0.len() - 4;
        self.pad(align);
        let begin = self.0.len();
        members(self);
        let bytes = length(self.0.len() - begin).to_le_bytes();
        if let Some(count) = self.0.get_mut(count_at..count_at + 4) {
            count.copy_from_slice(&bytes);
        }
    }

    /// `a(sv)`
    pub(super) fn properties<'p>(&mut self, all: impl IntoIterator<Item = &'p Property>) {
        self.list(8, |list| {
            for property in all {
                list.pad(8);
                list.text(&property.name);
                list.signature(&property.value.signature());
                list.value(&property.value);
            }
        });
    }

    /// An empty `a(sa(sv))`: no units beside the one.
    pub(super) fn nothing_beside(&mut self) {
        self.list(8, |_| ());
    }

    fn value(&mut self, value: &Variant) {
        self.pad(alignment(&value.signature()));
        match value {
            Variant::Bool(value) => self.truth(*value),
            Variant::Byte(value) => self.0.push(*value),
            Variant::Int16(value) => self.0.extend_from_slice(&value.to_le_bytes()),
            Variant::Uint16(value) => self.0.extend_from_slice(&value.to_le_bytes()),
            Variant::Int32(value) => self.0.extend_from_slice(&value.to_le_bytes()),
            Variant::Uint32(value) => self.number(*value),
            Variant::Int64(value) => self.0.extend_from_slice(&value.to_le_bytes()),
            Variant::Uint64(value) => self.0.extend_from_slice(&value.to_le_bytes()),
            Variant::Text(text) => self.text(text),
            Variant::List { of, members } => self.list(alignment(of), |list| {
                members.iter().for_each(|member| list.value(member));
            }),
            Variant::Tuple(members) => members.iter().for_each(|member| self.value(member)),
        }
    }
}

fn alignment(signature: &str) -> usize {
    match signature.bytes().next() {
        Some(b'y') => 1,
        Some(b'n' | b'q') => 2,
        Some(b'x' | b't' | b'(') => 8,
        _ => 4,
    }
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The answer of a call.
    Return,
    /// Its refusal.
    Error,
    /// Something that has happened.
    Signal,
    /// Nothing for us.
    Other,
}

/// A message that came, as far as it is of use.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) kind: Kind,
    /// Which of our calls it answers.
    pub(super) answers: u32,
    /// Its member, or the error's name.
    pub(super) name: &'a str,
    /// Its arguments.
    pub(super) body: Bytes<'a>,
}

/// How many bytes follow the fixed ones; `None` where that is no message.
pub(super) fn rest(fixed: &[u8]) -> Option<usize> {
    let mut bytes = Bytes::new(fixed);
    bytes.at = 4;
    let body = bytes.length()?;
    bytes.at = 12;
    let fields = bytes.length()?;
    let rest = fields.next_multiple_of(8).checked_add(body)?;
    (rest <= LARGEST).then_some(rest)
}

impl<'a> Message<'a> {
    /// Reads a whole message; `None` where it is none.
    pub(super) fn read(all: &'a [u8]) -> Option<Message<'a>> {
        let mut bytes = Bytes::new(all);
        let kind = match all.get(1)? {
            2 => Kind::Return,
            3 => Kind::Error,
            4 => Kind::Signal,
            _ => Kind::Other,
        };
        bytes.at = 12;
        let end = bytes.length()?.checked_add(FIXED)?;
        let (mut answers, mut name) = (0, "");
        while bytes.at < end {
            bytes.pad(8);
            let code = bytes.byte()?;
            let value = bytes.field()?;
            match (code, value) {
                (5, Field::Number(serial)) => answers = serial,
                (3 | 4, Field::Text(text)) => name = text,
                _ => {}
            }
        }
        let body = Bytes {
            all: all.get(end.next_multiple_of(8)..)?,
            at: 0,
            ..bytes
        };
        Some(Message {
            kind,
            answers,
            name,
            body,
        })
    }
}

/// A value of a header.
enum Field<'a> {
    Number(u32),
    Text(&'a str),
}

/// Bytes, read in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'a> {
    all: &'a [u8],
    at: usize,
    order: Order,
}

/// Which byte of a number comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

impl<'a> Bytes<'a> {
    fn new(all: &'a [u8]) -> Bytes<'a> {
        let order = match all.first() {
            Some(b'B') => Order::Big,
            _ => Order::Little,
        };
        Bytes { all, at: 0, order }
    }

    fn pad(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to);
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.all.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// `u`
    pub(super) fn number(&mut self) -> Option<u32> {
        self.pad(4);
        let bytes = self.take(4)?.try_into().ok()?;
        Some(match self.order {
            Order::Little => u32::from_le_bytes(bytes),
            Order::Big => u32::from_be_bytes(bytes),
        })
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// `s` and `o`.
    pub(super) fn text(&mut self) -> Option<&'a str> {
        let length = self.length()?;
        self.ended(length)
    }

    fn ended(&mut self, length: usize) -> Option<&'a str> {
        let text = self.take(length)?;
        self.take(1)?;
        std::str::from_utf8(text).ok()
    }

    /// A variant in a header: of one letter, each.
    fn field(&mut self) -> Option<Field<'a>> {
        let length = usize::from(self.byte()?);
        Some(match self.ended(length)? {
            "u" => Field::Number(self.number()?),
            "s" | "o" => Field::Text(self.text()?),
            "g" => {
                let length = usize::from(self.byte()?);
                Field::Text(self.ended(length)?)
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;

//! Messages of netlink(7): a header, a body, attributes that may hold attributes.

use super::{Call, Fault};

/// Message types of linux/netlink.h.
pub(super) const ERROR: u16 = 2;
pub(super) const DONE: u16 = 3;

/// Takes the answers to request `sequence` out of a datagram; says when they end, and how.
pub(super) fn read(
    datagram: &[u8],
    sequence: u32,
    answers: &mut Vec<Vec<u8>>,
) -> Option<Result<(), i32>> {
    let mut rest = datagram;
    while let Some(length) = number(rest, 0).and_then(|length| usize::try_from(length).ok()) {
        let body = rest.get(16..length)?;
        let kind = half(rest, 4)?;
        if number(rest, 8) == Some(sequence) {
            match kind {
                ERROR => {
                    // An errno of 0 is the acknowledgement.
                    let errno = number(body, 0)?.cast_signed();
                    return Some(if errno == 0 { Ok(()) } else { Err(-errno) });
                }
                DONE => return Some(Ok(())),
                _ => answers.push(body.to_vec()),
            }
        }
        rest = rest.get(padded(length)..).unwrap_or_default();
    }
    None
}

/// The attributes of a body, up to the first that is not whole.
pub(super) fn attributes(mut rest: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut found = Vec::new();
    while let (Some(length), Some(kind)) = (half(rest, 0), half(rest, 2)) {
        let length = usize::from(length);
        let Some(value) = rest.get(4..length) else {
            break;
        };
        found.push((kind, value.to_vec()));
        rest = rest.get(padded(length)..).unwrap_or_default();
    }
    found
}

/// Messages and attributes begin at multiples of four bytes.
pub(super) const fn padded(length: usize) -> usize {
    length.next_multiple_of(4)
}

pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_ne_bytes(*four))
}

pub(super) fn half(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_ne_bytes(*two))
}

/// A request under construction: `struct nlmsghdr`, a body, attributes.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) bytes: Vec<u8>,
}

impl Message {
    pub(super) fn new(kind: u16, flags: u16) -> Message {
        // Length and sequence number are written when it is sent; the port is the kernel's business.
        let mut bytes = vec![0; 4];
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend([0; 8]);
        Message { bytes }
    }

    /// With a `struct ifinfomsg`: `flags` are set as far as `change` says.
    pub(super) fn about_link(
        kind: u16,
        request: u16,
        index: i32,
        flags: u32,
        change: u32,
    ) -> Message {
        let mut message = Message::new(kind, request);
        message.bytes.extend([0; 4]);
        message.bytes.extend(index.to_ne_bytes());
        message.bytes.extend(flags.to_ne_bytes());
        message.bytes.extend(change.to_ne_bytes());
        message
    }

    pub(super) fn attribute(&mut self, kind: u16, value: &[u8]) -> Result<(), Fault> {
        let length = u16::try_from(value.len() + 4).map_err(|_| TOO_LONG)?;
        self.bytes.extend(length.to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(value);
        self.bytes.resize(padded(self.bytes.len()), 0);
        Ok(())
    }

    /// Appends attributes that were made apart.
    #[cfg(feature = "engine")]
    pub(super) fn attributes(&mut self, attributes: &Attributes) {
        self.bytes.extend(&attributes.bytes);
    }

    pub(super) fn sealed(mut self, sequence: u32) -> Result<Vec<u8>, Fault> {
        let length = u32::try_from(self.bytes.len()).map_err(|_| TOO_LONG)?;
        for (place, value) in [(0..4, length), (8..12, sequence)] {
            if let Some(place) = self.bytes.get_mut(place) {
                place.copy_from_slice(&value.to_ne_bytes());
            }
        }
        Ok(self.bytes)
    }
}

/// Attributes apart from a message, to be nested in others. One that does not fit its 16 bits of length is
/// found when the whole is used.
#[cfg(feature = "engine")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    pub(super) bytes: Vec<u8>,
    overlong: u32,
}

#[cfg(feature = "engine")]
impl Attributes {
    /// Marks an attribute that holds attributes; linux/netlink.h, NLA_F_NESTED.
    const NESTED: u16 = 0x8000;

    /// With one attribute more.
    #[must_use]
    pub fn with(mut self, kind: u16, value: &[u8]) -> Attributes {
        let Ok(length) = u16::try_from(value.len() + 4) else {
            self.overlong += 1;
            return self;
        };
        self.bytes.extend(length.to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(value);
        self.bytes.resize(padded(self.bytes.len()), 0);
        self
    }

    /// With a text and its end mark.
    #[must_use]
    pub fn text(self, kind: u16, value: &str) -> Attributes {
        self.with(kind, &[value.as_bytes(), b"\0"].concat())
    }

    /// With a number in network order, as netfilter takes all of its numbers.
    #[must_use]
    pub fn big(self, kind: u16, value: u32) -> Attributes {
        self.with(kind, &value.to_be_bytes())
    }

    /// With attributes nested in one.
    #[must_use]
    pub fn nested(mut self, kind: u16, inner: &Attributes) -> Attributes {
        self.overlong += inner.overlong;
        self.with(kind | Attributes::NESTED, &inner.bytes)
    }

    /// The same, once it is known that each has its length.
    ///
    /// # Errors
    /// EMSGSIZE where one of them was longer than 64 KiB.
    pub(super) fn checked(&self) -> Result<&Attributes, Fault> {
        if self.overlong > 0 {
            return Err(TOO_LONG);
        }
        Ok(self)
    }
}

pub(super) const TOO_LONG: Fault = Fault {
    call: Call::Sendmsg,
    errno: libc::EMSGSIZE,
};

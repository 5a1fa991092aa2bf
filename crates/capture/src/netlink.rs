//! Netlink messages and their attributes (RFC 3549; linux/netlink.h): written, and walked without
//! trust in what their lengths say.

/// Length, kind, flags, sequence number and port of a message.
const HEADER: usize = 16;
/// Family, version and resource of a netfilter message.
const NETFILTER_HEADER: usize = 4;
const ATTRIBUTE_HEADER: usize = 4;
/// Attribute kinds without the flags "nested" and "network byte order".
const KIND: u16 = 0x3fff;

pub(crate) const REQUEST: u16 = 1;
pub(crate) const ACK: u16 = 4;
pub(crate) const DUMP: u16 = 0x300;

/// The kind of an answer that says how a request went.
pub(crate) const ERROR: u16 = 2;
/// The kind of the message that ends a dump.
pub(crate) const DONE: u16 = 3;

/// A message to the kernel's netfilter.
pub(crate) struct Request(Vec<u8>);

impl Request {
    /// A message without attributes. `resource` is a number that some kinds have, such as a group.
    pub(crate) fn new(kind: u16, flags: u16, family: u8, resource: u16) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(REQUEST | flags).to_ne_bytes());
        bytes.extend([family, 0]);
        bytes.extend(resource.to_be_bytes());
        Self(bytes)
    }

    pub(crate) fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        let len = (ATTRIBUTE_HEADER + value.len()) as u16;
        self.0.extend(len.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// The bytes to send. The answer has the same sequence number.
    pub(crate) fn finish(mut self, sequence: u32) -> Vec<u8> {
        let len = self.0.len() as u32;
        self.0[..4].copy_from_slice(&len.to_ne_bytes());
        self.0[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.0
    }
}

/// A message from the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub(crate) kind: u16,
    pub(crate) sequence: u32,
    /// What follows the header.
    pub(crate) body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Of an answer: the error's number, 0 if there was none.
    pub(crate) fn error(&self) -> Option<i32> {
        let number = (self.kind == ERROR).then(|| self.body.first_chunk())??;
        Some(i32::from_ne_bytes(*number).saturating_neg())
    }

    /// Of a netfilter message: what it is about, such as the group of the netfilter log.
    pub(crate) fn resource(&self) -> Option<u16> {
        Some(u16::from_be_bytes(*self.body.get(2..)?.first_chunk()?))
    }

    /// Of a netfilter message: the protocol family, and the attributes.
    pub(crate) fn netfilter(&self) -> Option<(u8, &'a [u8])> {
        Some((*self.body.first()?, self.body.get(NETFILTER_HEADER..)?))
    }
}

/// The messages of a datagram, as far as they are whole.
pub(crate) fn messages(mut datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let len = u32::from_ne_bytes(*datagram.first_chunk()?) as usize;
        let header: &[u8; HEADER] = datagram.first_chunk()?;
        let message = Message {
            kind: u16::from_ne_bytes([header[4], header[5]]),
            sequence: u32::from_ne_bytes([header[8], header[9], header[10], header[11]]),
            body: datagram.get(HEADER..len)?,
        };
        datagram = datagram.get(len.checked_next_multiple_of(4)?..).unwrap_or_default();
        Some(message)
    })
}

/// Attributes, as far as they are whole: their kinds and values.
pub(crate) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let header: &[u8; ATTRIBUTE_HEADER] = bytes.first_chunk()?;
        let len = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let kind = u16::from_ne_bytes([header[2], header[3]]) & KIND;
        let value = bytes.get(ATTRIBUTE_HEADER..len)?;
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// The value of the first attribute of a kind.
pub(crate) fn find(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    attributes(bytes).find_map(|(at, value)| (at == kind).then_some(value))
}

/// A text that ends with a zero, or with the attribute.
pub(crate) fn text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value.split(|byte| *byte == 0).next()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Says in a kind that the value is attributes again.
    const NESTED: u16 = 0x8000;

    #[test]
    fn requests_are_read_back() {
        let request = Request::new(0x401, ACK, 2, 5).attribute(1, &[7]).attribute(NESTED | 2, b"abcde");
        let bytes = request.finish(9);
        let messages: Vec<_> = messages(&bytes).collect();
        let [message] = messages[..] else { panic!("{messages:?}") };
        assert_eq!((message.kind, message.sequence), (0x401, 9));
        let (family, bytes) = message.netfilter().unwrap();
        assert_eq!(family, 2);
        assert_eq!(attributes(bytes).collect::<Vec<_>>(), [(1, &[7][..]), (2, &b"abcde"[..])]);
        assert_eq!(find(bytes, 2), Some(&b"abcde"[..]));
        assert_eq!(find(bytes, 3), None);
    }

    #[test]
    fn answers_tell_errors() {
        let body = [&(-1_i32).to_ne_bytes()[..], &[0; 16]].concat();
        assert_eq!(Message { kind: ERROR, sequence: 0, body: &body }.error(), Some(1));
        assert_eq!(Message { kind: DONE, sequence: 0, body: &body }.error(), None);
        assert_eq!(Message { kind: ERROR, sequence: 0, body: &[0; 3] }.error(), None);
    }

    #[test]
    fn texts_end_with_a_zero_or_without() {
        assert_eq!(text(b"abc\0\0"), Some("abc"));
        assert_eq!(text(b"abc"), Some("abc"));
        assert_eq!(text(&[0xff]), None);
    }

    proptest! {
        /// Whatever the bytes, walking them ends, and nothing is outside them.
        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let walked: usize = messages(&bytes).map(|message| message.body.len()).sum();
            prop_assert!(walked <= bytes.len());
            let walked: usize = attributes(&bytes).map(|(_, value)| value.len()).sum();
            prop_assert!(walked <= bytes.len());
        }

        /// Small lengths come near those that are right.
        #[test]
        fn small_lengths_do_no_harm(bytes in proptest::collection::vec(0_u8..24, 0..400)) {
            prop_assert!(messages(&bytes).count() <= bytes.len() / HEADER + 1);
            prop_assert!(attributes(&bytes).count() <= bytes.len() / ATTRIBUTE_HEADER + 1);
        }
    }
}

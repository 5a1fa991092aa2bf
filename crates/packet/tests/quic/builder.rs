//! Builds datagrams packet by packet, and knows what is in them.

use cutshort_packet::quic::{Kinds, Version};

/// The type of a packet with a long header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Initial,
    ZeroRtt,
    Handshake,
    Retry,
}

impl Type {
    pub(crate) const fn kind(self) -> Kinds {
        match self {
            Self::Initial => Kinds::INITIAL,
            Self::ZeroRtt => Kinds::ZERO_RTT,
            Self::Handshake => Kinds::HANDSHAKE,
            Self::Retry => Kinds::JUNK,
        }
    }

    const fn bits(self, version: u32) -> u8 {
        let of_v1 = self as u8;
        if version == Version::V2.number() { (of_v1 + 1) & 3 } else { of_v1 }
    }
}

/// A packet with a long header.
#[derive(Clone, Debug)]
pub(crate) struct Long {
    pub(crate) version: u32,
    pub(crate) of_type: Type,
    pub(crate) dcid: Vec<u8>,
    pub(crate) scid: Vec<u8>,
    pub(crate) token: Vec<u8>,
    /// Length of packet number and payload.
    pub(crate) body: usize,
    /// In how many bytes numbers are written, at least: 1, 2, 4 or 8.
    pub(crate) width: usize,
    /// The six bits below the first two but for the type, and whether the fixed bit is set.
    pub(crate) low: u8,
}

impl Default for Long {
    fn default() -> Self {
        Self {
            version: 1,
            of_type: Type::Initial,
            dcid: vec![1, 2, 3, 4, 5, 6, 7, 8],
            scid: Vec::new(),
            token: Vec::new(),
            body: 40,
            width: 2,
            low: 0x43,
        }
    }
}

impl Long {
    pub(crate) fn of(of_type: Type) -> Self {
        Self { of_type, ..Self::default() }
    }

    /// Its bytes up to its ids.
    pub(crate) fn header(&self) -> Vec<u8> {
        let mut bytes = vec![0x80 | self.low & 0x4f | self.of_type.bits(self.version) << 4];
        bytes.extend(self.version.to_be_bytes());
        for id in [&self.dcid, &self.scid] {
            bytes.push(id.len() as u8);
            bytes.extend(id);
        }
        bytes
    }

    /// Its bytes up to its token, if it is of a type that has one.
    pub(crate) fn with_token(&self) -> Vec<u8> {
        let mut bytes = self.header();
        if self.of_type == Type::Initial {
            bytes.extend(varint(self.token.len() as u64, self.width));
            bytes.extend(&self.token);
        }
        bytes
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.with_token();
        bytes.extend(varint(self.body as u64, self.width));
        bytes.resize(bytes.len() + self.body, 0xee);
        bytes
    }
}

/// A number in at least that many bytes (RFC 9000, 16).
pub(crate) fn varint(value: u64, width: usize) -> Vec<u8> {
    let needed = match value {
        0..0x40 => 1,
        0x40..0x4000 => 2,
        0x4000..0x4000_0000 => 4,
        _ => 8,
    };
    let width = needed.max(width);
    let mut bytes = value.to_be_bytes()[8 - width..].to_vec();
    bytes[0] |= (width.trailing_zeros() as u8) << 6;
    bytes
}

/// A packet with a short header.
pub(crate) fn short(len: usize, first: u8) -> Vec<u8> {
    let mut bytes = vec![0xdd; len];
    bytes[0] = first & 0x7f;
    bytes
}

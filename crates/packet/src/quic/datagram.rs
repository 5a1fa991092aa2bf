//! What is kept of one UDP datagram.

use std::ops::{BitOr, BitOrAssign};

use super::Version;
use crate::FiveTuple;

/// One row of the data set `quic`: a UDP datagram, or an ICMP error that quotes one (docs/quic.md#fields).
///
/// It has nothing of the payload: no connection ids, tokens, names or frames, only lengths, numbers, and keyed hashes that
/// are compared inside one connection.
///
/// ```
/// use cutshort_packet::quic::{Datagram, Kinds};
///
/// let row = Datagram { kinds: Kinds::INITIAL | Kinds::ZERO_RTT, version: 1, len: 1200, ..Datagram::ZERO };
/// assert!(row.kinds.intersects(Kinds::INITIAL) && !row.is_icmp());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Datagram {
    /// Capture time in nanoseconds since the Unix epoch, as [`Packet::ts`](crate::Packet::ts).
    pub ts: i64,
    /// Addresses and ports, in the direction of the datagram. Of an ICMP error: from client to server of what it quotes.
    pub five_tuple: FiveTuple,
    /// IPv4 identification (RFC 791, 3.1); 0 for IPv6. Of an ICMP error: its own.
    pub ip_id: u16,
    /// IPv4 time to live or IPv6 hop limit, as captured. Of an ICMP error: its own.
    pub ttl: u8,
    /// Number N where 1 in N connections was sampled; 1 for a full capture.
    pub sample_rate: u32,
    /// Length of the UDP payload in bytes by the UDP header, or by the IP header where that is 0; 0 of an ICMP error. It
    /// may be that of several datagrams that were merged (GRO).
    pub len: u16,
    /// The packets that were found in it (docs/quic.md#walk).
    pub kinds: Kinds,
    /// Version of the first packet with one of the [`Kinds::VERSIONED`]; 0 without one.
    pub version: u32,
    /// Keyed hash of 5-tuple and destination connection id, of the first packet with one of the [`Kinds::LONG`]. An id of
    /// no bytes has a hash as well. `None` without such a packet, or if its header was cut.
    pub dcid: Option<u64>,
    /// Keyed hash of 5-tuple and source connection id of the same packet.
    pub scid: Option<u64>,
    /// Length of the destination connection id of the same packet in bytes, 0 to 20; 0 where [`dcid`](Self::dcid) is `None`.
    pub dcid_len: u8,
    /// Keyed hash of 5-tuple and token of the first Initial packet, [`NO_TOKEN`](Self::NO_TOKEN) if it has no token. `None`
    /// without an Initial packet, or if the token was cut.
    pub token: Option<u64>,
    /// How the first Initial packet that was tried could be opened (docs/quic.md#opening).
    pub opened: Opened,
    /// The frames that opened Initial packets had.
    pub frames: Frames,
    /// Error code of the first CONNECTION_CLOSE frame of type 0x1c in an opened Initial packet (RFC 9000, 20.1; 0x1xx is a
    /// TLS alert).
    pub close_code: Option<u64>,
    /// What an ICMP error says; `None` of a datagram.
    pub icmp: Option<Icmp>,
}

impl Datagram {
    /// The [`token`](Self::token) of an Initial packet without a token: no token of one byte or more has this hash, since
    /// the rules ask whether there is a token (docs/quic.md#connection).
    pub const NO_TOKEN: u64 = 0;

    /// A datagram with 0 in all fields, to be filled in.
    pub const ZERO: Self = Self {
        ts: 0,
        five_tuple: FiveTuple::ZERO,
        ip_id: 0,
        ttl: 0,
        sample_rate: 0,
        len: 0,
        kinds: Kinds(0),
        version: 0,
        dcid: None,
        scid: None,
        dcid_len: 0,
        token: None,
        opened: Opened::No,
        frames: Frames(0),
        close_code: None,
        icmp: None,
    };

    /// Returns whether the first Initial packet has a token; `None` where that is not known.
    #[must_use]
    pub fn has_token(&self) -> Option<bool> {
        self.token.map(|token| token != Self::NO_TOKEN)
    }

    /// Returns true for an ICMP error.
    #[must_use]
    #[inline]
    pub const fn is_icmp(&self) -> bool {
        self.icmp.is_some()
    }

    /// Returns the version if it is a known one.
    #[must_use]
    pub const fn known_version(&self) -> Option<Version> {
        Version::from_number(self.version)
    }
}

/// A set of bits, each with a meaning.
macro_rules! bits {
    ($set:ident, $all:literal) => {
        impl $set {
            /// Takes what [`bits`](Self::bits) gave; other bits are dropped.
            #[must_use]
            #[inline]
            pub const fn from_bits(bits: u8) -> Self {
                Self(bits & $all)
            }

            /// Returns the bits as they are stored.
            #[must_use]
            #[inline]
            pub const fn bits(self) -> u8 {
                self.0
            }

            /// Returns true if at least one of `other`'s bits is set.
            #[must_use]
            #[inline]
            pub const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }
        }

        impl BitOr for $set {
            type Output = Self;
            #[inline]
            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl BitOrAssign for $set {
            #[inline]
            fn bitor_assign(&mut self, other: Self) {
                self.0 |= other.0;
            }
        }
    };
}

/// The packets in a datagram, as a set (RFC 9000, 17; docs/quic.md#walk).
///
/// ```
/// use cutshort_packet::quic::Kinds;
///
/// let kinds = Kinds::HANDSHAKE | Kinds::SHORT;
/// assert_eq!((kinds.bits(), Kinds::from_bits(12)), (12, kinds));
/// assert!(!kinds.intersects(Kinds::INITIAL));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kinds(u8);

impl Kinds {
    /// An Initial packet (RFC 9000, 17.2.2).
    pub const INITIAL: Self = Self(1);
    /// A 0-RTT packet (RFC 9000, 17.2.3).
    pub const ZERO_RTT: Self = Self(2);
    /// A Handshake packet (RFC 9000, 17.2.4).
    pub const HANDSHAKE: Self = Self(4);
    /// A packet with a short header: 1-RTT (RFC 9000, 17.3).
    pub const SHORT: Self = Self(8);
    /// A long header of a version that is not known, or of version negotiation (RFC 8999, 5.1 and 6).
    pub const OTHER_VERSION: Self = Self(16);
    /// Bytes that can be no packet of a client.
    pub const JUNK: Self = Self(32);
    /// The capture, or a first IP fragment, ends before the datagram could be walked to its end.
    pub const CUT: Self = Self(64);
    /// An ICMP error, which has no other kind.
    pub const ICMP: Self = Self(128);

    /// Packets with a long header in a known version.
    pub const LONG: Self = Self(1 | 2 | 4);
    /// Packets that show a version.
    pub const VERSIONED: Self = Self(1 | 2 | 4 | 16);
}

bits!(Kinds, 0xff);

/// The frames in opened Initial packets, as a set (RFC 9000, 19; docs/quic.md#opening).
///
/// ```
/// use cutshort_packet::quic::Frames;
///
/// let mut frames = Frames::default();
/// frames |= Frames::CLOSE;
/// assert_eq!((frames, Frames::from_bits(0xfe)), (Frames::CLOSE, Frames::CLOSE));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Frames(u8);

impl Frames {
    /// ACK, with or without ECN counts (RFC 9000, 19.3).
    pub const ACK: Self = Self(1);
    /// CONNECTION_CLOSE of type 0x1c (RFC 9000, 19.19).
    pub const CLOSE: Self = Self(2);
}

bits!(Frames, 0x03);

/// How an Initial packet could be opened (docs/quic.md#opening).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Opened {
    /// None was tried.
    #[default]
    No = 0,
    /// With the keys of the destination connection id that it has.
    OwnId = 1,
    /// With no keys that are known.
    Failed = 2,
    /// With the keys of an earlier destination connection id.
    EarlierId = 3,
}

impl Opened {
    /// Finds it by its number; `None` if there is none.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::No,
            1 => Self::OwnId,
            2 => Self::Failed,
            3 => Self::EarlierId,
            _ => return None,
        })
    }

    /// Returns the number under which it is stored.
    #[must_use]
    #[inline]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// What an ICMP error *destination unreachable* says, by which direction it quotes (docs/quic.md#icmp).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Icmp {
    /// From server to client: nobody listens on the client's port (ICMPv4 type 3 code 3; ICMPv6 type 1 code 4).
    Port = 1,
    /// From server to client, another code.
    Other = 2,
    /// From client to server, any code: our side refuses.
    Server = 3,
}

impl Icmp {
    /// Finds it by its number; `None` if there is none.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Port,
            2 => Self::Other,
            3 => Self::Server,
            _ => return None,
        })
    }

    /// Returns the number under which it is stored.
    #[must_use]
    #[inline]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back() {
        for number in 0..=255 {
            assert_eq!(Opened::from_number(number).map(Opened::number), (number < 4).then_some(number));
            let icmp = Icmp::from_number(number).map(Icmp::number);
            assert_eq!(icmp, (1..4).contains(&number).then_some(number));
        }
    }
}

//! Datagrams of QUIC clients, with the truth about every connection (docs/quic.md).
//!
//! ```
//! use cutshort_simulate::quic::{Connection, Story};
//!
//! let connection = Connection::of(Story::Unanswered, 7, 1_800_000_000_000_000_000);
//! assert_eq!((connection.datagrams.len(), Story::Unanswered.truth()), (5, Ok(("post_initial", "timeout"))));
//! assert!(connection.datagrams.iter().all(|datagram| datagram.payload.len() == 1200));
//! ```

use std::net::Ipv4Addr;

use cutshort_packet::FiveTuple;
use cutshort_packet::quic::{Datagram as Row, HashKey, Udp};

use crate::rng::Rng;

mod clients;

pub use clients::Clients;

const MS: i64 = 1_000_000;
/// The TTL with which its datagrams arrive.
const TTL: u8 = 55;
const V1: u32 = 1;
/// Reserved, so that servers answer with the versions that they have (RFC 9000, 15).
const RESERVED: u32 = 0x1a1a_1a1a;
/// The smallest datagram with an Initial packet that a server may answer (RFC 9000, 14.1).
const FULL: usize = 1200;

/// What a client does, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Story {
    /// It completes its handshake, asks, and goes.
    Completed,
    /// The same, and its first datagram has a 0-RTT packet.
    ZeroRtt,
    /// The same after a Retry.
    Retried,
    /// All answers are lost: it repeats its Initial packet.
    Unanswered,
    /// All that it sends after its ClientHello is dropped.
    CutAfterHello,
    /// What the server sends after its handshake is lost: the client repeats its own.
    Unconfirmed,
    /// A scanner that asks for the versions of a server.
    VersionScanner,
    /// One Initial packet of random bytes, of a flood from forged addresses: too short to be answered, and with a short id.
    Flood,
}

impl Story {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Completed,
        Self::ZeroRtt,
        Self::Retried,
        Self::Unanswered,
        Self::CutAfterHello,
        Self::Unconfirmed,
        Self::VersionScanner,
        Self::Flood,
    ];

    /// The names of stage and termination, or why it is left out. It holds with the standard settings, and if Initial packets are not
    /// opened.
    ///
    /// # Errors
    /// The name of the reason.
    pub const fn truth(self) -> Result<(&'static str, &'static str), &'static str> {
        match self {
            Self::Completed | Self::ZeroRtt | Self::Retried => Ok(("none", "open")),
            Self::Unanswered | Self::CutAfterHello | Self::Flood => Ok(("post_initial", "timeout")),
            Self::Unconfirmed => Ok(("post_handshake", "timeout")),
            Self::VersionScanner => Err("other_version"),
        }
    }

    /// The names of the tags, but for that of the termination.
    #[must_use]
    pub const fn tags(self) -> &'static [&'static str] {
        match self {
            Self::Completed => &["answered"],
            Self::ZeroRtt => &["answered", "token", "zero_rtt"],
            Self::Retried => &["answered", "retry"],
            Self::Unanswered => &["initial_repeated"],
            Self::CutAfterHello | Self::VersionScanner => &[],
            Self::Unconfirmed => &["answered", "handshake_repeated"],
            Self::Flood => &["undersized", "short_dcid"],
        }
    }
}

/// A UDP datagram that a client sends to port 443.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Nanoseconds since the Unix epoch.
    pub ts: i64,
    /// The bytes behind the UDP header.
    pub payload: Vec<u8>,
}

/// A connection of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// From client to server.
    pub five_tuple: FiveTuple,
    /// What happens in it.
    pub story: Story,
    /// What the client sends, in the order of time.
    pub datagrams: Vec<Datagram>,
}

impl Connection {
    /// Plays a story from `start` on, in nanoseconds since the Unix epoch. The same seed gives the same bytes.
    #[must_use]
    pub fn of(story: Story, seed: u64, start: i64) -> Self {
        let mut rng = Rng::new(seed, 0x9c1c);
        let host = Ipv4Addr::from_bits(0xf000_0000 | rng.next_u32() >> 4);
        let port = rng.between(1024, 65_535) as u16;
        let five_tuple = FiveTuple::new(host.into(), port, Ipv4Addr::new(203, 0, 113, 5).into(), 443);
        Self::play(story, five_tuple, rng, start)
    }

    /// Plays a story between these addresses and ports.
    fn play(story: Story, five_tuple: FiveTuple, rng: Rng, start: i64) -> Self {
        let mut client = Client { rng, start, datagrams: Vec::new() };
        client.play(story);
        Self { five_tuple, story, datagrams: client.datagrams }
    }

    /// Its datagrams as rows of the data set `quic`; Initial packets are not opened. Hashes of ids are made with `key`.
    pub fn rows(&self, key: &HashKey) -> impl Iterator<Item = Row> {
        let five_tuple = self.five_tuple;
        self.datagrams.iter().map(move |datagram| datagram.udp(five_tuple).row(key))
    }
}

impl Datagram {
    /// The datagram as a capture has it, between these addresses and ports.
    #[must_use]
    pub fn udp(&self, five_tuple: FiveTuple) -> Udp<'_> {
        let ip_id = if five_tuple.is_ipv4() { (self.ts / MS) as u16 } else { 0 };
        let len = self.payload.len() as u16;
        Udp { ts: self.ts, five_tuple, ip_id, ttl: TTL, len, captured: &self.payload }
    }
}

/// Types of packets with long headers in version 1 (RFC 9000, 17.2).
const INITIAL: u8 = 0;
const ZERO_RTT: u8 = 1;
const HANDSHAKE: u8 = 2;

struct Client {
    rng: Rng,
    start: i64,
    datagrams: Vec<Datagram>,
}

impl Client {
    fn play(&mut self, story: Story) {
        let (first, second, own) = (self.bytes(8), self.bytes(8), self.bytes(8));
        let initial =
            |client: &mut Self, id: &[u8], token: &[u8]| client.long(V1, INITIAL, id, &own, token, 300);
        let hello = initial(self, &first, &[]);
        match story {
            Story::Completed => {
                self.send(0, hello, FULL);
                self.complete(30, &second, &own, &[]);
            }
            Story::ZeroRtt => {
                let token = self.bytes(40);
                let early = self.long(V1, ZERO_RTT, &first, &own, &[], 400);
                let hello = [initial(self, &first, &token), early].concat();
                self.send(0, hello, FULL);
                self.complete(30, &second, &own, &token);
            }
            Story::Retried => {
                let (token, third) = (self.bytes(60), self.bytes(8));
                self.send(0, hello, FULL);
                let again = initial(self, &second, &token);
                self.send(30, again, FULL);
                self.complete(60, &third, &own, &token);
            }
            Story::Unanswered => {
                for ms in [0, 300, 900, 2100, 4500] {
                    let again = initial(self, &first, &[]);
                    self.send(ms, again, FULL);
                }
            }
            Story::CutAfterHello => self.send(0, hello, FULL),
            Story::Unconfirmed => {
                self.send(0, hello, FULL);
                for ms in [30, 90, 200, 430, 900, 1800] {
                    let both =
                        [self.long(V1, HANDSHAKE, &second, &own, &[], 60), self.short(&second, 120)].concat();
                    self.send(ms, both, 0);
                }
            }
            Story::VersionScanner => {
                let probe = self.long(RESERVED, INITIAL, &first, &own, &[], 300);
                self.send(0, probe, FULL);
            }
            Story::Flood => {
                let (id, none) = (self.bytes(4), Vec::new());
                let probe = self.long(V1, INITIAL, &id, &none, &[], 60);
                self.send(0, probe, 0);
            }
        }
    }

    /// The second flight of a client with the server's id, and some requests.
    fn complete(&mut self, ms: i64, id: &[u8], own: &[u8], token: &[u8]) {
        let flight = [
            self.long(V1, INITIAL, id, own, token, 30),
            self.long(V1, HANDSHAKE, id, own, &[], 60),
            self.short(id, 200),
        ];
        self.send(ms, flight.concat(), FULL);
        for (at, len) in [(31, 90), (60, 40), (90, 40)] {
            let request = self.short(id, len);
            self.send(ms + at, request, 0);
        }
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.rng.next_u32() as u8).collect()
    }

    /// A packet with a long header; packet number and payload are random bytes.
    fn long(&mut self, version: u32, of_type: u8, id: &[u8], own: &[u8], token: &[u8], body: u16) -> Vec<u8> {
        let mut packet = vec![0xc0 | of_type << 4];
        packet.extend(version.to_be_bytes());
        for id in [id, own] {
            packet.push(id.len() as u8);
            packet.extend(id);
        }
        if of_type == INITIAL {
            packet.push(token.len() as u8);
            packet.extend(token);
        }
        // A number of two bytes (RFC 9000, 16).
        packet.extend((0x4000 | body).to_be_bytes());
        packet.extend(self.bytes(body.into()));
        packet
    }

    fn short(&mut self, id: &[u8], body: usize) -> Vec<u8> {
        [&[0x40], id, &self.bytes(body)].concat()
    }

    /// Sends packets in one datagram, padded to a length.
    fn send(&mut self, ms: i64, mut payload: Vec<u8>, least: usize) {
        payload.resize(payload.len().max(least), 0);
        self.datagrams.push(Datagram { ts: self.start + ms * MS, payload });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        for story in Story::ALL {
            let one = Connection::of(story, 1, 5);
            assert_eq!(one, Connection::of(story, 1, 5));
            assert_ne!(one.five_tuple, Connection::of(story, 2, 5).five_tuple);
            assert!(one.datagrams.is_sorted_by_key(|datagram| datagram.ts));
        }
    }
}

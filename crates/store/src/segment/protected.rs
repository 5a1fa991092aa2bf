//! Packets whose addresses are not kept as they were.

use cutshort_geo::{Country, Place};
use cutshort_model::Addresses;
use cutshort_packet::{FiveTuple, Packet};

use super::Key;

/// What stands beside a packet for what its addresses do not tell any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protection {
    /// What of the addresses is left.
    pub addresses: Addresses,
    /// Tells connections apart whose addresses became the same: equal in all packets of a connection, both
    /// directions, and only there. 0 where addresses are not truncated.
    pub flow: u64,
    /// Where the source is. Nothing where addresses are full: they tell it themselves.
    pub place: Place,
}

impl Protection {
    /// That of packets with their own addresses.
    pub const NONE: Self =
        Self { addresses: Addresses::Full, flow: 0, place: Place { country: None, asn: None } };
}

/// A packet as it is kept where addresses are not kept as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protected {
    /// The packet; of its addresses what is left.
    pub packet: Packet,
    /// What stands beside it.
    pub protection: Protection,
}

impl From<Packet> for Protected {
    fn from(packet: Packet) -> Self {
        Self { packet, protection: Protection::NONE }
    }
}

/// A packet that a segment can hold: with its own addresses, or protected.
pub trait Keepable: Copy {
    /// The packet.
    fn packet(&self) -> &Packet;
    /// What stands beside it.
    fn protection(&self) -> &Protection;
}

impl Keepable for Packet {
    fn packet(&self) -> &Packet {
        self
    }

    fn protection(&self) -> &Protection {
        &Protection::NONE
    }
}

impl Keepable for Protected {
    fn packet(&self) -> &Packet {
        &self.packet
    }

    fn protection(&self) -> &Protection {
        &self.protection
    }
}

/// What tells the packets of one connection, in one direction, from those of all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowKey {
    /// Addresses and ports.
    pub five_tuple: FiveTuple,
    /// What of its addresses is in there: what looks the same is not, if it was made in another way.
    pub addresses: Addresses,
    /// See [`Protection::flow`].
    pub flow: u64,
}

impl FlowKey {
    /// The same connection in the other direction.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self { five_tuple: self.five_tuple.reversed(), ..*self }
    }
}

impl From<FiveTuple> for FlowKey {
    fn from(five_tuple: FiveTuple) -> Self {
        Self { five_tuple, addresses: Addresses::Full, flow: 0 }
    }
}

/// The order of segments: by 5-tuple and flow.
pub(super) fn key<P: Keepable>(packet: &P) -> Key {
    let Protection { addresses, flow, .. } = *packet.protection();
    Key::of(&FlowKey { five_tuple: packet.packet().five_tuple, addresses, flow })
}

/// Bits that are left of truncated addresses, of all 128: 24 of IPv4 (behind the 96 of its mapping), 48 of IPv6.
const LEFT: [u32; 2] = [96 + 24, 48];

/// A mask of what truncation leaves of addresses.
#[must_use]
pub const fn truncation(is_ipv4: bool) -> u128 {
    u128::MAX << (128 - LEFT[!is_ipv4 as usize])
}

/// What is wrong with a packet's protection, if anything is.
pub(super) fn check<P: Keepable>(packet: &P) -> Result<(), &'static str> {
    let (tuple, protection) = (&packet.packet().five_tuple, packet.protection());
    let host = !truncation(tuple.is_ipv4());
    let has_host = (tuple.src_ip.to_bits() | tuple.dst_ip.to_bits()) & host != 0;
    match protection.addresses {
        Addresses::Full if *protection != Protection::NONE => {
            Err("has its addresses, and a flow or place besides")
        }
        Addresses::Truncated if has_host => Err("has more of its addresses than their networks"),
        Addresses::Encrypted if protection.flow != 0 => Err("has a flow, which encrypted addresses need not"),
        _ => Ok(()),
    }
}

/// The code of a country, `ZZ` for none.
pub(super) fn country_code(country: Option<Country>) -> &'static str {
    country.map_or("ZZ", Country::alpha2)
}

/// The country of a code; none within for `ZZ`.
pub(super) fn country_of(code: &str) -> Option<Option<Country>> {
    if code == country_code(None) {
        return Some(None);
    }
    Country::from_alpha2(code).filter(|country| country.alpha2() == code).map(Some)
}

//! Packets whose addresses are protected.

use cutshort_geo::{Country, Place};
use cutshort_model::Addresses;
use cutshort_packet::{FiveTuple, Packet};

use super::{Ids, SortKey};

/// What is stored with a packet in place of what its protected addresses no longer show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protection {
    /// How much of the addresses is kept.
    pub addresses: Addresses,
    /// A number that distinguishes connections whose addresses became equal. It is the same in all packets of a
    /// connection, in both directions, and differs between connections. 0 unless addresses are truncated.
    pub flow: u64,
    /// Country and network of the source. Empty if addresses are full, because they can then be looked up.
    pub place: Place,
}

impl Protection {
    /// The value for packets with full addresses.
    pub const NONE: Self =
        Self { addresses: Addresses::Full, flow: 0, place: Place { country: None, asn: None } };
}

/// A packet, and the protection of its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protected {
    /// The packet with protected addresses.
    pub packet: Packet,
    /// What is stored in place of what its addresses no longer show.
    pub protection: Protection,
}

impl From<Packet> for Protected {
    fn from(packet: Packet) -> Self {
        Self { packet, protection: Protection::NONE }
    }
}

/// A packet that a segment can hold, with or without protected addresses.
pub trait Keepable: Copy {
    /// The packet, whose addresses may be protected.
    fn packet(&self) -> &Packet;
    /// What is stored in place of what its addresses no longer show.
    fn protection(&self) -> &Protection;
    /// What only datagrams of the data set `quic` have.
    fn ids(&self) -> Option<&Ids> {
        None
    }
}

/// What an open segment holds: it can be read back from what a crash has left of it.
pub trait Recordable: Keepable {
    /// How many bytes are written behind the packet and its protection: those of its [`ids`](Keepable::ids).
    const MORE_BYTES: usize;

    /// From a packet and these bytes; `None` if there are too few.
    fn from_recorded(kept: Protected, more: &[u8]) -> Option<Self>;
}

impl Recordable for Protected {
    const MORE_BYTES: usize = 0;

    fn from_recorded(kept: Protected, _: &[u8]) -> Option<Self> {
        Some(kept)
    }
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

/// The key of a flow: the packets of one connection in one direction have the same one, and no others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowKey {
    /// Addresses and ports, source first.
    pub five_tuple: FiveTuple,
    /// How much of its addresses is kept. Addresses that are protected in different ways are never the same.
    pub addresses: Addresses,
    /// The number of the connection, see [`Protection::flow`].
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

/// The sort key of segments: 5-tuple and flow.
pub(super) fn key<P: Keepable>(packet: &P) -> SortKey {
    let Protection { addresses, flow, .. } = *packet.protection();
    SortKey::of(&FlowKey { five_tuple: packet.packet().five_tuple, addresses, flow })
}

/// The number of bits that truncation keeps: for IPv4 24 and the 96 of the mapping, for IPv6 48.
const LEFT: [u32; 2] = [96 + 24, 48];

/// The mask of the bits that truncation keeps.
#[must_use]
pub const fn truncation(is_ipv4: bool) -> u128 {
    u128::MAX << (128 - LEFT[!is_ipv4 as usize])
}

/// Returns what is wrong with a packet's protection, if anything.
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

/// The country with a code, the inner none for `ZZ`; the outer none if no country has this code.
pub(super) fn country_of(code: &str) -> Option<Option<Country>> {
    if code == country_code(None) {
        return Some(None);
    }
    Country::from_alpha2(code).filter(|country| country.alpha2() == code).map(Some)
}

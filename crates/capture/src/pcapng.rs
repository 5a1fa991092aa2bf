//! pcapng: sections of blocks, with any number of interfaces
//! (<https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/>).

use cutshort_packet::LinkType;
use pcap_parser::nom::Err;
use pcap_parser::pcapng::{
    Block, InterfaceDescriptionBlock, OptionCode, SectionHeaderBlock, parse_block_be, parse_block_le,
};
use pcap_parser::traits::PcapNGPacketBlock;

use crate::capture::{Parsed, Place};

#[derive(Default)]
pub(crate) struct Pcapng {
    big_endian: bool,
    interfaces: Vec<Interface>,
    /// What wrote the current section.
    pub(crate) application: Option<String>,
    /// Time of the record before: that of one that has none.
    last_ts: i64,
    pub(crate) without_time: u64,
}

struct Interface {
    link: Result<LinkType, u32>,
    /// Timestamps count in 10^-n or 2^-n seconds.
    resolution: Resolution,
    /// Seconds to be added to timestamps.
    offset: i64,
    /// Bytes that are kept of each packet; 0 is no limit.
    snaplen: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resolution {
    Decimal(u8),
    Binary(u8),
}

impl Resolution {
    /// The option `if_tsresol`: the highest bit chooses the base.
    const fn from_option(value: u8) -> Self {
        if value & 0x80 == 0 { Self::Decimal(value) } else { Self::Binary(value & 0x7f) }
    }

    fn nanoseconds(self, units: u64) -> i64 {
        let nanoseconds = match self {
            Self::Decimal(n @ 0..=9) => u128::from(units) * 10_u128.pow(u32::from(9 - n)),
            Self::Decimal(n) => {
                u128::from(units) / 10_u128.checked_pow(u32::from(n - 9)).unwrap_or(u128::MAX)
            }
            Self::Binary(n) => (u128::from(units) * 1_000_000_000) >> n.min(127),
        };
        i64::try_from(nanoseconds).unwrap_or(i64::MAX)
    }
}

/// Every file begins with a section header, whose type reads the same in both byte orders.
pub(crate) const MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// The obsolete packet block, which some old captures still have.
const PACKET_BLOCK: u32 = 2;

impl Pcapng {
    #[inline]
    pub(crate) fn next(&mut self, bytes: &[u8], place: &mut Place) -> Parsed {
        let parse = if self.big_endian { parse_block_be } else { parse_block_le };
        match parse(bytes) {
            Ok((rest, block)) => {
                let len = bytes.len() - rest.len();
                // The parser compares the two lengths of some kinds of block only.
                if bytes[4..8] == bytes[len - 4..len] {
                    self.block(bytes, &block, len, place)
                } else {
                    Parsed::Damaged
                }
            }
            Err(Err::Incomplete(_)) if self.block_is_whole(bytes) => Parsed::Damaged,
            Err(Err::Incomplete(_)) => Parsed::Incomplete,
            Err(_) => Parsed::Damaged,
        }
    }

    /// A whole block whose content claims to be longer than it is never becomes complete.
    fn block_is_whole(&self, bytes: &[u8]) -> bool {
        let Some(len) = bytes.get(4..).and_then(<[u8]>::first_chunk) else { return false };
        // A section header tells its byte order only in what follows.
        let section = bytes.starts_with(&MAGIC);
        let len = if self.big_endian { u32::from_be_bytes(*len) } else { u32::from_le_bytes(*len) };
        !section && bytes.len() >= len as usize
    }

    fn block(&mut self, bytes: &[u8], block: &Block<'_>, len: usize, place: &mut Place) -> Parsed {
        place.len = len;
        let placed = match block {
            Block::EnhancedPacket(packet) => {
                let ts = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                place.wire_len = packet.orig_len();
                place.data = within(bytes, packet.packet_data());
                self.interface_says(packet.if_id, Some(ts), place)
            }
            Block::SimplePacket(packet) => {
                place.wire_len = packet.orig_len();
                place.data = within(bytes, packet.packet_data());
                place.data.1 = place.data.1.min(self.snaplen());
                self.interface_says(0, None, place)
            }
            Block::Unknown(block) if self.u32_in(bytes, 0) == Some(PACKET_BLOCK) => {
                self.packet_block(bytes, block.data, place)
            }
            Block::SectionHeader(section) => return self.section(section, len),
            Block::InterfaceDescription(interface) => return self.interface(interface, len),
            _ => return Parsed::Nothing(len),
        };
        placed.map_or(Parsed::Damaged, |()| Parsed::Record)
    }

    fn section(&mut self, section: &SectionHeaderBlock<'_>, len: usize) -> Parsed {
        self.big_endian = section.big_endian();
        self.interfaces.clear();
        self.application = section.shb_userappl().and_then(Result::ok).map(str::to_owned);
        Parsed::Nothing(len)
    }

    fn interface(&mut self, block: &InterfaceDescriptionBlock<'_>, len: usize) -> Parsed {
        let option =
            |code| block.options.iter().find(|option| option.code == code).map(|option| &*option.value);
        let number = block.linktype.0 as u32;
        let offset = option(OptionCode::IfTsoffset).and_then(<[u8]>::first_chunk);
        let order = if self.big_endian { i64::from_be_bytes } else { i64::from_le_bytes };
        self.interfaces.push(Interface {
            link: LinkType::from_number(number).ok_or(number),
            // Microseconds unless told otherwise.
            resolution: Resolution::from_option(
                option(OptionCode::IfTsresol).and_then(<[u8]>::first).copied().unwrap_or(6),
            ),
            offset: offset.map_or(0, |offset| order(*offset)),
            snaplen: block.snaplen,
        });
        Parsed::Nothing(len)
    }

    /// How much of a simple packet was kept, which the block itself does not tell.
    fn snaplen(&self) -> usize {
        match self.interfaces.first() {
            Some(interface) if interface.snaplen > 0 => interface.snaplen as usize,
            _ => usize::MAX,
        }
    }

    /// Adds time and link type; `None` if no such interface was described.
    fn interface_says(&mut self, interface: u32, units: Option<u64>, place: &mut Place) -> Option<()> {
        let interface = self.interfaces.get(interface as usize)?;
        if let Some(units) = units {
            let offset = interface.offset.saturating_mul(1_000_000_000);
            self.last_ts = interface.resolution.nanoseconds(units).saturating_add(offset);
        } else {
            self.without_time += 1;
        }
        place.ts = self.last_ts;
        place.link = interface.link;
        Some(())
    }

    /// Interface (2 bytes), drops (2), time (8), captured length (4), length on the wire (4), data.
    fn packet_block(&mut self, bytes: &[u8], block: &[u8], place: &mut Place) -> Option<()> {
        let first: [u8; 2] = *block.first_chunk()?;
        let interface = if self.big_endian { u16::from_be_bytes(first) } else { u16::from_le_bytes(first) };
        let ts = u64::from(self.u32_in(block, 4)?) << 32 | u64::from(self.u32_in(block, 8)?);
        let data = block.get(20..)?.get(..self.u32_in(block, 12)? as usize)?;
        place.wire_len = self.u32_in(block, 16)?;
        place.data = within(bytes, data);
        self.interface_says(u32::from(interface), Some(ts), place)
    }

    fn u32_in(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u32::from_be_bytes(field) } else { u32::from_le_bytes(field) })
    }
}

/// Where `part`, a slice of `bytes`, begins in it, and its length.
fn within(bytes: &[u8], part: &[u8]) -> (usize, usize) {
    (part.as_ptr() as usize - bytes.as_ptr() as usize, part.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolutions_are_powers_of_ten_and_two() {
        let nanoseconds = |option, units| Resolution::from_option(option).nanoseconds(units);
        assert_eq!(nanoseconds(6, 1_500_000), 1_500_000_000);
        assert_eq!(nanoseconds(9, 1_500_000_000), 1_500_000_000);
        assert_eq!(nanoseconds(0, 2), 2_000_000_000);
        assert_eq!(nanoseconds(12, 1_500), 1);
        assert_eq!(nanoseconds(0x80 | 10, 1_536), 1_500_000_000);
        assert_eq!(nanoseconds(0x80, 3), 3_000_000_000);
        assert_eq!(nanoseconds(0x7f, u64::MAX), 0);
        assert_eq!(nanoseconds(0, u64::MAX), i64::MAX);
    }
}

//! pcapng: sections of blocks, with any number of interfaces
//! (<https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/>).

use cutshort_packet::LinkType;
use pcap_parser::nom::Err;
use pcap_parser::pcapng::{
    Block, InterfaceDescriptionBlock, OptionCode, SectionHeaderBlock, parse_block_be, parse_block_le,
};
use pcap_parser::traits::PcapNGPacketBlock;

use crate::pcap;
use crate::record::{Parsed, RecordPosition};
use crate::resume::Step;

mod blocks;
mod drops;

pub use drops::Drops;

#[derive(Default)]
pub(crate) struct Pcapng {
    big_endian: bool,
    interfaces: Vec<Interface>,
    /// What wrote the current section.
    application: Option<String>,
    /// What wrote any of the sections.
    pub(crate) applications: Vec<String>,
    /// What earlier sections say was lost, and the packets of this one.
    dropped: Drops,
    /// Whether the description of an interface was damaged: the numbers of the others are not known then.
    lost_interface: bool,
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
    /// What its latest statistics say.
    dropped: Drops,
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

/// Whether a section header begins here, in whatever byte order.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
        && matches!(bytes.get(8..12), Some([0x1a, 0x2b, 0x3c, 0x4d] | [0x4d, 0x3c, 0x2b, 0x1a]))
}

impl Pcapng {
    #[inline]
    pub(crate) fn next(&mut self, bytes: &[u8], place: &mut RecordPosition) -> Parsed {
        let parse = if self.big_endian { parse_block_be } else { parse_block_le };
        if self.kind(bytes).is_some_and(|kind| !blocks::is_parsed(kind)) {
            return self.step_over(bytes);
        }
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
            Err(Err::Incomplete(_)) if self.is_damaged(bytes) => Parsed::Damaged,
            Err(Err::Incomplete(_)) => Parsed::Incomplete,
            Err(_) => Parsed::Damaged,
        }
    }

    /// The type of the block that `bytes` begin with.
    fn kind(&self, bytes: &[u8]) -> Option<u32> {
        self.u32_in(bytes, 0)
    }

    /// A block without a packet need not be understood: its length tells where the next one is.
    #[cold]
    fn step_over(&mut self, bytes: &[u8]) -> Parsed {
        if pcap::begins(bytes) {
            return Parsed::Header;
        }
        let Some(len) = self.u32_in(bytes, 4) else { return Parsed::Incomplete };
        if !blocks::is_len(len) {
            return Parsed::Damaged;
        }
        let Some(block) = bytes.get(..len as usize) else { return Parsed::Incomplete };
        if self.u32_in(block, block.len() - 4) != Some(len) {
            return Parsed::Damaged;
        }
        if self.kind(block) == Some(blocks::STATISTICS) {
            self.statistics(block);
        }
        Parsed::Nothing(block.len())
    }

    /// A whole block whose content claims to be longer than it is never becomes complete, nor does one that is
    /// longer than any.
    fn is_damaged(&self, bytes: &[u8]) -> bool {
        // A section header tells its byte order only in what follows.
        let Some(len) = self.u32_in(bytes, 4).filter(|_| !bytes.starts_with(&MAGIC)) else { return false };
        let snaplen = self.interfaces.iter().map(|interface| interface.snaplen).max().unwrap_or(0);
        bytes.len() >= len as usize || len > blocks::MAX_LEN.max(snaplen)
    }

    fn block(&mut self, bytes: &[u8], block: &Block<'_>, len: usize, place: &mut RecordPosition) -> Parsed {
        place.len = len;
        let placed = match block {
            Block::EnhancedPacket(packet) => {
                let ts = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                place.wire_len = packet.orig_len();
                place.data = within(bytes, packet.packet_data());
                if !packet.options.is_empty() {
                    self.packet_options(&packet.options);
                }
                self.interface_says(packet.if_id, Some(ts), place)
            }
            Block::SimplePacket(packet) => {
                place.wire_len = packet.orig_len();
                place.data = within(bytes, packet.packet_data());
                place.data.1 = place.data.1.min(self.snaplen());
                self.interface_says(0, None, place)
            }
            Block::Unknown(block) if self.kind(bytes) == Some(blocks::PACKET) => {
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
        self.dropped = self.drops();
        self.interfaces.clear();
        self.lost_interface = false;
        self.application = section.shb_userappl().and_then(Result::ok).map(str::to_owned);
        self.applications.extend(
            self.application
                .iter()
                .filter(|name| !self.applications.contains(name))
                .cloned()
                .collect::<Vec<_>>(),
        );
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
            dropped: Drops::default(),
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
    fn interface_says(
        &mut self,
        interface: u32,
        units: Option<u64>,
        place: &mut RecordPosition,
    ) -> Option<()> {
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

    pub(crate) fn application(&self) -> Option<&str> {
        self.application.as_deref()
    }

    /// Notes that the block that begins here is damaged and will be skipped.
    pub(crate) fn skip_damage(&mut self, bytes: &[u8]) {
        self.lost_interface |= self.interfaces.is_empty() || self.kind(bytes) == Some(blocks::INTERFACE);
    }

    /// Whether what is left at the end of the input cannot be the beginning of a block.
    pub(crate) fn is_strange(&self, left: &[u8]) -> bool {
        self.kind(left).is_some_and(|kind| !blocks::is_known(kind)) && !left.starts_with(&MAGIC)
    }

    /// Whether `bytes` look like a block. Packets of interfaces whose numbers are not known do not.
    pub(crate) fn step(&self, bytes: &[u8], is_first: bool) -> Step {
        let (Some(kind), Some(len)) = (self.kind(bytes), self.u32_in(bytes, 4)) else { return Step::Unsure };
        if self.lost_interface || !blocks::is_known(kind) || !blocks::is_len(len) {
            return Step::No;
        }
        let Some(block) = bytes.get(..len as usize) else { return Step::Unsure };
        let is_whole = self.u32_in(block, block.len() - 4) == Some(len);
        let fits = kind != blocks::ENHANCED_PACKET || self.is_packet(block, is_first);
        if is_whole && fits { Step::Len(block.len()) } else { Step::No }
    }

    fn is_packet(&self, block: &[u8], is_first: bool) -> bool {
        let (interface, captured) = (self.u32_in(block, 8), self.u32_in(block, 20));
        let has_interface = interface.is_some_and(|interface| (interface as usize) < self.interfaces.len());
        (has_interface || !is_first) && captured.is_some_and(|captured| captured as usize + 32 <= block.len())
    }

    /// Interface (2 bytes), drops (2), time (8), captured length (4), length on the wire (4), data.
    fn packet_block(&mut self, bytes: &[u8], block: &[u8], place: &mut RecordPosition) -> Option<()> {
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

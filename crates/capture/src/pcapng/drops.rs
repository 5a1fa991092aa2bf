//! What a capture itself says was lost while it was taken.

use pcap_parser::pcapng::{OptionCode, PcapNGOption};

use super::Pcapng;

/// Packets that a capture says were lost (statistics of interfaces, and counts beside packets).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops {
    /// Packets that the interfaces received (`isb_ifrecv`), as far as it is told.
    pub received: u64,
    /// Packets that the interfaces dropped (`isb_ifdrop`).
    pub interface: u64,
    /// Packets that the operating system dropped (`isb_osdrop`).
    pub system: u64,
    /// Packets that were lost between two others, as these say (`epb_dropcount`).
    pub between: u64,
}

impl Drops {
    /// Adds those of another interface or capture.
    pub const fn add(&mut self, other: &Self) {
        self.received = self.received.saturating_add(other.received);
        self.interface = self.interface.saturating_add(other.interface);
        self.system = self.system.saturating_add(other.system);
        self.between = self.between.saturating_add(other.between);
    }
}

impl Pcapng {
    /// All that was said so far.
    pub(crate) fn drops(&self) -> Drops {
        let mut drops = self.dropped;
        self.interfaces.iter().for_each(|interface| drops.add(&interface.dropped));
        drops
    }

    /// Takes what a packet says of those before it.
    #[cold]
    pub(super) fn packet_options(&mut self, options: &[PcapNGOption<'_>]) {
        const DROP_COUNT: OptionCode = OptionCode(4);
        for option in options.iter().filter(|option| option.code == DROP_COUNT) {
            let count = self.u64_of(&option.value).unwrap_or(0);
            self.dropped.between = self.dropped.between.saturating_add(count);
        }
    }

    /// Takes the statistics of an interface, which count from its beginning: the latest are all.
    pub(super) fn statistics(&mut self, block: &[u8]) {
        /// Type, length, interface and time.
        const HEADER: usize = 20;
        let Some(number) = self.u32_in(block, 8) else { return };
        let mut options = block.get(HEADER..block.len() - 4).unwrap_or_default();
        let mut drops = Drops::default();
        while let Some((code, value, rest)) = self.option(options) {
            let count = self.u64_of(value).unwrap_or(0);
            match code {
                0 => break,
                4 => drops.received = count,
                5 => drops.interface = count,
                7 => drops.system = count,
                _ => {}
            }
            options = rest;
        }
        if let Some(interface) = self.interfaces.get_mut(number as usize) {
            interface.dropped = drops;
        }
    }

    /// An option's code and value, and what follows it.
    fn option<'a>(&self, bytes: &'a [u8]) -> Option<(u16, &'a [u8], &'a [u8])> {
        let both = self.u32_in(bytes, 0)?;
        let (first, second) = ((both & 0xffff) as u16, (both >> 16) as u16);
        let (code, len) = if self.big_endian { (second, first) } else { (first, second) };
        let value = bytes.get(4..)?.get(..len.into())?;
        let rest = bytes.get(4 + usize::from(len).next_multiple_of(4)..).unwrap_or_default();
        Some((code, value, rest))
    }

    fn u64_of(&self, bytes: &[u8]) -> Option<u64> {
        let bytes = *bytes.first_chunk()?;
        Some(if self.big_endian { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
    }
}

//! Rows of ordinary packets in half the space.

use cutshort_packet::Flags;

use super::chunks::Chunks;
use crate::Row;

/// A row of a packet between a connection's SYN and anything unusual, in 21 bytes: all that the
/// rules look at. They look at the TTL of packets with the SYN or RST bit only.
#[derive(Clone, Copy, Default)]
#[repr(C, packed)]
pub(super) struct Narrow {
    seq: u32,
    ack: u32,
    ip_id: u16,
    tcp_window: u16,
    payload_len: u16,
    /// Flags in the lower nine bits, words of options above.
    bits: u16,
    /// Nanoseconds since the SYN packet, lowest byte first.
    since: [u8; 5],
}

const FLAG_BITS: u32 = 9;

impl Narrow {
    /// `None` if the row is not that of an ordinary packet, or its time not one that a window has behind that of
    /// the SYN packet.
    #[inline]
    pub(super) fn of(row: &Row, syn_ts: i64) -> Option<Self> {
        let since = row.ts.wrapping_sub(syn_ts).cast_unsigned();
        let odd = row.flags.intersects(Flags::SYN | Flags::RST) || row.sample_rate != 1;
        if odd || since >> 40 != 0 || row.payload_len > u32::from(u16::MAX) || row.options_len & 3 != 0 {
            return None;
        }
        Some(Self {
            seq: row.seq,
            ack: row.ack,
            ip_id: row.ip_id,
            tcp_window: row.tcp_window,
            payload_len: row.payload_len as u16,
            bits: row.flags.bits() | u16::from(row.options_len / 4) << FLAG_BITS,
            since: {
                let [a, b, c, d, e, ..] = since.to_le_bytes();
                [a, b, c, d, e]
            },
        })
    }

    /// The row without its TTL.
    #[inline]
    pub(super) fn row(&self, syn_ts: i64) -> Row {
        let [a, b, c, d, e] = self.since;
        Row {
            ts: syn_ts.wrapping_add(i64::from_le_bytes([a, b, c, d, e, 0, 0, 0])),
            flags: Flags::from_bits(self.bits),
            ip_id: self.ip_id,
            seq: self.seq,
            ack: self.ack,
            payload_len: u32::from(self.payload_len),
            sample_rate: 1,
            tcp_window: self.tcp_window,
            ttl: 0,
            options_len: (self.bits >> FLAG_BITS) as u8 * 4,
        }
    }
}

const _: () = assert!(size_of::<Narrow>() == 21);

/// Number of narrow rows per block.
pub(super) const ROOM: usize = 9;

/// The narrow rows of one flow, in three cache lines.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Block([Narrow; ROOM]);

const _: () = assert!(size_of::<Block>() == 192);

/// Blocks, which serve one flow after the other.
pub(super) struct Blocks {
    blocks: Chunks<Block>,
    free: Vec<u32>,
}

impl Blocks {
    pub(super) fn new() -> Self {
        Self { blocks: Chunks::new(Block::default()), free: Vec::new() }
    }

    /// Adds a row to the `len` of a block (none has its own before the first), at most [`ROOM`]; gives
    /// the block.
    #[inline]
    pub(super) fn push(&mut self, block: u32, len: usize, row: Narrow) -> u32 {
        let block = if len == 0 { self.allocate() } else { block };
        self.blocks[block as usize].0[len] = row;
        block
    }

    fn allocate(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.blocks.push(Block::default());
            self.blocks.len() as u32 - 1
        })
    }

    #[inline]
    pub(super) fn rows(&self, block: u32, len: usize) -> &[Narrow] {
        if len == 0 { &[] } else { &self.blocks[block as usize].0[..len] }
    }

    /// Reads from where a row will be added to the `len` of a block.
    #[inline]
    pub(super) fn touch(&self, block: u32, len: usize) -> u64 {
        if len == 0 { 0 } else { u64::from(self.blocks[block as usize].0[len % ROOM].ack) }
    }

    /// Reads from all cache lines that the `len` rows of a block are in.
    #[inline]
    pub(super) fn touch_all(&self, block: u32, len: usize) -> u64 {
        [len.min(1), len / 2, len.saturating_sub(1)]
            .into_iter()
            .fold(0, |all, len| all ^ self.touch(block, len))
    }

    pub(super) fn free(&mut self, block: u32) {
        self.free.push(block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_row_keeps_all_but_its_ttl() {
        let row = Row {
            ts: 5 + (1 << 40) - 1,
            flags: Flags::from_bits(0x1ff & !0b110),
            ip_id: 0xffff,
            seq: u32::MAX,
            ack: u32::MAX - 1,
            payload_len: 65535,
            sample_rate: 1,
            tcp_window: 64_240,
            ttl: 64,
            options_len: 252,
        };
        let narrow = |row: &Row| Narrow::of(row, 5).map(|narrow| narrow.row(5));
        assert_eq!(narrow(&row), Some(Row { ttl: 0, ..row }));
        assert_eq!(narrow(&Row { options_len: 0, ..row }), Some(Row { ttl: 0, options_len: 0, ..row }));
        let unusual = [
            Row { flags: Flags::RST, ..row },
            Row { flags: Flags::SYN | Flags::ACK, ..row },
            Row { payload_len: 65536, ..row },
            Row { sample_rate: 2, ..row },
            Row { options_len: 41, ..row },
            Row { ts: row.ts + 1, ..row },
            Row { ts: 4, ..row },
        ];
        assert!(unusual.iter().all(|row| Narrow::of(row, 5).is_none()));
    }
}

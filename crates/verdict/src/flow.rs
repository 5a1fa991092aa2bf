//! What a table holds of each 5-tuple.

use cutshort_packet::{FiveTuple, Flags};

use crate::Row;
use crate::findings::{Findings, Outline};
use crate::narrow::Narrow;
use crate::pool::Block;

/// A 5-tuple, how many rows it has, and where they are.
///
/// A flow is *ordinary* as long as its first row is a SYN packet and those that follow have neither
/// SYN nor RST bit and are not earlier. The first row is then kept here, the others as [`Narrow`].
///
/// A flow whose rows are complete is *sealed*: what the rules take from the rows replaces them. Of
/// an ordinary flow that is an [`Outline`], also kept here.
///
/// As long as a cache line and aligned to one: each packet needs its flow.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Flow {
    pub(crate) five_tuple: FiveTuple,
    /// Of an ordinary flow's first row; its time is told from the beginning of the window, in parts
    /// that need no alignment.
    seq: u32,
    since: [u16; 3],
    ip_id: u16,
    window: u16,
    ttl: u8,
    /// Words of options, and above them whether it asks for ECN.
    options: u8,
    /// From an ordinary flow's first row to its latest one: the lower bits, and the upper ones.
    lasts: u32,
    lasts_upper: u8,
    state: u8,
    pub(crate) len: u16,
    /// Which block is its own, or what has taken the place of one.
    place: u32,
}

const _: () = assert!(size_of::<Flow>() == 64);

/// Bits of `state`: the slab of its block, and what is true of it.
const SLAB: u8 = 0x0f;
const WIDE: u8 = 0x10;
const SEALED: u8 = 0x20;
const RST: u8 = 0x40;

/// A SYN packet with these flags as well asks for ECN (RFC 3168).
const ECN_SETUP: Flags = Flags::from_bits(0x0c2);
const ECN: u8 = 0x10;

impl Flow {
    /// Of no 5-tuple.
    pub(crate) const NONE: Self = Self::new(&FiveTuple::NONE);

    pub(crate) const fn new(five_tuple: &FiveTuple) -> Self {
        Self {
            five_tuple: *five_tuple,
            seq: 0,
            since: [0; 3],
            ip_id: 0,
            window: 0,
            ttl: 0,
            options: 0,
            lasts: 0,
            lasts_upper: 0,
            state: 0,
            len: 0,
            place: 0,
        }
    }

    #[inline]
    pub(crate) const fn is_ordinary(&self) -> bool {
        self.state & WIDE == 0
    }

    #[inline]
    pub(crate) const fn is_sealed(&self) -> bool {
        self.state & SEALED != 0
    }

    /// Whether one of its rows has the RST bit.
    #[inline]
    pub(crate) const fn has_rst(&self) -> bool {
        self.state & RST != 0
    }

    /// The block of a flow that is not ordinary.
    #[inline]
    pub(crate) const fn block(&self) -> Block {
        Block { position: self.place, slab: self.state & SLAB }
    }

    #[inline]
    pub(crate) const fn set_block(&mut self, block: Block) {
        self.place = block.position;
        self.state = self.state & !SLAB | block.slab;
    }

    /// From now on its rows are in a block of whole ones.
    pub(crate) const fn widen(&mut self, block: Block) {
        self.state |= WIDE;
        self.set_block(block);
    }

    /// Counts a row that was added to its block.
    #[inline]
    pub(crate) const fn add_wide(&mut self, row: &Row) {
        self.len += 1;
        if row.has_rst() {
            self.state |= RST;
        }
    }

    pub(crate) const fn seal(&mut self, place: u32) {
        self.place = place;
        self.state |= SEALED;
    }

    /// The block of an ordinary flow, or where the findings of another one are that is sealed.
    #[inline]
    pub(crate) const fn place(&self) -> u32 {
        self.place
    }

    /// Counts a row that was added to the block of an ordinary flow.
    #[inline]
    pub(crate) const fn add_narrow(&mut self, block: u32) {
        self.len += 1;
        self.place = block;
    }

    /// Takes the first row, if that is one of an ordinary flow. The window begins at `start`.
    #[inline]
    pub(crate) fn begin(&mut self, row: &Row, start: i64) -> bool {
        let ecn = row.flags == ECN_SETUP;
        let since = row.ts.wrapping_sub(start).cast_unsigned();
        let plain = row.ack == 0 && row.payload_len == 0 && row.sample_rate == 1;
        if !(ecn || row.flags == Flags::SYN) || !plain || row.options_len & !0x3c != 0 || since >> 48 != 0 {
            return false;
        }
        self.seq = row.seq;
        self.since = [since as u16, (since >> 16) as u16, (since >> 32) as u16];
        self.ip_id = row.ip_id;
        self.window = row.window;
        self.ttl = row.ttl;
        self.options = (row.options_len / 4) + if ecn { ECN } else { 0 };
        self.len = 1;
        true
    }

    /// Takes the time of a row that follows, if it is not earlier nor much later than the first.
    #[inline]
    pub(crate) fn lasts_to(&mut self, ts: i64, start: i64) -> bool {
        let lasts = ts.wrapping_sub(self.first_ts(start)).cast_unsigned();
        if lasts >> 40 != 0 {
            return false;
        }
        let lasts = lasts.max(self.lasts());
        self.lasts = lasts as u32;
        self.lasts_upper = (lasts >> 32) as u8;
        true
    }

    #[inline]
    fn first_ts(&self, start: i64) -> i64 {
        let [low, middle, high] = self.since.map(i64::from);
        start.wrapping_add(high << 32 | middle << 16 | low)
    }

    #[inline]
    const fn lasts(&self) -> u64 {
        (self.lasts_upper as u64) << 32 | self.lasts as u64
    }

    #[inline]
    fn last_ts(&self, start: i64) -> i64 {
        self.first_ts(start).wrapping_add(self.lasts().cast_signed())
    }

    /// Lays out the rows of an ordinary flow, of which `others` are all but the first. The rules say
    /// the same of them as of those that came.
    #[inline]
    pub(crate) fn lay_out<'a>(
        &self,
        others: impl Iterator<Item = &'a Narrow>,
        start: i64,
        rows: &mut Vec<Row>,
    ) {
        let last_ts = self.last_ts(start);
        rows.clear();
        rows.push(self.first(start));
        rows.extend(others.map(|other| other.row(last_ts)));
    }

    /// The first row of an ordinary flow.
    fn first(&self, start: i64) -> Row {
        Row {
            ts: self.first_ts(start),
            flags: if self.options & ECN == 0 { Flags::SYN } else { ECN_SETUP },
            ip_id: self.ip_id,
            seq: self.seq,
            ack: 0,
            payload_len: 0,
            sample_rate: 1,
            window: self.window,
            ttl: self.ttl,
            options_len: (self.options & !ECN) * 4,
        }
    }

    /// What this outline of an ordinary flow's rows stands for.
    #[inline]
    pub(crate) fn findings(&self, outline: Outline, start: i64) -> Findings {
        outline.findings((self.first_ts(start), self.last_ts(start)), self.ttl, u32::from(self.len))
    }

    /// Of an ordinary flow that is sealed.
    #[inline]
    pub(crate) const fn outline(&self) -> Outline {
        Outline::from_bits(self.place)
    }
}

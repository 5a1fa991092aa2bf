//! What a table holds of each 5-tuple.

use cutshort_packet::{FiveTuple, Flags};

use super::narrow::Narrow;
use super::pool::Block;
use crate::Row;
use crate::findings::{Findings, Outline};

/// A 5-tuple, how many rows it has, and where they are.
///
/// A flow is *ordinary* as long as its first row is a SYN packet and those that follow have neither
/// SYN nor RST bit and are not earlier. The first row is then kept here, the others as [`Narrow`].
///
/// A flow whose rows are complete is *sealed* after a while: what the rules take from the rows replaces them.
/// Of an ordinary flow that is an [`Outline`], also kept here.
///
/// A flow whose ports are used again is *reused*: its rows are in a list of their own, to be
/// [split](crate::Split) in the end.
///
/// As long as a cache line and aligned to one: each packet needs its flow.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Flow {
    pub(super) five_tuple: FiveTuple,
    /// Sequence number of the latest SYN packet that arrived.
    seq: u32,
    /// Fields of an ordinary flow's first row; its time counts from the beginning of the window, in parts
    /// that need no alignment.
    since: [u16; 3],
    ip_id: u16,
    tcp_window: u16,
    ttl: u8,
    /// Words of options, and above them whether it asks for ECN, and its marks. Of a flow that is not ordinary: the slab of
    /// its block.
    options: u8,
    /// From an ordinary flow's first row to its latest one: the lower bits, and the upper ones.
    lasts: u32,
    lasts_upper: u8,
    state: u8,
    /// Rows taken since they were last counted anew.
    pub(super) len: u16,
    /// Which block or list of rows is its own, or what has taken the place of one.
    place: u32,
}

const _: () = assert!(size_of::<Flow>() == 64);

/// Bits of `state`: what is true of it.
const WIDE: u8 = 0x01;
const SEALED: u8 = 0x02;
const RST: u8 = 0x04;
const SYN: u8 = 0x08;
const REUSED: u8 = 0x10;

/// A SYN packet with these flags as well asks for ECN (RFC 3168).
const ECN_SETUP: Flags = Flags::from_bits(0x0c2);
const ECN: u8 = 0x10;
/// The marks of scanners, above them.
const MARKS: u8 = 0xe0;
/// By how many bits they are lower than in the flags.
const MARKS_LOWER: u32 = Flags::SCANNERS.bits().trailing_zeros() - MARKS.trailing_zeros();
const _: () = assert!(Flags::SCANNERS.bits() >> MARKS_LOWER == MARKS as u16);

impl Flow {
    /// The flow that fills unused places.
    pub(super) const NONE: Self = Self::new(&FiveTuple::ZERO);

    pub(super) const fn new(five_tuple: &FiveTuple) -> Self {
        Self {
            five_tuple: *five_tuple,
            seq: 0,
            since: [0; 3],
            ip_id: 0,
            tcp_window: 0,
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
    pub(super) const fn is_ordinary(&self) -> bool {
        self.state & WIDE == 0
    }

    #[inline]
    pub(super) const fn is_sealed(&self) -> bool {
        self.state & SEALED != 0
    }

    /// Returns true if one of its rows has the RST bit.
    #[inline]
    pub(super) const fn has_rst(&self) -> bool {
        self.state & RST != 0
    }

    #[inline]
    pub(super) const fn is_reused(&self) -> bool {
        self.state & REUSED != 0
    }

    /// Returns true if a SYN packet was taken.
    #[inline]
    pub(super) const fn has_syn(&self) -> bool {
        self.state & SYN != 0
    }

    /// Returns true if a SYN packet with this sequence number begins a new connection.
    #[inline]
    pub(super) const fn begins_with(&self, seq: u32) -> bool {
        !self.has_syn() || self.seq != seq
    }

    /// Takes note of a SYN packet.
    pub(super) const fn set_syn(&mut self, seq: u32) {
        self.seq = seq;
        self.state |= SYN;
    }

    /// From now on its rows are in a list of those of reused flows, and counted anew.
    pub(super) const fn reuse(&mut self, list: u32) {
        self.state = self.state & !SEALED | WIDE | REUSED;
        self.place = list;
        self.len = 0;
    }

    /// The block of a flow that is not ordinary.
    #[inline]
    pub(super) const fn block(&self) -> Block {
        Block { position: self.place, slab: self.options }
    }

    #[inline]
    pub(super) const fn set_block(&mut self, block: Block) {
        self.place = block.position;
        self.options = block.slab;
    }

    /// From now on its rows are in a block of whole ones.
    pub(super) const fn widen(&mut self, block: Block) {
        self.state |= WIDE;
        self.set_block(block);
    }

    /// Counts a row that was added to its block or list.
    #[inline]
    pub(super) const fn add_wide(&mut self, row: &Row) {
        self.len += 1;
        if row.has_rst() {
            self.state |= RST;
        }
    }

    pub(super) const fn seal(&mut self, place: u32) {
        self.place = place;
        self.state |= SEALED;
    }

    /// The block of an ordinary flow, the list of a reused one, or where the findings of another one are that is
    /// sealed.
    #[inline]
    pub(super) const fn place(&self) -> u32 {
        self.place
    }

    /// Counts a row that was added to the block of an ordinary flow.
    #[inline]
    pub(super) const fn add_narrow(&mut self, block: u32) {
        self.len += 1;
        self.place = block;
    }

    /// Takes the first row, if that is one of an ordinary flow. The window begins at `start`.
    #[inline]
    pub(super) fn begin(&mut self, row: &Row, start: i64) -> bool {
        let flags = row.flags.without_scanners();
        let ecn = flags == ECN_SETUP;
        let since = row.ts.wrapping_sub(start).cast_unsigned();
        let plain = row.ack == 0 && row.payload_len == 0 && row.sample_rate == 1;
        if !(ecn || flags == Flags::SYN) || !plain || row.options_len & !0x3c != 0 || since >> 48 != 0 {
            return false;
        }
        self.set_syn(row.seq);
        self.since = [since as u16, (since >> 16) as u16, (since >> 32) as u16];
        self.ip_id = row.ip_id;
        self.tcp_window = row.tcp_window;
        self.ttl = row.ttl;
        let marks = (row.flags.intersection(Flags::SCANNERS).bits() >> MARKS_LOWER) as u8;
        self.options = (row.options_len / 4) | if ecn { ECN } else { 0 } | marks;
        self.len = 1;
        true
    }

    /// Takes the time of a row that follows and is not earlier, nor later than 40 bits tell.
    #[inline]
    pub(super) fn lasts_to(&mut self, ts: i64, first_ts: i64) {
        let lasts = ts.wrapping_sub(first_ts).cast_unsigned().max(self.lasts());
        self.lasts = lasts as u32;
        self.lasts_upper = (lasts >> 32) as u8;
    }

    /// Returns the time of an ordinary flow's SYN packet.
    #[inline]
    pub(super) fn first_ts(&self, start: i64) -> i64 {
        let [low, middle, high] = self.since;
        start.wrapping_add(i64::from(high) << 32 | i64::from(middle) << 16 | i64::from(low))
    }

    #[inline]
    const fn lasts(&self) -> u64 {
        (self.lasts_upper as u64) << 32 | self.lasts as u64
    }

    #[inline]
    fn last_ts(&self, start: i64) -> i64 {
        self.first_ts(start).wrapping_add(self.lasts().cast_signed())
    }

    /// Lays out the rows of an ordinary flow, where `others` are all but the first. The rules say
    /// the same of them as of those that came.
    #[inline]
    pub(super) fn lay_out(&self, others: &[Narrow], start: i64, rows: &mut Vec<Row>) {
        let first = self.first(start);
        rows.clear();
        rows.push(first);
        rows.extend(others.iter().map(|other| other.row(first.ts)));
    }

    /// The first row of an ordinary flow.
    fn first(&self, start: i64) -> Row {
        let marks = Flags::from_scanner_bits(u16::from(self.options & MARKS) << MARKS_LOWER);
        let flags = if self.options & ECN == 0 { Flags::SYN } else { ECN_SETUP };
        Row {
            ts: self.first_ts(start),
            flags: flags | marks,
            ip_id: self.ip_id,
            seq: self.seq,
            ack: 0,
            payload_len: 0,
            sample_rate: 1,
            tcp_window: self.tcp_window,
            ttl: self.ttl,
            options_len: (self.options & !(ECN | MARKS)) * 4,
        }
    }

    /// Expands the outline of an ordinary flow's rows to findings.
    #[inline]
    pub(super) fn findings(&self, outline: Outline, start: i64) -> Findings {
        outline.findings(&self.first(start), self.last_ts(start), u32::from(self.len))
    }

    /// Returns the outline of an ordinary flow that is sealed.
    #[inline]
    pub(super) const fn outline(&self) -> Outline {
        Outline::from_bits(self.place)
    }
}

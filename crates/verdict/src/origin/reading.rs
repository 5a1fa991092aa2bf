//! What the rows of one connection mean (docs/origin.md#meaning).

use cutshort_packet::Flags;

use crate::Row;

/// A closed socket answers data with a RST at once: our RST is that of an earlier FIN if no data came longer before it than
/// this, in nanoseconds (docs/origin.md#late).
pub const AT_ONCE: i64 = 100_000_000;

/// The meaning of a row for its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Our SYN packet.
    Syn,
    /// Numbers of an older connection: nothing.
    Old,
    /// Nothing: a combination of flags that the rules do not look at.
    Other,
    /// An ICMP error that quotes our SYN packet.
    Icmp,
    /// Any packet of ours that carries numbers of this connection.
    Sent(Sent),
    /// The server's side reset the connection.
    Rst,
    /// A received RST bit before our latest SYN packet: nothing.
    EarlierRst,
    SynAck,
    Segment,
    /// It came after we had closed: nothing.
    Late,
}

/// The kinds of packets that we send after the SYN packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Our decision to reset the connection.
    Rst,
    /// The RST of a socket that was closed already, or one before the latest SYN packet.
    OtherRst,
    Fin,
    /// A FIN before the latest SYN packet.
    EarlierFin,
    Data,
}

/// The rows of one connection, and what must be known of all of them to say what one means.
pub(crate) struct Reading<'a> {
    pub(crate) rows: &'a [Row],
    /// Sequence number of the SYN packets.
    isn: u32,
    /// Time of the latest SYN packet.
    since: i64,
    /// Time of the earliest RST.
    first_rst: Option<i64>,
    /// Times of our earliest RST and FIN.
    pub(crate) our_rst: Option<i64>,
    pub(crate) our_fin: Option<i64>,
    /// What comes after this is late.
    closed: Option<i64>,
    /// What each of the rows means.
    meanings: Vec<Meaning>,
}

impl<'a> Reading<'a> {
    /// Reads the rows of one connection, in any order; `None` without a SYN packet.
    pub(crate) fn of(rows: &'a [Row]) -> Option<Self> {
        let isn = rows.iter().find(|row| row.is_syn())?.seq;
        let since = rows.iter().filter(|row| row.is_syn()).map(|row| row.ts).max()?;
        let mut reading = Self {
            rows,
            isn,
            since,
            first_rst: None,
            our_rst: None,
            our_fin: None,
            closed: None,
            meanings: Vec::new(),
        };
        reading.first_rst = reading.earliest(Meaning::Rst);
        reading.our_rst = reading.earliest(Meaning::Sent(Sent::Rst));
        reading.our_fin = reading.earliest(Meaning::Sent(Sent::Fin));
        reading.closed = reading.our_rst.map(|rst| reading.closed_by(rst));
        reading.meanings = rows.iter().map(|row| reading.meaning(row)).collect();
        Some(reading)
    }

    fn earliest(&self, meaning: Meaning) -> Option<i64> {
        self.found(meaning).map(|row| row.ts).min()
    }

    /// The rows with a meaning, by what is known so far.
    fn found(&self, meaning: Meaning) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| self.meaning(row) == meaning)
    }

    /// The rows, each with its meaning.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&'a Row, Meaning)> + Clone {
        self.rows.iter().zip(self.meanings.iter().copied())
    }

    /// The rows with such a meaning.
    pub(crate) fn such(
        &self,
        is_such: impl Fn(Meaning) -> bool + Clone,
    ) -> impl Iterator<Item = &'a Row> + Clone {
        self.each().filter(move |(_, meaning)| is_such(*meaning)).map(|(row, _)| row)
    }

    /// The rows with a meaning.
    pub(crate) fn all(&self, meaning: Meaning) -> impl Iterator<Item = &'a Row> + Clone {
        self.such(move |other| other == meaning)
    }

    /// When the socket was closed that sent a RST: at the FIN before it, if the RST only answers data that came after that.
    fn closed_by(&self, rst: i64) -> i64 {
        let Some(fin) = self.our_fin.filter(|fin| *fin < rst) else { return rst };
        let between = |row: &&Row| row.payload_len > 0 && row.ts > fin && row.ts <= rst;
        let mut data = self.found(Meaning::Segment).filter(between);
        if data.all(|row| row.ts >= rst.saturating_sub(AT_ONCE)) { fin } else { rst }
    }

    /// The number counted from the first byte behind the SYN.
    pub(crate) const fn rel(&self, number: u32) -> u32 {
        number.wrapping_sub(self.isn.wrapping_add(1))
    }

    pub(crate) fn meaning(&self, row: &Row) -> Meaning {
        match () {
            () if row.is_icmp() => Meaning::Icmp,
            () if row.is_syn() => Meaning::Syn,
            () if row.is_received() => self.received(row),
            () => self.sent(row),
        }
    }

    fn sent(&self, row: &Row) -> Meaning {
        let is_in_time = row.ts >= self.since;
        let before_rsts = self.first_rst.is_none_or(|first| row.ts < first);
        match () {
            () if is_old(self.rel(row.seq)) => Meaning::Old,
            () if has(row, Flags::SYN) => Meaning::Other,
            () if has(row, Flags::RST) && is_in_time && before_rsts => Meaning::Sent(Sent::Rst),
            () if has(row, Flags::RST) => Meaning::Sent(Sent::OtherRst),
            () if has(row, Flags::FIN) && is_in_time => Meaning::Sent(Sent::Fin),
            () if has(row, Flags::FIN) => Meaning::Sent(Sent::EarlierFin),
            () => Meaning::Sent(Sent::Data),
        }
    }

    fn received(&self, row: &Row) -> Meaning {
        let late =
            |meaning| if self.closed.is_some_and(|closed| row.ts > closed) { Meaning::Late } else { meaning };
        match () {
            () if has(row, Flags::RST) && row.ts < self.since => Meaning::EarlierRst,
            () if has(row, Flags::RST) => late(Meaning::Rst),
            () if !has(row, Flags::ACK) => Meaning::Other,
            () if is_old(self.rel(row.ack)) => Meaning::Old,
            () if !has(row, Flags::SYN) => late(Meaning::Segment),
            () if !has(row, Flags::FIN) => late(Meaning::SynAck),
            () => Meaning::Other,
        }
    }

    /// Whether we closed, in one way or the other.
    pub(crate) const fn is_closed(&self) -> bool {
        self.our_rst.is_some() || self.our_fin.is_some()
    }
}

const fn is_old(rel: u32) -> bool {
    rel >= 1 << 31
}

pub(crate) const fn has(row: &Row, flags: Flags) -> bool {
    row.flags.intersects(flags)
}

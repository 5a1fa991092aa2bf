use std::collections::{BTreeMap, HashMap};

use cutshort_packet::{FiveTuple, Packet, Unreachable};

use super::opener::Pair;
use crate::clock::{Clock, ReaderClock};
use crate::{Row, Rules};

/// Picks the rows of connections that are opened, from packets of both directions in order of arrival, for programs that keep
/// rows elsewhere (docs/origin.md#rows). It is to the data set `origin` what [`PacketLimiter`](crate::PacketLimiter) is to
/// `tcp`.
///
/// A row has the 5-tuple of the opener, and [`Flags::RECEIVED`](cutshort_packet::Flags::RECEIVED) if the server sent it. Kept in
/// this order, or sorted by time, the rows of a 5-tuple and window are what [`Split::of`](crate::Split::of) takes. A pair of
/// 5-tuples in which nobody opened a connection gives one row, of the 5-tuple that was seen first, once its window is closed.
///
/// ```
/// use cutshort_packet::{FiveTuple, Flags, Packet};
/// use cutshort_verdict::{DataSet, OriginLimiter, Rules};
///
/// let five_tuple = FiveTuple::new([192, 0, 2, 1].into(), 40112, [203, 0, 113, 5].into(), 443);
/// let syn = Packet { five_tuple, flags: Flags::SYN, seq: 1000, ..Packet::ZERO };
/// let refusal = Packet { ts: 1, five_tuple: five_tuple.reversed(), flags: Flags::RST | Flags::ACK, ack: 1001, ..syn };
/// let ack = Packet { ts: 2, flags: Flags::ACK, seq: 1001, ..syn };
///
/// let mut limiter = OriginLimiter::new(Rules::of(DataSet::Origin));
/// let mut rows = |packet: Packet| limiter.record(packet.ts, Some(&packet)).collect::<Vec<_>>();
/// assert_eq!(rows(syn)[0].0, five_tuple);
/// let refusal = rows(refusal)[0];
/// assert!(refusal.0 == five_tuple && refusal.1.is_received());
/// assert!(rows(ack).is_empty(), "a bare ACK of the opener is no row");
/// ```
#[derive(Debug)]
pub struct OriginLimiter {
    rules: Rules,
    clock: Clock,
    open: BTreeMap<i64, HashMap<FiveTuple, Pair>>,
    /// Of closed windows.
    unopened: Vec<(FiveTuple, Row)>,
    late: u64,
    received: u64,
    sent_acks: u64,
}

impl OriginLimiter {
    /// Creates a limiter that has seen no records yet.
    #[must_use]
    pub const fn new(rules: Rules) -> Self {
        Self {
            rules,
            clock: Clock::new(&rules),
            open: BTreeMap::new(),
            unopened: Vec::new(),
            late: 0,
            received: 0,
            sent_acks: 0,
        }
    }

    /// Sets the clock by which records lie in the future (docs/spec.md#future); without one, none does.
    #[must_use]
    pub const fn read_at(mut self, reader: ReaderClock) -> Self {
        self.clock.set_reader(reader);
        self
    }

    /// Takes the next record of the input, of any protocol, at `ts` (nanoseconds since the Unix epoch), with its TCP packet if it
    /// has one. Returns the rows to keep: one, two if both ends have opened connections on these ports, or none.
    pub fn record(
        &mut self,
        ts: i64,
        packet: Option<&Packet>,
    ) -> impl Iterator<Item = (FiveTuple, Row)> + use<> {
        if self.clock.tick(ts) {
            self.close();
        }
        let rows = packet.map_or([None; 2], |packet| self.take(packet));
        rows.into_iter().flatten()
    }

    fn take(&mut self, packet: &Packet) -> [Option<(FiveTuple, Row)>; 2] {
        let window = self.rules.window_of(packet.ts);
        if self.clock.is_closed(window) {
            self.late += 1;
            return [None; 2];
        }
        let pairs = self.open.entry(window).or_default();
        let pair = pairs.entry(Pair::key(&packet.five_tuple)).or_insert_with(|| Pair::new(packet));
        let added = pair.add(packet, &self.rules);
        self.received += u64::from(added.is_received);
        self.sent_acks += u64::from(added.shows_answer);
        let row = |at: usize| added.rows[at].map(|row| (pair.opener(added.sides[at]), row));
        [row(0), row(1)]
    }

    /// Takes an ICMP error, whose record was [taken](Self::record) without a packet. Returns the row to keep, if it is one.
    pub fn unreachable(&mut self, unreachable: &Unreachable) -> Option<(FiveTuple, Row)> {
        let window = self.rules.window_of(unreachable.ts);
        if self.clock.is_closed(window) {
            self.late += 1;
            return None;
        }
        let pair = self.open.get_mut(&window)?.get_mut(&Pair::key(&unreachable.five_tuple))?;
        let side = pair.add_icmp(&unreachable.five_tuple, unreachable.seq)?;
        self.received += 1;
        Some((pair.opener(side), Row::from(unreachable)))
    }

    /// Notes the pairs of closed windows in which nobody opened a connection.
    fn close(&mut self) {
        while let Some(window) = self.clock.first_closed(&self.open) {
            let pairs = self.open.remove(&window).unwrap_or_default();
            self.unopened.extend(unopened(pairs));
        }
    }

    /// Returns a row for each pair of 5-tuples in which nobody opened a connection, of windows that were closed since the last
    /// call.
    pub fn take_unopened(&mut self) -> Vec<(FiveTuple, Row)> {
        std::mem::take(&mut self.unopened)
    }

    /// Returns such rows of all windows, at the end of the input.
    pub fn take_all_unopened(&mut self) -> Vec<(FiveTuple, Row)> {
        self.unopened.extend(std::mem::take(&mut self.open).into_values().flat_map(unopened));
        self.take_unopened()
    }

    /// Returns how many packets and errors came for a window that was closed already (docs/spec.md#late).
    #[must_use]
    pub const fn late(&self) -> u64 {
        self.late
    }

    /// Returns the number of rows that came from servers, with those beyond the limit.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Returns the number of rows that are only sent after a SYN+ACK. If an input has some, but no [received](Self::received)
    /// rows, the other direction was not captured (docs/origin.md#one-direction).
    #[must_use]
    pub const fn sent_acks(&self) -> u64 {
        self.sent_acks
    }

    /// Returns the time of the latest record that does not lie in the future, or of the latest of all if all do, in
    /// nanoseconds since the Unix epoch; [`i64::MIN`] before the first.
    #[must_use]
    pub const fn latest(&self) -> i64 {
        self.clock.latest()
    }
}

fn unopened(pairs: HashMap<FiveTuple, Pair>) -> impl Iterator<Item = (FiveTuple, Row)> {
    let none = |pair: &Pair| !pair.has_opened(0) && !pair.has_opened(1);
    pairs.into_values().filter(none).map(|pair| (pair.five_tuple, pair.first))
}

//! The connections of one open window, with their rows.

use std::collections::HashMap;

use cutshort_packet::{FiveTuple, Flags, Packet};

use super::opener::{Belongs, Opener, is_sent_row};
use super::shape::findings;
use crate::row::duplicates;
use crate::{ConnectionContext, DataSet, Findings, FlowContext, Row, RowCount, Rules, Split};

/// Pairs of a 5-tuple and its reverse, in the order in which they were first seen.
pub(crate) struct Table {
    rules: Rules,
    index: HashMap<FiveTuple, usize>,
    pairs: Vec<Pair>,
    /// Numbers of rows of the server, and of packets of the opener that show that the server must have answered.
    received: u64,
    sent_acks: u64,
}

/// Both directions between two sockets.
struct Pair {
    /// The direction that was seen first.
    five_tuple: FiveTuple,
    /// The earliest packet, for which the pair stands if it has no SYN packet.
    first: Row,
    packets: u64,
    /// Packets before the first SYN packet in either direction.
    tail: u64,
    /// What was opened in this direction, and in the other.
    sides: [Side; 2],
}

/// What one end has opened.
#[derive(Default)]
struct Side {
    opener: Opener,
    /// The rows of all connections, in the order of arrival; each connection begins with a SYN packet.
    rows: Vec<Row>,
}

impl Side {
    fn push(&mut self, belongs: Belongs, row: Row) {
        if matches!(belongs, Belongs::Begins | Belongs::Continues) {
            self.rows.push(row);
        }
    }
}

impl Pair {
    fn new(packet: &Packet) -> Self {
        Self {
            five_tuple: packet.five_tuple,
            first: packet.into(),
            packets: 0,
            tail: 0,
            sides: Default::default(),
        }
    }

    fn is_self(&self) -> bool {
        self.five_tuple == self.five_tuple.reversed()
    }

    fn has_opener(&self) -> bool {
        self.sides.iter().any(|side| !side.rows.is_empty())
    }

    /// The 5-tuples that opened connections, and what.
    fn openers(&self) -> impl Iterator<Item = (FiveTuple, &Side)> {
        let both = [self.five_tuple, self.five_tuple.reversed()].into_iter().zip(&self.sides);
        both.filter(|(_, side)| !side.rows.is_empty())
    }

    /// The 5-tuples that opened connections; the one that was seen first if none did.
    fn five_tuples(&self) -> impl Iterator<Item = FiveTuple> + Clone {
        let turned = self.five_tuple.reversed();
        let opened = |at: usize| !self.sides[at].rows.is_empty();
        let first = (opened(0) || !opened(1)).then_some(self.five_tuple);
        first.into_iter().chain(opened(1).then_some(turned))
    }

    /// Takes a packet of one of the directions, and says what it shows of them: that the server answered, and that it must
    /// have answered.
    fn add(&mut self, packet: &Packet, rules: &Rules) -> (bool, bool) {
        self.packets += 1;
        if (packet.ts, packet.sample_rate) < (self.first.ts, self.first.sample_rate) {
            self.first = packet.into();
        }
        if self.is_self() {
            return (false, false);
        }
        self.tail += u64::from(!packet.is_syn() && !self.has_opener());
        let is_turned = packet.five_tuple != self.five_tuple;
        let [one, two] = &mut self.sides;
        let (own, other) = if is_turned { (two, one) } else { (one, two) };
        let row = Row::from(packet);
        let (is_row, answers) = (own.opener.sent(packet, rules), other.opener.received(rules));
        own.push(is_row, row);
        other.push(answers, Row { flags: row.flags | Flags::RECEIVED, ..row });
        let shows_answer = packet.flags.intersects(Flags::ACK) && !packet.flags.intersects(Flags::RST);
        (!other.rows.is_empty(), !own.rows.is_empty() && shows_answer && is_sent_row(packet.flags))
    }

    fn findings(&self) -> Findings {
        let findings = findings(&[self.first]);
        if self.is_self() { findings.of_itself() } else { findings }
    }
}

impl Table {
    pub(crate) fn new(rules: &Rules) -> Self {
        Self { rules: *rules, index: HashMap::new(), pairs: Vec::new(), received: 0, sent_acks: 0 }
    }

    pub(crate) fn add_all(&mut self, packets: &[Packet]) {
        packets.iter().for_each(|packet| self.add(packet));
    }

    fn add(&mut self, packet: &Packet) {
        let at = self.find(&packet.five_tuple).unwrap_or_else(|| self.insert(packet));
        let (answers, must_be_answered) = self.pairs[at].add(packet, &self.rules);
        self.received += u64::from(answers);
        self.sent_acks += u64::from(must_be_answered);
    }

    /// Adds an ICMP error that quotes a SYN packet of the 5-tuple. The row is that of the error, with the quoted sequence
    /// number.
    pub(crate) fn add_icmp(&mut self, five_tuple: &FiveTuple, row: &Row) {
        let Some(at) = self.find(five_tuple) else { return };
        let pair = &mut self.pairs[at];
        let side = &mut pair.sides[usize::from(*five_tuple != pair.five_tuple)];
        if side.opener.icmp(row.seq) == Belongs::Continues {
            self.received += 1;
            side.rows.push(Row { flags: Flags::RECEIVED | Flags::ICMP, ..*row });
        }
    }

    fn find(&self, five_tuple: &FiveTuple) -> Option<usize> {
        self.index.get(five_tuple.min(&five_tuple.reversed())).copied()
    }

    fn insert(&mut self, packet: &Packet) -> usize {
        let key = packet.five_tuple.min(packet.five_tuple.reversed());
        self.index.insert(key, self.pairs.len());
        self.pairs.push(Pair::new(packet));
        self.pairs.len() - 1
    }

    /// Calls `each` with every connection, and once with every pair that has none: what was found in its rows, what is around
    /// it, and the rows.
    pub(crate) fn for_each(
        &self,
        cutoff: i64,
        mut each: impl FnMut(&FiveTuple, &Findings, &ConnectionContext, &[Row]),
    ) -> RowCount {
        let around = FlowContext { cutoff, other_rsts: &[] };
        let mut count =
            RowCount { received: self.received, sent_acks: self.sent_acks, ..RowCount::default() };
        for pair in &self.pairs {
            if !pair.has_opener() {
                each(&pair.five_tuple, &pair.findings(), &around.around(None), &[pair.first]);
                count.taken += 1;
            }
            count.tail += if pair.has_opener() { pair.tail } else { 0 };
            for (five_tuple, side) in pair.openers() {
                count.taken += side.rows.len() as u64;
                count.duplicates += duplicates(&side.rows);
                let mut rows = side.rows.clone();
                for part in Split::of(&mut rows, DataSet::Origin).parts() {
                    each(&five_tuple, &findings(part.rows), &around.around(part.next), part.rows);
                }
            }
        }
        count
    }

    /// Each 5-tuple once, in the order of [`for_each`](Self::for_each).
    pub(crate) fn five_tuples(&self) -> impl Iterator<Item = FiveTuple> + Clone {
        self.pairs.iter().flat_map(Pair::five_tuples)
    }

    /// The rows of the connections that a 5-tuple has opened.
    pub(crate) fn rows(&self, five_tuple: &FiveTuple) -> Option<&[Row]> {
        let pair = &self.pairs[self.find(five_tuple)?];
        let mut openers = pair.openers();
        openers.find(|(opener, _)| opener == five_tuple).map(|(_, side)| &side.rows[..])
    }
}

//! Where the ports of a 5-tuple are used again.

use std::borrow::Borrow;

use crate::Row;

/// The rows of one 5-tuple and window, split into connections (SPEC 2).
///
/// Of the SYN packets in the order of time and sequence number, each one whose sequence number differs from that of
/// the one before begins a connection. It has the rows from then on, and before the next connection's.
#[derive(Clone, Copy, Debug)]
pub struct Split<'a, T = Row> {
    tail: &'a [T],
    rest: &'a [T],
}

/// The rows of one connection, or of a 5-tuple without a SYN packet.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Part<'a, T = Row> {
    /// In the order of time.
    pub rows: &'a [T],
    /// When the next connection on the same ports begins.
    pub next: Option<i64>,
}

impl<'a, T: Borrow<Row>> Split<'a, T> {
    /// Splits the rows of one 5-tuple and window, in any order. Rows that cannot be split keep their order.
    #[must_use]
    pub fn of(rows: &'a mut [T]) -> Self {
        if !rows.iter().any(is_syn) {
            return Self { tail: &[], rest: rows };
        }
        // Stable, so that rows of equal time are shown in the order in which they came.
        rows.sort_by_key(|row| order(row.borrow()));
        let first = rows.iter().position(is_syn).unwrap_or_default();
        let (tail, rest) = rows.split_at(first);
        Self { tail, rest }
    }

    /// Rows before the first SYN packet of a 5-tuple that has one: the tail of an older connection.
    #[must_use]
    pub const fn tail(&self) -> &'a [T] {
        self.tail
    }

    /// The connections in the order of time. A 5-tuple without a SYN packet gives all its rows as one.
    pub fn parts(&self) -> impl Iterator<Item = Part<'a, T>> + use<'a, T> {
        let mut rest = self.rest;
        std::iter::from_fn(move || {
            let seq = rest.first()?.borrow().seq;
            let begins = |row: &T| row.borrow().is_syn() && row.borrow().seq != seq;
            let (rows, later) = rest.split_at(rest.iter().position(begins).unwrap_or(rest.len()));
            rest = later;
            Some(Part { rows, next: later.first().map(|row| row.borrow().ts) })
        })
    }
}

fn is_syn<T: Borrow<Row>>(row: &T) -> bool {
    row.borrow().is_syn()
}

/// By time; of equal times first the SYN packets by sequence number, so that the others belong to the last of them.
const fn order(row: &Row) -> (i64, bool, u32) {
    let is_syn = row.is_syn();
    (row.ts, !is_syn, if is_syn { row.seq } else { 0 })
}

#[cfg(test)]
mod tests {
    use cutshort_packet::Flags;

    use super::*;

    fn row(ts: i64, flags: Flags, seq: u32) -> Row {
        Row { ts, flags, seq, ..Row::default() }
    }

    /// The sequence numbers of a connection, and when the next one begins.
    type Seqs = (Vec<u32>, Option<i64>);

    fn split(rows: &mut [Row]) -> (usize, Vec<Seqs>) {
        let split = Split::of(rows);
        let seqs = |rows: &[Row]| rows.iter().map(|row| row.seq).collect();
        (split.tail().len(), split.parts().map(|part| (seqs(part.rows), part.next)).collect())
    }

    #[test]
    fn each_other_sequence_number_begins_a_connection() {
        let mut rows = [
            row(9, Flags::ACK, 71),
            row(8, Flags::SYN, 70),
            row(1, Flags::ACK, 3),
            row(4, Flags::SYN, 10),
            row(5, Flags::ACK, 11),
            row(6, Flags::SYN, 10),
        ];
        assert_eq!(split(&mut rows), (1, vec![(vec![10, 11, 10], Some(8)), (vec![70, 71], None)]));
    }

    #[test]
    fn other_rows_of_the_time_of_several_syns_are_the_last_ones() {
        let mut rows = [
            row(4, Flags::RST, 5),
            row(4, Flags::SYN, 30),
            row(4, Flags::SYN, 20),
            row(4, Flags::SYN, 30),
            row(3, Flags::SYN, 30),
        ];
        let expected = vec![(vec![30], Some(4)), (vec![20], Some(4)), (vec![30, 30, 5], None)];
        assert_eq!(split(&mut rows), (0, expected));
    }

    #[test]
    fn without_a_syn_all_rows_are_one_group() {
        let mut rows = [row(4, Flags::RST, 5), row(2, Flags::ACK, 9)];
        assert_eq!(split(&mut rows), (0, vec![(vec![5, 9], None)]));
        assert_eq!(split(&mut []), (0, vec![]));
    }
}

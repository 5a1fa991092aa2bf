//! Separates the connections on reused ports.

use std::borrow::Borrow;

use crate::{DataSet, Row};

/// The rows of one 5-tuple and window, split into connections (docs/spec.md#split).
///
/// In the order of time and sequence number, each SYN packet whose sequence number differs from that of the SYN packet
/// before it begins a connection, which has the rows up to the next one's. The split does not depend on the order of the
/// rows.
///
/// In the data set `origin` the order is that of arrival instead (docs/origin.md#connection).
///
/// ```
/// use cutshort_packet::Flags;
/// use cutshort_verdict::{DataSet, Row, Split};
///
/// let row = |ts, flags, seq| Row { ts, flags, seq, ..Row::default() };
/// let mut rows = [
///     row(9, Flags::RST, 5001),
///     row(8, Flags::SYN, 5000),
///     row(4, Flags::SYN, 1000),
///     row(5, Flags::SYN, 1000),
///     row(1, Flags::ACK, 77),
/// ];
/// let split = Split::of(&mut rows, DataSet::Tcp);
/// assert_eq!(split.tail().len(), 1, "of an older connection");
/// let parts: Vec<_> = split.parts().map(|part| (part.rows.len(), part.next)).collect();
/// assert_eq!(parts, [(2, Some(8)), (2, None)]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Split<'a, T = Row> {
    tail: &'a [T],
    rest: &'a [T],
}

/// The rows of one connection, or of a 5-tuple without a SYN packet.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Part<'a, T = Row> {
    /// The rows in the order of time; without a SYN packet, and in the data set `origin`, in the order in which they were
    /// given.
    pub rows: &'a [T],
    /// Time at which the next connection on the same ports begins, in nanoseconds since the Unix epoch.
    pub next: Option<i64>,
}

impl<'a, T: Borrow<Row>> Split<'a, T> {
    /// Splits the rows of one 5-tuple and window.
    ///
    /// Rows of `tcp` may be in any order, and are sorted by time if one is a SYN packet. Rows of `origin` must be in the
    /// order of arrival, and stay in it; a store sorts them by time, rows of equal time in the order in which they came.
    #[must_use]
    pub fn of(rows: &'a mut [T], data_set: DataSet) -> Self {
        if !rows.iter().any(is_syn) {
            return Self { tail: &[], rest: rows };
        }
        if data_set == DataSet::Tcp {
            // Stable, so that rows of equal time are shown in the order in which they came.
            rows.sort_by_key(|row| order(row.borrow()));
        }
        let first = rows.iter().position(is_syn).unwrap_or_default();
        let (tail, rest) = rows.split_at(first);
        Self { tail, rest }
    }

    /// Returns the rows before the first SYN packet, the tail of an older connection (docs/spec.md#tail); none if there
    /// is no SYN packet.
    #[must_use]
    pub const fn tail(&self) -> &'a [T] {
        self.tail
    }

    /// Returns the connections in the order of time. Rows without a SYN packet are one part.
    pub fn parts(&self) -> impl Iterator<Item = Part<'a, T>> + use<'a, T> {
        let mut rest = self.rest;
        std::iter::from_fn(move || {
            let seq = rest.first()?.borrow().seq;
            let begins = |row: &T| row.borrow().is_syn() && row.borrow().seq != seq;
            let (rows, later) = rest.split_at(rest.iter().position(begins).unwrap_or(rest.len()));
            rest = later;
            Some(Part { rows, next: beginning(later) })
        })
    }
}

/// The earliest SYN packet of the connection at the beginning of rows. It is the first one where rows are in the order of
/// time.
fn beginning<T: Borrow<Row>>(rows: &[T]) -> Option<i64> {
    let first = rows.first()?.borrow();
    let syns = rows.iter().map(Borrow::borrow).filter(|row| row.is_syn());
    syns.take_while(|syn| syn.seq == first.seq).map(|syn| syn.ts).min()
}

fn is_syn<T: Borrow<Row>>(row: &T) -> bool {
    row.borrow().is_syn()
}

/// Orders by time; of equal times the SYN packets come first, by sequence number, so that the others belong to the last
/// of them.
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
        let split = Split::of(rows, DataSet::Tcp);
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

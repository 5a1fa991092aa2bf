//! Rows of connections that this host opens to which the kernel gave no time: those that it sends.
//!
//! The log has all rows of a connection in the order of arrival, but only those received have the kernel's time. What is
//! sent gets the time of being received here, and waits for the connection's next row, whose time may be earlier. It is
//! handed on before that row, so that the order stays.

use std::collections::{HashMap, VecDeque};

use cutshort_packet::{FiveTuple, Packet};

use super::unstamped::PATIENCE;

/// Sent rows, by the connection's 5-tuple.
#[derive(Default)]
pub(super) struct Waiting {
    rows: HashMap<FiveTuple, VecDeque<Packet>>,
    /// In the order in which they came, with those that were handed on in the meantime.
    order: VecDeque<(i64, FiveTuple)>,
}

impl Waiting {
    pub(super) fn hold(&mut self, row: Packet) {
        self.rows.entry(row.five_tuple).or_default().push_back(row);
        self.order.push_back((row.ts, row.five_tuple));
    }

    /// Hands on what waits for this row: earlier than it, a nanosecond apart if need be. Rules look at which of two rows was
    /// earlier, such as our FIN or the server's.
    pub(super) fn followed_by(&mut self, next: &Packet, give: impl FnMut(Packet)) {
        let rows = self.rows.remove(&next.five_tuple).unwrap_or_default();
        let latest = (1..=rows.len() as i64).rev().map(|before| next.ts.saturating_sub(before));
        rows.into_iter()
            .zip(latest)
            .map(|(row, latest)| Packet { ts: row.ts.min(latest), ..row })
            .for_each(give);
    }

    /// Hands on the rows that have waited long enough, or all.
    pub(super) fn release(&mut self, now: i64, all: bool, mut give: impl FnMut(Packet)) {
        // A clock that was set back must not hold them for ever.
        let is_over = |ts: i64| all || !(0..PATIENCE).contains(&now.saturating_sub(ts));
        while let Some((ts, five_tuple)) = self.order.pop_front_if(|(ts, _)| is_over(*ts)) {
            let Some(rows) = self.rows.get_mut(&five_tuple) else { continue };
            while let Some(row) = rows.pop_front_if(|row| row.ts <= ts) {
                give(row);
            }
            if rows.is_empty() {
                self.rows.remove(&five_tuple);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use cutshort_packet::Flags;

    use super::*;
    use crate::live::sampler::tests::packet;

    #[test]
    fn the_order_of_a_connection_stays() {
        let mut waiting = Waiting::default();
        waiting.hold(packet(100, 1, Flags::SYN));
        waiting.hold(packet(105, 2, Flags::SYN));
        waiting.hold(packet(110, 1, Flags::PSH));
        let mut given = Vec::new();
        waiting.followed_by(&packet(104, 1, Flags::ACK), |row| given.push((row.ts, row.flags)));
        assert_eq!(given, [(100, Flags::SYN), (103, Flags::PSH)]);
        waiting.followed_by(&packet(120, 1, Flags::ACK), |_| panic!("handed on already"));
        given.clear();
        [Flags::PSH, Flags::FIN].iter().for_each(|flags| waiting.hold(packet(130, 3, *flags)));
        waiting.followed_by(&packet(125, 3, Flags::FIN), |row| given.push((row.ts, row.flags)));
        assert_eq!(given, [(123, Flags::PSH), (124, Flags::FIN)]);
        given.clear();
        waiting.release(104 + PATIENCE, false, |row| given.push((row.ts, row.flags)));
        assert_eq!(given, []);
        waiting.hold(packet(106 + PATIENCE, 1, Flags::FIN));
        waiting.release(105 + PATIENCE, false, |row| given.push((row.ts, row.flags)));
        assert_eq!(given, [(105, Flags::SYN)]);
        waiting.release(0, true, |row| given.push((row.ts, row.flags)));
        assert_eq!(given.len(), 2);
        assert!(waiting.rows.is_empty() && waiting.order.is_empty());
    }
}

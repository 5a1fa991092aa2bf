use cutshort_model::{date_time, grouped, quantity, until};
use cutshort_packet::{Frame, LinkType, Refusal, Tunnel, Unread};
use cutshort_verdict::{ReaderClock, RowCount};

use crate::unread::{Dropped, UnreadCount};

/// Counts of the records that were read, and of those that could not be used.
#[derive(Clone, Debug, Default)]
pub struct InputCount {
    /// Records of any kind.
    pub records: u64,
    /// Whether UDP datagrams of QUIC ports and ICMP errors that quote them are read, instead of TCP packets.
    pub of_quic: bool,
    /// The number of TCP packets, or of such datagrams and errors.
    pub packets: u64,
    /// Records that are not usable ones, by [`Refusal`].
    pub refused: [u64; Refusal::ALL.len()],
    /// Records that could not be read. Those of live sources are in `refused` only.
    pub unread: UnreadCount,
    /// The number of ICMP errors among `packets`, which the packet limit does not count.
    pub icmp_errors: u64,
    /// Datagrams of which so little was captured that not all their packets were found.
    pub cut_datagrams: u64,
    /// TCP packets that were found inside tunnels, by the outermost [`Tunnel`]: those are in `packets` as well.
    pub unwrapped: [u64; Tunnel::ALL.len()],
    /// Whether packets inside tunnels are left alone, and their records count as refused.
    pub outer_only: bool,
    /// Lost packets that the capture reports.
    pub dropped: Dropped,
    /// When sampling of a live source was incomplete.
    pub incomplete: Vec<Incomplete>,
    /// TCP packets that came after their window was closed.
    pub late: u64,
    /// The number of rows that were taken, and of some special ones.
    pub rows: RowCount,
    reader: ReaderClock,
    /// The number of records in the future.
    ahead_records: u64,
    /// Times of the earliest and the latest record: of those that are not in the future, and of those that are.
    present: Option<(i64, i64)>,
    ahead: Option<(i64, i64)>,
}

/// A period in which sampled connections were left out because the table of connections was full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incomplete {
    /// The number of these connections: a lower bound.
    pub connections: u64,
    /// The time of the first of them, in nanoseconds since the Unix epoch.
    pub from: i64,
    /// The time of the last of them.
    pub to: i64,
}

/// The maximum number of such periods in a note.
const NAMED: usize = 3;

impl InputCount {
    /// Starts with zero. Records in the future are found by this clock; without one, there are none.
    #[must_use]
    pub fn read_at(reader: ReaderClock) -> Self {
        Self { reader, ..Self::default() }
    }

    /// Counts a record.
    #[inline]
    pub fn add_record(&mut self, ts: i64) {
        self.records += 1;
        if self.reader.is_future(ts) {
            self.add_future(ts);
        } else {
            extend(&mut self.present, ts);
        }
    }

    #[cold]
    fn add_future(&mut self, ts: i64) {
        self.ahead_records += 1;
        extend(&mut self.ahead, ts);
    }

    /// Times of the earliest and the latest record. Records in the future count only if there are no others.
    #[must_use]
    pub fn span(&self) -> Option<(i64, i64)> {
        self.present.or(self.ahead)
    }

    /// The number of records dated more than a day after the reader's clock. They affect neither the end of the input
    /// nor any verdict, unless all records are such.
    #[must_use]
    pub const fn future(&self) -> u64 {
        self.ahead_records
    }

    /// The note about records in the future, if there are any.
    #[must_use]
    pub fn future_note(&self) -> Option<String> {
        let latest = date_time(self.ahead?.1);
        let records = quantity(self.ahead_records, "record");
        Some(if self.present.is_some() {
            format!(
                "The end of the input and the verdicts do not depend on {records}, dated up to {latest} UTC: more than a \
                 day after the clock of this machine."
            )
        } else {
            format!(
                "All records are dated more than a day after the clock of this machine, up to {latest} UTC. They count as \
                 they are; check which clock is wrong."
            )
        })
    }

    /// The note about incomplete sampling, if there was any.
    pub(crate) fn incomplete_note(&self) -> Option<String> {
        let (named, others) = self.incomplete.split_at(self.incomplete.len().min(NAMED));
        if named.is_empty() {
            return None;
        }
        let times = named
            .iter()
            .map(|one| format!("from {} to {} UTC", date_time(one.from), until(one.from, one.to)));
        let times: Vec<String> = times
            .chain((!others.is_empty()).then(|| format!("{} more times", grouped(others.len() as u64))))
            .collect();
        let count = self.incomplete.iter().map(|one| one.connections).sum();
        let connections = quantity(count, "chosen connection");
        let were = if count == 1 { "was" } else { "were" };
        Some(format!(
            "Sampling was incomplete {}: at least {connections} {were} left out, as no more could be remembered. The \
             numbers are those of the others.",
            times.join(", ")
        ))
    }

    /// Counts a record of a link type that is not supported.
    #[cold]
    pub fn add_unknown_link(&mut self, number: u32) {
        self.unread.add(Unread::Link(number), 1);
    }

    /// Counts a record that is not a usable TCP packet.
    #[cold]
    pub fn add_refused(&mut self, link: LinkType, frame: Frame<'_>, refusal: Refusal) {
        self.refused[refusal as usize] += 1;
        self.unread.add(Unread::of(link, frame, refusal), 1);
    }

    /// Counts a packet that was found inside tunnels, beside counting it in `packets`.
    #[cold]
    pub fn add_unwrapped(&mut self, tunnels: &[Tunnel]) {
        tunnels.first().iter().for_each(|tunnel| self.unwrapped[**tunnel as usize] += 1);
    }

    /// The note about cut datagrams, if there are any.
    pub(crate) fn cut_note(&self) -> Option<String> {
        (self.cut_datagrams > 0).then(|| {
            let (datagrams, were) = (quantity(self.cut_datagrams, "datagram"), if self.cut_datagrams == 1 { "was" } else { "were" });
            format!(
                "{datagrams} of {} {were} cut by the capture, and may have had more packets: connections seem to have got less far than \
                 they did. Capture whole packets (tcpdump -s 0).",
                grouped(self.packets)
            )
        })
    }

    /// The note about packets inside tunnels, if there are any.
    pub(crate) fn unwrapped_note(&self) -> Option<String> {
        let counts = Tunnel::ALL.iter().zip(self.unwrapped).filter(|(_, count)| *count > 0);
        let kinds: Vec<String> =
            counts.map(|(tunnel, count)| format!("{tunnel} {}", grouped(count))).collect();
        let packets = self.unwrapped.iter().sum();
        (packets > 0).then(|| {
            let (were, them) = if packets == 1 { ("was", "it") } else { ("were", "them") };
            format!(
                "{} {were} read inside labels, tags or tunnels: {}. Addresses and ports are the inner ones; --outer leaves {them} out.",
                quantity(packets, "packet"),
                kinds.join(", ")
            )
        })
    }

    /// Adds the counts of another input.
    pub fn merge(&mut self, other: &Self) {
        self.records += other.records;
        self.packets += other.packets;
        self.of_quic |= other.of_quic;
        self.icmp_errors += other.icmp_errors;
        self.cut_datagrams += other.cut_datagrams;
        self.refused.iter_mut().zip(other.refused).for_each(|(count, more)| *count += more);
        other.unread.counts().for_each(|(unread, count)| self.unread.add(unread, count));
        self.unwrapped.iter_mut().zip(other.unwrapped).for_each(|(count, more)| *count += more);
        self.dropped.merge(&other.dropped);
        self.incomplete.extend(&other.incomplete);
        self.late += other.late;
        self.ahead_records += other.ahead_records;
        for (span, other) in [(&mut self.present, other.present), (&mut self.ahead, other.ahead)] {
            other.iter().for_each(|(first, last)| {
                extend(span, *first);
                extend(span, *last);
            });
        }
        self.add_rows(other.rows);
    }

    /// Adds the rows of a window.
    pub const fn add_rows(&mut self, rows: RowCount) {
        self.rows.add(rows);
    }

    /// The number of packets beyond the packet limit of their connection.
    #[must_use]
    pub const fn beyond_limit(&self) -> u64 {
        let others = self.icmp_errors.saturating_add(self.late).saturating_add(self.rows.taken);
        self.packets.saturating_sub(others)
    }
}

#[inline]
fn extend(span: &mut Option<(i64, i64)>, ts: i64) {
    let (first, last) = span.unwrap_or((ts, ts));
    *span = Some((first.min(ts), last.max(ts)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incomplete_sampling_is_noted_with_its_times() {
        // 2026-01-14T12:00:00Z
        let at = |second: i64| (1_768_392_000 + second) * 1_000_000_000;
        let incomplete = |connections, from, to| Incomplete { connections, from: at(from), to: at(to) };
        let note = |incomplete| InputCount { incomplete, ..InputCount::default() }.incomplete_note();
        assert_eq!(note(Vec::new()), None);
        let one = note(vec![incomplete(1, 3, 3)]).unwrap();
        assert!(one.contains("at least 1 chosen connection was left out"), "{one}");
        let mut all = vec![incomplete(382_732, 3, 250), incomplete(5, 86_390, 86_401)];
        let two = note(all.clone()).unwrap();
        let text = "Sampling was incomplete from 2026-01-14 12:00:03 to 12:04:10 UTC, from 2026-01-15 11:59:50 to \
                    12:00:01 UTC: at least 382,737 chosen connections were left out";
        assert!(two.starts_with(text), "{two}");
        all.extend((0..3).map(|number| incomplete(1, 90_000 + 100 * number, 90_001 + 100 * number)));
        assert!(note(all).unwrap().contains(" UTC, 2 more times: at least 382,740"));
    }
}

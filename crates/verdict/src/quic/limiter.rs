use std::collections::{BTreeMap, HashMap};

use cutshort_packet::FiveTuple;
use cutshort_packet::quic::{Datagram, Icmp, Kinds};

use crate::Rules;
use crate::clock::{Clock, ReaderClock};

/// The number of ICMP errors of one 5-tuple that are taken before its first Initial row, which shows whether they mean
/// anything: a bound of memory.
const WAITING: usize = 64;

/// Picks the datagrams that count: the first [`packet_limit`](Rules::packet_limit) of each 5-tuple and window in order of
/// arrival, and the first three ICMP errors of each kind besides (docs/quic.md#connection).
///
/// A [`Tracker`](crate::Tracker) takes the same rows and keeps them; a limiter only counts, for programs that keep rows
/// elsewhere. Memory is bounded by the 5-tuples of the windows that are open.
///
/// ```
/// use cutshort_packet::quic::{Datagram, Kinds};
/// use cutshort_verdict::quic::Limiter;
/// use cutshort_verdict::{DataSet, Rules};
///
/// let mut limiter = Limiter::new(Rules { packet_limit: 2, ..Rules::of(DataSet::Quic) });
/// let mut takes = |ts| {
///     limiter.record(ts);
///     limiter.takes(&Datagram { ts, kinds: Kinds::INITIAL, ..Datagram::ZERO })
/// };
/// assert!(takes(0) && takes(1));
/// assert!(!takes(2), "the limit is reached");
/// assert!(takes(900_000_000_000), "another window");
/// ```
#[derive(Debug)]
pub struct Limiter {
    rules: Rules,
    clock: Clock,
    open: BTreeMap<i64, HashMap<FiveTuple, Taken>>,
    late: u64,
}

impl Limiter {
    /// Creates a limiter that has seen no records yet.
    #[must_use]
    pub const fn new(rules: Rules) -> Self {
        Self { rules, clock: Clock::new(&rules), open: BTreeMap::new(), late: 0 }
    }

    /// Sets the clock by which records lie in the future (docs/spec.md#future); without one, none does.
    #[must_use]
    pub const fn read_at(mut self, reader: ReaderClock) -> Self {
        self.clock.set_reader(reader);
        self
    }

    /// Takes the next record of the input, of any protocol, at `ts` (nanoseconds since the Unix epoch). What it carries is
    /// then asked for with [`takes`](Self::takes).
    pub fn record(&mut self, ts: i64) {
        if self.clock.tick(ts) {
            self.clock.remove_closed(&mut self.open);
        }
    }

    /// Takes a datagram or ICMP error of the latest record. Returns true if it counts.
    #[must_use = "only the datagrams for which it returns true count"]
    pub fn takes(&mut self, row: &Datagram) -> bool {
        let window = self.rules.window_of(row.ts);
        if self.clock.is_closed(window) {
            self.late += u64::from(is_late(row));
            return false;
        }
        let taken = self.open.entry(window).or_default().entry(row.five_tuple).or_default();
        taken.takes(row, &self.rules)
    }

    /// Returns the time of the latest record that does not lie in the future, or of the latest of all if all do, in
    /// nanoseconds since the Unix epoch; [`i64::MIN`] before the first.
    #[must_use]
    pub const fn latest(&self) -> i64 {
        self.clock.latest()
    }

    /// Returns how many datagrams and ICMP errors came for a window that was closed already (docs/spec.md#late).
    #[must_use]
    pub const fn late(&self) -> u64 {
        self.late
    }
}

/// Whether a row of a closed window counts as late: each quote is a row of both directions, and counts once.
pub(crate) fn is_late(row: &Datagram) -> bool {
    row.icmp != Some(Icmp::Server)
}

/// The rows that were taken of a 5-tuple in one window.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken {
    datagrams: u32,
    /// Time of the earliest Initial row.
    since: Option<i64>,
    /// ICMP errors, and when they came.
    icmp: Vec<(Icmp, i64)>,
}

impl Taken {
    pub(super) fn takes(&mut self, row: &Datagram, rules: &Rules) -> bool {
        match row.icmp {
            Some(icmp) => self.takes_icmp(icmp, row.ts),
            None => self.takes_datagram(row, rules),
        }
    }

    fn takes_datagram(&mut self, row: &Datagram, rules: &Rules) -> bool {
        if self.datagrams >= rules.row_limit() {
            return false;
        }
        self.datagrams += 1;
        if row.kinds.intersects(Kinds::INITIAL) {
            self.since = Some(self.since.map_or(row.ts, |since| since.min(row.ts)));
        }
        true
    }

    /// Takes an error unless three of its kind came before it that count whenever it does: an earlier Initial row may still
    /// come.
    fn takes_icmp(&mut self, icmp: Icmp, ts: i64) -> bool {
        let since = self.since.map_or(ts, |since| since.min(ts));
        let before = self.icmp.iter().filter(|(other, at)| *other == icmp && *at >= since).count();
        let takes =
            before < Rules::ICMP_LIMIT as usize && (self.since.is_some() || self.icmp.len() < WAITING);
        if takes {
            self.icmp.push((icmp, ts));
        }
        takes
    }
}

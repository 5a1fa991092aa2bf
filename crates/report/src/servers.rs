//! The servers to which this host opens connections (docs/origin.md).

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};

use cutshort_packet::FiveTuple;
use cutshort_verdict::{DataSet, Stage, Tag, Termination, Verdict, WeightedCount};
use foldhash::fast::RandomState;

use crate::summary::GroupCounts;

/// Buckets of times grow by this factor, so that a quantile is off by at most 5 %.
const GROWTH: f64 = 1.1;

/// Times in nanoseconds, counted in buckets of growing width.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    buckets: BTreeMap<i32, u64>,
    count: u64,
}

impl Times {
    pub(crate) fn add(&mut self, nanoseconds: i64, weight: u32) {
        let bucket = (nanoseconds.max(1) as f64).log(GROWTH).floor() as i32;
        *self.buckets.entry(bucket).or_default() += u64::from(weight);
        self.count += u64::from(weight);
    }

    /// The time below which this share of all times lies, in nanoseconds; `None` without any time.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = (self.count as f64 * share).ceil().max(1.0) as u64;
        let mut below = 0;
        let bucket = self.buckets.iter().find(|(_, count)| {
            below += *count;
            below >= wanted
        });
        // The middle of the bucket.
        bucket.map(|(bucket, _)| GROWTH.powf(f64::from(*bucket) + 0.5))
    }
}

/// What was counted of one server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerCounts {
    pub(crate) group: GroupCounts,
    pub(crate) refused: WeightedCount,
    pub(crate) unreachable: WeightedCount,
    pub(crate) timeouts: WeightedCount,
    /// Those that we gave up, at any stage but none.
    pub(crate) gave_up: WeightedCount,
    pub(crate) empty_answers: WeightedCount,
    pub(crate) handshakes: Times,
}

/// All servers, and who ended what was cut short.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    all: HashMap<(IpAddr, u16), ServerCounts, RandomState>,
    pub(crate) total: ServerCounts,
    /// Resets and empty answers.
    pub(crate) by_server: WeightedCount,
}

impl Servers {
    /// Counts a connection; those of other data sets than `origin` do not count.
    pub(crate) fn add(&mut self, five_tuple: &FiveTuple, verdict: &Verdict) {
        if verdict.data_set != DataSet::Origin {
            return;
        }
        self.total.add(verdict);
        self.all.entry((five_tuple.dst(), five_tuple.dst_port)).or_default().add(verdict);
        if verdict.termination == Termination::Reset || verdict.tags.contains(Tag::EmptyAnswer) {
            self.by_server.add(verdict.sample_rate);
        }
    }

    /// The servers, those first of which most connections were cut short or ended without an answer, then those with most
    /// connections.
    pub(crate) fn ranked(&self) -> Vec<(SocketAddr, &ServerCounts)> {
        let mut servers: Vec<_> =
            self.all.iter().map(|((ip, port), server)| (SocketAddr::new(*ip, *port), server)).collect();
        let order = |server: &ServerCounts| {
            let failed = server.group.anomalous.weight + server.empty_answers.weight;
            std::cmp::Reverse((failed, server.group.all.weight))
        };
        servers.sort_by(|(a, one), (b, two)| order(one).cmp(&order(two)).then_with(|| a.cmp(b)));
        servers
    }
}

impl ServerCounts {
    fn add(&mut self, verdict: &Verdict) {
        let weight = verdict.sample_rate;
        self.group.add(verdict);
        let counts = [
            (&mut self.refused, verdict.tags.contains(Tag::Refused)),
            (&mut self.unreachable, verdict.termination == Termination::Unreachable),
            (&mut self.timeouts, verdict.termination == Termination::Timeout),
            (&mut self.gave_up, verdict.termination == Termination::GaveUp && verdict.stage != Stage::None),
            (&mut self.empty_answers, verdict.tags.contains(Tag::EmptyAnswer)),
        ];
        counts.into_iter().filter(|(_, holds)| *holds).for_each(|(count, _)| count.add(weight));
        if let Some(handshake) = verdict.handshake {
            self.handshakes.add(handshake, weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_off_by_at_most_ten_percent() {
        let mut times = Times::default();
        assert_eq!(times.quantile(0.5), None);
        (1..=1000).for_each(|at| times.add(at * 100_000, 1));
        for share in [0.01, 0.05, 0.5, 0.95, 0.99, 1.0] {
            let (found, exact) = (times.quantile(share).unwrap(), share * 1000.0 * 100_000.0);
            assert!((found - exact).abs() <= exact / 10.0, "{share}: {found} for {exact}");
        }
        let mut weighted = Times::default();
        weighted.add(1_000_000, 19);
        weighted.add(900_000_000, 1);
        assert!(weighted.quantile(0.95).unwrap() < 1_100_000.0);
        assert!(weighted.quantile(0.96).unwrap() > 810_000_000.0);
        weighted.add(0, 1);
    }
}

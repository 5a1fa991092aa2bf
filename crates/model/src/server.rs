//! Counts of connections that share a place, a network or a server.

use std::collections::BTreeMap;

use cutshort_verdict::{Stage, Tag, Tags, Termination, Verdict, WeightedCount};

use crate::ConnectionRecord;

/// What is counted of a connection.
#[derive(Clone, Copy, Debug)]
pub struct CountedConnection {
    stage: Stage,
    termination: Termination,
    tags: Tags,
    completed: bool,
    sample_rate: u32,
    handshake_us: Option<i64>,
}

impl From<&Verdict> for CountedConnection {
    fn from(verdict: &Verdict) -> Self {
        Self {
            stage: verdict.stage,
            termination: verdict.termination,
            tags: verdict.tags,
            completed: verdict.completed_handshake(),
            sample_rate: verdict.sample_rate,
            handshake_us: verdict.handshake.map(|nanoseconds| nanoseconds / 1000),
        }
    }
}

impl From<&ConnectionRecord<'_>> for CountedConnection {
    fn from(record: &ConnectionRecord<'_>) -> Self {
        Self {
            stage: record.stage,
            termination: record.termination,
            tags: record.tags,
            completed: record.completed_handshake(),
            sample_rate: record.sample_rate,
            handshake_us: record.handshake_us,
        }
    }
}

/// Connections of one place, network or server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupCounts {
    /// All connections of the group.
    pub all: WeightedCount,
    /// Connections that were cut short.
    pub anomalous: WeightedCount,
    /// Connections that completed the handshake, whose addresses are not spoofed.
    pub completed: WeightedCount,
    /// Connections that completed the handshake and were cut short.
    pub completed_anomalous: WeightedCount,
}

impl GroupCounts {
    /// Counts a connection.
    pub fn add(&mut self, connection: impl Into<CountedConnection>) {
        let CountedConnection { stage, completed, sample_rate, .. } = connection.into();
        let is_anomalous = stage != Stage::None;
        let counts = [
            (&mut self.all, true),
            (&mut self.anomalous, is_anomalous),
            (&mut self.completed, completed),
            (&mut self.completed_anomalous, completed && is_anomalous),
        ];
        counts.into_iter().filter(|(_, holds)| *holds).for_each(|(count, _)| count.add(sample_rate));
    }
}

/// Buckets of times grow by this factor, so that a quantile is off by at most 5 %.
const GROWTH: f64 = 1.1;

/// Times in microseconds, counted in buckets of growing width (docs/origin.md#numbers).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeHistogram {
    buckets: BTreeMap<i32, u64>,
    count: u64,
}

impl TimeHistogram {
    /// Counts a time of connections of this weight.
    pub fn add(&mut self, microseconds: i64, weight: u32) {
        let bucket = (microseconds.max(1) as f64).log(GROWTH).floor() as i32;
        *self.buckets.entry(bucket).or_default() += u64::from(weight);
        self.count += u64::from(weight);
    }

    /// The time in microseconds below which this share (0 to 1) of all times lies; `None` without any time. It is off
    /// by at most 5 %.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let wanted = (self.count as f64 * share).ceil().max(1.0) as u64;
        let mut below = 0;
        let bucket = self.buckets.iter().find(|(_, count)| {
            below += *count;
            below >= wanted
        });
        // The middle of the bucket.
        bucket.map(|(bucket, _)| GROWTH.powf(f64::from(*bucket) + 0.5).round() as u64)
    }
}

/// Connections to one server, of the data set `origin`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerCounts {
    /// All of them, those cut short, and the same of completed handshakes.
    pub group: GroupCounts,
    /// By stage, in the order of [`Stage::ALL`].
    pub stages: [WeightedCount; Stage::ALL.len()],
    /// Those with the tag `refused`.
    pub refused: WeightedCount,
    /// Those that ended by an ICMP error.
    pub unreachable: WeightedCount,
    /// Those that ended in silence.
    pub timeouts: WeightedCount,
    /// Those that we gave up, at any stage but none.
    pub gave_up: WeightedCount,
    /// Those with the tag `empty_answer`.
    pub empty_answers: WeightedCount,
    /// From the SYN to the SYN+ACK.
    pub handshakes: TimeHistogram,
}

impl ServerCounts {
    /// Counts a connection.
    pub fn add(&mut self, connection: impl Into<CountedConnection>) {
        let connection = connection.into();
        let CountedConnection { stage, termination, tags, sample_rate, handshake_us, .. } = connection;
        self.group.add(connection);
        self.stages[stage as usize].add(sample_rate);
        let counts = [
            (&mut self.refused, tags.contains(Tag::Refused)),
            (&mut self.unreachable, termination == Termination::Unreachable),
            (&mut self.timeouts, termination == Termination::Timeout),
            (&mut self.gave_up, termination == Termination::GaveUp && stage != Stage::None),
            (&mut self.empty_answers, tags.contains(Tag::EmptyAnswer)),
        ];
        counts.into_iter().filter(|(_, holds)| *holds).for_each(|(count, _)| count.add(sample_rate));
        if let Some(handshake) = handshake_us {
            self.handshakes.add(handshake, sample_rate);
        }
    }

    /// The weight of connections that were cut short or ended without an answer: what rankings of servers go by.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.group.anomalous.weight + self.empty_answers.weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_off_by_at_most_ten_percent() {
        let mut times = TimeHistogram::default();
        assert_eq!(times.quantile(0.5), None);
        (1..=1000).for_each(|at| times.add(at * 100, 1));
        for share in [0.01, 0.05, 0.5, 0.95, 0.99, 1.0] {
            let (found, exact) = (times.quantile(share).unwrap() as f64, share * 1000.0 * 100.0);
            assert!((found - exact).abs() <= exact / 10.0, "{share}: {found} for {exact}");
        }
        let mut weighted = TimeHistogram::default();
        weighted.add(1_000, 19);
        weighted.add(900_000, 1);
        assert!(weighted.quantile(0.95).unwrap() < 1_100);
        assert!(weighted.quantile(0.96).unwrap() > 810_000);
        weighted.add(0, 1);
    }
}

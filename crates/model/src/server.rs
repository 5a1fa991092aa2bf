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

    /// Adds the counts of another group.
    pub fn merge(&mut self, other: &Self) {
        self.all.merge(&other.all);
        self.anomalous.merge(&other.anomalous);
        self.completed.merge(&other.completed);
        self.completed_anomalous.merge(&other.completed_anomalous);
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
        self.add_bucket((microseconds.max(1) as f64).log(GROWTH).floor() as i32, u64::from(weight));
    }

    /// Adds the times of another histogram.
    pub fn merge(&mut self, other: &Self) {
        other.buckets().for_each(|(bucket, weight)| self.add_bucket(bucket, weight));
    }

    /// The buckets that are not empty, in order, with the weight of their times.
    pub fn buckets(&self) -> impl ExactSizeIterator<Item = (i32, u64)> {
        self.buckets.iter().map(|(bucket, weight)| (*bucket, *weight))
    }

    /// Adds times of one bucket, as [`buckets`](Self::buckets) returns them.
    pub fn add_bucket(&mut self, bucket: i32, weight: u64) {
        // Of damaged data it may be any number.
        let sum = self.buckets.entry(bucket).or_default();
        *sum = sum.saturating_add(weight);
        self.count = self.count.saturating_add(weight);
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

    /// Adds the counts of another part of the connections to the same server.
    pub fn merge(&mut self, other: &Self) {
        self.group.merge(&other.group);
        self.stages.iter_mut().zip(&other.stages).for_each(|(sum, more)| sum.merge(more));
        self.refused.merge(&other.refused);
        self.unreachable.merge(&other.unreachable);
        self.timeouts.merge(&other.timeouts);
        self.gave_up.merge(&other.gave_up);
        self.empty_answers.merge(&other.empty_answers);
        self.handshakes.merge(&other.handshakes);
    }

    /// The counts from which all others follow, in the order of [`STORED`](Self::STORED).
    #[must_use]
    pub const fn stored(&self) -> [WeightedCount; Self::STORED.len()] {
        let [post_syn, post_ack, post_psh, later, none] = self.stages;
        let Self { group, refused, unreachable, timeouts, gave_up, empty_answers, .. } = self;
        let GroupCounts { completed, completed_anomalous, .. } = group;
        [
            post_syn,
            post_ack,
            post_psh,
            later,
            none,
            *completed,
            *completed_anomalous,
            *refused,
            *unreachable,
            *timeouts,
            *gave_up,
            *empty_answers,
        ]
    }

    /// The names of stored counts. Stores depend on their order: it must not change.
    pub const STORED: [&str; 12] = [
        "post_syn",
        "post_ack",
        "post_psh",
        "later_in_flow",
        "no_match",
        "completed",
        "completed_anomalous",
        "refused",
        "unreachable",
        "timeouts",
        "gave_up",
        "empty_answers",
    ];

    /// The counts that were [stored](Self::stored).
    #[must_use]
    pub fn from_stored(counts: &[WeightedCount; Self::STORED.len()], handshakes: TimeHistogram) -> Self {
        let &[
            post_syn,
            post_ack,
            post_psh,
            later,
            none,
            completed,
            completed_anomalous,
            refused,
            unreachable,
            timeouts,
            gave_up,
            empty_answers,
        ] = counts;
        let mut anomalous = WeightedCount::default();
        [post_syn, post_ack, post_psh, later].iter().for_each(|count| anomalous.merge(count));
        let mut all = anomalous;
        all.merge(&none);
        Self {
            group: GroupCounts { all, anomalous, completed, completed_anomalous },
            stages: [post_syn, post_ack, post_psh, later, none],
            refused,
            unreachable,
            timeouts,
            gave_up,
            empty_answers,
            handshakes,
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

    fn connection(stage: Stage, termination: Termination, tags: &[Tag]) -> CountedConnection {
        CountedConnection {
            stage,
            termination,
            tags: tags.iter().copied().collect(),
            completed: stage != Stage::PostSyn,
            sample_rate: 3,
            handshake_us: (stage != Stage::PostSyn).then_some(1_500),
        }
    }

    #[test]
    fn stored_counts_are_complete_and_sums_of_parts() {
        let connections = [
            connection(Stage::PostSyn, Termination::Reset, &[Tag::Refused]),
            connection(Stage::PostSyn, Termination::Unreachable, &[]),
            connection(Stage::PostAck, Termination::Timeout, &[]),
            connection(Stage::PostPsh, Termination::GaveUp, &[]),
            connection(Stage::Later, Termination::Reset, &[]),
            connection(Stage::None, Termination::Fin, &[Tag::EmptyAnswer]),
        ];
        let (mut whole, mut parts) = (ServerCounts::default(), ServerCounts::default());
        for one in connections {
            whole.add(one);
            let mut part = ServerCounts::default();
            part.add(one);
            parts.merge(&ServerCounts::from_stored(&part.stored(), part.handshakes.clone()));
        }
        assert_eq!(parts, whole);
        assert_eq!(whole.group.all.sampled, 6);
        assert_eq!(whole.stored().map(|count| count.sampled), [2, 1, 1, 1, 1, 4, 3, 1, 1, 1, 1, 1]);
        assert_eq!(whole.handshakes.buckets().collect::<Vec<_>>(), [(76, 12)]);
    }

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

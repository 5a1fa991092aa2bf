//! What an agent reports to its collector about itself.

use std::fmt;

use cutshort_verdict::DataSet;

/// The counts of a receiver of live packets since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentCounts {
    /// Packets that were received.
    pub received: u64,
    /// Packets that the kernel dropped because its buffer was full.
    pub lost: u64,
    /// Packets that could not be written to disk.
    pub unwritten: u64,
    /// Packets that were removed from the spool before they were delivered.
    pub dropped: u64,
    /// Packets in the spool that have not been delivered.
    pub waiting: u64,
    /// Selected connections that were left out because the table of connections was full: a lower bound.
    pub left_out: u64,
    /// When the latest of these were left out, from and to, in nanoseconds since the Unix epoch: a time without long
    /// gaps.
    pub left_out_times: Option<(i64, i64)>,
    /// The data set of these connections; none if several are sampled, or if that is not known.
    pub left_out_of: Option<DataSet>,
}

impl AgentCounts {
    /// The name of the header that carries these counts with a segment.
    pub const HEADER: &str = "Cutshort-Agent";

    /// Parses the [written](fmt::Display) counts. Unknown parts are ignored, because they may come from a newer
    /// agent.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut counts = Self::default();
        let (mut from, mut to) = (None, None);
        for (name, value) in text.split(',').filter_map(|field| field.trim().split_once('=')) {
            let count = match name {
                "received" => &mut counts.received,
                "lost" => &mut counts.lost,
                "unwritten" => &mut counts.unwritten,
                "dropped" => &mut counts.dropped,
                "waiting" => &mut counts.waiting,
                "left_out" => &mut counts.left_out,
                "left_out_from" => {
                    from = value.parse().ok();
                    continue;
                }
                "left_out_to" => {
                    to = value.parse().ok();
                    continue;
                }
                "left_out_of" => {
                    counts.left_out_of = value.parse().ok();
                    continue;
                }
                _ => continue,
            };
            *count = value.parse().unwrap_or(0);
        }
        counts.left_out_times = from.zip(to).filter(|(from, to)| from <= to);
        counts
    }

    /// The number of packets that will never arrive.
    #[must_use]
    pub const fn gone(&self) -> u64 {
        self.lost.saturating_add(self.unwritten).saturating_add(self.dropped)
    }
}

/// Writes `received=5400, lost=0, unwritten=0, dropped=0, waiting=120, left_out=0`, and if connections were left out
/// `, left_out_from=1767225600000000000, left_out_to=1767225607000000000`, and `, left_out_of=tcp` if their data set is
/// known.
impl fmt::Display for AgentCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { received, lost, unwritten, dropped, waiting, left_out, left_out_times, left_out_of } =
            self;
        write!(
            f,
            "received={received}, lost={lost}, unwritten={unwritten}, dropped={dropped}, waiting={waiting}, \
             left_out={left_out}"
        )?;
        let Some((from, to)) = left_out_times else { return Ok(()) };
        write!(f, ", left_out_from={from}, left_out_to={to}")?;
        left_out_of.map_or(Ok(()), |data_set| write!(f, ", left_out_of={data_set}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_back() {
        let counts = AgentCounts {
            received: 5,
            lost: 4,
            unwritten: 3,
            dropped: u64::MAX,
            waiting: 1,
            left_out: 382_732,
            left_out_times: Some((1_767_225_600_000_000_000, 1_767_225_607_000_000_000)),
            left_out_of: Some(DataSet::Quic),
        };
        assert_eq!(AgentCounts::read(&counts.to_string()), counts);
        let several = AgentCounts { left_out_of: None, ..counts };
        assert_eq!(AgentCounts::read(&several.to_string()), several);
        let complete = AgentCounts { left_out: 0, left_out_times: None, ..several };
        assert_eq!(AgentCounts::read(&complete.to_string()), complete);
        for half in [
            "left_out_from=5",
            "left_out_to=5",
            "left_out_from=6, left_out_to=5",
            "left_out_from=x, left_out_to=5",
        ] {
            assert_eq!(AgentCounts::read(half).left_out_times, None, "{half}");
        }
        assert_eq!(counts.gone(), u64::MAX);
        let newer = AgentCounts::read("received=7;q=1, lost=-1,waiting=9 , speed=5, nonsense");
        assert_eq!(newer, AgentCounts { waiting: 9, ..AgentCounts::default() });
        assert_eq!(AgentCounts::read(""), AgentCounts::default());
    }
}

//! What an agent tells its collector about itself.

use std::fmt;

/// What a server that receives packets has counted since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentCounts {
    /// Packets received.
    pub received: u64,
    /// Packets for which its kernel had no room.
    pub lost: u64,
    /// Packets that could not be written.
    pub unwritten: u64,
    /// Packets that were dropped from its spool.
    pub dropped: u64,
    /// Packets that wait there.
    pub waiting: u64,
    /// Connections that were chosen and left out, as no more could be remembered: at least so many.
    pub left_out: u64,
    /// From when to when the latest of them were, one soon after the other; in nanoseconds since the Unix epoch.
    pub left_out_times: Option<(i64, i64)>,
}

impl AgentCounts {
    /// The name under which they travel beside a segment.
    pub const HEADER: &str = "Cutshort-Agent";

    /// Reads what was [written](fmt::Display). What is not understood is left out: it may come from a newer agent.
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
                _ => continue,
            };
            *count = value.parse().unwrap_or(0);
        }
        counts.left_out_times = from.zip(to).filter(|(from, to)| from <= to);
        counts
    }

    /// What will never be here.
    #[must_use]
    pub const fn gone(&self) -> u64 {
        self.lost.saturating_add(self.unwritten).saturating_add(self.dropped)
    }
}

/// `received=5400, lost=0, unwritten=0, dropped=0, waiting=120, left_out=0`, and where connections were left out
/// `, left_out_from=1767225600000000000, left_out_to=1767225607000000000`
impl fmt::Display for AgentCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { received, lost, unwritten, dropped, waiting, left_out, left_out_times } = self;
        write!(
            f,
            "received={received}, lost={lost}, unwritten={unwritten}, dropped={dropped}, waiting={waiting}, \
             left_out={left_out}"
        )?;
        let Some((from, to)) = left_out_times else { return Ok(()) };
        write!(f, ", left_out_from={from}, left_out_to={to}")
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
        };
        assert_eq!(AgentCounts::read(&counts.to_string()), counts);
        let complete = AgentCounts { left_out: 0, left_out_times: None, ..counts };
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

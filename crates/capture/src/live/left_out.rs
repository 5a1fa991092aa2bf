use std::time::Duration;

use super::LiveSource;

/// Connections that were chosen and left out, because too many were remembered already. By rules also
/// those whose ports had begun too many others a moment before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// All since the source was opened. Repeated SYNs count again. Rules report each of the first 10 a
    /// second and then each hundredth, so up to 99 more may have been left out.
    pub connections: u64,
    /// The latest spell.
    pub latest: Option<Spell>,
}

/// A time in which connections were left out again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    /// How many were left out in it.
    pub connections: u64,
    /// When the first was, in nanoseconds since the Unix epoch.
    pub from: i64,
    /// When the latest was.
    pub to: i64,
}

impl Spell {
    /// A spell is over when nothing was left out for so long.
    pub const QUIET: Duration = Duration::from_mins(1);

    /// Whether it is over at a time, also at one that a clock that was set back gives.
    #[must_use]
    pub const fn is_over(&self, now: i64) -> bool {
        now.saturating_sub(self.to).unsigned_abs() as u128 > Self::QUIET.as_nanos()
    }
}

impl LeftOut {
    /// What can be done about it, as the end of a sentence.
    #[must_use]
    pub const fn help(source: &LiveSource) -> &'static str {
        match source {
            LiveSource::Nflog(_) => {
                "the rules cannot remember more, as in a SYN flood: 'cutshort rules status' shows counts and options; \
                 load them again with a larger --size, or with a higher --rate, which chooses fewer"
            }
            LiveSource::AfPacket(_) => {
                "too many are remembered already, as in a SYN flood: a higher 'sample_rate' in the settings of agent \
                 and serve, or rules ('cutshort rules apply --rate N') with nflog:, choose fewer"
            }
            LiveSource::Ebpf(_) => {
                "the kernel could not remember them: a higher 'sample_rate' in the settings of agent and serve chooses fewer"
            }
        }
    }

    /// Counts connections that were left out at a time.
    pub(super) fn add(&mut self, connections: u64, ts: i64) {
        self.connections = self.connections.saturating_add(connections);
        self.latest = Some(match self.latest {
            Some(spell) if !spell.is_over(ts) => Spell {
                connections: spell.connections.saturating_add(connections),
                from: spell.from.min(ts),
                to: spell.to.max(ts),
            },
            _ => Spell { connections, from: ts, to: ts },
        });
    }

    /// What a source has left out that was opened again, in all.
    #[must_use]
    pub fn after(&self, before: &Self) -> Self {
        Self {
            connections: before.connections.saturating_add(self.connections),
            latest: self.latest.or(before.latest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn a_spell_ends_after_a_minute_without_any() {
        let mut left_out = LeftOut::default();
        for (connections, second) in [(1, 100), (100, 159), (1, 158), (1, 219)] {
            left_out.add(connections, second * SECOND);
        }
        let spell = Spell { connections: 103, from: 100 * SECOND, to: 219 * SECOND };
        assert_eq!(left_out, LeftOut { connections: 103, latest: Some(spell) });
        assert!(!spell.is_over(279 * SECOND) && spell.is_over(279 * SECOND + 1));

        left_out.add(2, 280 * SECOND);
        let next = Spell { connections: 2, from: 280 * SECOND, to: 280 * SECOND };
        assert_eq!(left_out, LeftOut { connections: 105, latest: Some(next) });
        // A clock that was set back begins another one, rather than make this one last for ever.
        left_out.add(1, 10 * SECOND);
        assert_eq!(left_out.latest.unwrap().from, 10 * SECOND);
    }

    #[test]
    fn sources_that_are_opened_again_are_added() {
        let mut before = LeftOut::default();
        before.add(7, SECOND);
        assert_eq!(LeftOut::default().after(&before), before);
        let mut later = LeftOut::default();
        later.add(1, 500 * SECOND);
        assert_eq!(later.after(&before), LeftOut { connections: 8, latest: later.latest });
    }
}

use std::net::IpAddr;

use crate::cell::ServerCell;

/// The connections of a range to one server, as one node saw them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerTotals {
    /// Its address and port; none for all servers that their windows count as `other`.
    pub server: Option<(IpAddr, u16)>,
    /// The name of the node; "" for capture files.
    pub node: String,
    /// Where it is, and the counts.
    pub cell: ServerCell,
    /// The start of the first window in which a connection was cut short or ended without an answer, in nanoseconds
    /// since the Unix epoch.
    pub first_failure: Option<i64>,
    /// The start of the last window in which a connection was neither.
    pub last_success: Option<i64>,
}

impl ServerTotals {
    /// Adds what a window that begins at `t` counts.
    pub fn add(&mut self, t: i64, cell: &ServerCell) {
        let (failed, all) = (cell.counts.failed(), cell.counts.group.all.weight);
        let times = Self {
            first_failure: (failed > 0).then_some(t),
            last_success: (all > failed).then_some(t),
            ..Self::default()
        };
        self.cell.merge(cell);
        self.add_times(&times);
    }

    /// Adds the totals of another part of the range or of another node.
    pub fn merge(&mut self, other: &Self) {
        self.cell.merge(&other.cell);
        self.add_times(other);
    }

    fn add_times(&mut self, other: &Self) {
        self.first_failure = [self.first_failure, other.first_failure].into_iter().flatten().min();
        self.last_success = self.last_success.max(other.last_success);
    }
}

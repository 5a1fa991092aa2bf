//! The servers to which this host opens connections (docs/origin.md).

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use cutshort_model::ServerCounts;
use cutshort_packet::FiveTuple;
use cutshort_verdict::{DataSet, Tag, Termination, Verdict, WeightedCount};
use foldhash::fast::RandomState;

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
        let order = |server: &ServerCounts| std::cmp::Reverse((server.failed(), server.group.all.weight));
        servers.sort_by(|(a, one), (b, two)| order(one).cmp(&order(two)).then_with(|| a.cmp(b)));
        servers
    }
}

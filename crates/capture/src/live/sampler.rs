//! Selects connections and limits their packets in user space, as the rules do in the kernel.

use std::collections::{HashMap, VecDeque};

use cutshort_packet::quic::{Datagram, Udp};
use cutshort_packet::{FiveTuple, Flags, Packet};

use super::OPENED_ERRORS;

/// The decision about a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Take,
    /// Its connection was not selected.
    Leave,
    /// Its connection was selected, but enough packets were taken.
    Capped,
    /// It would begin a selected connection, but the table is full.
    Full,
}

impl Decision {
    /// The same of what the kernel's rules have chosen: their memory is larger, and their word goes.
    pub(crate) const fn by_rules(self) -> Self {
        match self {
            Self::Full => Self::Take,
            other => other,
        }
    }
}

/// Whose connections a sampler selects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Those of clients. Packets of the other direction are connections by themselves.
    Clients,
    /// Those that this host opens. It gets rows of both directions.
    Openers,
    /// QUIC connections of clients, which are remembered from their latest datagram on.
    Datagrams,
}

/// What is sampled by connection.
pub(crate) trait Sampled {
    /// In nanoseconds since the Unix epoch.
    fn ts(&self) -> i64;
    /// That of the connection.
    fn five_tuple(&self) -> FiveTuple;
    /// The sequence number of the SYN packet that it is, if it is one.
    fn syn(&self) -> Option<u32> {
        None
    }
    /// Of an ICMP error: the sequence number of the SYN packet that it quotes, if it quotes one.
    fn quoted_syn(&self) -> Option<u32> {
        None
    }
    /// Of an ICMP error: which of the kinds it is that have a limit each.
    fn error(&self) -> usize {
        0
    }
}

impl Sampled for Packet {
    fn ts(&self) -> i64 {
        self.ts
    }

    fn five_tuple(&self) -> FiveTuple {
        self.five_tuple
    }

    fn syn(&self) -> Option<u32> {
        (self.is_syn() && !self.flags.intersects(Flags::RECEIVED)).then_some(self.seq)
    }

    fn quoted_syn(&self) -> Option<u32> {
        Some(self.seq)
    }
}

impl Sampled for Udp<'_> {
    fn ts(&self) -> i64 {
        self.ts
    }

    fn five_tuple(&self) -> FiveTuple {
        self.five_tuple
    }
}

impl Sampled for Datagram {
    fn ts(&self) -> i64 {
        self.ts
    }

    fn five_tuple(&self) -> FiveTuple {
        self.five_tuple
    }

    fn error(&self) -> usize {
        self.icmp.map_or(0, |icmp| icmp.number().into())
    }
}

/// The connections that were selected lately, one for each 5-tuple: a SYN packet with another sequence number begins
/// the next one on the same ports, with its own decision and count.
pub(crate) struct Sampler {
    kind: Kind,
    limit: u32,
    /// How long a connection is remembered, in nanoseconds from its first packet; of datagrams, from its latest.
    keep: i64,
    /// How long a connection with a single packet is remembered, in nanoseconds.
    alone: i64,
    size: usize,
    flows: HashMap<FiveTuple, Flow>,
    /// Connections that began lately, the oldest first. Those whose ports were used again are still among them.
    fresh: VecDeque<FlowAge>,
    /// Those of them that had a second packet when they were no longer new.
    order: VecDeque<FlowAge>,
    /// The number of connections so far.
    begun: u64,
}

struct Flow {
    /// A number that distinguishes it from others on the same ports.
    number: u64,
    /// The sequence number of its SYN packet; none if it began without one.
    syn: Option<u32>,
    taken: u32,
    /// The number of ICMP errors of each kind that were taken, which do not count in `taken`.
    errors: [u8; ERRORS],
    /// The time of the latest packet.
    latest: i64,
}

/// The number of kinds of ICMP errors.
const ERRORS: usize = 4;

struct FlowAge {
    number: u64,
    since: i64,
    five_tuple: FiveTuple,
}

/// Below this number of entries there is no need to clean up the order.
const FEW: usize = 1024;

impl Sampler {
    /// For connections of clients.
    pub(crate) fn new(limit: u32, keep: i64, size: usize) -> Self {
        Self::of(Kind::Clients, limit, keep, size)
    }

    /// For rows of connections that this host opens.
    pub(crate) fn of_openers(limit: u32, keep: i64, size: usize) -> Self {
        Self::of(Kind::Openers, limit, keep, size)
    }

    /// For datagrams of clients.
    pub(crate) fn of_datagrams(limit: u32, keep: i64, size: usize) -> Self {
        Self { alone: keep, ..Self::of(Kind::Datagrams, limit, keep, size) }
    }

    fn of(kind: Kind, limit: u32, keep: i64, size: usize) -> Self {
        let alone = i64::try_from(super::ALONE.as_nanos()).unwrap_or(i64::MAX).min(keep);
        let (fresh, order) = (VecDeque::new(), VecDeque::new());
        Self { kind, limit, keep, alone, size, flows: HashMap::new(), fresh, order, begun: 0 }
    }

    /// Decides about a packet. `begins` says whether it may be the first of a selected connection.
    pub(crate) fn decide<R: Sampled>(&mut self, row: &R, begins: impl FnOnce(&R) -> bool) -> Decision {
        let (ts, five_tuple, syn) = (row.ts(), row.five_tuple(), row.syn());
        self.forget(ts);
        let (limit, is_remembered) = (self.limit, self.remembered(ts));
        let flow = self.flows.get_mut(&five_tuple);
        if let Some(flow) = flow.filter(|flow| flow.has(syn) && is_remembered(flow)) {
            return flow.count(limit, ts);
        }
        if begins(row) {
            return self.begin(ts, five_tuple, syn);
        }
        if syn.is_some() {
            // What comes from now on belongs to a connection that was not chosen.
            self.flows.remove(&five_tuple);
        }
        Decision::Leave
    }

    /// Decides about an ICMP error.
    pub(crate) fn decide_error<R: Sampled>(&mut self, error: &R) -> Decision {
        let ts = error.ts();
        self.forget(ts);
        let is_remembered = self.remembered(ts);
        let flow = self.flows.get_mut(&error.five_tuple());
        let Some(flow) = flow.filter(|flow| flow.syn == error.quoted_syn() && is_remembered(flow)) else {
            return Decision::Leave;
        };
        match flow.errors.get_mut(error.error()) {
            Some(taken) if u32::from(*taken) < OPENED_ERRORS => {
                *taken += 1;
                Decision::Take
            }
            _ => Decision::Capped,
        }
    }

    /// Whether a connection is remembered at a time. Those of datagrams are removed some time after they are forgotten.
    fn remembered(&self, now: i64) -> impl Fn(&Flow) -> bool + use<> {
        let (renews, keep) = (self.kind == Kind::Datagrams, self.keep);
        move |flow| !renews || !is_past(flow.latest, now, keep)
    }

    /// Begins a connection, in place of an earlier one on its ports.
    fn begin(&mut self, ts: i64, five_tuple: FiveTuple, syn: Option<u32>) -> Decision {
        if self.flows.len() >= self.size && !self.flows.contains_key(&five_tuple) {
            return Decision::Full;
        }
        if syn.is_some()
            && self.kind == Kind::Clients
            && let Some(other) = self.flows.get_mut(&five_tuple.reversed())
        {
            other.taken = 0;
        }
        self.begun += 1;
        let flow = Flow { number: self.begun, syn, taken: 1, errors: [0; ERRORS], latest: ts };
        self.flows.insert(five_tuple, flow);
        self.fresh.push_back(FlowAge { number: self.begun, since: ts, five_tuple });
        self.clear();
        Decision::Take
    }

    /// Removes connections that were remembered for long enough.
    fn forget(&mut self, now: i64) {
        let is_remembered = self.remembered(now);
        let renews = self.kind == Kind::Datagrams;
        while let Some(entry) = take_past(&mut self.fresh, now, self.alone) {
            match self.flow_of(&entry) {
                // It is looked at again when its latest packet is so old.
                Some(flow) if renews && is_remembered(flow) => {
                    let since = flow.latest;
                    self.fresh.push_back(FlowAge { since, ..entry });
                }
                Some(flow) if renews || flow.taken == 1 => drop(self.flows.remove(&entry.five_tuple)),
                Some(_) => self.order.push_back(entry),
                None => {}
            }
        }
        while let Some(entry) = take_past(&mut self.order, now, self.keep) {
            if self.flow_of(&entry).is_some() {
                self.flows.remove(&entry.five_tuple);
            }
        }
    }

    /// The connection of an entry, unless another has followed on its ports.
    fn flow_of(&self, entry: &FlowAge) -> Option<&Flow> {
        self.flows.get(&entry.five_tuple).filter(|flow| flow.number == entry.number)
    }

    /// Keeps the entries as few as the connections, however often ports are used again.
    fn clear(&mut self) {
        let len = self.fresh.len() + self.order.len();
        if len >= FEW && len > 2 * self.flows.len() {
            let flows = &self.flows;
            let holds = |entry: &FlowAge| {
                flows.get(&entry.five_tuple).is_some_and(|flow| flow.number == entry.number)
            };
            self.fresh.retain(holds);
            self.order.retain(holds);
        }
    }
}

/// Takes the oldest entry if it is older than `age` nanoseconds.
fn take_past(entries: &mut VecDeque<FlowAge>, now: i64, age: i64) -> Option<FlowAge> {
    // Packets arrive a little out of order, but a clock that was set back must not keep
    // connections for ever.
    entries.pop_front_if(|entry| is_past(entry.since, now, age))
}

fn is_past(since: i64, now: i64, age: i64) -> bool {
    now.saturating_sub(since).saturating_abs() >= age
}

impl Flow {
    /// Whether a packet belongs to it. The sequence number of a SYN packet is then recorded.
    fn has(&self, syn: Option<u32>) -> bool {
        syn.is_none() || syn == self.syn
    }

    fn count(&mut self, limit: u32, ts: i64) -> Decision {
        self.latest = self.latest.max(ts);
        if self.taken >= limit {
            return Decision::Capped;
        }
        self.taken += 1;
        Decision::Take
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! Selects connections and limits their packets in user space, as the rules do in the kernel.

use std::collections::{HashMap, VecDeque};

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

/// Whose connections a sampler selects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Those of clients. Packets of the other direction are connections by themselves.
    Clients,
    /// Those that this host opens. It gets rows of both directions.
    Openers,
}

/// The connections that were selected lately, one for each 5-tuple: a SYN packet with another sequence number begins
/// the next one on the same ports, with its own decision and count.
pub(crate) struct Sampler {
    kind: Kind,
    limit: u32,
    /// How long a connection is remembered, in nanoseconds from its first packet.
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
    /// The number of ICMP errors taken, which do not count in `taken`.
    errors: u32,
}

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

    fn of(kind: Kind, limit: u32, keep: i64, size: usize) -> Self {
        let alone = i64::try_from(super::ALONE.as_nanos()).unwrap_or(i64::MAX).min(keep);
        let (fresh, order) = (VecDeque::new(), VecDeque::new());
        Self { kind, limit, keep, alone, size, flows: HashMap::new(), fresh, order, begun: 0 }
    }

    /// Decides about a packet. `begins` says whether it may be the first of a selected connection.
    pub(crate) fn decide(&mut self, packet: &Packet, begins: impl FnOnce(&Packet) -> bool) -> Decision {
        self.forget(packet.ts);
        let syn = (packet.is_syn() && !packet.flags.intersects(Flags::RECEIVED)).then_some(packet.seq);
        let limit = self.limit;
        if let Some(flow) = self.flows.get_mut(&packet.five_tuple).filter(|flow| flow.has(syn)) {
            return flow.count(limit);
        }
        if begins(packet) {
            return self.begin(packet, syn);
        }
        if syn.is_some() {
            // What comes from now on belongs to a connection that was not chosen.
            self.flows.remove(&packet.five_tuple);
        }
        Decision::Leave
    }

    /// Decides about an ICMP error that quotes a SYN packet.
    pub(crate) fn decide_error(&mut self, error: &Packet) -> Decision {
        self.forget(error.ts);
        let flow = self.flows.get_mut(&error.five_tuple).filter(|flow| flow.syn == Some(error.seq));
        match flow {
            None => Decision::Leave,
            Some(flow) if flow.errors >= OPENED_ERRORS => Decision::Capped,
            Some(flow) => {
                flow.errors += 1;
                Decision::Take
            }
        }
    }

    /// Begins a connection, in place of an earlier one on its ports.
    fn begin(&mut self, packet: &Packet, syn: Option<u32>) -> Decision {
        let five_tuple = packet.five_tuple;
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
        self.flows.insert(five_tuple, Flow { number: self.begun, syn, taken: 1, errors: 0 });
        self.fresh.push_back(FlowAge { number: self.begun, since: packet.ts, five_tuple });
        self.clear();
        Decision::Take
    }

    /// Removes connections that were remembered for long enough.
    fn forget(&mut self, now: i64) {
        while let Some(entry) = take_past(&mut self.fresh, now, self.alone) {
            match self.flow_of(&entry) {
                Some(flow) if flow.taken == 1 => drop(self.flows.remove(&entry.five_tuple)),
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
    let is_past = |entry: &FlowAge| now.saturating_sub(entry.since).saturating_abs() >= age;
    entries.pop_front_if(|entry| is_past(entry))
}

impl Flow {
    /// Whether a packet belongs to it. The sequence number of a SYN packet is then recorded.
    fn has(&self, syn: Option<u32>) -> bool {
        syn.is_none() || syn == self.syn
    }

    fn count(&mut self, limit: u32) -> Decision {
        if self.taken >= limit {
            return Decision::Capped;
        }
        self.taken += 1;
        Decision::Take
    }
}

#[cfg(test)]
pub(crate) mod tests;

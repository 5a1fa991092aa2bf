//! Computes the verdicts on the flows of one part of a window.

use std::net::Ipv6Addr;

use cutshort_geo::{Geo, Place};
use cutshort_model::{JudgedConnection, Network, Port};
use cutshort_packet::FiveTuple;
use cutshort_store::cell::{CellKey, CellOutcome, Cells, ServerKey};
use cutshort_store::{ConnectionSink, FlowKey, FlowVerdict, Result, VerdictBatch, Verdicts, WindowCounts};
use cutshort_verdict::{DataSet, Exclusion, FlowContext, Rules, Verdict, quic};

use crate::datagrams::GatheredDatagrams;
use crate::gather::{Gathered, GatheredFlow};

/// What all parts of a window have in common.
pub(crate) struct WindowContext<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) geo: &'a Geo,
    pub(crate) cutoff: i64,
    /// The names of the nodes.
    pub(crate) nodes: &'a [String],
    /// All parts, in which RSTs of the other direction are looked up.
    pub(crate) parts: &'a [Gathered],
}

/// The counts of one part.
#[derive(Default)]
pub(crate) struct PartCounts {
    pub(crate) cells: Cells,
    pub(crate) counts: WindowCounts,
}

impl PartCounts {
    /// Adds the counts of another part.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.cells.merge(&other.cells);
        self.counts.packets += other.counts.packets;
        self.counts.duplicates += other.counts.duplicates;
        self.counts.tail += other.counts.tail;
        self.counts.connections += other.counts.connections;
        for (sum, more) in self.counts.excluded.iter_mut().zip(other.counts.excluded) {
            *sum += more;
        }
    }
}

/// Judges the flows of a part.
pub(crate) struct Judge<'a> {
    around: &'a WindowContext<'a>,
    sink: &'a mut dyn ConnectionSink,
    judged: PartCounts,
    /// For each node, its index in the cells.
    nodes: Vec<u16>,
    client: Client<'a>,
}

/// A flow to be judged.
struct Subject {
    key: FlowKey,
    /// Country and network of its client, if they came with its packets.
    place: Option<Place>,
    /// How many connections it stands for if it is excluded.
    sample_rate: u32,
    node: u16,
}

/// Country and network of a client. Flows of one client usually follow each other.
#[derive(Clone, Copy)]
struct Client<'a> {
    /// None if country and network came with the packets.
    address: Option<Ipv6Addr>,
    place: Place,
    as_name: Option<&'a str>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(around: &'a WindowContext<'a>, sink: &'a mut dyn ConnectionSink) -> Self {
        let mut judged = PartCounts::default();
        let nodes = around.nodes.iter().map(|name| judged.cells.node(name)).collect();
        let client = Client { address: None, place: Place::default(), as_name: None };
        Self { around, sink, judged, nodes, client }
    }

    pub(crate) fn part(mut self, part: &Gathered) -> Result<PartCounts> {
        self.judged.counts.packets = part.packets;
        self.judged.counts.duplicates = part.duplicates;
        self.judged.counts.tail = part.tail;
        part.flows.iter().flatten().try_for_each(|flow| self.flow(flow))?;
        part.datagrams.flows.iter().try_for_each(|flow| self.datagrams(flow))?;
        Ok(self.judged)
    }

    /// Takes flows that the store has judged; none if it cannot judge all of them.
    pub(crate) fn verdicts(mut self, part: &mut dyn Verdicts) -> Result<Option<PartCounts>> {
        let mut flows = Vec::new();
        loop {
            match part.next_flows(&mut flows)? {
                VerdictBatch::Flows => flows.iter().try_for_each(|flow| self.verdict(flow))?,
                VerdictBatch::End => return Ok(Some(self.judged)),
                VerdictBatch::Undecidable => return Ok(None),
            }
        }
    }

    fn verdict(&mut self, flow: &FlowVerdict) -> Result<()> {
        self.judged.counts.packets += u64::from(flow.packets) + u64::from(flow.tail);
        self.judged.counts.duplicates += u64::from(flow.duplicates);
        self.judged.counts.tail += u64::from(flow.tail);
        let FlowVerdict { key, sample_rate, node, .. } = *flow;
        match &flow.outcome {
            Some(outcome) => self.outcome(&Subject { key, place: None, sample_rate, node }, outcome),
            None => Ok(()),
        }
    }

    fn flow(&mut self, flow: &GatheredFlow) -> Result<()> {
        let key = flow.key();
        let around = FlowContext { cutoff: self.around.cutoff, other_rsts: self.other_rsts(&key) };
        let outcome = flow.findings.judge(self.around.rules, &around.around(flow.next()));
        let GatheredFlow { sample_rate, node, .. } = *flow;
        self.outcome(&Subject { key, place: flow.place(), sample_rate, node }, &outcome)
    }

    fn datagrams(&mut self, flow: &GatheredDatagrams) -> Result<()> {
        let GatheredDatagrams { key, findings, sample_rate, node, place } = flow;
        let other = key.reversed();
        let other = self.around.parts.iter().find_map(|part| part.datagrams.others.get(&other)).copied();
        let rules = self.around.rules;
        if findings.counts_with_other(rules, other.as_ref()) {
            return Ok(());
        }
        let outcome = findings.judge(rules, &quic::Context { cutoff: self.around.cutoff, other });
        let (sample_rate, node) = (*sample_rate, *node);
        self.outcome(&Subject { key: *key, place: *place, sample_rate, node }, &outcome)
    }

    fn outcome(&mut self, flow: &Subject, outcome: &cutshort_verdict::Outcome) -> Result<()> {
        self.look_up(flow);
        match outcome {
            Ok(verdict) => self.connection(flow, verdict),
            Err(exclusion) => {
                self.excluded(flow, *exclusion);
                Ok(())
            }
        }
    }

    fn other_rsts(&self, key: &FlowKey) -> &'a [i64] {
        let mut parts = self.around.parts.iter();
        parts.find_map(|part| part.other_rsts.get(key)).map_or(&[], Vec::as_slice)
    }

    /// Looks up a client. Country and network that came with the packets take precedence; names of networks are
    /// looked up here.
    fn look_up(&mut self, flow: &Subject) {
        let geo = self.around.geo;
        let other_end = self.around.rules.data_set.other_end(&flow.key.five_tuple);
        let address = flow.place.is_none().then_some(other_end);
        let place = match flow.place {
            Some(place) => place,
            None if address == self.client.address => return,
            None => geo.lookup(other_end.to_canonical()),
        };
        let as_name = if place.asn == self.client.place.asn {
            self.client.as_name
        } else {
            place.asn.and_then(|asn| geo.as_name(asn))
        };
        self.client = Client { address, place, as_name };
    }

    fn connection(&mut self, flow: &Subject, verdict: &Verdict) -> Result<()> {
        let outcome = CellOutcome::Connection {
            stage: verdict.stage,
            termination: verdict.termination,
            completed: verdict.completed_handshake(),
            signature: verdict.signature,
            tags: verdict.tags,
        };
        self.judged.counts.connections += 1;
        self.judged.cells.add(self.key(flow, outcome), verdict.sample_rate);
        let Client { place, as_name, .. } = self.client;
        if verdict.data_set == DataSet::Origin {
            let FiveTuple { dst_ip, dst_port, .. } = flow.key.five_tuple;
            let key = ServerKey { server: Some((dst_ip, dst_port)), node: self.node(flow) };
            let server = self.judged.cells.server(key);
            server.locate(place, as_name);
            server.counts.add(verdict);
        }
        let node = self.around.nodes.get(usize::from(flow.node)).map_or("", String::as_str);
        let (five_tuple, addresses) = (&flow.key.five_tuple, flow.key.addresses);
        self.sink.write(&JudgedConnection { five_tuple, addresses, verdict, node, place, as_name })
    }

    fn excluded(&mut self, flow: &Subject, exclusion: Exclusion) {
        self.judged.counts.excluded[exclusion as usize] += 1;
        self.judged.cells.add(self.key(flow, CellOutcome::Excluded(exclusion)), flow.sample_rate);
    }

    fn key(&self, flow: &Subject, outcome: CellOutcome) -> CellKey {
        CellKey {
            location: self.client.place.country,
            network: self.client.place.asn.map_or(Network::Unknown, Network::As),
            ip_version: if flow.key.five_tuple.is_ipv4() { 4 } else { 6 },
            port: Port::Number(flow.key.five_tuple.dst_port),
            node: self.node(flow),
            outcome,
        }
    }

    /// The index of a flow's node in the cells.
    fn node(&self, flow: &Subject) -> u16 {
        self.nodes.get(usize::from(flow.node)).copied().unwrap_or_default()
    }
}

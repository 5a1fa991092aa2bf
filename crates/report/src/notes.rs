//! Notes about the capture, which readers of the numbers must know.

use std::collections::HashSet;
use std::net::Ipv6Addr;

use cutshort_model::grouped;
use cutshort_packet::FiveTuple;
use cutshort_verdict::{DataSet, Exclusion, Verdict};
use foldhash::fast::RandomState;

use crate::Summary;
use crate::text::percent;

/// The maximum number of addresses to remember: a hint needs no exact count.
const MAX_ADDRESSES: usize = 4096;
/// The share from which on a note is worth a line (docs/spec.md#copies).
const NOTEWORTHY: f64 = 0.05;

/// Who opens connections to whom, in order to recognise captures of the host's own connections.
#[derive(Debug, Default)]
pub(crate) struct Direction {
    connections: u64,
    destinations: HashSet<Ipv6Addr, RandomState>,
    /// Clients whose SYNs were not forwarded by any router, and the number of these SYNs.
    near_sources: std::collections::HashMap<Ipv6Addr, u64, RandomState>,
}

impl Direction {
    pub(crate) fn add(&mut self, five_tuple: &FiveTuple, verdict: &Verdict) {
        self.connections += 1;
        if self.destinations.len() < MAX_ADDRESSES {
            self.destinations.insert(five_tuple.dst_ip);
        }
        let untouched = matches!(verdict.syn_ttl, 64 | 128 | 255);
        if untouched && self.near_sources.len() < MAX_ADDRESSES {
            *self.near_sources.entry(five_tuple.src_ip).or_default() += 1;
        }
    }

    /// The number of connections opened by hosts at the capture point: by hosts that are servers as well, or by one
    /// or two hosts to more servers than that.
    fn outgoing(&self) -> u64 {
        let few = self.near_sources.len() <= 2 && self.destinations.len() > 2;
        let own = self.near_sources.iter().filter(|(source, _)| few || self.destinations.contains(*source));
        own.map(|(_, count)| count).sum()
    }
}

/// Why there are no verdicts on connections that we opened (docs/origin.md#one-direction).
pub const ONE_DIRECTION: &str = "The capture has only what was sent to the servers, and nothing that came back: there are no verdicts. Capture both \
     directions on the host that opens the connections.";
/// A caveat of every rate (docs/origin.md#cannot-see).
const UNSEEN: &str =
    "A stall after the first byte from a server is not seen: with TLS, anything after the ServerHello.";

/// Caveats of every rate of QUIC (docs/quic.md#termination).
const UNSEEN_OF_QUIC: &str = "A server that does not answer lets its clients time out in post_initial. How a QUIC connection ends in the ordinary way \
     cannot be seen from outside, so none is called cut short after its second 1-RTT datagram; a certificate that the client refuses mostly looks \
     like a handshake that was cut short.";

/// The notes, one sentence each.
pub(crate) fn notes(summary: &Summary) -> Vec<String> {
    let input = &summary.input;
    let is_origin = summary.data_set == DataSet::Origin;
    let duplicates = ratio(input.rows.duplicates, input.rows.taken);
    let outgoing = ratio(summary.direction.outgoing(), summary.direction.connections);
    let mut notes = Vec::new();
    let mut note = |holds: bool, text: String| notes.extend(holds.then_some(text));
    note(summary.interrupted, "Interrupted: only what was read up to then is counted.".to_owned());
    note(
        duplicates > NOTEWORTHY,
        format!(
            "{} of the packets equal another one in all but time and TTL. Captures at two points cause this: capture at one. \
             So do retransmissions over IPv6.",
            percent(duplicates)
        ),
    );
    let run_into = summary.excluded[Exclusion::MultipleSyn as usize];
    let reused = ratio(run_into, run_into + summary.connections());
    note(
        reused > NOTEWORTHY,
        format!(
            "{} connections were left out because their ports were used again within 10 seconds of silence. Failed \
             attempts are among them, so timeouts are understated.",
            grouped(run_into)
        ),
    );
    note(
        outgoing > NOTEWORTHY && !is_origin,
        format!(
            "{} of the connections seem to be opened by the capturing host itself (no router has touched their TTL). \
             Say which are meant with --server-net or --server-port.",
            percent(outgoing)
        ),
    );
    if summary.one_direction {
        notes.push(ONE_DIRECTION.to_owned());
    } else if is_origin && summary.connections() > 0 {
        notes.push(UNSEEN.to_owned());
    } else if summary.data_set == DataSet::Quic && summary.connections() > 0 {
        notes.push(UNSEEN_OF_QUIC.to_owned());
    }
    notes.extend(input.future_note());
    notes.extend(input.notes());
    notes
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

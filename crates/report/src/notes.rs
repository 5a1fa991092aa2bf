//! What a reader of the numbers must know about the capture they come from.

use std::collections::HashSet;
use std::net::Ipv6Addr;

use cutshort_model::grouped;
use cutshort_packet::FiveTuple;
use cutshort_verdict::{Exclusion, Verdict};
use foldhash::fast::RandomState;

use crate::Summary;
use crate::text::percent;

/// Beyond so many addresses no more are remembered: a hint needs no exact count.
const MAX_ADDRESSES: usize = 4096;
/// From this share on a note is worth a line (docs/spec.md#copies).
const NOTEWORTHY: f64 = 0.05;

/// Who opens connections to whom: finds captures that show the host's own connections.
#[derive(Debug, Default)]
pub(crate) struct Direction {
    connections: u64,
    destinations: HashSet<Ipv6Addr, RandomState>,
    /// Sources whose SYNs no router has passed on, and how many these were.
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

    /// Connections opened by hosts at the capture point: by hosts that are servers here as well,
    /// or by one host or two to more servers than that.
    fn outgoing(&self) -> u64 {
        let few = self.near_sources.len() <= 2 && self.destinations.len() > 2;
        let own = self.near_sources.iter().filter(|(source, _)| few || self.destinations.contains(*source));
        own.map(|(_, count)| count).sum()
    }
}

/// The notes, one sentence each.
pub(crate) fn notes(summary: &Summary) -> Vec<String> {
    let input = &summary.input;
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
        outgoing > NOTEWORTHY,
        format!(
            "{} of the connections seem to be opened by the capturing host itself (no router has touched their TTL). \
             Say which are meant with --server-net or --server-port.",
            percent(outgoing)
        ),
    );
    notes.extend(input.future_note());
    notes.extend(input.notes());
    notes
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

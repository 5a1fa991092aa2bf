//! A store in memory that is too simple to be wrong.

use std::collections::BTreeMap;

use cutshort_model::Window;
use cutshort_packet::{FiveTuple, Packet};
use cutshort_verdict::Row;

/// Rows of each 5-tuple of a window by time, with the names of nodes.
pub(crate) type Groups = BTreeMap<FiveTuple, Vec<(Row, String)>>;

pub(crate) fn groups(segments: &[(String, Vec<Packet>)], window: Window) -> Groups {
    let mut groups = Groups::new();
    for (node, packets) in segments {
        for packet in packets.iter().filter(|packet| Window::containing(packet.ts) == window) {
            groups.entry(packet.five_tuple).or_default().push((Row::from(packet), node.clone()));
        }
    }
    groups.values_mut().for_each(|rows| rows.sort());
    groups
}

//! One connection packet by packet, from the packets of its window.

use cutshort_packet::FiveTuple;
use cutshort_store::{Result, Store};
use cutshort_verdict::{Findings, Row, Rules, Surroundings, Trace};

use crate::gather::counted;

/// Shows why a connection of a window is judged as it is. Reads the window's packets until it is found; `None`
/// if none of its packets are kept.
///
/// # Errors
/// What the store gives.
pub fn trace(store: &dyn Store, rules: &Rules, five_tuple: &FiveTuple, window: i64) -> Result<Option<Trace>> {
    let mut packets = store.read_window(window, 1)?;
    let reversed = five_tuple.reversed();
    let (mut rows, mut other) = (Vec::new(), Vec::new());
    let mut stored = Vec::new();
    for part in &mut packets.parts {
        while let Some(found) = part.next_group(&mut stored)? {
            // A 5-tuple may be its own other direction.
            if found == reversed {
                counted(&mut stored, rules, &mut other);
            }
            if found == *five_tuple {
                counted(&mut stored, rules, &mut rows);
            }
        }
    }
    let cutoff = packets.inputs.cutoff;
    Ok((!rows.is_empty())
        .then(|| Trace::of(&rows, rules, &Surroundings { cutoff, other_rst_ts: rst(&other) })))
}

fn rst(rows: &[Row]) -> Option<i64> {
    if rows.is_empty() { None } else { Findings::of(rows).latest_rst_ts() }
}

//! One connection packet by packet, from the packets of its window.

use cutshort_packet::FiveTuple;
use cutshort_store::{FlowKey, Result, Store, window_of};
use cutshort_verdict::{Findings, Row, Rules, Surroundings, Trace};

use crate::gather::counted;

/// Times of packets are given in no finer steps, in nanoseconds.
const STEP: i64 = 1_000_000;

/// Shows why a connection is judged as it is that began about `time` (nanoseconds since the Unix epoch, to the
/// millisecond). Reads the packets of its window; `None` if none of its own are kept. Where addresses are
/// truncated, several connections may have the same: then it is the one that began at that time.
///
/// # Errors
/// What the store gives.
pub fn trace(store: &dyn Store, rules: &Rules, five_tuple: &FiveTuple, time: i64) -> Result<Option<Trace>> {
    let mut packets = store.read_window(window_of(time), 1)?;
    let reversed = five_tuple.reversed();
    let (mut stored, mut rows) = (Vec::new(), Vec::new());
    let mut found: Option<(FlowKey, Vec<Row>)> = None;
    let mut other_rsts: Vec<(FlowKey, Option<i64>)> = Vec::new();
    for part in &mut packets.parts {
        while let Some(key) = part.next_group(&mut stored)? {
            // A 5-tuple may be its own other direction.
            if key.five_tuple != reversed && key.five_tuple != *five_tuple {
                continue;
            }
            counted(&mut stored, rules, &mut rows);
            if key.five_tuple == reversed {
                other_rsts.push((key.reversed(), Findings::of(&rows).latest_rst_ts()));
            }
            if key.five_tuple == *five_tuple && (found.is_none() || began_at(&rows, time)) {
                found = Some((key, rows.clone()));
            }
        }
    }
    let cutoff = packets.inputs.cutoff;
    Ok(found.map(|(key, rows)| {
        let other_rst_ts = other_rsts.iter().find(|(other, _)| *other == key).and_then(|(_, ts)| *ts);
        Trace::of(&rows, rules, &Surroundings { cutoff, other_rst_ts })
    }))
}

fn began_at(rows: &[Row], time: i64) -> bool {
    rows.iter().any(|row| row.ts.div_euclid(STEP) == time.div_euclid(STEP))
}

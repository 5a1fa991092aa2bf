//! Sums over packets, connections and cells that do not depend on their order.

use std::hash::BuildHasher;

use cutshort_geo::Country;
use cutshort_model::{ConnectionRecord, Window};
use cutshort_store::cell::{CellKey, Cells};
use cutshort_store::{Inputs, Movable, Protected, Result, Segment, WindowCounts};
use cutshort_verdict::{Signature, WeightedCount};
use foldhash::fast::FixedState;

/// A fixed seed, so that both sides compute the same hashes.
const STATE: FixedState = FixedState::with_seed(0x6375_7473);

/// The number of cells and their sum; nodes are identified by name.
pub(super) fn of_cells(cells: &Cells) -> (u64, u64) {
    let of = |(key, count): (CellKey, WeightedCount)| {
        let node = cells.nodes().get(usize::from(key.node)).map(String::as_str);
        STATE.hash_one((CellKey { node: 0, ..key }, node, count.sampled, count.weight, count.squares))
    };
    let sum = cells.iter().map(of).fold(0, u64::wrapping_add);
    (cells.len() as u64, sum)
}

/// The sum of a segment's packets.
pub(super) fn of_segment(segment: &Segment) -> Result<u64> {
    Ok(segment.protected()?.iter().map(of_packet).fold(0, u64::wrapping_add))
}

fn of_packet(Protected { packet, protection }: &Protected) -> u64 {
    let tuple = &packet.five_tuple;
    let country = protection.place.country.map(Country::alpha2);
    STATE.hash_one((
        (packet.ts, tuple.src_ip, tuple.src_port, tuple.dst_ip, tuple.dst_port),
        (packet.ip_id, packet.ttl, packet.flags.bits(), packet.seq, packet.ack),
        (packet.tcp_window, packet.options_len, packet.payload_len, packet.sample_rate),
        (packet.df, packet.syn),
        (protection.addresses as u8, country, protection.place.asn, protection.flow),
    ))
}

fn of_record(record: &ConnectionRecord<'_>) -> u64 {
    let tuple = &record.five_tuple;
    STATE.hash_one((
        (tuple.src_ip, tuple.src_port, tuple.dst_ip, tuple.dst_port, record.addresses as u8),
        (record.first_us, record.last_us, record.silent_us, &*record.node, record.packets),
        (record.progress as u8, record.stage as u8, record.termination as u8, record.tags.bits()),
        record.signature.map(Signature::id),
        (record.location.map(Country::alpha2), record.asn, record.as_name.as_deref()),
        (record.rst_ttl_delta, record.rst_ip_id_delta, record.sample_rate),
    ))
}

/// The sums of a window's results.
pub(super) struct WindowSum {
    pub(super) inputs: Inputs,
    counts: WindowCounts,
    frozen: bool,
    has_connections: bool,
    pub(super) connections: u64,
    connection_sum: u64,
    pub(super) cells: Option<(u64, u64)>,
}

/// Reads all results of a window; none if it has none.
pub(super) fn of_window(store: &dyn Movable, window: Window) -> Result<Option<WindowSum>> {
    let (mut connections, mut connection_sum) = (0, 0_u64);
    let results = store.read_results(window, &mut |record| {
        connections += 1;
        connection_sum = connection_sum.wrapping_add(of_record(record));
        Ok(())
    })?;
    Ok(results.map(|results| WindowSum {
        inputs: results.inputs,
        counts: results.counts,
        frozen: results.frozen,
        has_connections: results.has_connections,
        connections,
        connection_sum,
        cells: results.cells.as_ref().map(of_cells),
    }))
}

impl WindowSum {
    /// Whether the target has the same results. More windows may be frozen there, for example where it has whole
    /// days.
    pub(super) fn is_same(&self, there: &Self) -> bool {
        let all = |sum: &Self| {
            (sum.inputs, sum.counts, sum.has_connections, sum.connections, sum.connection_sum, sum.cells)
        };
        all(self) == all(there) && (there.frozen || !self.frozen)
    }

    pub(super) fn sum(&self) -> u64 {
        self.connection_sum.wrapping_add(self.cells.unwrap_or_default().1)
    }

    /// Describes the sums in a message.
    pub(super) fn text(&self) -> String {
        let (cells, sum) = self.cells.unwrap_or_default();
        format!(
            "{} connections (sum {:016x}), {cells} cells (sum {sum:016x}){}",
            self.connections,
            self.connection_sum,
            if self.frozen { ", frozen" } else { "" }
        )
    }
}

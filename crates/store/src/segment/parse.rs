//! Checks bytes from any source and makes them a segment.

use std::sync::Arc;

use bytes::Bytes;
use cutshort_model::Addresses;
use cutshort_packet::Packet;
use cutshort_packet::quic::Datagram;

use super::decode::{is_same, is_same_text};
use super::encode::{check_packet, windows};
use super::layout::Layout;
use super::schema::{ASN, COUNTRY, ContentId, FLOW, FULL_COUNTRY, MAX_NODE, NODE, SchemaVersion};
use super::{
    Batches, Ids, Keepable, Protected, Protection, Provenance, RowBatch, Scratch, Segment, SegmentInfo,
    SortKey,
};
use crate::{Result, StoreError};

type Checked<T> = std::result::Result<T, String>;

pub(super) fn parse(bytes: Bytes) -> Result<Segment> {
    let refused = |why| StoreError::Refused(format!("it is no segment that can be kept: {why}"));
    let (info, times) = check(&bytes).map_err(refused)?;
    Ok(Segment { info, windows: windows(times.into_iter()), bytes })
}

pub(super) fn packets(bytes: &Bytes) -> Result<Vec<Protected>> {
    all(bytes).map_err(|why| StoreError::Damaged(why.into()))
}

pub(super) fn datagrams(bytes: &Bytes) -> Result<Vec<Datagram>> {
    let batch = batch(bytes).map_err(|why| StoreError::Damaged(why.into()))?;
    Ok((0..batch.rows.len()).filter_map(|at| batch.datagram(at)).collect())
}

fn all(bytes: &Bytes) -> Checked<Vec<Protected>> {
    let batch = batch(bytes)?;
    Ok((0..batch.rows.len()).map(|at| protected(&batch, at)).collect())
}

/// All rows of a file.
fn batch(bytes: &Bytes) -> Checked<RowBatch> {
    let layout = Layout::read(bytes.clone())?;
    let groups = (0..layout.groups.len()).collect();
    let mut batches = Batches::new(Arc::new(layout), groups);
    let (mut scratch, mut batch) = (Scratch::new()?, RowBatch::default());
    while batches.next(&mut scratch, &mut batch)? {}
    Ok(batch)
}

fn protected(batch: &RowBatch, at: usize) -> Protected {
    let SortKey { addresses, flow, .. } = batch.keys[at];
    let place = batch.place(at).unwrap_or_default();
    let protection = Protection { addresses, flow, place };
    Protected { packet: batch.packet(at), protection }
}

/// Returns the description of a file and the times of its packets, or what is wrong with it.
fn check(bytes: &Bytes) -> Checked<(SegmentInfo, Vec<i64>)> {
    if bytes.len() as u64 > Segment::MAX_BYTES {
        return Err(format!("{} bytes are too many", bytes.len()));
    }
    let layout = Layout::read(bytes.clone())?;
    let info = layout.info.clone();
    if info.rows > Segment::MAX_ROWS {
        return Err(format!("{} packets are too many", info.rows));
    }
    if info.node.len() > MAX_NODE {
        return Err("its node's name is too long".to_owned());
    }
    for (at, group) in layout.groups.iter().enumerate() {
        let same = is_same_text(layout.column(at, NODE), group.rows, &info.node);
        if !same.map_err(|why| format!("its column node: {why}"))? {
            return Err("its column node differs from the node in its metadata".to_owned());
        }
        if layout.version != SchemaVersion::First && info.addresses == Addresses::Full {
            check_unprotected(&layout, at)?;
        }
    }
    let times = check_rows(layout)?;
    Ok((info, times))
}

/// If addresses are full, all other columns must be empty.
fn check_unprotected(layout: &Layout, group: usize) -> Checked<()> {
    let (rows, column) = (layout.groups[group].rows, |column| layout.column(group, column));
    let empty = [
        ("country", is_same_text(column(COUNTRY), rows, FULL_COUNTRY)),
        ("asn", is_same(column(ASN), rows, &[0; 4])),
        ("flow", is_same(column(FLOW), rows, &[0; 8])),
    ];
    for (name, empty) in empty {
        if !empty.map_err(|why| format!("its column {name}: {why}"))? {
            return Err(format!("its column {name} has values beside full addresses"));
        }
    }
    Ok(())
}

/// Checks all rows against the description and returns their times.
fn check_rows(layout: Layout) -> Checked<Vec<i64>> {
    let layout = Arc::new(layout);
    let mut batches = Batches::new(Arc::clone(&layout), (0..layout.groups.len()).collect());
    let (mut scratch, mut batch) = (Scratch::new()?, RowBatch::default());
    let mut rows = Rows::new(&layout);
    while batches.next(&mut scratch, &mut batch)? {
        if let Some(column) = scratch.out_of_bounds(layout.info.data_set) {
            return Err(format!("the column {column} has values that are too large"));
        }
        if !scratch.has_countries() {
            return Err("the column country has values that are no countries".to_owned());
        }
        rows.check(&batch, batches.group())?;
        batch.clear();
    }
    rows.finish()
}

/// A row of either kind.
#[derive(Clone, Copy)]
struct InBatch {
    protected: Protected,
    ids: Option<Ids>,
}

impl Keepable for InBatch {
    fn packet(&self) -> &Packet {
        &self.protected.packet
    }

    fn protection(&self) -> &Protection {
        &self.protected.protection
    }

    fn ids(&self) -> Option<&Ids> {
        self.ids.as_ref()
    }
}

/// What rows must be, and what has been seen of them.
struct Rows<'a> {
    layout: &'a Layout,
    /// First and last source address of each row group.
    sources: Vec<Option<(u128, u128)>>,
    last: Option<(SortKey, i64)>,
    times: Vec<i64>,
    id: ContentId,
}

impl<'a> Rows<'a> {
    fn new(layout: &'a Layout) -> Self {
        let id = ContentId::new(&layout.info.source(), layout.info.addresses);
        Self { layout, sources: vec![None; layout.groups.len()], last: None, times: Vec::new(), id }
    }

    fn check(&mut self, batch: &RowBatch, group: usize) -> Checked<()> {
        for (at, (key, row)) in batch.keys.iter().zip(&batch.rows).enumerate() {
            let packet = InBatch { protected: protected(batch, at), ids: batch.ids(at).copied() };
            check_packet(&packet, self.layout.info.data_set, self.layout.info.covers)?;
            if self.last.is_some_and(|last| last > (*key, row.ts)) {
                return Err(format!("its packets are not sorted: {} comes too late", key.five_tuple()));
            }
            self.last = Some((*key, row.ts));
            self.id.add(&packet);
            self.times.push(row.ts);
        }
        if let (Some(first), Some(last)) = (batch.keys.first(), batch.keys.last()) {
            let seen = &mut self.sources[group];
            *seen = Some((seen.map_or(first.src_ip, |(first, _)| first), last.src_ip));
        }
        Ok(())
    }

    fn finish(self) -> Checked<Vec<i64>> {
        let info = &self.layout.info;
        if self.layout.groups.iter().map(|group| Some(group.sources)).ne(self.sources) {
            return Err("the statistics of its column src_ip are wrong".to_owned());
        }
        let times = self.times.iter().copied();
        if info.times != times.clone().min().zip(times.max()) {
            return Err("the times in its metadata are not those of its packets".to_owned());
        }
        if info.origin == Provenance::File && self.id.finish() != info.id {
            return Err("its id is not that of its content".to_owned());
        }
        Ok(self.times)
    }
}

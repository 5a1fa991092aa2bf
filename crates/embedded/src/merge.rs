//! Merges the segments of a window, grouped by 5-tuple.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use cutshort_model::Window;
use cutshort_store::segment::{Batches, Layout, RowBatch, Scratch, SortKey};
use cutshort_store::{FlowKey, Grouped, Inputs, StoreError, StoredDatagram, StoredRow, WindowPackets};
use cutshort_verdict::DataSet;

use super::Embedded;
use super::catalog::{self, SegmentFile};
use crate::error::Result;

impl Embedded {
    pub(super) fn window_packets(&self, window: Window, parts: usize) -> Result<WindowPackets<'_>> {
        let (inputs, files) = self.load(window)?;
        let mut nodes: Vec<String> = files.iter().map(|file| file.segment.node.clone()).collect();
        nodes.push(String::new());
        nodes.sort_unstable();
        nodes.dedup();
        let times = window.range();
        let open = |sources| {
            SourceRange::open(self.data_set, &files, &nodes, &sources, &times).map_err(|why| damaged(&why))
        };
        let parts = split(&files, parts).into_iter();
        let parts = parts.map(|part| Ok(Box::new(open(part)?) as Box<dyn Grouped + Send>));
        let parts = parts.collect::<Result<_>>()?;
        Ok(WindowPackets { inputs, nodes, parts })
    }

    /// Loads the files of a window's segments. Files that cannot be read are set aside, and the list is read again.
    fn load(&self, window: Window) -> Result<(Inputs, Vec<Loaded>)> {
        loop {
            let (inputs, segments) = self.database.read(|sql| {
                let segments = catalog::segments_of(sql, window)?;
                Ok((catalog::inputs(sql, window, &segments)?, segments))
            })?;
            let mut files = Vec::with_capacity(segments.len());
            let mut wrong = Vec::new();
            for segment in segments {
                match self.load_file(&segment)? {
                    Ok(layout) => files.push(Loaded { segment, layout: Arc::new(layout) }),
                    Err(why) => wrong.push((segment, why)),
                }
            }
            if wrong.is_empty() {
                return Ok((inputs, files));
            }
            for (segment, why) in wrong {
                self.set_segment_aside(&segment, &why)?;
            }
        }
    }

    /// Loads a file, or returns what is wrong with it.
    fn load_file(&self, segment: &SegmentFile) -> Result<std::result::Result<Layout, String>> {
        let bytes = match std::fs::read(self.folder.path(&segment.path)) {
            Ok(bytes) => Bytes::from(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Err(format!("{} is gone, and nobody here has deleted it", segment.path)));
            }
            Err(error) => return Err(self.folder.error("read", &segment.path, error)),
        };
        if crc32fast::hash(&bytes) != segment.crc {
            return Ok(Err("its bytes are not those that were written".to_owned()));
        }
        Ok(Layout::read(bytes))
    }
}

fn damaged(why: &str) -> StoreError {
    StoreError::Damaged(format!("a segment cannot be read: {why}").into())
}

struct Loaded {
    segment: SegmentFile,
    layout: Arc<Layout>,
}

/// Source addresses, from and to, both inclusive.
type Sources = (u128, u128);

/// Divides source addresses into ranges with about as many rows each. Ranges begin where row groups do.
fn split(files: &[Loaded], parts: usize) -> Vec<Sources> {
    let groups = files.iter().flat_map(|file| &file.layout.groups);
    let mut begins: Vec<_> = groups.map(|group| (group.sources.0, group.rows as u64)).collect();
    begins.sort_unstable();
    let all: u64 = begins.iter().map(|(_, rows)| rows).sum();
    let mut bounds = vec![0];
    let mut before = 0;
    for (first, rows) in begins {
        let wanted = all * bounds.len() as u64 / parts.max(1) as u64;
        if before >= wanted && first > bounds[bounds.len() - 1] && bounds.len() < parts {
            bounds.push(first);
        }
        before += rows;
    }
    let ends = bounds.iter().skip(1).map(|bound| bound - 1).chain([u128::MAX]);
    bounds.iter().copied().zip(ends).collect()
}

/// The 5-tuples with a range of source addresses.
struct SourceRange {
    data_set: DataSet,
    /// The next flow of each file that is not at its end.
    next: BinaryHeap<Reverse<(SortKey, usize)>>,
    cursors: Vec<Cursor>,
    scratch: Scratch,
}

impl SourceRange {
    fn open(
        data_set: DataSet,
        files: &[Loaded],
        nodes: &[String],
        sources: &Sources,
        times: &Range<i64>,
    ) -> std::result::Result<Self, String> {
        let (next, cursors, scratch) = (BinaryHeap::new(), Vec::new(), Scratch::new()?);
        let mut part = Self { data_set, next, cursors, scratch };
        for (number, file) in files.iter().enumerate() {
            let node = nodes.binary_search(&file.segment.node).unwrap_or_default() as u16;
            let mut cursor = Cursor::new(file, (node, number as u32), sources, times);
            if let Some(key) = cursor.key(&mut part.scratch)? {
                part.next.push(Reverse((key, part.cursors.len())));
                part.cursors.push(cursor);
            }
        }
        Ok(part)
    }
}

/// What a row of a segment becomes.
trait FromBatch: Sized {
    /// The row at an index; `None` if the segment has another kind of rows.
    fn of(batch: &RowBatch, at: usize, node: u16, segment: u32) -> Option<Self>;
}

impl FromBatch for StoredRow {
    fn of(batch: &RowBatch, at: usize, node: u16, segment: u32) -> Option<Self> {
        if batch.ids(at).is_some() {
            return None;
        }
        let (df, syn) = batch.rest(at);
        Some(Self { node, segment, row: batch.rows[at], place: batch.place(at), df, syn })
    }
}

impl FromBatch for StoredDatagram {
    fn of(batch: &RowBatch, at: usize, node: u16, segment: u32) -> Option<Self> {
        Some(Self { node, segment, row: batch.datagram(at)?, place: batch.place(at) })
    }
}

impl SourceRange {
    /// Replaces `rows` by those of the next flow, in the order of the files.
    fn next_of<R: FromBatch>(&mut self, rows: &mut Vec<R>) -> cutshort_store::Result<Option<FlowKey>> {
        rows.clear();
        let Some(Reverse((wanted, _))) = self.next.peek().copied() else { return Ok(None) };
        while let Some(mut top) = self.next.peek_mut().filter(|top| top.0.0 == wanted) {
            let cursor = &mut self.cursors[top.0.1];
            match cursor.take(&wanted, &mut self.scratch, rows).map_err(|why| damaged(&why))? {
                Some(key) => top.0.0 = key,
                None => drop(PeekMut::pop(top)),
            }
        }
        Ok(Some(wanted.flow_key()))
    }
}

impl Grouped for SourceRange {
    fn next_group(&mut self, rows: &mut Vec<StoredRow>) -> cutshort_store::Result<Option<FlowKey>> {
        let key = self.next_of(rows)?;
        // Mostly they are sorted already: they are from one segment, or of different times.
        if self.data_set == DataSet::Origin {
            // Its rules depend on the order of arrival, also of rows at the same time.
            if !rows.is_sorted_by_key(|row| row.row.ts) {
                rows.sort_by_key(|row| row.row.ts);
            }
        } else if !rows.is_sorted_by_key(|row| (row.row, row.node)) {
            rows.sort_unstable_by_key(|row| (row.row, row.node));
        }
        Ok(key)
    }

    fn next_datagrams(&mut self, rows: &mut Vec<StoredDatagram>) -> cutshort_store::Result<Option<FlowKey>> {
        let key = self.next_of(rows)?;
        rows.sort_unstable_by_key(|row| (row.row.ts, row.row, row.node));
        Ok(key)
    }
}

/// The rows of one segment, from the first to the last that is wanted.
struct Cursor {
    batches: Batches,
    batch: RowBatch,
    at: usize,
    node: u16,
    segment: u32,
    sources: Sources,
    /// The times that are wanted; none if all rows are in this range.
    times: Option<Range<i64>>,
}

impl Cursor {
    fn new(file: &Loaded, (node, segment): (u16, u32), wanted: &Sources, times: &Range<i64>) -> Self {
        let groups = file.layout.groups.iter().enumerate();
        let groups = groups.filter(|(_, group)| group.sources.0 <= wanted.1 && group.sources.1 >= wanted.0);
        let groups = groups.map(|(at, _)| at).collect();
        let (first, last) = file.segment.times;
        let all = times.contains(&first) && times.contains(&last);
        Self {
            batches: Batches::new(Arc::clone(&file.layout), groups),
            batch: RowBatch::default(),
            at: 0,
            node,
            segment,
            sources: *wanted,
            times: (!all).then(|| times.clone()),
        }
    }

    /// The flow of the next row; none at the end.
    fn key(&mut self, scratch: &mut Scratch) -> std::result::Result<Option<SortKey>, String> {
        while self.at == self.batch.keys.len() {
            self.at = 0;
            self.batch.clear();
            if !self.batches.next(scratch, &mut self.batch)? {
                self.batch = RowBatch::default();
                return Ok(None);
            }
            self.keep_wanted();
        }
        Ok(Some(self.batch.keys[self.at]))
    }

    fn keep_wanted(&mut self) {
        let (first, last) = self.sources;
        let end = self.batch.keys.partition_point(|key| key.src_ip <= last);
        self.batch.truncate(end);
        if let Some(times) = &self.times {
            self.batch.retain(|row| times.contains(&row.ts));
        }
        self.at = self.batch.keys.partition_point(|key| key.src_ip < first);
    }

    /// Appends the rows of a flow, which come next, and returns the flow that follows.
    fn take<R: FromBatch>(
        &mut self,
        wanted: &SortKey,
        scratch: &mut Scratch,
        rows: &mut Vec<R>,
    ) -> std::result::Result<Option<SortKey>, String> {
        loop {
            let Some(key) = self.key(scratch)? else { return Ok(None) };
            if key != *wanted {
                return Ok(Some(key));
            }
            let same = self.batch.keys[self.at..].iter().take_while(|key| *key == wanted).count();
            let (batch, node, segment) = (&self.batch, self.node, self.segment);
            rows.extend((self.at..self.at + same).filter_map(|at| R::of(batch, at, node, segment)));
            self.at += same;
        }
    }
}

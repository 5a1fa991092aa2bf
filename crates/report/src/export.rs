//! Exports the contents of a store.

use std::io;
use std::ops::Range;

use cutshort_model::{Bucket, Dimension, Network, Port, Value, Window};
use cutshort_store::{Result, RollupQuery, RollupRow, Selection, Store, StoreError};

use crate::connection;
use crate::counts::{self, Counts};

/// Why an export failed.
#[derive(Debug)]
pub enum ExportError {
    /// The store could not be read.
    Store(StoreError),
    /// The output could not be written.
    Output(io::Error),
}

impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for ExportError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// The number of connections that were written, and what is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// The number of connections.
    pub connections: u64,
    /// Windows whose connections are missing, because their files are damaged.
    pub missing: Vec<Window>,
}

/// Writes all connections of a range of windows.
pub fn export_connections(
    store: &dyn Store,
    range: Range<i64>,
    mut writer: Box<dyn connection::Writer + '_>,
) -> std::result::Result<Exported, ExportError> {
    let (mut count, mut failed) = (0, None);
    store.each_connection(range.clone(), &mut |record| {
        count += 1;
        failed = writer.write_record(&record, &[]).err();
        failed.is_none()
    })?;
    failed.map_or(Ok(()), Err)?;
    writer.finish()?;
    Ok(Exported { connections: count, missing: store.lost_connections(&range)? })
}

/// Writes the counts of a range of windows, in buckets, grouped by each of the dimensions, or in total if there is
/// none. Returns the number of rows, and whether networks or ports are counted as `other`.
pub fn export_rollups(
    store: &dyn Store,
    range: Range<i64>,
    bucket: Bucket,
    by: &[Dimension],
    mut writer: Box<dyn counts::Writer + '_>,
) -> std::result::Result<(u64, bool), ExportError> {
    let dimensions: Vec<_> = if by.is_empty() { vec![None] } else { by.iter().copied().map(Some).collect() };
    let (mut rows, mut folded) = (0, false);
    for piece in pieces(&range, bucket) {
        for by in &dimensions {
            let query = RollupQuery {
                range: piece.clone(),
                bucket: Some(bucket),
                selection: Selection::default(),
                by: *by,
            };
            let answer = store.rollups(&query)?;
            folded |= match by {
                Some(Dimension::As) => answer.networks_folded,
                Some(Dimension::Port) => answer.ports_folded,
                _ => false,
            };
            rows += answer.rows.len() as u64;
            answer.rows.iter().try_for_each(|row| write(writer.as_mut(), *by, row))?;
        }
    }
    writer.finish()?;
    Ok((rows, folded))
}

/// The range of windows that have results, from the start of the first to the end of the last; none without results.
pub fn extent(store: &dyn Store) -> Result<Option<Range<i64>>> {
    let range = store.status()?.window_range;
    Ok(range.map(|(first, last)| first.start()..last.end()))
}

/// Divides a range into parts of whole buckets, so that no answer is large.
fn pieces(range: &Range<i64>, bucket: Bucket) -> impl Iterator<Item = Range<i64>> + use<> {
    let length = match bucket {
        Bucket::FifteenMinutes | Bucket::Hour => Bucket::Day.nanoseconds(),
        Bucket::Day | Bucket::Week => 4 * Bucket::Week.nanoseconds(),
    };
    let Range { start, end } = *range;
    // Weeks do not begin when the epoch did.
    let first = if length > Bucket::Day.nanoseconds() { Bucket::Week } else { Bucket::Day }.start(start);
    let count = (end - first + length - 1) / length;
    (0..count).map(move |nth| {
        let from = first + nth * length;
        from.max(start)..(from + length).min(end)
    })
}

fn write(writer: &mut dyn counts::Writer, by: Option<Dimension>, row: &RollupRow) -> io::Result<()> {
    let (by, value) = (by.map_or("", Dimension::name), text(&row.value));
    writer.write(&Counts { from: row.from, by, value: &value, stages: row.stages, excluded: row.excluded })
}

/// The text of a value; empty if it is unknown.
fn text(value: &Value) -> String {
    match value {
        Value::All | Value::As(Network::Unknown) => String::new(),
        Value::Tag(tag) => tag.name().to_owned(),
        Value::Signature(signature) => signature.map_or("", |signature| signature.name()).to_owned(),
        Value::Termination(termination) => termination.name().to_owned(),
        Value::IpVersion(version) => version.to_string(),
        Value::Location(country) => country.map_or("", |country| country.alpha2()).to_owned(),
        Value::As(Network::As(number)) => number.to_string(),
        Value::Port(Port::Number(number)) => number.to_string(),
        Value::As(Network::Other) | Value::Port(Port::Other) => "other".to_owned(),
        Value::Node(node) => node.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_range_in_whole_buckets() {
        let hour = Bucket::Hour.nanoseconds();
        for bucket in [Bucket::FifteenMinutes, Bucket::Hour, Bucket::Day, Bucket::Week] {
            let range = 490_001 * hour..495_003 * hour;
            let pieces: Vec<_> = pieces(&range, bucket).collect();
            assert_eq!((pieces[0].start, pieces.last().unwrap().end), (range.start, range.end));
            for pair in pieces.windows(2) {
                assert_eq!(pair[0].end, pair[1].start);
                assert_eq!(bucket.start(pair[1].start), pair[1].start, "{bucket:?}");
            }
        }
        assert_eq!(pieces(&(hour..hour), Bucket::Hour).filter(|piece| !piece.is_empty()).count(), 0);
    }
}

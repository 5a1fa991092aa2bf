//! Removes segments as if they had never arrived.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use cutshort_geo::Geo;
use cutshort_model::{date_time, quantity, rfc3339, until};
use cutshort_store::{Forgotten, KnownSegment, Provenance, Result, SegmentId, Store};

use crate::data_sets::stores;
use crate::{Due, Report, RunProgress, WindowJob};

/// The segments of a store, of all data sets, in the order in which they arrived.
pub fn known_segments(store: &dyn Store) -> Result<Vec<KnownSegment>> {
    let mut known = Vec::new();
    for store in stores(store)? {
        known.extend(store.known_segments()?);
    }
    known.sort_by_key(|segment| segment.arrived);
    Ok(known)
}

/// What operators call segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SegmentName {
    /// An import, by when it began and ended, in nanoseconds since the Unix epoch: all segments of captures that arrived
    /// in this time.
    Import(i64, i64),
    /// The beginning of an ID.
    Id(String),
}

/// Writes an import as its times, rounded to milliseconds so that it contains them.
impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MILLISECOND: i64 = 1_000_000;
        let whole = |time: i64| rfc3339(time.div_euclid(MILLISECOND) * MILLISECOND);
        match self {
            Self::Import(from, to) => write!(f, "{}/{}", whole(*from), whole(to + MILLISECOND - 1)),
            Self::Id(start) => f.write_str(start),
        }
    }
}

/// Why a name does not name segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentNameError {
    /// No segment is called so.
    Unknown,
    /// This number of segments have an ID that begins so.
    Ambiguous(usize),
}

/// Segments to be removed.
#[derive(Clone, Debug, Default)]
pub struct Unwanted(BTreeMap<SegmentId, KnownSegment>);

impl Unwanted {
    /// Adds the segments of a store that a name stands for.
    ///
    /// # Errors
    /// There is none, or more than one where only one is meant.
    pub fn add(
        &mut self,
        name: &SegmentName,
        known: &[KnownSegment],
    ) -> std::result::Result<(), SegmentNameError> {
        let is_meant = |segment: &&KnownSegment| match name {
            SegmentName::Import(from, to) => {
                (*from..=*to).contains(&segment.arrived) && segment.info.origin != Provenance::Live
            }
            SegmentName::Id(start) => segment.info.id.to_string().starts_with(&start.to_ascii_lowercase()),
        };
        let found: Vec<_> = known.iter().filter(is_meant).collect();
        match (name, found.len()) {
            (_, 0) => return Err(SegmentNameError::Unknown),
            (SegmentName::Id(_), several @ 2..) => return Err(SegmentNameError::Ambiguous(several)),
            _ => {}
        }
        self.0.extend(found.into_iter().map(|segment| (segment.info.id, segment.clone())));
        Ok(())
    }

    /// Removes the segments, and computes the windows again that have packets of others.
    ///
    /// # Errors
    /// The error of the store. A part may be removed then, and the call can be repeated.
    pub fn forget(
        &self,
        store: &dyn Store,
        geo: &Geo,
        each: &mut dyn FnMut(&RunProgress) -> ControlFlow<()>,
    ) -> Result<Removed> {
        let mut all = Forgotten::default();
        for store in stores(store)? {
            let own = self.0.values().filter(|segment| segment.info.data_set == store.data_set());
            let ids: Vec<SegmentId> = own.map(|segment| segment.info.id).collect();
            if !ids.is_empty() {
                all.merge(store.forget(&ids)?);
                store.roll()?;
            }
        }
        let report = WindowJob::default().run_due(store, geo, Due::All, each)?;
        Ok(Removed { forgotten: all, report })
    }
}

/// Writes how many segments there are, and the time that they cover.
impl fmt::Display for Unwanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let segments = || self.0.values();
        let kept = segments().filter(|segment| segment.is_kept);
        let packets = quantity(kept.map(|segment| segment.info.rows).sum(), "packet");
        let from = segments().map(|segment| segment.info.covers.0).min().unwrap_or_default();
        let to = segments().map(|segment| segment.info.covers.1).max().unwrap_or_default();
        let number = quantity(self.0.len() as u64, "segment");
        write!(f, "{number} with {packets}, of {} to {} UTC", date_time(from), until(from, to))
    }
}

/// What was removed, and what was computed again.
#[derive(Debug)]
pub struct Removed {
    /// The segments, and what became of their windows.
    pub forgotten: Forgotten,
    /// The windows that were computed again.
    pub report: Report,
}

/// Writes one line for each kind.
impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Forgotten { segments, packets, removed, frozen, .. } = &self.forgotten;
        writeln!(f, "{} with {} removed", quantity(*segments, "segment"), quantity(*packets, "packet"))?;
        writeln!(f, "{} removed with all results", quantity(removed.len() as u64, "window"))?;
        writeln!(f, "{} computed again", quantity(self.report.done, "window"))?;
        if !frozen.is_empty() {
            let frozen = quantity(frozen.len() as u64, "window");
            writeln!(
                f,
                "{frozen} left as before, with what came of these segments: other packets are gone, so it cannot be \
                 computed again"
            )?;
        }
        Ok(())
    }
}

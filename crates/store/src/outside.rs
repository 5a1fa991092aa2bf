//! What other sources say about places and times, at rest.

use std::ops::Range;

use cutshort_detect::{Channel, SeriesPlace};

use crate::Result;

/// Records of other sources. They are about places and times, so all data sets share them. Times are nanoseconds since the Unix
/// epoch.
pub trait Outside: Send + Sync {
    /// Stores records, all of them or, if it fails, none. A record that is known (the same source and id; of a series the
    /// same signal, place and time) replaces what was stored, so storing the same records twice changes nothing.
    fn import(&self, records: &OutsideRecords) -> Result<OutsideCounts>;

    /// The reports that touch a time, in order of their beginning.
    fn reports(&self, range: Range<i64>) -> Result<Vec<OutsideReport>>;

    /// The times for which sources listed all their reports.
    fn spans(&self) -> Result<Vec<OutsideSpan>>;

    /// The series of a place, with their points of some ranges, in order of source and signal. Series without such points are
    /// left out.
    fn series(&self, place: &SeriesPlace, ranges: &[Range<i64>]) -> Result<Vec<OutsideSeries>>;

    /// What is stored of each source, in the order of names.
    fn sources(&self) -> Result<Vec<OutsideSource>>;

    /// Removes everything that a source says. Returns how many records that were.
    fn remove(&self, source: &str) -> Result<u64>;
}

/// That something happened in a place, as a source reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct OutsideReport {
    /// The source, such as `ioda`.
    pub source: String,
    /// The source's id of it, or one made of its content.
    pub id: String,
    /// What it was seen in, such as `ping-slash24`.
    pub signal: String,
    /// The world, countries and networks that it is about.
    pub places: Vec<SeriesPlace>,
    /// When it began.
    pub from: i64,
    /// When it ended; none if it had not when it was last imported.
    pub to: Option<i64>,
    /// Whether its times are whole days.
    pub whole_days: bool,
    /// What it says, in the source's words.
    pub note: String,
    /// Where to read more.
    pub url: Option<String>,
    /// When it was imported, the last time if it had not ended.
    pub imported: i64,
}

/// Values over time of a place.
#[derive(Clone, Debug, PartialEq)]
pub struct OutsideSeries {
    /// The source, such as `ioda`.
    pub source: String,
    /// What is measured, such as `bgp`.
    pub signal: String,
    /// The place.
    pub place: SeriesPlace,
    /// In which channels an event could be seen in it.
    pub about: Vec<Channel>,
    /// How long a point lasts, in nanoseconds.
    pub step: i64,
    /// The points, in order of time.
    pub points: Vec<OutsidePoint>,
}

/// A value at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutsidePoint {
    /// When it begins.
    pub at: i64,
    /// The value, or a count.
    pub value: f64,
    /// What `value` is counted of; none if it is no count.
    pub of: Option<f64>,
}

/// A time for which a source listed all its reports of a place: what is not among them, it did not see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideSpan {
    /// The source.
    pub source: String,
    /// The place.
    pub place: SeriesPlace,
    /// The time.
    pub range: Range<i64>,
}

/// Records to import.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutsideRecords {
    /// What happened.
    pub reports: Vec<OutsideReport>,
    /// What was measured.
    pub series: Vec<OutsideSeries>,
    /// When nothing else happened.
    pub spans: Vec<OutsideSpan>,
}

/// What an import did: reports and points together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutsideCounts {
    /// They were not known.
    pub new: u64,
    /// They differ from what was stored, and replaced it.
    pub changed: u64,
    /// They were known.
    pub known: u64,
}

/// What is stored of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideSource {
    /// Its name.
    pub name: String,
    /// How many reports.
    pub reports: u64,
    /// How many points of series.
    pub points: u64,
    /// From the first to the last time that they are about; none if there are only spans.
    pub range: Option<Range<i64>>,
}

use std::ops::Range;

use cutshort_geo::Country;

/// What kind of thing an annotation marks: the values of Radar's `eventType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnnotationKind {
    /// Something that happened.
    Event,
    /// A remark.
    General,
    /// An outage.
    Outage,
    /// The data of the time is not complete.
    PartialProjection,
    /// Something went wrong in measuring.
    Pipeline,
    /// An unusual change.
    TrafficAnomaly,
}

/// What an operator notes about a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAnnotation {
    /// What kind of thing it marks.
    pub kind: AnnotationKind,
    /// From when, in nanoseconds since the Unix epoch.
    pub start: i64,
    /// Until when; none if it still goes on. Equal to `start` for an instant.
    pub end: Option<i64>,
    /// What is to be said.
    pub description: String,
    /// Where to read more.
    pub linked_url: Option<String>,
    /// What of a place is concerned, in words.
    pub scope: Option<String>,
    /// The countries concerned; everybody if there is neither a country nor a network.
    pub locations: Vec<Country>,
    /// The networks concerned.
    pub asns: Vec<u32>,
    /// Of an outage: its cause and type, such as `CABLE_CUT` and `NATIONWIDE`.
    pub outage: Option<(String, String)>,
}

/// An annotation that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// Its number.
    pub id: u64,
    /// What it says.
    pub content: NewAnnotation,
}

impl NewAnnotation {
    /// Whether it concerns a time within the range.
    #[must_use]
    pub fn touches(&self, range: &Range<i64>) -> bool {
        self.start < range.end && self.end.is_none_or(|end| end >= range.start)
    }
}

use std::ops::Range;

use cutshort_geo::Country;
use cutshort_verdict::DataSet;

use crate::{Result, StoreError};

/// The kind of event that an annotation marks: the values of Radar's `eventType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnnotationKind {
    /// A remark, or any event.
    General,
    /// A network or service was not reachable.
    Outage,
    /// The data of this time is incomplete.
    PartialProjection,
    /// An error in the measurement itself.
    Pipeline,
    /// An unusual change of traffic.
    TrafficAnomaly,
}

impl AnnotationKind {
    /// All kinds, in alphabetical order of their names.
    pub const ALL: [Self; 5] =
        [Self::General, Self::Outage, Self::PartialProjection, Self::Pipeline, Self::TrafficAnomaly];

    /// Radar's earlier name of [`General`](Self::General). It is read but never written, because strict clients
    /// reject it.
    pub const LEGACY_GENERAL: &str = "EVENT";

    /// The name in data, such as `PARTIAL_PROJECTION`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::General => "GENERAL",
            Self::Outage => "OUTAGE",
            Self::PartialProjection => "PARTIAL_PROJECTION",
            Self::Pipeline => "PIPELINE",
            Self::TrafficAnomaly => "TRAFFIC_ANOMALY",
        }
    }

    /// Finds the kind with this name or legacy name. Case is ignored, and `-` is the same as `_`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let wanted = name.trim().replace('-', "_");
        if wanted.eq_ignore_ascii_case(Self::LEGACY_GENERAL) {
            return Some(Self::General);
        }
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(&wanted))
    }
}

/// An operator's note about a time, before it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAnnotation {
    /// The data set that it is about; none if it applies to all.
    pub data_set: Option<DataSet>,
    /// The kind of event.
    pub kind: AnnotationKind,
    /// The start, in nanoseconds since the Unix epoch.
    pub start: i64,
    /// The end, in nanoseconds since the Unix epoch; none if it has not ended. Equal to `start` for an instant.
    pub end: Option<i64>,
    /// The text, in plain words.
    pub description: String,
    /// A web address with details.
    pub linked_url: Option<String>,
    /// The affected part of a country or network, in words.
    pub scope: Option<String>,
    /// The affected countries; if there are neither countries nor networks, the annotation applies everywhere.
    pub locations: Vec<Country>,
    /// The affected networks, by AS number.
    pub asns: Vec<u32>,
    /// Cause and type of an outage, such as `CABLE_CUT` and `NATIONWIDE`.
    pub outage: Option<(String, String)>,
}

/// An annotation that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// The number by which it can be removed.
    pub id: u64,
    /// The note itself.
    pub content: NewAnnotation,
}

impl NewAnnotation {
    /// Whether its time overlaps the range.
    #[must_use]
    pub fn touches(&self, range: &Range<i64>) -> bool {
        self.start < range.end && self.end.is_none_or(|end| end >= range.start)
    }

    /// Whether it is about a data set, or about all.
    #[must_use]
    pub fn concerns(&self, data_set: DataSet) -> bool {
        self.data_set.is_none_or(|own| own == data_set)
    }

    /// Checks that it can be stored and shown.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with the first problem.
    pub fn check(&self) -> Result<()> {
        if self.end.is_some_and(|end| end < self.start) {
            return refuse("it ends before it starts");
        }
        check_text("the description", &self.description, 2_000)?;
        self.scope.as_ref().map_or(Ok(()), |scope| check_text("the scope", scope, 200))?;
        self.linked_url.as_ref().map_or(Ok(()), |url| check_url(url))?;
        for word in self.outage.iter().flat_map(|(cause, kind)| [cause, kind]) {
            check_text("an outage's cause or type", word, 100)?;
        }
        if self.locations.len() > Country::COUNT || self.asns.len() > 1_000 {
            return refuse("it names too many countries, or more than 1,000 networks");
        }
        Ok(())
    }
}

fn check_text(what: &str, text: &str, longest: usize) -> Result<()> {
    if text.trim().is_empty() {
        return refuse(&format!("{what} is empty"));
    }
    if text.chars().count() > longest {
        return refuse(&format!("{what} is longer than {longest} characters"));
    }
    if text.chars().any(|letter| letter.is_control() && letter != '\n') {
        return refuse(&format!("{what} has control characters"));
    }
    Ok(())
}

/// Links are shown on pages, so only web addresses are accepted.
fn check_url(url: &str) -> Result<()> {
    check_text("the link", url, 2_000)?;
    let lower = url.to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    if host.is_none_or(str::is_empty) || url.contains(|letter: char| letter.is_whitespace()) {
        return refuse("the link must be an address that begins with http:// or https://");
    }
    Ok(())
}

fn refuse<T>(why: &str) -> Result<T> {
    Err(StoreError::Refused(format!("the annotation cannot be kept: {why}")))
}

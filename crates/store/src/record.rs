use std::ops::Range;

use cutshort_geo::Country;

use crate::{Result, StoreError};

/// What kind of thing an annotation marks: the values of Radar's `eventType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnnotationKind {
    /// A remark, or something that happened.
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

impl AnnotationKind {
    /// All kinds, in the order of their names.
    pub const ALL: [Self; 5] =
        [Self::General, Self::Outage, Self::PartialProjection, Self::Pipeline, Self::TrafficAnomaly];

    /// What Radar called [`General`](Self::General) earlier. It is read, never written: strict clients refuse it.
    pub const LEGACY_GENERAL: &str = "EVENT";

    /// The name in data: `GENERAL`, `OUTAGE`, ...
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

    /// The kind with a name, also its legacy one; capitals and `-` for `_` do not matter.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let wanted = name.trim().replace('-', "_");
        if wanted.eq_ignore_ascii_case(Self::LEGACY_GENERAL) {
            return Some(Self::General);
        }
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(&wanted))
    }
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

    /// Checks that it can be kept and shown.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with the first thing that is wrong with it.
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

/// Pages show it as a link: nothing but the web.
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

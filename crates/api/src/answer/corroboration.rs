//! What other sources say about events.

use std::cell::OnceCell;
use std::sync::{Mutex, PoisonError};

use cutshort_corroborate::{Corroboration, Opinion, Said, Testimony, compare, links, needed};
use cutshort_detect::{Event, SeriesPlace};
use cutshort_geo::Geo;
use cutshort_store::{Outside, OutsideReport, OutsideSpan, Store, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

use super::place_of_event;

/// What a source says about an event.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FoundCorroboration {
    /// The source: `ioda`, `ooni`, `radar`, `censored_planet`, `cenalert`, or the name under which a CSV file was imported.
    source: String,
    /// `agrees`, `disagrees`, `silent`, or `no_data` if it says nothing about this place, time, or kind of event.
    verdict: &'static str,
    /// By how many minutes it begins later than the event, if it agrees with a report; earlier, if negative.
    minutes_apart: Option<i64>,
    /// What each of its signals says; the first decides.
    signals: Vec<FoundSignal>,
}

/// What a signal of a source says about an event.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FoundSignal {
    /// The signal, such as `bgp`.
    signal: String,
    /// The place that it is about: that of the event, or its country.
    place: String,
    /// As that of the source.
    verdict: &'static str,
    /// What it says, in words.
    says: String,
    /// By how many minutes a report begins later than the event.
    minutes_apart: Option<i64>,
    /// Where to read more.
    url: Option<String>,
}

/// A page of another source about the place and time of an event.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SourceLink {
    /// The source.
    source: &'static str,
    /// The address of the page.
    url: String,
}

impl From<Corroboration> for FoundCorroboration {
    fn from(found: Corroboration) -> Self {
        Self {
            source: found.source,
            verdict: found.opinion.name(),
            minutes_apart: found.said.first().and_then(|said| said.minutes),
            signals: found.said.into_iter().map(FoundSignal::from).collect(),
        }
    }
}

impl From<Said> for FoundSignal {
    fn from(said: Said) -> Self {
        Self {
            signal: said.signal,
            place: said.place.to_string(),
            verdict: said.opinion.name(),
            says: said.text,
            minutes_apart: said.minutes,
            url: said.url,
        }
    }
}

impl FoundCorroboration {
    /// Source and verdict: `ioda agrees`.
    #[must_use]
    pub fn in_short(&self) -> String {
        format!("{} {}", self.source, self.verdict.replace('_', " "))
    }
}

/// Pages of other sources about an event.
pub(super) fn pages(event: &Event, now: i64) -> Vec<SourceLink> {
    let link = |link: cutshort_corroborate::Link| SourceLink { source: link.source, url: link.url };
    links(event, now).into_iter().map(link).collect()
}

/// The records of other sources in a store.
pub struct Sources<'a> {
    outside: Option<&'a dyn Outside>,
    names: Vec<String>,
    reports: Vec<OutsideReport>,
    spans: Vec<OutsideSpan>,
    /// Why their records cannot be read.
    problem: OnceCell<String>,
}

impl<'a> Sources<'a> {
    /// Reads which there are.
    ///
    /// # Errors
    /// The store's error. If the records are damaged, no source has data: events are shown all the same.
    pub fn read(store: &'a dyn Store) -> Result<Self, StoreError> {
        let outside = store.outside();
        let problem = OnceCell::new();
        let mut sources =
            Self { outside, names: Vec::new(), reports: Vec::new(), spans: Vec::new(), problem };
        let mut read = |outside: &'a dyn Outside| {
            sources.names = outside.sources()?.into_iter().map(|source| source.name).collect();
            sources.reports = outside.reports(i64::MIN..i64::MAX)?;
            sources.spans = outside.spans()?;
            Ok::<_, StoreError>(())
        };
        match outside.map_or(Ok(()), &mut read) {
            Err(StoreError::Damaged(why)) => sources.set_problem(&format!("{why:#}")),
            read => read?,
        }
        Ok(sources)
    }

    /// Why nothing that was imported can be read, and what to do; none if it can.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.get().map(String::as_str)
    }

    fn set_problem(&self, why: &str) {
        // Each request finds it again.
        static LOGGED: Mutex<String> = Mutex::new(String::new());
        let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
        if self.problem.set(why.to_owned()).is_ok() && *logged != why {
            tracing::warn!("what other sources say cannot be read: {why}");
            why.clone_into(&mut logged);
        }
    }

    /// That each source has no data.
    fn nothing(&self) -> Vec<Corroboration> {
        let nothing = |source: &String| Corroboration {
            source: source.clone(),
            opinion: Opinion::NoData,
            said: Vec::new(),
        };
        self.names.iter().map(nothing).collect()
    }

    /// Whether nothing was imported.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// What each source says about an event; `now` is in nanoseconds since the Unix epoch.
    ///
    /// # Errors
    /// The store's error.
    pub fn about(&self, event: &Event, geo: &Geo, now: i64) -> Result<Vec<Corroboration>, StoreError> {
        let Some(outside) = self.outside.filter(|_| !self.is_empty()) else { return Ok(Vec::new()) };
        if self.problem().is_some() {
            return Ok(self.nothing());
        }
        let country = match event.place {
            SeriesPlace::Network(_) => place_of_event(event, geo).map(|country| country.alpha2().as_bytes()),
            _ => None,
        };
        let country = country.and_then(|letters| <[u8; 2]>::try_from(letters).ok());
        let ranges = needed(event, now);
        let places = [Some(event.place.clone()), country.map(SeriesPlace::Country)];
        let mut series = Vec::new();
        for place in places.iter().flatten() {
            match outside.series(place, &ranges) {
                Err(StoreError::Damaged(why)) => {
                    self.set_problem(&format!("{why:#}"));
                    return Ok(self.nothing());
                }
                found => series.extend(found?),
            }
        }
        let testimony =
            Testimony { sources: &self.names, reports: &self.reports, spans: &self.spans, series: &series };
        Ok(compare(event, country, &testimony, now))
    }

    /// Whether a source agrees with an event.
    ///
    /// # Errors
    /// The store's error.
    pub(crate) fn confirm(&self, event: &Event, geo: &Geo, now: i64) -> Result<bool, StoreError> {
        Ok(self.about(event, geo, now)?.iter().any(|found| found.opinion == Opinion::Agrees))
    }
}

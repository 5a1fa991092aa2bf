//! Which events are asked for.

use std::ops::Range;

use cutshort_detect::{Channel, Event, EventState, SeriesPlace, Severity};
use cutshort_geo::{Continent, Country, Geo};
use cutshort_model::Window;
use cutshort_store::{Choice, Decision, EventQuery};
use cutshort_verdict::DataSet;

use super::filter::{asn, boolean, continent, country, data_set, list};
use super::{Filters, Numbers, Parameters, series};
use crate::answer::home;
use crate::problem::Problem;

/// A selection of events: those that meet all conditions.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// The time that they touch, in nanoseconds since the Unix epoch; none for all.
    pub range: Option<Range<i64>>,
    /// Countries: events of these and of networks that have most of their addresses there.
    pub locations: Choice<Country>,
    /// The continents of these countries.
    pub continents: Choice<Continent>,
    /// Networks.
    pub asns: Numbers,
    /// Servers that did not collect packets.
    pub nodes: Choice<String>,
    /// Servers to which connections are opened, by name or address and port.
    pub servers: Choice<String>,
    /// Whether servers without a name are left out, because addresses are not shown.
    pub hides_addresses: bool,
    /// What counts.
    pub channels: Choice<Channel>,
    /// Whether they continue.
    pub states: Choice<EventState>,
    /// How large they are.
    pub severities: Choice<Severity>,
    /// What the operator decided about them.
    pub decisions: Choice<Decision>,
    /// Whether they raised an alarm.
    pub alarm: Option<bool>,
    /// The data sets that are searched.
    pub data_sets: Choice<DataSet>,
}

impl EventFilter {
    /// Reads the parameters of a question about events.
    ///
    /// # Errors
    /// A [`Problem`] that names the wrong parameter, and what is allowed.
    pub fn read(parameters: &Parameters, now: i64) -> Result<Self, Problem> {
        let one = |key| parameters.one(key);
        Ok(Self {
            range: time_range(parameters, now)?,
            locations: list("location", one("location")?, country)?,
            continents: list("continent", one("continent")?, continent)?,
            asns: list("asn", one("asn")?, asn)?,
            nodes: list("node", one("node")?, |name| Ok::<_, String>(name.to_owned()))?,
            servers: list("server", one("server")?, |name| Ok::<_, String>(name.to_owned()))?,
            hides_addresses: false,
            channels: list("channel", one("channel")?, |name| {
                named(name, &Channel::ALL.map(Channel::name), Channel::from_name)
            })?,
            states: list("state", one("state")?, |name| {
                named(name, &EventState::ALL.map(EventState::name), EventState::from_name)
            })?,
            severities: list("severity", one("severity")?, |name| {
                named(name, &Severity::ALL.map(Severity::name), Severity::from_name)
            })?,
            decisions: list("review", one("review")?, |name| {
                named(name, &Decision::ALL.map(Decision::name), Decision::from_name)
            })?,
            alarm: boolean("alarm", one("alarm")?)?,
            data_sets: list("dataSet", one("dataSet")?, data_set)?,
        })
    }

    /// The part of it that a store answers.
    #[must_use]
    pub fn query(&self) -> EventQuery {
        let windows = |range: &Range<i64>| {
            Window::containing(range.start).number()
                ..Window::containing(range.end.saturating_sub(1)).number() + 1
        };
        EventQuery { windows: self.range.as_ref().map(windows), ..EventQuery::default() }
    }

    /// Returns true if an event passes the filters that the store has not applied.
    #[must_use]
    pub fn wants(&self, event: &Event, geo: &Geo) -> bool {
        self.wants_place(&event.place, geo)
            && self.channels.has(Some(&event.channel))
            && self.states.has(Some(&event.state))
            && self.severities.has(Some(&event.severity))
            && self.alarm.is_none_or(|alarm| event.alarm.is_some() == alarm)
    }

    /// Returns true if a place passes the filters.
    #[must_use]
    pub fn wants_place(&self, place: &SeriesPlace, geo: &Geo) -> bool {
        if self.hides_addresses && place.server_address().is_some() {
            return false;
        }
        let (country, network, node, server) = match place {
            SeriesPlace::Country(code) => (cutshort_report::events::country(*code), None, None, None),
            SeriesPlace::Network(number) => {
                let is_asked = !(self.locations.is_all() && self.continents.is_all());
                (if is_asked { home(*number, geo) } else { None }, Some(number), None, None)
            }
            SeriesPlace::Node(name) => (None, None, Some(name), None),
            SeriesPlace::Server(name) => (None, None, None, Some(name)),
            SeriesPlace::World => (None, None, None, None),
        };
        self.locations.has(country.as_ref())
            && self.continents.has(country.map(Country::continent).as_ref())
            && self.asns.has(network)
            && self.nodes.has(node)
            && self.servers.has(server)
    }
}

/// The time that is asked for; none without a parameter that says so.
pub(crate) fn time_range(parameters: &Parameters, now: i64) -> Result<Option<Range<i64>>, Problem> {
    let timed = ["dateRange", "dateStart", "dateEnd"].iter().any(|key| parameters.count(key) > 0);
    let series = series(parameters, "events", Filters::Radar, now)?;
    Ok(series.first().filter(|_| timed).map(|series| series.range.clone()))
}

fn named<T>(name: &str, names: &[&str], find: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    find(&name.to_ascii_lowercase().replace('-', "_"))
        .ok_or_else(|| format!("'{name}' is not one of {}", names.join(", ")))
}

//! What happens in the world, placed in time from the end of the simulated range.
use crate::profile::Behaviour;
use crate::simulation::WINDOW_NS;
use crate::world::{CAMPAIGNER, Country, Network, code, home_of};
use std::fmt;

const QUARTERS: i64 = 96;
const DAY: i64 = QUARTERS * WINDOW_NS;

/// Something that happened, with its true time and place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// What it was.
    pub kind: IncidentKind,
    /// The country, where it concerns one.
    pub country: Option<[u8; 2]>,
    /// The AS number, where it concerns one network.
    pub asn: Option<u32>,
    /// Its beginning, ns since the epoch.
    pub from_ns: i64,
    /// Its end, not included.
    pub to_ns: i64,
}

/// Kinds of incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IncidentKind {
    /// A country is offline for a day: 95 % of the traffic is gone, and half of the rest gets no
    /// further than the SYN.
    Shutdown,
    /// Mobile data is cut for some hours on the mornings of a week: less traffic, more Post-ACK.
    Exams,
    /// One small network scans with ZMap for the same 18 hours of each day.
    Campaign,
    /// SYNs of forged sources, two hours long.
    Flood,
}

/// `shutdown in PT`
impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            IncidentKind::Shutdown => "shutdown",
            IncidentKind::Exams => "exams",
            IncidentKind::Campaign => "scanning campaign",
            IncidentKind::Flood => "SYN flood",
        })?;
        self.country.map_or(Ok(()), |country| write!(f, " in {}", code(country)))?;
        self.asn.map_or(Ok(()), |asn| write!(f, " from AS{asn}"))
    }
}

impl Incident {
    pub(crate) fn covers(&self, ts: i64) -> bool {
        (self.from_ns..self.to_ns).contains(&ts)
    }

    pub(crate) fn concerns(&self, network: &Network) -> bool {
        match self.kind {
            IncidentKind::Shutdown | IncidentKind::Exams => self.country == Some(network.country),
            IncidentKind::Campaign => self.asn == Some(network.asn),
            IncidentKind::Flood => false,
        }
    }
}

impl IncidentKind {
    /// Factor of the traffic in 1,000, share of it in 1,000 that behaves otherwise, and how.
    pub(crate) fn effect(self) -> (u64, u64, Behaviour) {
        match self {
            Self::Shutdown => (50, 500, Behaviour::Shutdown),
            Self::Exams => (700, 320, Behaviour::Exams),
            Self::Campaign => (20_000, 970, Behaviour::Zmap),
            Self::Flood => (FLOOD_SHARE, 1000, Behaviour::Flood),
        }
    }
}

/// Traffic of the flood in 1,000 of all other traffic's average.
const FLOOD_SHARE: u64 = 1200;

/// An incident that is not placed in time yet.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    kind: IncidentKind,
    country: Option<[u8; 2]>,
    asn: Option<u32>,
    /// Quarter-hours by which its clock is ahead of UTC.
    ahead: i64,
    /// The day of the first occurrence, counted back from the end of the range.
    days_before: i64,
    days: i64,
    /// From and to quarter-hour of the day.
    hours: (i64, i64),
}

impl Plan {
    /// The incidents of a world.
    pub(crate) fn all(countries: &[Country], networks: &[Network]) -> Vec<Self> {
        let country = |kind, home, otherwise, days_before, days, hours| {
            let Country { code, quarters_ahead, .. } = countries[home_of(countries, home, otherwise)];
            Self { kind, country: Some(code), asn: None, ahead: quarters_ahead, days_before, days, hours }
        };
        let campaigner = networks.iter().find(|n| n.name.contains(CAMPAIGNER));
        let campaign = Self {
            kind: IncidentKind::Campaign,
            country: campaigner.map(|n| n.country),
            asn: campaigner.map(|n| n.asn),
            ahead: 0,
            days_before: 19,
            days: 20,
            hours: (16, 88),
        };
        let flood = Self { kind: IncidentKind::Flood, country: None, asn: None, hours: (52, 60), ..campaign };
        vec![
            country(IncidentKind::Shutdown, *b"PT", 0, 9, 1, (0, QUARTERS)),
            country(IncidentKind::Exams, *b"NZ", 1, 16, 7, (32, 46)),
            campaign,
            Self { days_before: 3, days: 1, ..flood },
        ]
    }

    /// The occurrences within a range.
    pub(crate) fn occurrences(&self, from: i64, to: i64) -> impl Iterator<Item = Incident> + use<> {
        let Self { kind, country, asn, .. } = *self;
        let (ahead, hours) = (self.ahead * WINDOW_NS, self.hours);
        // The day, by the local clock, in which the last moment of the range lies.
        let last_day = (to - 1 + ahead).div_euclid(DAY);
        let first = last_day - self.days_before;
        (first..first + self.days)
            .map(move |day| day * DAY - ahead)
            .map(move |midnight| (midnight + hours.0 * WINDOW_NS, midnight + hours.1 * WINDOW_NS))
            .filter(move |(start, end)| *start < to && *end > from)
            .map(move |(from_ns, to_ns)| Incident { kind, country, asn, from_ns, to_ns })
    }
}

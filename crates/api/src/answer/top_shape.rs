//! Rankings in JSON and as a table.

use cutshort_model::{Network, Value};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::csv::{capitalized, text};
use super::groups::value_name;
use super::shape::WholeMeta;
use super::top::{Numbers, Ranked, Top};

impl Serialize for Top {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { meta, own, series } = self;
        let mut map = serializer.serialize_map(Some(series.len() + 1))?;
        map.serialize_entry("meta", &WholeMeta { meta, own: Some(own) })?;
        for (name, ranked) in series {
            let list: Vec<RankedEntry<'_>> = ranked.iter().map(RankedEntry::from).collect();
            map.serialize_entry(name, &list)?;
        }
        map.end()
    }
}

/// A network in a ranking, with the field names of Radar.
#[derive(Serialize, ToSchema)]
pub struct RankedAs<'a> {
    /// The AS number.
    #[serde(rename = "clientASN")]
    asn: u32,
    /// The network's name; empty if unknown.
    #[serde(rename = "clientASName")]
    name: &'a str,
    /// The network's counts and shares.
    #[serde(flatten)]
    numbers: &'a Numbers,
}

/// A country in a ranking, with the field names of Radar.
#[derive(Serialize, ToSchema)]
pub struct RankedLocation<'a> {
    /// The code of two letters (ISO 3166-1).
    #[serde(rename = "clientCountryAlpha2")]
    alpha2: &'a str,
    /// The country's name.
    #[serde(rename = "clientCountryName")]
    name: &'a str,
    /// The country's counts and shares.
    #[serde(flatten)]
    numbers: &'a Numbers,
}

/// A server, port, IP version or signature.
#[derive(Serialize, ToSchema)]
pub struct RankedValue<'a> {
    /// The name of a node or signature, `IPv4` or `IPv6`, or the number of a port.
    name: String,
    /// The value's counts and shares.
    #[serde(flatten)]
    numbers: &'a Numbers,
}

#[derive(Serialize)]
#[serde(untagged)]
enum RankedEntry<'a> {
    As(RankedAs<'a>),
    Location(RankedLocation<'a>),
    Value(RankedValue<'a>),
}

impl<'a> From<&'a Ranked> for RankedEntry<'a> {
    fn from(Ranked { value, name, numbers }: &'a Ranked) -> Self {
        match value {
            Value::As(Network::As(asn)) => Self::As(RankedAs { asn: *asn, name, numbers }),
            Value::Location(Some(country)) => {
                Self::Location(RankedLocation { alpha2: country.alpha2(), name, numbers })
            }
            value => Self::Value(RankedValue { name: value_name(value), numbers }),
        }
    }
}

impl Top {
    /// Writes the rankings of all series as comma-separated values.
    #[must_use]
    pub fn csv(&self) -> String {
        const COLUMNS: [&str; 9] = [
            "code",
            "name",
            "value",
            "low",
            "high",
            "matching",
            "connections",
            "completed value",
            "completed connections",
        ];
        let head = self
            .series
            .iter()
            .flat_map(|(name, _)| COLUMNS.map(|column| format!("{} {column}", capitalized(name))));
        let mut lines = vec![head.collect::<Vec<String>>()];
        let longest = self.series.iter().map(|(_, ranked)| ranked.len()).max().unwrap_or(0);
        for at in 0..longest {
            let line = self
                .series
                .iter()
                .flat_map(|(_, ranked)| ranked.get(at).map_or_else(Default::default, fields));
            lines.push(line.collect());
        }
        text(&lines)
    }
}

fn fields(Ranked { value, name, numbers }: &Ranked) -> [String; 9] {
    [
        value_name(value),
        name.clone(),
        numbers.value.to_string(),
        numbers.low.to_string(),
        numbers.high.to_string(),
        numbers.matching.to_string(),
        numbers.connections.to_string(),
        numbers.completed.value.to_string(),
        numbers.completed.connections.to_string(),
    ]
}

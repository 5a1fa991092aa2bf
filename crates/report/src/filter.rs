use std::fmt;
use std::str::FromStr;

use cutshort_geo::Country;
use cutshort_model::{JudgedConnection, parse_net};
use cutshort_packet::FiveTuple;
use cutshort_verdict::{DataSet, Signature, Stage, Tag, Tags, Termination};
use ipnet::IpNet;

/// Which connections are classified: by their servers, and by clients to leave out.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The servers' networks; all if empty.
    pub server_nets: Vec<IpNet>,
    /// The servers' ports; all if empty.
    pub server_ports: Vec<u16>,
    /// The networks of those who open connections; all if empty.
    pub client_nets: Vec<IpNet>,
    /// Clients to leave out, such as health checks.
    pub ignored_sources: Vec<IpNet>,
}

impl Selection {
    /// Whether a connection with this 5-tuple is classified.
    #[must_use]
    pub fn has(&self, five_tuple: &FiveTuple) -> bool {
        let in_any = |nets: &[IpNet], addr| nets.iter().any(|net| net.contains(&addr));
        (self.server_ports.is_empty() || self.server_ports.contains(&five_tuple.dst_port))
            && (self.server_nets.is_empty() || in_any(&self.server_nets, five_tuple.dst()))
            && (self.client_nets.is_empty() || in_any(&self.client_nets, five_tuple.src()))
            && !in_any(&self.ignored_sources, five_tuple.src())
    }

    /// The same in words: one text for each condition.
    #[must_use]
    pub fn conditions(&self) -> Vec<String> {
        let texts = |nets: &[IpNet]| nets.iter().map(ToString::to_string).collect::<Vec<_>>();
        let ports = self.server_ports.iter().map(ToString::to_string).collect();
        let conditions = [
            ("server in", texts(&self.server_nets)),
            ("server port", ports),
            ("client in", texts(&self.client_nets)),
            ("client not in", texts(&self.ignored_sources)),
        ];
        let some = conditions.into_iter().filter(|(_, values)| !values.is_empty());
        some.map(|(what, values)| format!("{what} {}", values.join(" or "))).collect()
    }
}

/// A condition on connections: `KEY=VALUE`, `KEY=VALUE,VALUE` for any of several, `KEY!=VALUE`
/// for none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    text: String,
    values: Values,
    negated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Values {
    Stage(Vec<Stage>),
    Termination(Vec<Termination>),
    Tag(Vec<Tag>),
    /// Whether it has any of the tags of known scanners.
    Scanner(Tags, bool),
    Signature(Vec<Signature>),
    Location(Vec<Country>),
    Asn(Vec<u32>),
    Port(Vec<u16>),
    Prefix(Vec<IpNet>),
}

/// Why a text is not a valid filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError(String);

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FilterError {}

impl Filter {
    /// Whether a connection meets the condition.
    #[must_use]
    pub fn matches(&self, connection: &JudgedConnection<'_>) -> bool {
        self.negated != self.values.has(connection)
    }
}

impl Values {
    fn has(&self, connection: &JudgedConnection<'_>) -> bool {
        let JudgedConnection { five_tuple, verdict, place, .. } = connection;
        match self {
            Self::Stage(stages) => stages.contains(&verdict.stage),
            Self::Termination(terminations) => terminations.contains(&verdict.termination),
            Self::Tag(tags) => tags.iter().any(|tag| verdict.tags.contains(*tag)),
            Self::Scanner(tags, wanted) => verdict.tags.intersects(*tags) == *wanted,
            Self::Signature(signatures) => verdict.signature.is_some_and(|own| signatures.contains(&own)),
            Self::Location(countries) => place.country.is_some_and(|own| countries.contains(&own)),
            Self::Asn(numbers) => place.asn.is_some_and(|own| numbers.contains(&own)),
            Self::Port(ports) => ports.contains(&five_tuple.dst_port),
            Self::Prefix(nets) => nets.iter().any(|net| net.contains(&five_tuple.src())),
        }
    }
}

const KEYS: &str = "stage, termination, tag, scanner, signature, location, asn, port, prefix";

impl FromStr for Filter {
    type Err = FilterError;

    /// Reads a filter with the terms of any data set; [`Filter::of`] knows which.
    fn from_str(text: &str) -> Result<Self, FilterError> {
        let any = |error| DataSet::ALL.into_iter().find_map(|set| Self::of(text, set).ok()).ok_or(error);
        Self::of(text, DataSet::Tcp).or_else(any)
    }
}

impl Filter {
    /// Reads a filter with the terms of a data set.
    ///
    /// # Errors
    /// What is wrong with the text, with the terms that exist.
    pub fn of(text: &str, data_set: DataSet) -> Result<Self, FilterError> {
        let (key, value) = text.split_once('=').ok_or_else(|| {
            FilterError(format!("'{text}' has no '='; write KEY=VALUE with one of the keys {KEYS}"))
        })?;
        let (key, negated) = key.strip_suffix('!').map_or((key, false), |key| (key, true));
        Ok(Self { text: text.to_owned(), values: values(data_set, key.trim(), value)?, negated })
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn values(set: DataSet, key: &str, value: &str) -> Result<Values, FilterError> {
    let location = |text: &str| {
        Country::from_alpha2(&text.to_ascii_uppercase())
            .ok_or_else(|| format!("no country has the code '{text}' (two letters, ISO 3166-1)"))
    };
    let asn = |text: &str| {
        let digits =
            text.get(..2).filter(|head| head.eq_ignore_ascii_case("as")).map_or(text, |_| &text[2..]);
        digits.parse().map_err(|_| format!("'{text}' is not an AS number, such as 64496 or AS64496"))
    };
    let port =
        |text: &str| text.parse().map_err(|_| format!("'{text}' is not a port number from 0 to 65535"));
    Ok(match key {
        "stage" => Values::Stage(list(value, |name| set.stage(name))?),
        "termination" => Values::Termination(list(value, |name| set.termination(name))?),
        "tag" => Values::Tag(list(value, |name| set.tag(name))?),
        "scanner" => Values::Scanner(set.scanners(), flag(value)?),
        "signature" => Values::Signature(list(value, |name| set.signature(name))?),
        "location" => Values::Location(list(value, location)?),
        "asn" => Values::Asn(list(value, asn)?),
        "port" => Values::Port(list(value, port)?),
        "prefix" => Values::Prefix(list(value, parse_net)?),
        _ => return Err(FilterError(format!("unknown key '{key}'; the keys are {KEYS}"))),
    })
}

fn flag(value: &str) -> Result<bool, FilterError> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(FilterError(format!("scanner: '{value}' is neither true nor false"))),
    }
}

fn list<T, E: fmt::Display>(
    value: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, FilterError> {
    value.split(',').map(|item| parse(item.trim()).map_err(|why| FilterError(why.to_string()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_say_what_is_wrong_with_them() {
        let error = |text: &str| text.parse::<Filter>().unwrap_err().to_string();
        assert!(error("post_ack").contains("KEY=VALUE"));
        assert!(error("country=PE").contains("the keys are stage,"));
        assert!(error("stage=post_fin").contains("post_syn, post_ack"));
        assert!(error("location=XX").contains("two letters"));
        assert!(error("asn=ASx").contains("AS64496"));
        assert!(error("port=70000").contains("65535"));
        assert!(error("prefix=10.0.0.0/40").contains("/24"));
        assert!(error("tag=").contains("single_rst"));
        assert!(error("scanner=zmap").contains("neither true nor false"));
    }

    #[test]
    fn filters_are_read() {
        for text in [
            "stage=post_ack,post-psh",
            "stage=later_in_flow,no-match",
            "tag!=zmap",
            "scanner=false",
            "scanner!=yes",
            "signature=PSH+ACK -> RST = RST",
            "asn=AS64496,1",
        ] {
            assert_eq!(text.parse::<Filter>().unwrap().to_string(), text);
        }
        assert!("tag!=zmap".parse::<Filter>().unwrap().negated);
    }
}

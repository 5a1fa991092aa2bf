use std::fmt::Display;
use std::str::FromStr;

use cutshort_geo::{Continent, Country};
use cutshort_store::{Choice, FILE_NODE, HasAny, Selection};
use cutshort_verdict::{DataSet, Stage, Tag};

use super::{Filters, Parameters, pattern, stage_names};
use crate::problem::Problem;

/// The maximum number of items in a list.
const MOST: usize = 1000;

/// A choice of numbers.
pub type Numbers = Choice<u32>;
/// A choice of stages.
pub type Stages = Choice<Stage>;

/// The connections that the series at a position selects.
pub(super) fn selection(parameters: &Parameters, at: usize, filters: Filters) -> Result<Selection, Problem> {
    let own = |key| parameters.at(key, at);
    let radar = Selection {
        locations: list("location", own("location"), country)?,
        continents: list("continent", own("continent"), continent)?,
        asns: list("asn", own("asn"), asn)?,
        ..Selection::default()
    };
    let Filters::Extended(set) = filters else { return Ok(radar) };
    let (answered, wanted) = match (set, boolean("answered", own("answered"))?) {
        // Only who got an answer has completed a handshake there.
        (DataSet::Quic, answered) => (None, answered),
        (_, answered) => (answered, None),
    };
    let mut tags: Choice<Tag> = list("tag", own("tag"), |name| set.tag(name))?;
    if wanted == Some(false) {
        tags.exclude.push(set.answered_tag());
    }
    Ok(Selection {
        tags,
        signatures: list("signature", own("signature"), |name| set.signature(name))?,
        ip_versions: list("ipVersion", own("ipVersion"), ip_version)?,
        ports: list("port", own("port"), port)?,
        nodes: list("node", own("node"), node)?,
        answered,
        scanner: boolean("scanner", own("scanner"))?.map(|wanted| HasAny { tags: set.scanners(), wanted }),
        completed: handshake(own("handshake"))? || wanted == Some(true),
        ..radar
    })
}

/// Reads a choice of stages.
pub(super) fn stages(value: &Option<&str>, filters: Filters) -> Result<Choice<Stage>, Problem> {
    let set = match filters {
        Filters::Extended(set) => set,
        Filters::Radar => DataSet::Tcp,
    };
    list("stage", *value, |name| stage_from_name(set, name))
}

/// Parses a comma-separated list, in which `-` in front of a value excludes it.
pub(crate) fn list<T, E: Display>(
    key: &str,
    value: Option<&str>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Choice<T>, Problem> {
    let mut choice = Choice::default();
    let items = value.unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty());
    for (at, item) in items.enumerate() {
        if at == MOST {
            return Err(Problem::bad_input(format!("{key}: at most {MOST} in one list")));
        }
        let (list, item) = match item.strip_prefix('-') {
            Some(item) => (&mut choice.exclude, item.trim()),
            None => (&mut choice.include, item),
        };
        list.push(parse(item).map_err(|why| Problem::bad_input(format!("{key}: {why}")))?);
    }
    Ok(choice)
}

pub(crate) fn country(text: &str) -> Result<Country, String> {
    Country::from_alpha2(text).ok_or_else(|| {
        format!("'{text}' is not a country code: use the two letters of ISO 3166-1, such as US")
    })
}

pub(crate) fn continent(text: &str) -> Result<Continent, String> {
    Continent::from_code(text)
        .ok_or_else(|| format!("'{text}' is not a continent code: use one of AF, AN, AS, EU, NA, OC, SA"))
}

/// Parses a number of digits only, without a sign.
pub(crate) fn digits<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Removes a prefix, ignoring case; returns the whole text if it is missing.
fn without<'a>(prefix: &str, text: &'a str) -> &'a str {
    let has = text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if has { &text[prefix.len()..] } else { text }
}

pub(crate) fn asn(text: &str) -> Result<u32, String> {
    digits(without("AS", text)).ok_or_else(|| format!("'{text}' is not an AS number, such as 13335"))
}

/// The pattern of what [`asn`] accepts.
pub(crate) fn asn_pattern() -> String {
    format!("({})?{}", pattern::any_case("AS"), pattern::up_to(u32::MAX.into()))
}

/// Finds a data set by its name.
pub(crate) fn data_set(text: &str) -> Result<DataSet, String> {
    let found = DataSet::WITH_RULES.into_iter().find(|set| set.name().eq_ignore_ascii_case(text));
    found.ok_or_else(|| {
        format!("'{text}' is not one of {}", DataSet::WITH_RULES.map(DataSet::name).join(", "))
    })
}

fn port(text: &str) -> Result<u16, String> {
    digits(text).ok_or_else(|| format!("'{text}' is not a port number from 0 to 65535"))
}

/// The pattern of a port.
pub(crate) fn port_pattern() -> String {
    pattern::up_to(u16::MAX.into())
}

fn node(text: &str) -> Result<String, String> {
    Ok(if text == FILE_NODE { String::new() } else { text.to_owned() })
}

fn ip_version(text: &str) -> Result<u8, String> {
    match without("IPv", text) {
        "4" => Ok(4),
        "6" => Ok(6),
        _ => Err(format!("'{text}' is neither IPv4 nor IPv6")),
    }
}

/// The pattern of an IP version.
pub(crate) fn ip_version_pattern() -> String {
    format!("({})?[46]", pattern::any_case("IPv"))
}

/// Finds a stage by its name in Radar's API or in other output.
///
/// # Errors
/// A text that lists the known names.
pub fn stage_from_name(set: DataSet, text: &str) -> Result<Stage, String> {
    set.stage(text).map_err(|_| {
        let names: Vec<&str> = stage_names(set).collect();
        format!("no stage is called '{text}'; there are: {}", names.join(", "))
    })
}

/// Reads a switch.
pub(super) fn boolean(key: &str, value: Option<&str>) -> Result<Option<bool>, Problem> {
    match value.map(str::to_ascii_lowercase).as_deref() {
        None => Ok(None),
        Some("true" | "1" | "yes") => Ok(Some(true)),
        Some("false" | "0" | "no") => Ok(Some(false)),
        Some(other) => Err(Problem::bad_input(format!("{key}: '{other}' is neither true nor false"))),
    }
}

/// Reads which handshakes count; whether only completed ones.
fn handshake(value: Option<&str>) -> Result<bool, Problem> {
    match value.map(str::to_ascii_lowercase).as_deref() {
        None | Some("all") => Ok(false),
        Some("completed") => Ok(true),
        Some(other) => Err(Problem::bad_input(format!("handshake: '{other}' is neither all nor completed"))),
    }
}

/// Reads which resets count; whether only those before any answer.
pub(super) fn unanswered(value: Option<&str>, filters: Filters) -> Result<bool, Problem> {
    if filters == Filters::Extended(DataSet::Quic) && value.is_some() {
        return Err(Problem::bad_input("resets: the data set 'quic' has none; use answered".to_owned()));
    }
    match value.map(str::to_ascii_lowercase).as_deref() {
        None | Some("all") => Ok(false),
        Some("unanswered") => Ok(true),
        Some(other) => Err(Problem::bad_input(format!("resets: '{other}' is neither all nor unanswered"))),
    }
}

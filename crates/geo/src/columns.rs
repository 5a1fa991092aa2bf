//! Which columns of a CSV file have what: by the names in its header, or by what stands in a row.
//!
//! Known forms: those of the module [`csv_file`](crate::csv_file), and what MaxMind, IPinfo, IP2Location, iptoasn.com and CAIDA
//! (pfx2as) publish.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Country;
use crate::layer::parse_addr;
use crate::names::{parse_asn, says_nothing};

/// Where a row has its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Addresses {
    /// The first and the last one in two columns.
    Range(usize, usize),
    /// A network in CIDR notation.
    Network(usize),
    /// The first address of a network, and the length of its prefix.
    Prefix(usize, usize),
}

/// The columns that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    addresses: Addresses,
    country: Option<usize>,
    asn: Option<usize>,
    name: Option<usize>,
}

/// What a row says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) first: IpAddr,
    pub(crate) last: IpAddr,
    pub(crate) country: Option<Country>,
    pub(crate) asn: Option<u32>,
    pub(crate) name: &'a str,
}

/// Names of columns in lower case, the preferred ones first. A column `country` has the code in some files and the name in
/// others, which have a column for the code as well.
const NETWORK: &[&str] = &["network", "cidr", "prefix", "range", "ip_range", "ip"];
const FIRST: &[&str] = &["start_ip", "range_start", "ip_from", "ip_start", "start", "first", "from"];
const LAST: &[&str] = &["end_ip", "range_end", "ip_to", "ip_end", "end", "last", "to"];
const COUNTRY: &[&str] = &["country_code", "country_iso_code", "country_code2", "cc", "country"];
const ASN: &[&str] = &["asn", "autonomous_system_number", "as_number", "as"];
const NAME: &[&str] =
    &["as_name", "autonomous_system_organization", "as_organization", "organization", "org", "name"];

impl Columns {
    /// Of a row with names of columns; an error if it is one that cannot be used.
    pub(crate) fn of_header(names: &[&str]) -> Result<Self, String> {
        let names: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        let find =
            |known: &[&str]| known.iter().find_map(|known| names.iter().position(|name| name == known));
        let range = find(FIRST).zip(find(LAST)).map(|(first, last)| Addresses::Range(first, last));
        let addresses = range.or_else(|| find(NETWORK).map(Addresses::Network));
        let (country, asn, name) = (find(COUNTRY), find(ASN), find(NAME));
        if names.iter().any(|name| name == "geoname_id") && country.is_none() {
            return Err("it names countries by geoname_id, which needs another file: use the .mmdb file of the same data".into());
        }
        match addresses {
            Some(addresses) if country.is_some() || asn.is_some() => {
                Ok(Self { addresses, country, asn, name })
            }
            _ => Err("its header names no network, or neither a country code nor an AS number".into()),
        }
    }

    /// Of a row without a header before it; none if no known form has such rows.
    fn of_row(fields: &[&str]) -> Option<Self> {
        use Addresses::{Network, Prefix, Range};
        let of = |addresses, country, asn, name| Some(Self { addresses, country, asn, name });
        let is_code = |at: usize| parse_country(fields[at]).is_ok();
        match fields {
            [network, _] if network.contains('/') => match is_code(1) {
                true => of(Network(0), Some(1), None, None),
                false => of(Network(0), None, Some(1), None),
            },
            [network, _, _] if network.contains('/') => of(Network(0), None, Some(1), Some(2)),
            [network, _, _, _] if network.contains('/') => of(Network(0), Some(1), Some(2), Some(3)),
            // CAIDA's pfx2as.
            [_, length, _] if length.parse::<u8>().is_ok_and(|length| length <= 128) => {
                of(Prefix(0, 1), None, Some(2), None)
            }
            [_, _, _] => of(Range(0, 1), Some(2), None, None),
            // IP2Location, with the country's name after its code.
            [_, _, _, _] if is_code(2) && !says_nothing(fields[2]) => of(Range(0, 1), Some(2), None, None),
            [_, _, code, name] if *code == "-" && *name == "-" => of(Range(0, 1), Some(2), None, None),
            [_, _, _, _] => of(Range(0, 1), None, Some(2), Some(3)),
            // IP2Location's networks: with a prefix in the third column.
            [_, _, network, _, _] if network.contains('/') => of(Range(0, 1), None, Some(3), Some(4)),
            // iptoasn.com: the AS number before the country.
            [_, _, asn, _, _] if is_number(asn) => of(Range(0, 1), Some(3), Some(2), Some(4)),
            [_, _, _, _, _] => of(Range(0, 1), Some(2), Some(3), Some(4)),
            _ => None,
        }
    }

    /// Reads a row.
    pub(crate) fn read<'a>(header: Option<&Self>, fields: &[&'a str]) -> Result<Line<'a>, String> {
        let columns = match header {
            Some(header) => *header,
            None => Self::of_row(fields).ok_or_else(|| format!("{} columns", fields.len()))?,
        };
        let field = |at: usize| fields.get(at).copied().unwrap_or_default();
        let (first, last) = match columns.addresses {
            Addresses::Range(first, last) => (parse_end(field(first))?, parse_end(field(last))?),
            Addresses::Network(at) => parse_network(field(at))?,
            Addresses::Prefix(address, length) => {
                let length = field(length);
                let length = length.parse().map_err(|_| format!("not a prefix length: {}", shown(length)))?;
                span(parse_end(field(address))?, length)?
            }
        };
        let country = columns.country.map(|at| parse_country(field(at))).transpose()?.flatten();
        let asn = columns.asn.map(|at| parse_as(field(at))).transpose()?.flatten();
        Ok(Line { first, last, country, asn, name: columns.name.map_or("", field) })
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn parse_end(text: &str) -> Result<IpAddr, String> {
    parse_addr(text).ok_or_else(|| format!("not an address: {}", shown(text)))
}

/// A network in CIDR notation; an address alone is a network, too.
fn parse_network(text: &str) -> Result<(IpAddr, IpAddr), String> {
    let wrong = || format!("not a network: {}", shown(text));
    match text.split_once('/') {
        Some((address, length)) => {
            span(parse_addr(address).ok_or_else(wrong)?, length.parse().map_err(|_| wrong())?)
        }
        None => parse_end(text).map(|address| (address, address)),
    }
}

/// The first and the last address of a network.
fn span(address: IpAddr, length: u8) -> Result<(IpAddr, IpAddr), String> {
    let too_long = || format!("not a prefix length of {address}: {length}");
    Ok(match address {
        IpAddr::V4(address) => {
            let host = 32_u32.checked_sub(length.into()).ok_or_else(too_long)?;
            let hosts = u32::MAX.checked_shr(32 - host).unwrap_or(0);
            let bits = address.to_bits();
            (Ipv4Addr::from_bits(bits & !hosts).into(), Ipv4Addr::from_bits(bits | hosts).into())
        }
        IpAddr::V6(address) => {
            let host = 128_u32.checked_sub(length.into()).ok_or_else(too_long)?;
            let hosts = u128::MAX.checked_shr(128 - host).unwrap_or(0);
            let bits = address.to_bits();
            (Ipv6Addr::from_bits(bits & !hosts).into(), Ipv6Addr::from_bits(bits | hosts).into())
        }
    })
}

/// Two letters or digits that are no country's code, such as `ZZ` and `A1`, are an unknown country.
fn parse_country(text: &str) -> Result<Option<Country>, String> {
    let code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match Country::from_alpha2(text) {
        None if !code && !says_nothing(text) => Err(format!("not a country code: {}", shown(text))),
        country => Ok(country),
    }
}

/// Of several networks that announce a prefix (`64500_64501`), or that were merged into one route (`64500,64501`), the first.
fn parse_as(text: &str) -> Result<Option<u32>, String> {
    let first = text.split(['_', ',', '{']).next().unwrap_or_default();
    parse_asn(first).ok_or_else(|| format!("not an AS number: {}", shown(text)))
}

/// A wrong value as it is shown in a message, shortened and quoted.
fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(header: Option<&[&str]>, fields: &[&str]) -> String {
        let header = header.map(|header| Columns::of_header(header).unwrap());
        match Columns::read(header.as_ref(), fields) {
            Ok(Line { first, last, country, asn, name }) => {
                let country = country.map_or("-", Country::alpha2);
                format!("{first} {last} {country} {} {name}", asn.unwrap_or(0))
            }
            Err(problem) => problem,
        }
    }

    #[test]
    fn rows_of_the_usual_publishers() {
        for (fields, read) in [
            (&["3325256704", "3325256959", "PT", "Portugal"][..], "198.51.100.0 198.51.100.255 PT 0 "),
            (&["3325256704", "3325256959", "-", "-"], "198.51.100.0 198.51.100.255 - 0 "),
            (
                &["3325256704", "3325256959", "198.51.100.0/24", "64500", "Example"],
                "198.51.100.0 198.51.100.255 - 64500 Example",
            ),
            (
                &["198.51.100.0", "198.51.100.255", "64500", "PT", "EXAMPLE"],
                "198.51.100.0 198.51.100.255 PT 64500 EXAMPLE",
            ),
            (
                &["198.51.100.0", "198.51.100.255", "0", "None", "Not routed"],
                "198.51.100.0 198.51.100.255 - 0 Not routed",
            ),
            (&["198.51.100.0", "24", "64500_64501"], "198.51.100.0 198.51.100.255 - 64500 "),
            (&["2001:db8::", "32", "64500"], "2001:db8:: 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff - 64500 "),
            (&["198.51.100.0/24", "PT"], "198.51.100.0 198.51.100.255 PT 0 "),
            (&["198.51.100.0/24", "AS64500"], "198.51.100.0 198.51.100.255 - 64500 "),
            (&["0.0.0.0/0", "64500", "All"], "0.0.0.0 255.255.255.255 - 64500 All"),
        ] {
            assert_eq!(line(None, fields), read);
        }
    }

    #[test]
    fn rows_below_a_header() {
        let maxmind = &["network", "autonomous_system_number", "autonomous_system_organization"][..];
        assert_eq!(
            line(Some(maxmind), &["198.51.100.0/24", "64500", "Example, One"]),
            "198.51.100.0 198.51.100.255 - 64500 Example, One"
        );
        let ipinfo =
            &["network", "country", "country_code", "continent", "continent_code", "asn", "as_name"][..];
        assert_eq!(
            line(
                Some(ipinfo),
                &["198.51.100.7", "Portugal", "PT", "Europe", "EU", "AS64500", "Example", "example.org"]
            ),
            "198.51.100.7 198.51.100.7 PT 64500 Example"
        );
        let ranges = &["Start_IP", "End_IP", "Country"][..];
        assert_eq!(
            line(Some(ranges), &["198.51.100.0", "198.51.100.9", "PT"]),
            "198.51.100.0 198.51.100.9 PT 0 "
        );
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let of_locations = Columns::of_header(&["network", "geoname_id", "registered_country_geoname_id"]);
        assert!(of_locations.unwrap_err().contains(".mmdb"));
        assert!(Columns::of_header(&["network", "city"]).is_err());
        assert_eq!(line(None, &["198.51.100.0", "33", "64500"]), "not a prefix length of 198.51.100.0: 33");
        assert_eq!(line(None, &["198.51.100.0/x", "64500"]), "not a network: \"198.51.100.0/x\"");
    }
}

//! Texts as values, on the command line and in settings. The error of each function says what to write.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::str::FromStr;

use cutshort_geo::Country;
use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};

use crate::length;

/// A whole number within bounds.
pub fn whole<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: Display + FromStr + PartialOrd + Clone,
{
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("write a whole number, {} to {}", range.start(), range.end()))
    }
}

/// A whole number from 0 on.
pub fn count<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "write a whole number, such as 100".to_owned())
}

/// N of "1 in N connections".
pub fn one_in(text: &str) -> Result<NonZeroU32, String> {
    text.parse().map_err(|_| "write N to take 1 in N connections, 1 or more".to_owned())
}

/// An IP address and a port to listen on.
pub fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "write an IP address with a port, such as 127.0.0.1:8080 or, for all addresses, [::]:8080".to_owned()
    })
}

/// An address of a host.
pub fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "write an IPv4 or IPv6 address, such as 198.51.100.7 or 2001:db8::7".to_owned())
}

/// The number of a network, an autonomous system.
pub fn asn(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "write the number of an AS, such as 64496".to_owned())
}

/// The two letters of a country.
pub fn country(text: &str) -> Result<Country, String> {
    Country::from_alpha2(text).ok_or_else(|| "write the two letters of a country, such as PT".to_owned())
}

/// False alarms a week.
pub fn false_alarms(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (1e-6..=1000.0).contains(number));
    number.ok_or_else(|| "write a number of alarms a week, such as 0.1".to_owned())
}

/// Connections per second.
pub fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.001..=1e6).contains(rate));
    rate.ok_or_else(|| "write a number from 0.001 to 1000000".to_owned())
}

/// How many packets of a connection are logged.
pub fn packet_limit(text: &str) -> Result<NonZeroU32, String> {
    let limit = text.parse().ok().filter(|limit: &NonZeroU32| limit.get() <= 1000);
    limit.ok_or_else(|| "write a number of packets, 1 to 1000".to_owned())
}

/// How long a connection is remembered.
pub fn keep_time(text: &str) -> Result<SignedDuration, String> {
    let range = SignedDuration::from_secs(1)..=SignedDuration::from_hours(24);
    duration(text).and_then(|keep| match range.contains(&keep) {
        true => Ok(keep),
        false => Err("connections are remembered for 1s to 24h".to_owned()),
    })
}

/// The address of a page, without `/` at its end.
pub fn public_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_plain = |c: char| c.is_ascii_graphic() && !"?#@\"<>".contains(c);
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') && rest.chars().all(is_plain) => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err(format!("'{text}': write an address such as https://cutshort.example.org")),
    }
}

/// A network in CIDR notation.
pub fn net(text: &str) -> Result<IpNet, String> {
    cutshort_model::parse_net(text)
}

/// A TCP port.
pub fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "write port numbers, 0 to 65535, separated by commas".to_owned())
}

/// A port of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerPort {
    /// All ports.
    Any,
    /// This one.
    One(u16),
}

/// A port of servers, or `any`.
pub fn server_port(text: &str) -> Result<ServerPort, String> {
    match text {
        "any" => Ok(ServerPort::Any),
        text => port(text).map(ServerPort::One).map_err(|why| format!("{why}, or 'any'")),
    }
}

/// A length of time with its unit.
pub fn duration(text: &str) -> Result<SignedDuration, String> {
    if text.parse().is_ok_and(|length: SignedDuration| length.is_negative()) {
        return Err("a time cannot be negative".to_owned());
    }
    let length = length(text).and_then(|length| SignedDuration::try_from(length).ok());
    length.ok_or_else(|| "write a length of time with its unit, such as 10s, 15m, 36h or 3d".to_owned())
}

/// A point in time: absolute (UTC unless it says otherwise), or counted back from now.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    let now = Timestamp::now();
    match text.strip_prefix('-') {
        _ if text.eq_ignore_ascii_case("now") => Ok(now),
        Some(before) => length(before)
            .and_then(|ago| SignedDuration::try_from(ago).ok())
            .and_then(|ago| now.checked_sub(ago).ok())
            .ok_or_else(|| "write how long ago with its unit, such as -15m, -36h, -7d or -4w".to_owned()),
        None => absolute(text).ok_or_else(|| {
            "write a time in UTC, such as 2026-01-05T00:00:00Z, a day, such as 2026-01-05, \
             how long ago, such as -7d, or now"
                .to_owned()
        }),
    }
}

/// A time as RFC 3339 has it, or the beginning of a day.
pub fn absolute(text: &str) -> Option<Timestamp> {
    let utc = || format!("{text}Z").parse();
    let day = || format!("{text}T00:00:00Z").parse();
    text.parse().or_else(|_: jiff::Error| utc()).or_else(|_| day()).ok()
}

/// The start of a simulation, as [`absolute`] reads it.
pub fn start(text: &str) -> Result<Timestamp, String> {
    absolute(text).ok_or_else(|| {
        "write a time in UTC, such as 2026-01-05T00:00:00Z, or a day, such as 2026-01-05".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The errors of Rust's own parsers say what is wrong with the text, and not what to write.
    #[test]
    fn errors_say_what_to_write() {
        for text in ["", "x", "8080", "-1", "0x10", "1.5", "localhost:80", "99999999999999999999"] {
            let errors = [
                whole(1..=1000_u32)(text).err(),
                count::<u16>(text).err(),
                one_in(text).err(),
                listen(text).err(),
                address(text).err(),
                asn(text).err(),
                port(text).err(),
                duration(text).err(),
                packet_limit(text).err(),
                rate(text).err(),
                false_alarms(text).err(),
                country(text).err(),
                start(text).err(),
            ];
            for error in errors.into_iter().flatten() {
                assert!(error.starts_with("write"), "{text}: {error}");
            }
        }
        assert!(one_in("0").is_err() && whole(1..=1000_u32)("1001").is_err());
        assert_eq!(
            (whole(80..=100_u32)("80"), listen("[::]:80").map(|address| address.port())),
            (Ok(80), Ok(80))
        );
    }

    #[test]
    fn absolute_times_have_many_forms() {
        for text in ["2026-01-05", "2026-01-05T00:00:00Z", "2026-01-05T01:00:00+01:00", "2026-01-05 00:00"] {
            assert_eq!(moment(text).unwrap().to_string(), "2026-01-05T00:00:00Z", "{text}");
        }
    }

    #[test]
    fn relative_times_count_from_now() {
        let hours = |text: &str| {
            let then = moment(text).unwrap();
            (Timestamp::now() - then).get_seconds() / 3600
        };
        assert_eq!([hours("now"), hours("-36h"), hours("-7d"), hours("-1w")], [0, 36, 168, 168]);
        for text in ["-", "-7", "-d", "--7d", "-7y", "7d", "tomorrow", "", "-é"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}

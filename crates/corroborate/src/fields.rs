//! Values of fields, as the sources write them.

use std::fmt;

use cutshort_detect::country_code;
use cutshort_model::parse_rfc3339;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use crate::error::quoted;

/// Nanoseconds of a second and of a day.
pub(crate) const SECOND: i64 = 1_000_000_000;
pub(crate) const DAY: i64 = 86_400 * SECOND;

/// A time: seconds since 1970, ISO 8601 with or without a zone (UTC then), or a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    /// Nanoseconds since the Unix epoch.
    pub(crate) ns: i64,
    /// Whether it was written as a day.
    pub(crate) is_day: bool,
}

impl Moment {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = || format!("wrong time {}: write 2026-01-05T10:15:00Z or 2026-01-05", quoted(text));
        if let Ok(seconds) = text.parse::<i64>() {
            return Self::of_seconds(seconds).ok_or_else(wrong);
        }
        let is_day = text.len() == 10;
        let ns = match is_day {
            true => parse_rfc3339(&format!("{text}T00:00:00Z")),
            // Without a zone it is UTC.
            false => parse_rfc3339(text).or_else(|| parse_rfc3339(&format!("{text}Z"))),
        };
        ns.map(|ns| Self { ns, is_day }).ok_or_else(wrong)
    }

    fn of_seconds(seconds: i64) -> Option<Self> {
        Some(Self { ns: seconds.checked_mul(SECOND)?, is_day: false })
    }
}

/// The code of a country.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Code(pub(crate) [u8; 2]);

impl Code {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |_| format!("unknown country {}: write two letters, such as IQ", quoted(text));
        country_code(text.trim()).map(Self).map_err(wrong)
    }
}

/// The number of a network, with or without `AS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asn(pub(crate) u32);

impl Asn {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let digits = text.trim();
        let digits = digits.strip_prefix("AS").or_else(|| digits.strip_prefix("as")).unwrap_or(digits);
        let wrong = |_| format!("wrong AS number {}: write 64500 or AS64500", quoted(text));
        digits.parse().map(Self).map_err(wrong)
    }
}

/// A finite number, which may be in quotes.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Number(pub(crate) f64);

impl Number {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
        number.map(Self).ok_or_else(|| format!("{} is not a number", quoted(text)))
    }
}

/// A text, or a number as a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) String);

impl Text {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Ok(Self(text.to_owned()))
    }
}

/// Reads texts and numbers alike, as texts.
struct AsText<T>(fn(&str) -> Result<T, String>, &'static str);

impl<T> Visitor<'_> for AsText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

macro_rules! read_as_text {
    ($($name:ident: $what:literal),*) => { $(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(AsText($name::parse, $what))
            }
        }
    )* };
}

read_as_text!(Moment: "a time", Code: "a country", Asn: "an AS number", Number: "a number", Text: "a text");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_many_ways() {
        let ns = |text: &str| Moment::parse(text).map(|moment| (moment.ns / SECOND, moment.is_day));
        let expected = Ok((1_781_061_600, false));
        for text in ["1781061600", "2026-06-10T03:20:00Z", "2026-06-10T03:20:00", "2026-06-10 03:20:00.000"] {
            assert_eq!(ns(text), expected, "{text}");
        }
        assert_eq!(ns("2026-06-10"), Ok((1_781_049_600, true)));
        assert!(ns("tomorrow").unwrap_err().starts_with("wrong time \"tomorrow\""));
        assert!(ns("9999999999999999").is_err());
    }

    #[test]
    fn numbers_may_be_texts() {
        let read = |json: &str| serde_json::from_str::<Number>(json).map(|number| number.0).ok();
        assert_eq!(
            (read("\"6.5\""), read("7"), read("\"NaN\""), read("[]")),
            (Some(6.5), Some(7.0), None, None)
        );
        assert_eq!(serde_json::from_str::<Asn>("\"AS64500\"").unwrap(), Asn(64_500));
    }
}

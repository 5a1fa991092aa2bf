//! The contents of a source, in the form that all readers of files produce.

use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

use crate::names::{NameNotes, Names};
use crate::steps::{AddressSpan, Cell, Steps};
use crate::{Country, Provides};

/// Everything that one source knows, or several sources in order of precedence.
#[derive(Debug)]
pub(crate) struct Layer {
    /// At least one, in the order of precedence.
    pub(crate) origins: Vec<Origin>,
    pub(crate) v4: Steps<u32>,
    pub(crate) v6: Steps<u128>,
    pub(crate) names: Names,
}

impl Layer {
    /// Combines two layers: `base` supplies what `self` does not know.
    pub(crate) fn over(mut self, base: Self) -> Self {
        self.origins.extend(base.origins);
        Self {
            origins: self.origins,
            v4: self.v4.over(&base.v4),
            v6: self.v6.over(&base.v6),
            names: self.names.over(&base.names),
        }
    }
}

/// The origin of a layer's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) about: About,
    pub(crate) provides: Provides,
    /// The file it was read from; `None` for the built-in data.
    pub(crate) path: Option<PathBuf>,
}

impl Origin {
    pub(crate) fn new(about: About, provides: Provides) -> Self {
        Self { about, provides, path: None }
    }
}

/// What a source says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) name: Option<String>,
    pub(crate) date: Option<String>,
    pub(crate) licence: Option<String>,
    pub(crate) urls: Vec<String>,
}

impl About {
    /// Takes one `key: value` line; unknown keys are ignored.
    pub(crate) fn note(&mut self, line: &str) {
        let Some((key, value)) = line.split_once(':') else { return };
        let value = value.trim().to_owned();
        match key.trim() {
            _ if value.is_empty() => {}
            "source" => self.name = Some(value),
            "date" => self.date = Some(value).filter(|date| is_date(date)),
            "licence" => self.licence = Some(value),
            "url" => self.urls.push(value),
            _ => {}
        }
    }
}

/// Whether this has the form of `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

/// Collects the contents of a file, range by range.
#[derive(Default)]
pub(crate) struct LayerNotes {
    v4: Vec<AddressSpan<u32>>,
    v6: Vec<AddressSpan<u128>>,
    names: NameNotes,
    country: bool,
    network: bool,
}

impl LayerNotes {
    /// Adds a range: all addresses from `first` to `last` are in this country and network. `Err` says what is wrong
    /// with the range.
    pub(crate) fn add(
        &mut self,
        first: IpAddr,
        last: IpAddr,
        country: Option<Country>,
        asn: Option<u32>,
    ) -> Result<(), String> {
        self.country |= country.is_some();
        self.network |= asn.is_some();
        let cell = Cell::new(country, asn);
        match (unmapped(first), unmapped(last)) {
            (IpAddr::V4(a), IpAddr::V4(b)) if a <= b => {
                self.v4.push(AddressSpan { first: a.to_bits(), last: b.to_bits(), cell });
            }
            (IpAddr::V6(a), IpAddr::V6(b)) if a <= b => {
                self.v6.push(AddressSpan { first: a.to_bits(), last: b.to_bits(), cell });
            }
            _ => return Err(format!("no range: {first} to {last}")),
        }
        Ok(())
    }

    pub(crate) fn name(&mut self, asn: u32, name: &str) {
        self.names.add(asn, name);
    }

    /// The layer; `None` if there was neither a country nor a network.
    pub(crate) fn finish(self, about: About) -> Option<Layer> {
        Some(Layer {
            origins: vec![Origin::new(about, Provides::from_flags(self.country, self.network)?)],
            v4: Steps::from_spans(&self.v4),
            v6: Steps::from_spans(&self.v6),
            names: self.names.finish(),
        })
    }
}

/// IPv4 addresses written as IPv6 ones become IPv4.
pub(crate) fn unmapped(addr: IpAddr) -> IpAddr {
    match addr {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(addr, IpAddr::V4),
        IpAddr::V4(_) => addr,
    }
}

/// An address, or one as a decimal number: up to 2^32 - 1 that is IPv4, above IPv6.
pub(crate) fn parse_addr(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if let Ok(addr) = text.parse() {
        return Some(addr);
    }
    let number: u128 = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(
        u32::try_from(number)
            .map_or_else(|_| IpAddr::V6(Ipv6Addr::from_bits(number)), |v4| IpAddr::V4(v4.into())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_text_and_as_numbers() {
        let addr = |text: &str| parse_addr(text).map(|addr| addr.to_string());
        assert_eq!(addr("1.2.3.4").as_deref(), Some("1.2.3.4"));
        assert_eq!(addr(" 16909060 ").as_deref(), Some("1.2.3.4"));
        assert_eq!(addr("2001:db8::1").as_deref(), Some("2001:db8::1"));
        assert_eq!(addr("42540766411282592856903984951653826560").as_deref(), Some("2001:db8::"));
        for wrong in ["", "start", "+5", "1.2.3", "1.2.3.0/24"] {
            assert_eq!(addr(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_file_introduces_itself_in_lines_of_key_and_value() {
        let mut about = About::default();
        let lines = ["source: A: B", "date: 2026-05-01", "url: https://a.example", "other: x", "words"];
        lines.into_iter().for_each(|line| about.note(line));
        assert_eq!(about.name.as_deref(), Some("A: B"));
        assert_eq!(about.date.as_deref(), Some("2026-05-01"));
        assert_eq!(about.urls, ["https://a.example"]);
        about.note("date: May");
        assert_eq!(about.date, None);
    }

    #[test]
    fn mapped_ranges_are_ipv4_and_backward_ones_are_refused() {
        let [a, b, c] = ["::ffff:192.0.2.0", "::ffff:192.0.2.9", "2001:db8::"].map(|a| a.parse().unwrap());
        let mut notes = LayerNotes::default();
        notes.add(a, b, None, Some(64500)).unwrap();
        assert!(notes.add(b, a, None, Some(64500)).is_err());
        assert!(notes.add(a, c, None, Some(64500)).is_err());
        let layer = notes.finish(About::default()).unwrap();
        assert_eq!(layer.v4.get(0xc000_0205).place().asn, Some(64500));
        assert_eq!(layer.origins[0].provides, Provides::Network);
    }
}

use std::fmt;
use std::str::FromStr;

/// One port, or a range such as `8000-8100`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ports {
    first: u16,
    last: u16,
}

impl Ports {
    /// The first and the last port.
    #[must_use]
    pub const fn bounds(self) -> (u16, u16) {
        (self.first, self.last)
    }

    /// The same ports, ordered and without overlaps, which nft refuses.
    pub(super) fn merged(all: &[Self]) -> Vec<Self> {
        let mut sorted = all.to_vec();
        sorted.sort_unstable();
        let mut merged: Vec<Self> = Vec::new();
        for next in sorted {
            match merged.last_mut() {
                Some(before) if next.first <= before.last => before.last = before.last.max(next.last),
                _ => merged.push(next),
            }
        }
        merged
    }
}

impl From<u16> for Ports {
    fn from(port: u16) -> Self {
        Self { first: port, last: port }
    }
}

impl FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (first.parse(), last.parse()) {
            (Ok(first), Ok(last)) if first <= last => Ok(Self { first, last }),
            _ => Err("write ports, 0 to 65535, or ranges of them, separated by commas: 80,443,8000-8100"
                .to_owned()),
        }
    }
}

/// Writes the ports as nft and the command line accept them.
impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last } = self;
        if first == last { write!(f, "{first}") } else { write!(f, "{first}-{last}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_ranges_are_read_back() {
        for text in ["0", "443", "8000-8100", "0-65535"] {
            assert_eq!(text.parse::<Ports>().unwrap().to_string(), text);
        }
        for text in ["", "-", "80-", "-80", "90-80", "65536", "80-90-100", "a", "80:90"] {
            assert!(text.parse::<Ports>().is_err(), "{text}");
        }
    }

    #[test]
    fn overlapping_ranges_become_one() {
        let merged = |texts: &[&str]| {
            let all: Vec<Ports> = texts.iter().map(|text| text.parse().unwrap()).collect();
            Ports::merged(&all).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(merged(&["443", "80", "80"]), ["80", "443"]);
        assert_eq!(merged(&["90-100", "80-90", "95", "101", "0-65535"]), ["0-65535"]);
        assert_eq!(merged(&["80-90", "91", "85-88"]), ["80-90", "91"]);
    }
}

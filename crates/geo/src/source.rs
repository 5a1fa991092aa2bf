//! The sources of the data.

use std::fmt;
use std::path::PathBuf;

/// What a source knows about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provides {
    /// The country of an address.
    Country,
    /// The network: AS number and usually its name.
    Network,
    /// The country and the network.
    Both,
}

impl Provides {
    /// Returns `None` if both are false.
    pub(crate) fn from_flags(country: bool, network: bool) -> Option<Self> {
        match (country, network) {
            (true, true) => Some(Self::Both),
            (true, false) => Some(Self::Country),
            (false, true) => Some(Self::Network),
            (false, false) => None,
        }
    }

    /// The word that stands for it in files.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Network => "network",
            Self::Both => "both",
        }
    }

    /// Finds the value for a [`word`](Self::word).
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::Country, Self::Network, Self::Both].into_iter().find(|provides| provides.word() == word)
    }

    /// Whether it knows the country.
    pub fn country(self) -> bool {
        self != Self::Network
    }

    /// Whether it knows the network.
    pub fn network(self) -> bool {
        self != Self::Country
    }
}

/// A source of data: the built-in data or a file. Programs that show answers should also show the sources; the
/// licences of most require it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name that it gives itself, or the name of the file.
    pub name: String,
    /// The date of the data, `YYYY-MM-DD` or `unknown`.
    pub date: String,
    /// The licence of the data, such as `CC BY 4.0`, if it is known.
    pub licence: Option<String>,
    /// Links to show with the results, for attribution.
    pub urls: Vec<String>,
    /// What it knows about addresses.
    pub provides: Provides,
    /// The file it was read from; `None` for the built-in data.
    pub path: Option<PathBuf>,
}

/// Writes one line: `DB-IP country lite, 2026-05-01 (CC BY 4.0, https://db-ip.com)`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, ", self.name)?;
        match self.date.as_str() {
            "unknown" => write!(f, "date unknown")?,
            date => write!(f, "{date}")?,
        }
        let notes: Vec<&str> = self.licence.iter().chain(&self.urls).map(String::as_str).collect();
        if notes.is_empty() { Ok(()) } else { write!(f, " ({})", notes.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_one_line() {
        let mut source = Source {
            name: "DB-IP country lite".into(),
            date: "2026-05-01".into(),
            licence: Some("CC BY 4.0".into()),
            urls: vec!["https://db-ip.com".into()],
            provides: Provides::Country,
            path: None,
        };
        assert_eq!(source.to_string(), "DB-IP country lite, 2026-05-01 (CC BY 4.0, https://db-ip.com)");
        source.licence = None;
        source.urls.clear();
        source.date = "unknown".into();
        assert_eq!(source.to_string(), "DB-IP country lite, date unknown");
    }
}

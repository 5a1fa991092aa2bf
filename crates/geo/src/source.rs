//! Where answers come from.

use std::fmt;
use std::path::PathBuf;

/// What a source tells about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provides {
    /// The country of an address.
    Country,
    /// The network: AS number and mostly its name.
    Network,
    /// The country and the network.
    Both,
}

impl Provides {
    /// `None` if neither.
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

    /// The one with this [`word`](Self::word).
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::Country, Self::Network, Self::Both].into_iter().find(|provides| provides.word() == word)
    }

    /// Whether it tells the country.
    pub fn country(self) -> bool {
        self != Self::Network
    }

    /// Whether it tells the network.
    pub fn network(self) -> bool {
        self != Self::Country
    }
}

/// One of the sources that answers come from: shipped data or a file. Whatever shows the answers should show
/// the sources too; the licences of most ask for that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What it calls itself, or the name of the file.
    pub name: String,
    /// The day that the data is of, `YYYY-MM-DD` or `unknown`.
    pub date: String,
    /// The licence of the data, such as `CC BY 4.0`, where known.
    pub licence: Option<String>,
    /// Links to show beside results, for attribution.
    pub urls: Vec<String>,
    /// What it tells.
    pub provides: Provides,
    /// The file it was read from; `None` if it came with the program.
    pub path: Option<PathBuf>,
}

/// One line: `DB-IP country lite, 2026-05-01 (CC BY 4.0, https://db-ip.com)`.
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

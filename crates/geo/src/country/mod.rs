//! Countries, continents and regions.

mod other_names;
mod table;

use std::fmt;

use other_names::OTHER_NAMES;
use table::{Row, TABLE};

/// A country or territory with a code of its own in ISO 3166-1, or Kosovo.
///
/// One byte, an index into the table of countries. The index is meant for arrays in memory; store or send the code
/// instead.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(u8);

impl Country {
    /// The number of countries; every [`index`](Self::index) is below it.
    pub const COUNT: usize = TABLE.len();

    /// Finds a country by its ISO 3166-1 code of two letters, ignoring case, such as `"DE"`. `None` for all other
    /// codes, including those that stand for no country (`"ZZ"`, `"EU"`, `"A1"`).
    pub fn from_alpha2(code: &str) -> Option<Self> {
        let &[a, b] = code.as_bytes() else { return None };
        let upper = [a.to_ascii_uppercase(), b.to_ascii_uppercase()];
        let found = TABLE.binary_search_by(|row| row.alpha2.as_bytes().cmp(&upper)).ok()?;
        Self::from_index(found)
    }

    /// The country with this [`index`](Self::index).
    pub fn from_index(index: usize) -> Option<Self> {
        u8::try_from(index).ok().filter(|_| index < Self::COUNT).map(Self)
    }

    /// All countries, in the order of their codes.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).filter_map(Self::from_index)
    }

    /// The index in the table, from 0 to [`COUNT`](Self::COUNT) - 1.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The two-letter code of ISO 3166-1, in capitals: `"DE"`. Kosovo's is the customary `"XK"`.
    pub fn alpha2(self) -> &'static str {
        self.row().alpha2
    }

    /// The three-letter code of ISO 3166-1, in capitals: `"DEU"`. Kosovo's is the customary `"XKX"`.
    pub fn alpha3(self) -> &'static str {
        self.row().alpha3
    }

    /// The short English name: `"Germany"`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Other names in use, such as `"UK"` and `"Great Britain"`: official, earlier and short ones. Most countries have none.
    pub fn other_names(self) -> &'static [&'static str] {
        OTHER_NAMES.iter().find(|(code, _)| *code == self.alpha2()).map_or(&[], |(_, names)| *names)
    }

    /// The numeric code of ISO 3166-1, such as 276, which world maps often use. Kosovo's is 983, from the range for
    /// private use, as in the Unicode CLDR.
    pub fn numeric(self) -> u16 {
        self.row().numeric
    }

    /// The continent according to GeoNames.
    pub fn continent(self) -> Continent {
        self.row().continent
    }

    /// The region according to UN M49: `"Africa"`, `"Americas"`, `"Antarctica"`, `"Asia"`, `"Europe"`, `"Oceania"`.
    pub fn region(self) -> &'static str {
        self.row().subregion.region()
    }

    /// The smallest region according to UN M49: `"Western Europe"`, `"Caribbean"`.
    pub fn subregion(self) -> &'static str {
        self.row().subregion.name()
    }

    /// The latitude of a point in the middle, in degrees north from -90 to 90.
    pub fn latitude(self) -> f32 {
        self.row().latitude
    }

    /// The longitude of a point in the middle, in degrees east from -180 to 180.
    pub fn longitude(self) -> f32 {
        self.row().longitude
    }

    fn row(self) -> &'static Row {
        &TABLE[self.index()]
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Country({})", self.alpha2())
    }
}

/// The two-letter code.
impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.alpha2())
    }
}

/// One of the seven continents, named by its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Continent {
    /// The continent of Africa, code `AF`.
    AF,
    /// The continent of Antarctica, code `AN`.
    AN,
    /// The continent of Asia, code `AS`.
    AS,
    /// The continent of Europe, code `EU`.
    EU,
    /// North America, with Central America and the Caribbean.
    NA,
    /// The islands of Oceania, code `OC`.
    OC,
    /// South America, code `SA`.
    SA,
}

impl Continent {
    /// All continents, in the order of their codes.
    pub const ALL: [Self; 7] = [Self::AF, Self::AN, Self::AS, Self::EU, Self::NA, Self::OC, Self::SA];

    /// Finds a continent by its code of two letters, ignoring case.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|continent| continent.code().eq_ignore_ascii_case(code))
    }

    /// The two-letter code: `"EU"`.
    pub fn code(self) -> &'static str {
        match self {
            Self::AF => "AF",
            Self::AN => "AN",
            Self::AS => "AS",
            Self::EU => "EU",
            Self::NA => "NA",
            Self::OC => "OC",
            Self::SA => "SA",
        }
    }

    /// The English name: `"Europe"`.
    pub fn name(self) -> &'static str {
        match self {
            Self::AF => "Africa",
            Self::AN => "Antarctica",
            Self::AS => "Asia",
            Self::EU => "Europe",
            Self::NA => "North America",
            Self::OC => "Oceania",
            Self::SA => "South America",
        }
    }
}

/// The two-letter code.
impl fmt::Display for Continent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// The finest regions of M49.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subregion {
    Antarctica,
    AustraliaAndNewZealand,
    Caribbean,
    CentralAmerica,
    CentralAsia,
    EasternAfrica,
    EasternAsia,
    EasternEurope,
    Melanesia,
    Micronesia,
    MiddleAfrica,
    NorthernAfrica,
    NorthernAmerica,
    NorthernEurope,
    Polynesia,
    SouthAmerica,
    SouthEasternAsia,
    SouthernAfrica,
    SouthernAsia,
    SouthernEurope,
    WesternAfrica,
    WesternAsia,
    WesternEurope,
}

impl Subregion {
    fn name(self) -> &'static str {
        self.names().0
    }

    fn region(self) -> &'static str {
        self.names().1
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Antarctica => ("Antarctica", "Antarctica"),
            Self::AustraliaAndNewZealand => ("Australia and New Zealand", "Oceania"),
            Self::Caribbean => ("Caribbean", "Americas"),
            Self::CentralAmerica => ("Central America", "Americas"),
            Self::CentralAsia => ("Central Asia", "Asia"),
            Self::EasternAfrica => ("Eastern Africa", "Africa"),
            Self::EasternAsia => ("Eastern Asia", "Asia"),
            Self::EasternEurope => ("Eastern Europe", "Europe"),
            Self::Melanesia => ("Melanesia", "Oceania"),
            Self::Micronesia => ("Micronesia", "Oceania"),
            Self::MiddleAfrica => ("Middle Africa", "Africa"),
            Self::NorthernAfrica => ("Northern Africa", "Africa"),
            Self::NorthernAmerica => ("Northern America", "Americas"),
            Self::NorthernEurope => ("Northern Europe", "Europe"),
            Self::Polynesia => ("Polynesia", "Oceania"),
            Self::SouthAmerica => ("South America", "Americas"),
            Self::SouthEasternAsia => ("South-eastern Asia", "Asia"),
            Self::SouthernAfrica => ("Southern Africa", "Africa"),
            Self::SouthernAsia => ("Southern Asia", "Asia"),
            Self::SouthernEurope => ("Southern Europe", "Europe"),
            Self::WesternAfrica => ("Western Africa", "Africa"),
            Self::WesternAsia => ("Western Asia", "Asia"),
            Self::WesternEurope => ("Western Europe", "Europe"),
        }
    }
}

#[cfg(test)]
mod tests;

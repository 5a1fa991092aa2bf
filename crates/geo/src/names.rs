//! Names of networks.

use std::collections::BTreeMap;

/// AS numbers in ascending order, and their names in one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    asns: Vec<u32>,
    /// Where in `text` each name ends; it begins where the one before ends.
    ends: Vec<u32>,
    text: String,
}

impl Names {
    pub(crate) fn get(&self, asn: u32) -> Option<&str> {
        let found = self.asns.binary_search(&asn).ok()?;
        let begin = found.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(begin as usize..self.ends[found] as usize)
    }

    /// `None` if there are not as many ends as numbers, or if the last end is not that of the text.
    pub(crate) fn from_columns(asns: Vec<u32>, ends: Vec<u32>, text: String) -> Option<Self> {
        let end = ends.last().map_or(0, |&end| end as usize);
        (asns.len() == ends.len() && end == text.len()).then_some(Self { asns, ends, text })
    }

    /// Those of both; where both have a name for a network, that of `self`.
    pub(crate) fn over(&self, base: &Self) -> Self {
        let mut all: BTreeMap<u32, &str> = base.iter().collect();
        all.extend(self.iter());
        Self::from_sorted(all.into_iter())
    }

    fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        self.asns.iter().filter_map(|&asn| Some((asn, self.get(asn)?)))
    }

    /// In ascending order.
    pub(crate) fn asns(&self) -> &[u32] {
        &self.asns
    }

    /// Where in [`text`](Self::text) the name of each of [`asns`](Self::asns) ends.
    pub(crate) fn ends(&self) -> &[u32] {
        &self.ends
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Sorted already, each number once.
    pub(crate) fn from_sorted<'a>(names: impl Iterator<Item = (u32, &'a str)>) -> Self {
        let mut this = Self::default();
        for (asn, name) in names {
            this.text.push_str(name);
            this.asns.push(asn);
            this.ends.push(this.text.len() as u32);
        }
        this
    }
}

/// Where a reader notes the names that it comes across.
#[derive(Default)]
pub(crate) struct NameNotes(BTreeMap<u32, String>);

impl NameNotes {
    /// Notes a name, unless it says nothing. Of different names for one network the first counts.
    pub(crate) fn add(&mut self, asn: u32, name: &str) {
        if asn != 0 && !says_nothing(name) && !self.0.contains_key(&asn) {
            self.0.insert(asn, name.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }

    pub(crate) fn finish(self) -> Names {
        Names::from_sorted(self.0.iter().map(|(&asn, name)| (asn, name.as_str())))
    }
}

/// Whether this is one of the ways of writing that a value is unknown.
pub(crate) fn says_nothing(value: &str) -> bool {
    matches!(value.trim(), "" | "-" | "?" | "??")
        || ["none", "null", "unknown", "n/a", "not routed"]
            .iter()
            .any(|no| value.trim().eq_ignore_ascii_case(no))
}

/// An AS number as `"13335"` or `"AS13335"`. The outer `None` if it is neither that nor a way of writing that
/// it is unknown; the inner one if it is unknown, as 0 is.
pub(crate) fn parse_asn(text: &str) -> Option<Option<u32>> {
    if says_nothing(text) {
        return Some(None);
    }
    let text = text.trim();
    let digits = text.strip_prefix("AS").or_else(|| text.strip_prefix("as")).unwrap_or(text);
    let number: u32 = digits.parse().ok().filter(|_| !digits.starts_with('+'))?;
    Some((number != 0).then_some(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_number() {
        let mut notes = NameNotes::default();
        notes.add(64501, "Second  Net\n Ltd");
        notes.add(64500, "First");
        notes.add(64500, "Other name of the first");
        notes.add(64502, "-");
        notes.add(0, "Nobody");
        let names = notes.finish();
        let found = [0, 64499, 64500, 64501, 64502].map(|asn| names.get(asn));
        assert_eq!(found, [None, None, Some("First"), Some("Second Net Ltd"), None]);
        assert_eq!(Names::default().get(1), None);
    }

    #[test]
    fn as_numbers_in_all_their_spellings() {
        for text in ["13335", "AS13335", "as13335", " AS13335 "] {
            assert_eq!(parse_asn(text), Some(Some(13335)), "{text}");
        }
        for text in ["", "0", "AS0", "-", "None"] {
            assert_eq!(parse_asn(text), Some(None), "{text}");
        }
        for text in ["AU", "AS", "-5", "+5", "4294967296", "1.5", "ASX"] {
            assert_eq!(parse_asn(text), None, "{text}");
        }
    }
}

//! File names of spooled segments, which sort by age and contain the number of packets.

use std::fmt;

use cutshort_store::{SegmentId, SegmentInfo};

/// The start of the covered time, the number of packets, and the ID: `<nanoseconds>-<packets>-<id>.parquet`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    from: u64,
    pub(super) packets: u64,
    pub(super) id: SegmentId,
}

const ENDING: &str = ".parquet";

impl Name {
    /// The start of the time that the segment covers, in nanoseconds since the Unix epoch.
    pub(super) const fn from(&self) -> u64 {
        self.from
    }

    pub(super) fn of(info: &SegmentInfo) -> Self {
        // Nothing live is before the epoch, unless a clock is wrong.
        Self { from: u64::try_from(info.covers.0).unwrap_or(0), packets: info.rows, id: info.id }
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.strip_suffix(ENDING)?.split('-');
        let (from, packets, id) = (parts.next()?, parts.next()?, parts.next()?);
        let id = SegmentId(u128::from_str_radix(id, 16).ok()?);
        let name = Self { from: from.parse().ok()?, packets: packets.parse().ok()?, id };
        (name.to_string() == text).then_some(name)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}-{:08}-{}{ENDING}", self.from, self.packets, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_sort_by_age() {
        let name = |from, packets, id| Name { from, packets, id: SegmentId(id) };
        let (old, new) = (name(9, 12_345_678_901, 7), name(10, 0, 1));
        assert!(old < new && old.to_string() < new.to_string());
        for name in [old, new] {
            assert_eq!(Name::read(&name.to_string()), Some(name));
        }
        let text = new.to_string();
        for wrong in ["", ".parquet", "a-b-c.parquet", &text[1..], &text[..text.len() - 1]] {
            assert_eq!(Name::read(wrong), None, "{wrong}");
        }
    }
}

//! The destination ids that clients used a short time ago (docs/quic.md#earlier-ids).

use std::collections::HashMap;

use cutshort_packet::FiveTuple;

/// After so long an id is no longer tried, in nanoseconds.
const REMEMBERED: i64 = 120_000_000_000;
/// The most 5-tuples in a generation: with two of them, some 60 MB. A flood of random 5-tuples makes the earliest be
/// forgotten sooner.
const MOST: usize = 1 << 18;

/// A destination id of a known version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id {
    bytes: [u8; 20],
    len: u8,
}

impl Id {
    /// `None` if it has more than 20 bytes, as no known version has.
    pub(crate) fn of(dcid: &[u8]) -> Option<Self> {
        let mut bytes = [0; 20];
        bytes.get_mut(..dcid.len())?.copy_from_slice(dcid);
        Some(Self { bytes, len: dcid.len() as u8 })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// The latest ids of a 5-tuple with the time of each, the latest first. Three are enough for two that differ from any one.
type Latest = [Option<(Id, i64)>; 3];

/// The ids of all 5-tuples, in two generations: the older is dropped as a whole.
#[derive(Default)]
pub(crate) struct RecentIds {
    young: HashMap<FiveTuple, Latest>,
    old: HashMap<FiveTuple, Latest>,
    /// The time of the first id of the young ones.
    since: i64,
}

impl RecentIds {
    /// The two latest other ids of a 5-tuple, the latest first, that were used not more than 120 s before `ts`.
    pub(crate) fn others(
        &self,
        five_tuple: &FiveTuple,
        own: &Id,
        ts: i64,
    ) -> impl Iterator<Item = Id> + use<> {
        let latest =
            self.young.get(five_tuple).or_else(|| self.old.get(five_tuple)).copied().unwrap_or_default();
        let own = *own;
        let recent =
            latest.into_iter().flatten().filter(move |(_, used)| ts.saturating_sub(*used) <= REMEMBERED);
        recent.map(|(id, _)| id).filter(move |id| *id != own).take(2)
    }

    /// Remembers that a 5-tuple used an id at `ts`.
    pub(crate) fn remember(&mut self, five_tuple: FiveTuple, id: Id, ts: i64) {
        if self.young.len() >= MOST || ts.saturating_sub(self.since) > REMEMBERED {
            self.old = std::mem::take(&mut self.young);
        }
        if self.young.is_empty() {
            self.since = ts;
        }
        let latest = self
            .young
            .entry(five_tuple)
            .or_insert_with(|| self.old.get(&five_tuple).copied().unwrap_or_default());
        let before = latest.iter().position(|used| used.is_some_and(|(used, _)| used == id));
        let last = latest.len() - 1;
        latest[..=before.unwrap_or(last)].rotate_right(1);
        latest[0] = Some((id, ts));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn five_tuple(port: u16) -> FiveTuple {
        FiveTuple::new([198, 51, 100, 7].into(), port, [203, 0, 113, 5].into(), 443)
    }

    fn id(number: u8) -> Id {
        Id::of(&[number; 8]).unwrap()
    }

    fn others(ids: &RecentIds, own: u8, ts: i64) -> Vec<u8> {
        ids.others(&five_tuple(1), &id(own), ts).map(|id| id.bytes()[0]).collect()
    }

    #[test]
    fn the_two_latest_others_are_tried() {
        let mut ids = RecentIds::default();
        assert_eq!(others(&ids, 1, 0), [0; 0]);
        for number in [1, 2, 3, 4, 4, 2] {
            ids.remember(five_tuple(1), id(number), 0);
        }
        assert_eq!(others(&ids, 9, 0), [2, 4]);
        assert_eq!(others(&ids, 4, 0), [2, 3], "other than its own");
        assert_eq!(others(&ids, 2, 0), [4, 3]);
        assert_eq!(ids.others(&five_tuple(2), &id(9), 0).count(), 0, "of the same 5-tuple");
    }

    #[test]
    fn ids_are_tried_for_two_minutes() {
        let mut ids = RecentIds::default();
        ids.remember(five_tuple(1), id(1), 0);
        ids.remember(five_tuple(1), id(2), 60 * SECOND);
        assert_eq!(others(&ids, 9, 120 * SECOND), [2, 1]);
        assert_eq!(others(&ids, 9, 120 * SECOND + 1), [2]);
        // Generations change; what is recent stays.
        ids.remember(five_tuple(2), id(7), 130 * SECOND);
        assert_eq!(others(&ids, 9, 170 * SECOND), [2]);
        ids.remember(five_tuple(1), id(3), 170 * SECOND);
        assert_eq!(others(&ids, 9, 180 * SECOND), [3, 2]);
        ids.remember(five_tuple(2), id(7), 260 * SECOND);
        ids.remember(five_tuple(2), id(7), 400 * SECOND);
        assert_eq!(ids.young.len() + ids.old.len(), 2, "one of each generation");
    }

    #[test]
    fn ids_of_no_bytes_are_ids() {
        assert_ne!(Id::of(&[]), Id::of(&[0]));
        assert_eq!(Id::of(&[1; 21]), None);
    }
}

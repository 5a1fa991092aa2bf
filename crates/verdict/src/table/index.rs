//! Positions by hash.

/// An open-addressing table from the hash of a key to the position of what it belongs to, in one
/// word a slot: a look-up misses the cache once here, where a general hash table misses it twice.
/// The keys are elsewhere, and so is their comparison.
pub(crate) struct Index {
    /// Hash in the upper half, position in the lower, or [`FREE`].
    slots: Vec<u64>,
    /// Number of bits by which a hash is shifted to give its home slot.
    shift: u32,
    used: usize,
    /// Slots that were searched for last, at most one for each [`RECENT_BITS`] of a hash. Most packets belong to
    /// a connection of these seconds; its slot is found here, in a nearer cache than all slots fit in.
    recent: Vec<u64>,
}

const FIRST_BITS: u32 = 8;
const RECENT_BITS: u32 = 14;
/// No slot has this position. Not 0: the system gives memory of zeros page by page, when it is first
/// read and again when it is first written.
const FREE: u64 = u64::MAX;

impl Index {
    pub(crate) fn new() -> Self {
        Self {
            slots: vec![FREE; 1 << FIRST_BITS],
            shift: u32::BITS - FIRST_BITS,
            used: 0,
            recent: vec![FREE; 1 << RECENT_BITS],
        }
    }

    #[inline]
    fn home(&self, hash: u32) -> usize {
        (hash >> self.shift) as usize
    }

    /// Reads from where the hash is looked up: the slot at which it belongs, and the next cache line.
    #[inline]
    pub(crate) fn touch(&self, hash: u32) -> u64 {
        let home = self.home(hash);
        self.slots[home] ^ self.slots[(home + 8) & (self.slots.len() - 1)]
    }

    /// The position that was [noted](Self::note) with this hash, if `is` holds for it.
    #[inline]
    pub(crate) fn find_recent(&self, hash: u32, is: impl Fn(usize) -> bool) -> Option<usize> {
        let slot = self.recent[recent_home(hash)];
        let position = slot as u32 as usize;
        (slot != FREE && (slot >> 32) as u32 == hash && is(position)).then_some(position)
    }

    /// Notes a position that was found or inserted, for [`find_recent`](Self::find_recent).
    #[inline]
    pub(crate) fn note(&mut self, hash: u32, position: usize) {
        self.recent[recent_home(hash)] = slot(hash, position);
    }

    /// The first position with this hash for which `is` holds.
    #[inline]
    pub(crate) fn find(&self, hash: u32, is: impl Fn(usize) -> bool) -> Option<usize> {
        let mut at = self.home(hash);
        loop {
            let slot = self.slots[at];
            if slot == FREE {
                return None;
            }
            let position = slot as u32 as usize;
            if (slot >> 32) as u32 == hash && is(position) {
                return Some(position);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// Adds a position, below 2^32 - 1.
    pub(crate) fn insert(&mut self, hash: u32, position: usize) {
        self.used += 1;
        if self.used * 4 > self.slots.len() * 3 {
            self.grow();
        }
        self.put(slot(hash, position));
    }

    fn put(&mut self, slot: u64) {
        let mut at = self.home((slot >> 32) as u32);
        while self.slots[at] != FREE {
            at = (at + 1) & (self.slots.len() - 1);
        }
        self.slots[at] = slot;
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![FREE; self.slots.len() * 2];
        self.shift -= 1;
        for slot in std::mem::replace(&mut self.slots, larger) {
            if slot != FREE {
                self.put(slot);
            }
        }
    }
}

const fn slot(hash: u32, position: usize) -> u64 {
    (hash as u64) << 32 | position as u64
}

const fn recent_home(hash: u32) -> usize {
    (hash >> (u32::BITS - RECENT_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_found_by_hash_and_key() {
        let mut index = Index::new();
        let keys: Vec<u32> = (0..5_000).collect();
        // Few hashes, so that many keys share one.
        let hash = |key: u32| (key % 701).wrapping_mul(0x9e37_79b9);
        for key in &keys {
            assert_eq!(index.find(hash(*key), |at| keys[at] == *key), None);
            index.insert(hash(*key), *key as usize);
        }
        assert!(keys.iter().all(|key| index.find(hash(*key), |at| keys[at] == *key) == Some(*key as usize)));
        assert_eq!(index.find(hash(3), |_| false), None);
    }

    #[test]
    fn what_was_noted_last_is_found_without_a_search() {
        let mut index = Index::new();
        assert_eq!(index.find_recent(0, |_| true), None);
        index.note(7, 70);
        assert_eq!(index.find_recent(7, |at| at == 70), Some(70));
        assert_eq!(index.find_recent(7, |_| false), None);
        // Its place among the recent ones is the same.
        assert_eq!(index.find_recent(8, |_| true), None);
        index.note(8, 80);
        assert_eq!(index.find_recent(7, |_| true), None);
    }
}

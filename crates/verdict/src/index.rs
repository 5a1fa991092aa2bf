//! Positions by hash.

/// An open-addressing table from the hash of a key to the position of what it belongs to, in one
/// word a slot: a look-up misses the cache once here, where a general hash table misses it twice.
/// The keys are elsewhere, and so is their comparison.
pub(crate) struct Index {
    /// Hash in the upper half; position + 1 in the lower, 0 where the slot is free.
    slots: Vec<u64>,
    /// By how much a hash is shifted to give the slot at which it belongs.
    shift: u32,
    used: usize,
}

const FIRST_BITS: u32 = 8;

impl Index {
    pub(crate) fn new() -> Self {
        Self { slots: vec![0; 1 << FIRST_BITS], shift: u32::BITS - FIRST_BITS, used: 0 }
    }

    #[inline]
    fn home(&self, hash: u32) -> usize {
        (hash >> self.shift) as usize
    }

    /// Reads the slot at which the hash belongs, so that it is near when it is looked up.
    #[inline]
    pub(crate) fn touch(&self, hash: u32) -> u64 {
        self.slots[self.home(hash)]
    }

    /// The first position with this hash for which `is` holds.
    #[inline]
    pub(crate) fn find(&self, hash: u32, is: impl Fn(usize) -> bool) -> Option<usize> {
        let mut at = self.home(hash);
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return None;
            }
            let position = (slot as u32 - 1) as usize;
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
        self.put(u64::from(hash) << 32 | (position as u64 + 1));
    }

    fn put(&mut self, slot: u64) {
        let mut at = self.home((slot >> 32) as u32);
        while self.slots[at] != 0 {
            at = (at + 1) & (self.slots.len() - 1);
        }
        self.slots[at] = slot;
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![0; self.slots.len() * 2];
        self.shift -= 1;
        for slot in std::mem::replace(&mut self.slots, larger) {
            if slot != 0 {
                self.put(slot);
            }
        }
    }
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
}

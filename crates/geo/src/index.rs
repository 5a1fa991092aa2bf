//! The data structure for look-ups.

use crate::steps::{AddressNumber, Cell, Steps};

/// Steps, and for each [`head`](AddressNumber::head) of an address the first of them that begins there. For most IPv4
/// addresses nothing is left to search, for nearly all a few steps.
#[derive(Debug)]
pub(crate) struct Index<K> {
    steps: Steps<K>,
    /// `heads[h]` counts the starts whose head is below `h`; one entry more than there are heads.
    heads: Vec<u32>,
}

/// The number of starts that are compared together.
const BLOCK: usize = 8;

impl<K: AddressNumber> Index<K> {
    pub(crate) fn new(steps: Steps<K>) -> Self {
        let mut heads = Vec::with_capacity(K::HEADS + 1);
        for (block, starts) in steps.starts().chunks(BLOCK).enumerate() {
            // Mostly many starts have the same head: the last one tells whether there is a new one.
            if starts.last().is_none_or(|last| last.head() < heads.len()) {
                continue;
            }
            for (at, start) in starts.iter().enumerate() {
                let head = start.head();
                if heads.len() <= head {
                    heads.resize(head + 1, (block * BLOCK + at) as u32);
                }
            }
        }
        heads.resize(K::HEADS + 1, steps.starts().len() as u32);
        Self { steps, heads }
    }

    pub(crate) fn steps(&self) -> &Steps<K> {
        &self.steps
    }

    /// Reads from where the search for a key begins.
    #[inline]
    pub(crate) fn touch_head(&self, key: K) -> u64 {
        u64::from(self.heads[key.head()])
    }

    /// Reads from where it goes on, and mostly ends.
    #[inline]
    pub(crate) fn touch_steps(&self, key: K) -> u64 {
        self.steps.touch(self.heads[key.head()] as usize)
    }

    #[inline]
    pub(crate) fn get(&self, key: K) -> Cell {
        let head = key.head();
        self.steps.get_within(key, self.heads[head] as usize..self.heads[head + 1] as usize)
    }
}

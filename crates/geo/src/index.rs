//! The structure that look-ups search.

use crate::steps::{Cell, Key, Steps};

/// Steps, and for each value of an address's first 16 bits the first of them that begins there. What is left
/// to search is a dozen steps for most IPv4 addresses.
#[derive(Debug)]
pub(crate) struct Index<K> {
    steps: Steps<K>,
    /// `heads[h]` counts the starts whose first 16 bits are below `h`; 65,537 entries.
    heads: Vec<u32>,
}

impl<K: Key> Index<K> {
    pub(crate) fn new(steps: Steps<K>) -> Self {
        let mut heads = vec![0; (1 << 16) + 1];
        for start in steps.starts() {
            heads[start.head() + 1] += 1;
        }
        let mut sum = 0;
        for head in &mut heads {
            sum += *head;
            *head = sum;
        }
        Self { steps, heads }
    }

    pub(crate) fn get(&self, key: K) -> Cell {
        let head = key.head();
        self.steps.get_within(key, self.heads[head] as usize..self.heads[head + 1] as usize)
    }
}

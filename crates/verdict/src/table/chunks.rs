//! A list that grows without moving what it has.

use std::ops::{Index, IndexMut};

/// Items in chunks of equal length, the last of which is filled up with copies of one. A vector of a
/// hundred megabytes would ask for new memory at each doubling, and give back what it had.
pub(super) struct Chunks<T> {
    chunks: Vec<Box<[T; LEN]>>,
    len: usize,
    filling: T,
}

const LEN: usize = 1 << 9;

impl<T: Clone> Chunks<T> {
    pub(super) const fn new(filling: T) -> Self {
        Self { chunks: Vec::new(), len: 0, filling }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, item: T) {
        if self.len == self.chunks.len() * LEN {
            self.chunks.extend(Box::try_from(vec![self.filling.clone(); LEN]));
        }
        self.len += 1;
        let last = self.len - 1;
        self[last] = item;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).take(self.len)
    }

    /// The items from `at` on that lie together, at most `len`.
    pub(super) fn together(&self, at: usize, len: usize) -> &[T] {
        let in_chunk = at % LEN;
        let end = LEN.min(in_chunk + len).min(in_chunk + self.len - at);
        &self.chunks[at / LEN][in_chunk..end]
    }
}

impl<T> Index<usize> for Chunks<T> {
    type Output = T;

    #[inline]
    fn index(&self, at: usize) -> &T {
        &self.chunks[at / LEN][at % LEN]
    }
}

impl<T> IndexMut<usize> for Chunks<T> {
    #[inline]
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut self.chunks[at / LEN][at % LEN]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_keep_their_places() {
        let mut chunks = Chunks::new(0);
        for item in 0..3 * LEN + 1 {
            assert_eq!(chunks.len(), item);
            chunks.push(item);
        }
        assert!(chunks.iter().copied().eq(0..3 * LEN + 1));
        assert_eq!((chunks[0], chunks[LEN], chunks[3 * LEN]), (0, LEN, 3 * LEN));
        assert_eq!(chunks.together(LEN - 2, 64), [LEN - 2, LEN - 1]);
        assert_eq!(chunks.together(5, 2), [5, 6]);
    }
}

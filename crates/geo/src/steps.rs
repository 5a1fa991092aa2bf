//! Step functions: what holds for every address, as the sorted addresses where it changes.
//!
//! Everything that is loaded becomes two of them, one per family. They are laid over one another, and the
//! result is what look-ups search.

use std::collections::BTreeSet;
use std::ops::{Range, Sub};

use crate::{Country, Place};

/// An address as a number.
pub(crate) trait Key: Copy + Ord + Sub<Output = Self> + std::fmt::Debug {
    const ZERO: Self;
    const ONE: Self;
    const MAX: Self;
    /// The next address, `None` after the last.
    fn next(self) -> Option<Self>;
    /// The first 16 bits.
    fn head(self) -> usize;
    fn to_u128(self) -> u128;
    fn from_u128(value: u128) -> Option<Self>;
}

macro_rules! key {
    ($int:ty) => {
        impl Key for $int {
            const ZERO: Self = 0;
            const ONE: Self = 1;
            const MAX: Self = Self::MAX;
            fn next(self) -> Option<Self> {
                self.checked_add(1)
            }
            fn head(self) -> usize {
                usize::from((self >> (Self::BITS - 16)) as u16)
            }
            fn to_u128(self) -> u128 {
                u128::from(self)
            }
            fn from_u128(value: u128) -> Option<Self> {
                Self::try_from(value).ok()
            }
        }
    };
}
key!(u32);
key!(u128);

/// A [`Place`] in eight bytes, AS 0 standing for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Cell {
    asn: u32,
    country: Option<Country>,
}

impl Cell {
    pub(crate) const EMPTY: Self = Self { asn: 0, country: None };

    pub(crate) fn new(country: Option<Country>, asn: Option<u32>) -> Self {
        Self { asn: asn.unwrap_or(0), country }
    }

    pub(crate) fn place(self) -> Place {
        Place { country: self.country, asn: (self.asn != 0).then_some(self.asn) }
    }

    /// This, and where it knows nothing, `base`.
    fn over(self, base: Self) -> Self {
        Self { asn: if self.asn == 0 { base.asn } else { self.asn }, country: self.country.or(base.country) }
    }
}

/// All addresses from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span<K> {
    pub(crate) first: K,
    pub(crate) last: K,
    pub(crate) cell: Cell,
}

/// `cells[i]` holds from `starts[i]` up to the next start. The first start is zero; neighbours differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Steps<K> {
    starts: Vec<K>,
    cells: Vec<Cell>,
}

/// Nothing is known.
impl<K: Key> Default for Steps<K> {
    fn default() -> Self {
        Self { starts: vec![K::ZERO], cells: vec![Cell::EMPTY] }
    }
}

impl<K: Key> Steps<K> {
    fn with_capacity(steps: usize) -> Self {
        Self { starts: Vec::with_capacity(steps), cells: Vec::with_capacity(steps) }
    }

    /// From spans in any order. Where they overlap, the later one in the list counts.
    pub(crate) fn from_spans(spans: &[Span<K>]) -> Self {
        if spans.is_sorted_by(|a, b| a.last < b.first) {
            return Self::from_sorted(spans.iter().copied());
        }
        Self::from_sorted(flatten(spans).into_iter())
    }

    fn from_sorted(spans: impl ExactSizeIterator<Item = Span<K>>) -> Self {
        let mut builder = Builder::new(spans.len());
        spans.for_each(|span| builder.add(span));
        builder.finish()
    }

    /// From `start` on `cell` holds. The starts must come in ascending order, the first one zero.
    fn push(&mut self, start: K, cell: Cell) {
        if self.cells.last() != Some(&cell) {
            self.starts.push(start);
            self.cells.push(cell);
        }
    }

    /// The spans about which something is known, in order.
    pub(crate) fn spans(&self) -> impl Iterator<Item = Span<K>> {
        let ends = self.starts[1..].iter().map(|&next| Some(next - K::ONE)).chain([None]);
        let whole = self.starts.iter().zip(&self.cells).zip(ends);
        whole.filter(|((_, cell), _)| **cell != Cell::EMPTY).map(|((&first, &cell), last)| Span {
            first,
            last: last.unwrap_or(K::MAX),
            cell,
        })
    }

    /// `self` laid over `base`: what `self` does not know about an address, `base` tells.
    pub(crate) fn over(self, base: &Self) -> Self {
        if base.cells == [Cell::EMPTY] {
            return self;
        }
        let mut merged = Self::with_capacity(self.starts.len() + base.starts.len());
        let (mut upper, mut lower) = (0, 0);
        loop {
            let start = self.starts[upper].max(base.starts[lower]);
            merged.push(start, self.cells[upper].over(base.cells[lower]));
            match (self.starts.get(upper + 1), base.starts.get(lower + 1)) {
                (None, None) => break,
                (Some(_), None) => upper += 1,
                (None, Some(_)) => lower += 1,
                (Some(a), Some(b)) => {
                    upper += usize::from(a <= b);
                    lower += usize::from(b <= a);
                }
            }
        }
        merged.starts.shrink_to_fit();
        merged.cells.shrink_to_fit();
        merged
    }

    /// The cell that holds at `key`.
    #[cfg(test)]
    pub(crate) fn get(&self, key: K) -> Cell {
        self.get_within(key, 0..self.starts.len())
    }

    /// The cell that holds at `key`, whose step begins in `range` or is the last before it.
    pub(crate) fn get_within(&self, key: K, range: Range<usize>) -> Cell {
        let after = range.start + self.starts[range].partition_point(|&start| start <= key);
        self.cells[after.saturating_sub(1)]
    }

    pub(crate) fn starts(&self) -> &[K] {
        &self.starts
    }
}

/// Makes steps of spans that come sorted and do not overlap.
pub(crate) struct Builder<K> {
    steps: Steps<K>,
    /// The first address after all spans so far; `None` after the last address of all.
    free: Option<K>,
}

impl<K: Key> Builder<K> {
    /// For about `spans` spans.
    pub(crate) fn new(spans: usize) -> Self {
        Self { steps: Steps::with_capacity(spans + 1), free: Some(K::ZERO) }
    }

    /// The next span, which must begin where the last ended or after it.
    pub(crate) fn add(&mut self, span: Span<K>) {
        if let Some(start) = self.free.filter(|&start| start < span.first) {
            self.steps.push(start, Cell::EMPTY);
        }
        self.steps.push(span.first, span.cell);
        self.free = span.last.next();
    }

    pub(crate) fn finish(mut self) -> Steps<K> {
        if let Some(start) = self.free {
            self.steps.push(start, Cell::EMPTY);
        }
        self.steps
    }
}

/// The same without overlap, sorted: at every address the last span that covers it.
fn flatten<K: Key>(spans: &[Span<K>]) -> Vec<Span<K>> {
    let mut edges: Vec<(K, bool, usize)> = Vec::with_capacity(spans.len() * 2);
    for (order, span) in spans.iter().enumerate() {
        edges.push((span.first, true, order));
        edges.extend(span.last.next().map(|end| (end, false, order)));
    }
    edges.sort_unstable();
    let mut covering = BTreeSet::new();
    let mut flat = Vec::with_capacity(edges.len());
    for (index, &(first, opens, order)) in edges.iter().enumerate() {
        if opens {
            covering.insert(order);
        } else {
            covering.remove(&order);
        }
        let Some(&top) = covering.last() else { continue };
        let last = match edges.get(index + 1) {
            Some(&(next, ..)) if next == first => continue,
            Some(&(next, ..)) => next - K::ONE,
            None => spans[top].last,
        };
        flat.push(Span { first, last, cell: spans[top].cell });
    }
    flat
}

#[cfg(test)]
mod tests;

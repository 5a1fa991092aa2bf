//! Step functions: what holds for every address, as the sorted addresses where it changes.
//!
//! Everything that is loaded becomes two of them, one per family. They are laid over one another, and the
//! result is what look-ups search.

use std::collections::BTreeSet;
use std::hash::Hash;
use std::ops::{Range, Sub};

use crate::{Country, Place};

/// An address as a number.
pub(crate) trait AddressNumber: Copy + Ord + Hash + Sub<Output = Self> + std::fmt::Debug {
    const ZERO: Self;
    const ONE: Self;
    const BYTES: usize;
    /// Every [`head`](Self::head) is below it.
    const HEADS: usize;
    /// A small number that never falls as addresses rise: it tells roughly where an address is.
    fn head(self) -> usize;
    /// The next address, `None` after the last.
    fn next(self) -> Option<Self>;
    fn checked_add(self, other: Self) -> Option<Self>;
    /// The byte at this place, 0 for the lowest.
    fn byte(self, place: usize) -> u8;
    /// The same with these bits set in the byte at this place.
    fn with_byte(self, place: usize, byte: u8) -> Self;
}

macro_rules! key {
    ($int:ty, $heads:expr, $head:expr) => {
        impl AddressNumber for $int {
            const ZERO: Self = 0;
            const ONE: Self = 1;
            const BYTES: usize = size_of::<Self>();
            const HEADS: usize = $heads;
            fn head(self) -> usize {
                let head: fn(Self) -> usize = $head;
                head(self)
            }
            fn next(self) -> Option<Self> {
                self.checked_add(1)
            }
            fn checked_add(self, other: Self) -> Option<Self> {
                self.checked_add(other)
            }
            fn byte(self, place: usize) -> u8 {
                (self >> (8 * place)) as u8
            }
            fn with_byte(self, place: usize, byte: u8) -> Self {
                self | Self::from(byte) << (8 * place)
            }
        }
    };
}
key!(u32, 1 << 18, |key| (key >> 14) as usize);
// All that is in use is in 2000::/3: that eighth is divided, what is before it and after it is not.
key!(u128, 1 << 18, |key| ((key >> 107) as usize).saturating_sub(1 << 18).min((1 << 18) - 1));

/// A [`Place`] in eight bytes, AS 0 standing for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
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
pub(crate) struct AddressSpan<K> {
    pub(crate) first: K,
    pub(crate) last: K,
    pub(crate) cell: Cell,
}

/// `cells[i]` holds from `starts[i]` up to the next start. The first start is zero, the starts ascend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Steps<K> {
    starts: Vec<K>,
    cells: Vec<Cell>,
}

/// Nothing is known.
impl<K: AddressNumber> Default for Steps<K> {
    fn default() -> Self {
        Self { starts: vec![K::ZERO], cells: vec![Cell::EMPTY] }
    }
}

/// The most steps that are searched one after the other.
const SHORT: usize = 12;

impl<K: AddressNumber> Steps<K> {
    fn with_capacity(steps: usize) -> Self {
        Self { starts: Vec::with_capacity(steps), cells: Vec::with_capacity(steps) }
    }

    /// As many starts as cells, at least one, in the order that [`Steps`] has.
    pub(crate) fn from_columns(starts: Vec<K>, cells: Vec<Cell>) -> Self {
        debug_assert!(starts.len() == cells.len() && starts.first() == Some(&K::ZERO) && starts.is_sorted());
        Self { starts, cells }
    }

    /// From spans in any order. Where they overlap, the later one in the list counts.
    pub(crate) fn from_spans(spans: &[AddressSpan<K>]) -> Self {
        if spans.is_sorted_by(|a, b| a.last < b.first) {
            return Self::from_sorted(spans.iter().copied());
        }
        Self::from_sorted(flatten(spans).into_iter())
    }

    fn from_sorted(spans: impl ExactSizeIterator<Item = AddressSpan<K>>) -> Self {
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
    ///
    /// Long ranges are halved; in short ones the next start is mostly in the cache line already, and a search
    /// that goes through them in order mispredicts once.
    #[inline]
    pub(crate) fn get_within(&self, key: K, range: Range<usize>) -> Cell {
        let Range { mut start, mut end } = range;
        while end - start > SHORT {
            let middle = start.midpoint(end);
            if self.starts[middle] <= key {
                start = middle + 1;
            } else {
                end = middle;
            }
        }
        let before = self.starts[start..end].iter().take_while(|&&other| other <= key).count();
        self.cells[(start + before).saturating_sub(1)]
    }

    /// Reads a step, or the last one, so that it is near when it is searched.
    #[inline]
    pub(crate) fn touch(&self, at: usize) -> u64 {
        let at = at.min(self.starts.len() - 1);
        u64::from(self.starts[at].byte(0)) + u64::from(self.cells[at].asn)
    }

    pub(crate) fn starts(&self) -> &[K] {
        &self.starts
    }

    /// Where each step begins, where the next one does, and what holds there.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (K, Option<K>, Cell)> {
        let ends = self.starts.iter().skip(1).copied().map(Some).chain([None]);
        self.starts.iter().zip(ends).zip(&self.cells).map(|((start, end), cell)| (*start, end, *cell))
    }

    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }
}

/// Makes steps of spans that come sorted and do not overlap.
struct Builder<K> {
    steps: Steps<K>,
    /// The first address after all spans so far; `None` after the last address of all.
    free: Option<K>,
}

impl<K: AddressNumber> Builder<K> {
    /// For about `spans` spans.
    fn new(spans: usize) -> Self {
        Self { steps: Steps::with_capacity(spans + 1), free: Some(K::ZERO) }
    }

    /// The next span, which must begin where the last ended or after it.
    fn add(&mut self, span: AddressSpan<K>) {
        if let Some(start) = self.free.filter(|&start| start < span.first) {
            self.steps.push(start, Cell::EMPTY);
        }
        self.steps.push(span.first, span.cell);
        self.free = span.last.next();
    }

    fn finish(mut self) -> Steps<K> {
        if let Some(start) = self.free {
            self.steps.push(start, Cell::EMPTY);
        }
        self.steps
    }
}

/// The same without overlap, sorted: at every address the last span that covers it.
fn flatten<K: AddressNumber>(spans: &[AddressSpan<K>]) -> Vec<AddressSpan<K>> {
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
        flat.push(AddressSpan { first, last, cell: spans[top].cell });
    }
    flat
}

#[cfg(test)]
mod tests;

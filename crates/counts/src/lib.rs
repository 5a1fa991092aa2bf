//! Counts of a time as packed rows by place, and sums of them.
//!
//! A time has a row for the world, for each country, and for each bucket of networks ([`RowPlace`]). A query reads only
//! the places that it needs ([`scans`]), and of each row only totals if these are enough; [`AnswerSum`] adds them up.
//! A store decides where it keeps rows and which times make up a range.

pub mod bytes;
pub mod packed_cells;
mod place;
mod scan;
mod tally;
pub mod totals;

use cutshort_store::cell::packed::Packed;
use cutshort_store::cell::{Cells, LAST_NODE};
use cutshort_verdict::WeightedCount;

pub use place::{RowPlace, merge_alike};
pub use scan::{Scan, scans};
pub use tally::AnswerSum;

use totals::Folded;

/// The counts of one place and time, packed.
#[derive(Clone, Debug)]
pub struct PackedRow {
    /// All cells, for [`PackedCells`](packed_cells::PackedCells).
    pub cells: Vec<u8>,
    /// Their sums by stage, for [`Totals`](totals::Totals).
    pub totals: Vec<u8>,
}

impl PackedRow {
    /// Packs cells, which must be sorted and have different keys.
    #[must_use]
    pub fn new(cells: &[(Packed, WeightedCount)], folded: Folded) -> Self {
        Self { cells: packed_cells::pack(cells), totals: totals::pack(cells, folded) }
    }
}

/// The rows of all places from all cells of a time, whose nodes must be numbered.
#[must_use]
pub fn rows(cells: Vec<(Packed, WeightedCount)>) -> Vec<(RowPlace, PackedRow)> {
    let folded = Folded::of(&cells);
    let row = |(place, cells): (_, Vec<_>)| (place, PackedRow::new(&cells, folded));
    place::by_place(cells).into_iter().map(row).collect()
}

/// The numbers that a store gives to nodes, by their positions in some cells.
#[derive(Clone, Debug)]
pub struct NodeNumbers(pub Vec<u16>);

impl NodeNumbers {
    /// The number of the node at a position.
    #[must_use]
    pub fn get(&self, position: u16) -> u16 {
        self.0.get(usize::from(position)).copied().unwrap_or(LAST_NODE)
    }

    /// The cells with numbers in place of positions; those that become alike are added up.
    #[must_use]
    pub fn apply(&self, cells: &Cells) -> Vec<(Packed, WeightedCount)> {
        let numbered =
            cells.packed().map(|(packed, count)| (packed.with_node(self.get(packed.node())), count));
        merge_alike(numbered.collect())
    }
}

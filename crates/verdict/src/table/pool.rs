//! Memory for the whole rows of flows.

use crate::Row;

/// Blocks of 2, 4, 8, ... rows, up to the packet limit. A flow moves to the next larger block
/// when it outgrows its own, which then serves another flow.
pub(super) struct Pool {
    slabs: Vec<Slab>,
    limit: usize,
}

/// The place of a flow's rows.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) position: u32,
    pub(super) slab: u8,
}

impl Block {
    /// The block of a flow without rows.
    pub(super) const NONE: Self = Self { position: 0, slab: 0 };

    const fn position(self) -> usize {
        self.position as usize
    }
}

struct Slab {
    /// Number of rows per block.
    size: usize,
    rows: Vec<Row>,
    free: Vec<u32>,
}

impl Pool {
    pub(super) fn new(limit: u16) -> Self {
        let limit = usize::from(limit);
        let sizes = (1..16).map(|power| 1 << power).take_while(|size| *size < limit).chain([limit]);
        let slabs = sizes.map(|size| Slab { size, rows: Vec::new(), free: Vec::new() }).collect();
        Self { slabs, limit }
    }

    /// Adds a row to the `len` that `block` has (none is its own before the first); returns where
    /// the rows are now.
    #[inline]
    pub(super) fn push(&mut self, block: Block, len: u16, row: Row) -> Block {
        let len = usize::from(len);
        let block = match len {
            0 => self.allocate(0),
            _ if len == self.slabs[usize::from(block.slab)].size => self.grow(block, len),
            _ => block,
        };
        let slab = &mut self.slabs[usize::from(block.slab)];
        slab.rows[block.position() * slab.size + len] = row;
        block
    }

    /// Puts rows into a block of their own.
    pub(super) fn store(&mut self, rows: &[Row]) -> Block {
        if rows.is_empty() {
            return Block::NONE;
        }
        let slab = self.slabs.iter().position(|slab| slab.size >= rows.len()).unwrap_or_default();
        let block = self.allocate(slab as u8);
        let slab = &mut self.slabs[slab];
        slab.rows[block.position() * slab.size..][..rows.len()].copy_from_slice(rows);
        block
    }

    #[inline]
    pub(super) fn rows(&self, block: Block, len: u16) -> &[Row] {
        let slab = &self.slabs[usize::from(block.slab)];
        &slab.rows[block.position() * slab.size..][..usize::from(len)]
    }

    /// Reads from what will be needed when a row is added to the `len` of `block`: where it will
    /// be, or all rows if they will be moved then, or be complete.
    #[inline]
    pub(super) fn touch(&self, block: Block, len: u16) -> u64 {
        let slab = &self.slabs[usize::from(block.slab)];
        let (start, len) = (block.position() * slab.size, usize::from(len));
        if len == slab.size || len + 1 == self.limit {
            return touch_all(&slab.rows[start..start + len]);
        }
        u64::from(slab.rows[start + len].ack)
    }

    pub(super) fn free(&mut self, block: Block) {
        self.slabs[usize::from(block.slab)].free.push(block.position);
    }

    fn allocate(&mut self, slab: u8) -> Block {
        let place = &mut self.slabs[usize::from(slab)];
        let position = place.free.pop().unwrap_or_else(|| {
            let blocks = place.rows.len() / place.size;
            place.rows.resize(place.rows.len() + place.size, Row::default());
            blocks as u32
        });
        Block { position, slab }
    }

    fn grow(&mut self, block: Block, len: usize) -> Block {
        let larger = self.allocate(block.slab + 1);
        let (small, large) = self.slabs.split_at_mut(usize::from(larger.slab));
        let from = &small[usize::from(block.slab)];
        let to = &mut large[0];
        to.rows[larger.position() * to.size..][..len]
            .copy_from_slice(&from.rows[block.position() * from.size..][..len]);
        self.free(block);
        larger
    }
}

/// Reads from each cache line that rows are in: two rows are as long as one.
#[inline]
pub(super) fn touch_all(rows: &[Row]) -> u64 {
    rows.iter().step_by(2).map(|row| u64::from(row.ack)).fold(0, u64::wrapping_add)
}

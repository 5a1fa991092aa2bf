//! The cells of one place and time as bytes, complete.
//!
//! First a dictionary of contexts and one of outcomes; then the groups (network and location; a single group unless
//! the place is a bucket of networks), each with the length of its block; then the blocks. A cell is its position in
//! the grid of contexts and outcomes, as the difference to the previous one, and its count.

use cutshort_store::cell::packed::{Context, Group, Packed, PackedOutcome};
use cutshort_verdict::WeightedCount;

use crate::bytes::{Broken, Reader, Unpacked, common_rate, open, put, put_count, put_rising, seal};

const VERSION: u8 = 1;

/// Packs cells, which must be sorted and have different keys.
pub fn pack(cells: &[(Packed, WeightedCount)]) -> Vec<u8> {
    let contexts = distinct(cells.iter().map(|(packed, _)| packed.context().0));
    let outcomes = distinct(cells.iter().map(|(packed, _)| packed.outcome().0));
    let rate = common_rate(cells.iter().map(|(_, count)| count));
    let groups: Vec<_> = cells.chunk_by(|(a, _), (b, _)| a.group() == b.group()).collect();
    let mut blocks = Vec::new();
    seal(VERSION, |out| {
        put(out, rate);
        put_rising(out, &contexts);
        put_rising(out, &outcomes);
        put(out, groups.len() as u64);
        let mut last = 0;
        for group in groups {
            let before = blocks.len();
            put_block(&mut blocks, group, &contexts, &outcomes, rate);
            let number = group[0].0.group().0;
            put(out, number - last);
            put(out, (blocks.len() - before) as u64);
            last = number;
        }
        out.extend_from_slice(&blocks);
    })
}

fn distinct(numbers: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut numbers: Vec<u64> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn put_block(
    out: &mut Vec<u8>,
    cells: &[(Packed, WeightedCount)],
    contexts: &[u64],
    outcomes: &[u64],
    rate: u64,
) {
    let position = |list: &[u64], number: u64| list.binary_search(&number).unwrap_or_default() as u64;
    let mut next = 0;
    for (packed, count) in cells {
        let at = position(contexts, packed.context().0) * outcomes.len() as u64
            + position(outcomes, packed.outcome().0);
        put(out, at - next);
        put_count(out, count, rate);
        next = at + 1;
    }
}

/// A reader of packed cells.
#[derive(Debug)]
pub struct PackedCells<'a> {
    rate: u64,
    /// All contexts, which cells refer to by index.
    pub contexts: Vec<Context>,
    /// All outcomes, which cells refer to by index.
    pub outcomes: Vec<PackedOutcome>,
    groups: Vec<(Group, usize)>,
    blocks: Reader<'a>,
}

impl<'a> PackedCells<'a> {
    /// Checks the bytes and reads the dictionaries.
    ///
    /// # Errors
    /// [`Broken`] if [`pack`] did not write these bytes; the same for the other functions.
    pub fn parse(bytes: &'a [u8]) -> Unpacked<Self> {
        let mut reader = open(VERSION, bytes)?;
        let rate = reader.number()?;
        let contexts = reader.rising(Context::MAX.0)?.into_iter().map(Context).collect();
        let outcomes = reader.rising(u64::MAX)?.into_iter().map(PackedOutcome).collect();
        let mut last = 0;
        let groups = (0..reader.length()?)
            .map(|_| Ok((Group(*reader.next_after(&mut last, Group::MAX.0)?), reader.number()? as usize)))
            .collect::<Unpacked<_>>()?;
        Ok(Self { rate, contexts, outcomes, groups, blocks: reader })
    }

    /// Calls `each` with every group and its cells.
    pub fn each_group(&self, mut each: impl FnMut(Group, CellBlock<'a>) -> Unpacked<()>) -> Unpacked<()> {
        let mut blocks = self.blocks;
        for &(group, length) in &self.groups {
            let reader = blocks.split(length)?;
            let block =
                CellBlock { reader, rate: self.rate, sides: (self.contexts.len(), self.outcomes.len()) };
            each(group, block)?;
        }
        if blocks.is_empty() { Ok(()) } else { Err(Broken("there is something behind its end")) }
    }

    /// Calls `each` with every cell.
    pub fn each(&self, mut each: impl FnMut(Packed, WeightedCount)) -> Unpacked<()> {
        self.each_group(|group, block| {
            block.each(|context, outcome, count| {
                each(Packed::new(group, self.contexts[context], self.outcomes[outcome]), count);
            })
        })
    }
}

/// The cells of one group.
#[derive(Debug)]
pub struct CellBlock<'a> {
    reader: Reader<'a>,
    rate: u64,
    sides: (usize, usize),
}

impl CellBlock<'_> {
    /// Calls `each` with the indexes of context and outcome and the count of every cell.
    #[inline]
    pub fn each(mut self, mut each: impl FnMut(usize, usize, WeightedCount)) -> Unpacked<()> {
        const OUTSIDE: Broken = Broken("a cell is outside of its grid");
        let (contexts, outcomes) = self.sides;
        let (mut context, mut outcome) = (0, 0);
        while !self.reader.is_empty() {
            outcome = usize::try_from(self.reader.number()?)
                .ok()
                .and_then(|step| step.checked_add(outcome))
                .ok_or(OUTSIDE)?;
            if outcome >= outcomes {
                context += outcome.checked_div(outcomes).ok_or(OUTSIDE)?;
                outcome %= outcomes;
            }
            if context >= contexts {
                return Err(OUTSIDE);
            }
            each(context, outcome, self.reader.count(self.rate)?);
            outcome += 1;
        }
        Ok(())
    }
}

//! The counts of one place and time by only stage and whether the handshake was completed, in a few bytes per group:
//! what most queries need.

use cutshort_model::{Network, Port};
use cutshort_store::cell::CellOutcome;
use cutshort_store::cell::packed::{Group, Packed};
use cutshort_verdict::{Exclusion, Stage, WeightedCount};

use crate::bytes::{Broken, Reader, Unpacked, common_rate, open, put, put_count, seal};

const VERSION: u8 = 1;

/// Each stage without and with a completed handshake, followed by the exclusions.
const SLOTS: usize = 2 * Stage::ALL.len() + Exclusion::ALL.len();

/// The slot in which an outcome is counted.
const fn slot(outcome: &CellOutcome) -> usize {
    match *outcome {
        CellOutcome::Connection { stage, completed, .. } => 2 * stage as usize + completed as usize,
        CellOutcome::Excluded(reason) => 2 * Stage::ALL.len() + reason as usize,
    }
}

/// Which dimensions have values that are counted as `other`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// Some networks are counted as `other`.
    pub networks: bool,
    /// Some ports are counted as `other`.
    pub ports: bool,
}

impl Folded {
    /// What some cells count as `other`.
    #[must_use]
    pub fn of(cells: &[(Packed, WeightedCount)]) -> Self {
        Self {
            networks: cells.iter().any(|(packed, _)| packed.group().network() == Network::Other),
            ports: cells.iter().any(|(packed, _)| packed.context().port() == Port::Other),
        }
    }

    /// What this or the other one says.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self { networks: self.networks || other.networks, ports: self.ports || other.ports }
    }
}

/// Packs the totals of cells, which must be sorted.
pub fn pack(cells: &[(Packed, WeightedCount)], folded: Folded) -> Vec<u8> {
    let groups: Vec<_> = cells.chunk_by(|(a, _), (b, _)| a.group() == b.group()).map(sum).collect();
    let rate = common_rate(groups.iter().flat_map(|(_, counts)| counts));
    seal(VERSION, |out| {
        out.push(u8::from(folded.networks) | u8::from(folded.ports) << 1);
        put(out, rate);
        let mut last = 0;
        for (group, counts) in groups {
            put(out, group.0 - last);
            last = group.0;
            let present = |(slot, count): (usize, &WeightedCount)| {
                u64::from(*count != WeightedCount::default()) << slot
            };
            put(out, counts.iter().enumerate().map(present).sum());
            counts.iter().filter(|count| **count != WeightedCount::default()).for_each(|count| {
                put_count(out, count, rate);
            });
        }
    })
}

fn sum(cells: &[(Packed, WeightedCount)]) -> (Group, [WeightedCount; SLOTS]) {
    let mut counts = [WeightedCount::default(); SLOTS];
    for (packed, count) in cells {
        if let Some(outcome) = packed.outcome().get() {
            counts[slot(&outcome)].merge(count);
        }
    }
    (cells[0].0.group(), counts)
}

/// A reader of packed totals.
#[derive(Debug)]
pub struct Totals<'a> {
    /// What is counted as `other` at this place and time.
    pub folded: Folded,
    rate: u64,
    reader: Reader<'a>,
}

impl<'a> Totals<'a> {
    /// Checks the bytes.
    ///
    /// # Errors
    /// [`Broken`] if [`pack`] did not write these bytes; the same for [`each`](Self::each).
    pub fn parse(bytes: &'a [u8]) -> Unpacked<Self> {
        let mut reader = open(VERSION, bytes)?;
        let flags = reader.byte()?;
        let folded = Folded { networks: flags & 1 != 0, ports: flags & 2 != 0 };
        Ok(Self { folded, rate: reader.number()?, reader })
    }

    /// Calls `each` with every group, slot and count; the counts of a group come together.
    pub fn each(mut self, mut each: impl FnMut(Group, usize, WeightedCount)) -> Unpacked<()> {
        let mut last = 0;
        while !self.reader.is_empty() {
            let group = Group(*self.reader.next_after(&mut last, Group::MAX.0)?);
            let mut present = self.reader.number()?;
            if present >> SLOTS != 0 {
                return Err(Broken("it counts what is unknown"));
            }
            while present != 0 {
                each(group, present.trailing_zeros() as usize, self.reader.count(self.rate)?);
                present &= present - 1;
            }
        }
        Ok(())
    }
}

//! Copies everything from one store to another, and compares the two.

mod data_set;
mod sums;

use std::fmt;
use std::ops::ControlFlow;

use cutshort_model::{grouped, quantity};
use cutshort_store::{Movable, Result};
use cutshort_verdict::DataSet;

use data_set::DataSetCopying;

/// The contents to copy, as they were when copying began.
pub struct Copying<'a> {
    data_sets: Vec<DataSetCopying<'a>>,
}

/// What was copied, and what the target already had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Segments that are stored.
    pub segments: CopyCount,
    /// Results of windows, with their connections.
    pub windows: CopyCount,
    /// Hours and days whose finer counts are gone.
    pub rests: CopyCount,
    /// Annotations by operators.
    pub annotations: CopyCount,
    /// Whether copying was interrupted.
    pub interrupted: bool,
}

/// Writes a line for each kind of which there were any.
impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            ("segments", self.segments),
            ("results of windows", self.windows),
            ("hours and days without finer counts", self.rests),
            ("annotations", self.annotations),
        ];
        for (what, CopyCount { new, known, other }) in kinds {
            if new + known + other == 0 {
                continue;
            }
            write!(f, "{what}: {} copied", grouped(new))?;
            if known > 0 {
                write!(f, ", {} there already", grouped(known))?;
            }
            if other > 0 {
                write!(f, ", {} left as they are there", grouped(other))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// How many items of one kind were copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyCount {
    /// Items that were copied now.
    pub new: u64,
    /// Items that the target already had.
    pub known: u64,
    /// Items that were left as they are in the target, because they are of other packets.
    pub other: u64,
}

/// The result of a comparison: what is the same in both stores, and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Segments that are the same.
    pub segments: u64,
    /// The number of packets in these segments.
    pub packets: u64,
    /// Windows with the same results.
    pub windows: u64,
    /// The number of connections of these windows.
    pub connections: u64,
    /// The number of cells of these windows, and of hours and days whose finer counts are gone.
    pub cells: u64,
    /// Annotations that are the same.
    pub annotations: u64,
    /// The sum of the checksums of all packets, connections and cells.
    pub checksum: u64,
    /// What differs, each with its name.
    pub differences: Vec<String>,
    /// Segments and windows that the source has changed or deleted since copying began.
    pub changed: u64,
    /// Windows that the target has computed again since, from other packets.
    pub recomputed: u64,
    /// Whether the comparison was interrupted.
    pub interrupted: bool,
}

/// Writes what is the same, without an end of line.
impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the same in both: {} with {}, {} with {} and {}, {} (checksum {:016x})",
            quantity(self.segments, "segment"),
            quantity(self.packets, "packet"),
            quantity(self.windows, "window"),
            quantity(self.connections, "connection"),
            quantity(self.cells, "count"),
            quantity(self.annotations, "annotation"),
            self.checksum
        )
    }
}

impl Compared {
    /// How many differences are named in text.
    const NAMED: usize = 20;

    /// The differences, one per line, if there are any.
    #[must_use]
    pub fn differences(&self) -> Option<String> {
        let all = self.differences.len();
        let named = self.differences[..all.min(Self::NAMED)].join("\n  ");
        let more = all.saturating_sub(Self::NAMED);
        let more = if more > 0 { format!("\n  and {} more", grouped(more as u64)) } else { String::new() };
        (all > 0).then(|| format!("{named}{more}"))
    }
}

/// A callback with the number of finished steps and of all steps; a break interrupts the operation.
pub(crate) type OnStep<'a> = &'a mut dyn FnMut(usize, usize) -> ControlFlow<()>;

impl<'a> Copying<'a> {
    /// Lists the contents of the source, of all data sets.
    pub fn new(from: &'a dyn Movable, to: &'a dyn Movable) -> Result<Self> {
        let mut data_sets = Vec::new();
        for data_set in DataSet::WITH_RULES {
            if let Some(from) = from.find_movable(data_set)? {
                data_sets.push(DataSetCopying::new(from, to.movable_of(data_set)?)?);
            }
        }
        Ok(Self { data_sets })
    }

    /// Whether there is nothing to copy.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.data_sets.iter().all(DataSetCopying::is_empty)
    }

    /// The numbers of segments and windows that only the target has.
    pub fn foreign(&self) -> Result<(u64, u64)> {
        self.data_sets.iter().try_fold((0, 0), |(segments, windows), data_set| {
            let (more_segments, more_windows) = data_set.foreign()?;
            Ok((segments + more_segments, windows + more_windows))
        })
    }

    /// Copies what the target does not have yet, item by item. It can be interrupted and run again at any time.
    ///
    /// Packets and coverage are copied before results, so that results that must not be computed again replace
    /// whatever the target has computed in the meantime.
    ///
    /// # Errors
    /// The error of either store. What has been copied remains.
    pub fn run(&mut self, each: OnStep<'_>) -> Result<Copied> {
        let (mut copied, mut past, all) = (Copied::default(), 0, self.steps());
        for data_set in &mut self.data_sets {
            copied.add(&data_set.run(&mut |steps, _| each(past + steps, all))?);
            if copied.interrupted {
                break;
            }
            past += data_set.steps();
        }
        Ok(copied)
    }

    /// Reads both stores again and compares counts, and sums that do not depend on the order.
    pub fn compare(&self, each: OnStep<'_>) -> Result<Compared> {
        let (mut compared, mut past, all) = (Compared::default(), 0, self.steps());
        for data_set in &self.data_sets {
            compared.add(data_set.compare(&mut |steps, _| each(past + steps, all))?);
            if compared.interrupted {
                break;
            }
            past += data_set.steps();
        }
        Ok(compared)
    }

    fn steps(&self) -> usize {
        self.data_sets.iter().map(DataSetCopying::steps).sum()
    }
}

impl Copied {
    /// Adds what was copied of another data set.
    const fn add(&mut self, other: &Self) {
        self.segments.add(other.segments);
        self.windows.add(other.windows);
        self.rests.add(other.rests);
        self.annotations.add(other.annotations);
        self.interrupted |= other.interrupted;
    }
}

impl CopyCount {
    const fn add(&mut self, other: Self) {
        self.new += other.new;
        self.known += other.known;
        self.other += other.other;
    }
}

impl Compared {
    /// Adds the comparison of another data set.
    fn add(&mut self, other: Self) {
        self.segments += other.segments;
        self.packets += other.packets;
        self.windows += other.windows;
        self.connections += other.connections;
        self.cells += other.cells;
        self.annotations += other.annotations;
        self.checksum = self.checksum.wrapping_add(other.checksum);
        self.differences.extend(other.differences);
        self.changed += other.changed;
        self.recomputed += other.recomputed;
        self.interrupted |= other.interrupted;
    }
}

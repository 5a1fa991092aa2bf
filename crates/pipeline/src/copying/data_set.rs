//! Copies one data set from one store to another, and compares the two.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use cutshort_model::{Window, date_time};
use cutshort_store::{Added, Annotation, Movable, Rest, Result, Segment, SegmentId, WindowState};
use cutshort_verdict::DataSet;

use super::sums::{WindowSum, of_cells, of_segment, of_window};
use super::{Compared, Copied, CopyCount, OnStep};

const ALWAYS: Range<i64> = i64::MIN..i64::MAX;

/// The number of small windows that are copied concurrently: with a remote store, each waits for its disk.
const SIDE_BY_SIDE: usize = 8;
/// Windows with more bytes of packets than this are copied one by one, so that only one is in memory.
const SMALL: u64 = 1 << 20;

/// How many of the next windows are copied concurrently.
fn side_by_side(windows: &[WindowState]) -> usize {
    let small = windows.iter().take(SIDE_BY_SIDE).take_while(|window| window.bytes < SMALL).count();
    small.max(1)
}

/// The contents of one data set to copy, as they were when copying began.
pub(super) struct DataSetCopying<'a> {
    from: &'a dyn Movable,
    to: &'a dyn Movable,
    segments: Vec<SegmentId>,
    windows: Vec<WindowState>,
    rests: Vec<Rest>,
    annotations: Vec<Annotation>,
    /// Windows, hours and days for which the target has results of other packets.
    others: BTreeSet<Window>,
    other_rests: BTreeSet<Rest>,
}

impl<'a> DataSetCopying<'a> {
    /// Lists the contents of the source.
    pub(super) fn new(from: &'a dyn Movable, to: &'a dyn Movable) -> Result<Self> {
        // All data sets share them.
        let annotations = match from.data_set() {
            DataSet::Tcp => from.annotations(ALWAYS)?,
            _ => Vec::new(),
        };
        let mut windows = from.windows(ALWAYS)?;
        windows.retain(|window| window.done.is_some());
        Ok(Self {
            from,
            to,
            segments: from.segments()?,
            windows,
            rests: from.rests()?,
            annotations,
            others: BTreeSet::new(),
            other_rests: BTreeSet::new(),
        })
    }

    /// Whether there is nothing to copy.
    pub(super) const fn is_empty(&self) -> bool {
        self.segments.is_empty() && self.windows.is_empty() && self.annotations.is_empty()
    }

    /// The numbers of segments and windows that only the target has.
    pub(super) fn foreign(&self) -> Result<(u64, u64)> {
        let segments: BTreeSet<SegmentId> = self.segments.iter().copied().collect();
        let windows: BTreeSet<Window> = self.windows.iter().map(|state| state.window).collect();
        let other_segments = self.to.segments()?.into_iter().filter(|id| !segments.contains(id));
        let mut other_windows = self.to.windows(ALWAYS)?;
        other_windows.retain(|state| state.done.is_some() && !windows.contains(&state.window));
        Ok((other_segments.count() as u64, other_windows.len() as u64))
    }

    pub(super) const fn steps(&self) -> usize {
        self.segments.len() + self.windows.len() + self.rests.len()
    }

    /// Copies what the target does not have yet, item by item. It can be interrupted and run again at any time.
    ///
    /// Packets and coverage are copied before results, so that results that must not be computed again replace
    /// whatever the target has computed in the meantime.
    ///
    /// # Errors
    /// The error of either store. What has been copied remains.
    pub(super) fn run(&mut self, each: OnStep<'_>) -> Result<Copied> {
        let mut copied = Copied::default();
        let mut past = 0;
        let all = self.steps();
        self.to.note_deleted(&self.from.deleted_segments()?)?;
        let there: BTreeSet<SegmentId> = self.to.segments()?.into_iter().collect();
        for id in &self.segments {
            if each(past, all).is_break() {
                return Ok(Copied { interrupted: true, ..copied });
            }
            self.segment(*id, &there, &mut copied.segments)?;
            past += 1;
        }
        let there = self.to.windows(ALWAYS)?;
        let there: BTreeMap<Window, WindowState> =
            there.into_iter().map(|state| (state.window, state)).collect();
        let mut rest = self.windows.as_slice();
        while !rest.is_empty() {
            if each(past, all).is_break() {
                return Ok(Copied { interrupted: true, ..copied });
            }
            let (some, others) = rest.split_at(side_by_side(rest));
            self.others.extend(self.copy_windows(some, &there, &mut copied.windows)?);
            past += some.len();
            rest = others;
        }
        for at in 0..self.rests.len() {
            if each(past, all).is_break() {
                return Ok(Copied { interrupted: true, ..copied });
            }
            self.rest(self.rests[at], &mut copied.rests)?;
            past += 1;
        }
        self.to.roll()?;
        self.annotations(&mut copied.annotations)?;
        // There is nothing left to be ended.
        let _ = each(past, all);
        Ok(copied)
    }

    fn segment(&self, id: SegmentId, there: &BTreeSet<SegmentId>, tally: &mut CopyCount) -> Result<()> {
        if there.contains(&id) {
            tally.known += 1;
            return Ok(());
        }
        let Some(segment) = self.read_segment(id)? else { return Ok(()) };
        match self.to.append(&segment)? {
            Added::New => tally.new += 1,
            // It was deleted there.
            Added::Known => tally.other += 1,
        }
        Ok(())
    }

    /// Reads a segment of the source; none if it has been deleted there since.
    fn read_segment(&self, id: SegmentId) -> Result<Option<Segment>> {
        match self.from.read_segment(id) {
            Ok(segment) => Ok(Some(segment)),
            Err(_) if !self.from.segments()?.contains(&id) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Copies windows, and returns those for which the target has other results.
    fn copy_windows(
        &self,
        windows: &[WindowState],
        there: &BTreeMap<Window, WindowState>,
        tally: &mut CopyCount,
    ) -> Result<Vec<Window>> {
        let (mut missing, mut others) = (Vec::new(), Vec::new());
        for state in windows {
            match there.get(&state.window).map_or(TargetResults::Nothing, |there| found(state, there)) {
                TargetResults::Same => tally.known += 1,
                TargetResults::Other => others.push(state.window),
                TargetResults::Nothing => missing.push(state.window),
            }
        }
        tally.other += others.len() as u64;
        let copied: Vec<Result<bool>> = std::thread::scope(|scope| {
            let threads = missing.into_iter().map(|window| scope.spawn(move || self.copy_window(window)));
            let threads: Vec<_> = threads.collect();
            let results = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
            results.map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        for copied in copied {
            tally.new += u64::from(copied?);
        }
        Ok(others)
    }

    /// Copies a window's results. False if the source has deleted them since.
    fn copy_window(&self, window: Window) -> Result<bool> {
        let mut restoration = self.to.restore(window)?;
        let results = self.from.read_results(window, &mut |record| restoration.write(record))?;
        results.map_or(Ok(false), |results| restoration.finish(&results).map(|()| true))
    }

    fn rest(&mut self, rest: Rest, tally: &mut CopyCount) -> Result<()> {
        let (cells, there) = (self.from.read_rest(rest)?, self.to.read_rest(rest)?);
        if of_cells(&cells) == of_cells(&there) {
            tally.known += 1;
        } else if there.is_empty() {
            self.to.restore_rest(rest, &cells)?;
            tally.new += 1;
        } else {
            tally.other += 1;
            self.other_rests.insert(rest);
        }
        Ok(())
    }

    /// Copies annotations, which get new numbers in the target.
    fn annotations(&self, tally: &mut CopyCount) -> Result<()> {
        for annotation in missing(&self.annotations, self.to.annotations(ALWAYS)?) {
            self.to.annotate(&annotation.content)?;
            tally.new += 1;
        }
        tally.known = self.annotations.len() as u64 - tally.new;
        Ok(())
    }

    /// Reads both stores again and compares counts, and sums that do not depend on the order.
    pub(super) fn compare(&self, each: OnStep<'_>) -> Result<Compared> {
        let mut compared = Compared::default();
        let all = self.steps();
        let mut past = 0;
        let deleted: BTreeSet<SegmentId> =
            self.to.deleted_segments()?.into_iter().map(|info| info.id).collect();
        for id in &self.segments {
            if each(past, all).is_break() {
                return Ok(Compared { interrupted: true, ..compared });
            }
            if !deleted.contains(id) {
                self.compare_segment(*id, &mut compared)?;
            }
            past += 1;
        }
        for state in &self.windows {
            if each(past, all).is_break() {
                return Ok(Compared { interrupted: true, ..compared });
            }
            if !self.others.contains(&state.window) {
                self.compare_window(state, &mut compared)?;
            }
            past += 1;
        }
        for rest in &self.rests {
            if each(past, all).is_break() {
                return Ok(Compared { interrupted: true, ..compared });
            }
            if !self.other_rests.contains(rest) {
                self.compare_rest(*rest, &mut compared)?;
            }
            past += 1;
        }
        self.compare_annotations(&mut compared)?;
        // There is nothing left to be ended.
        let _ = each(past, all);
        Ok(compared)
    }

    fn compare_segment(&self, id: SegmentId, compared: &mut Compared) -> Result<()> {
        let Some(from) = self.read_segment(id)? else {
            compared.changed += 1;
            return Ok(());
        };
        let to = self.to.read_segment(id)?;
        let (from_sum, to_sum) = (of_segment(&from)?, of_segment(&to)?);
        if from.info() != to.info() || from_sum != to_sum {
            compared.differences.push(format!(
                "segment {id}: {} packets (sum {from_sum:016x}) and {} (sum {to_sum:016x})",
                from.info().rows,
                to.info().rows
            ));
        }
        compared.segments += 1;
        compared.packets += from.info().rows;
        compared.checksum = compared.checksum.wrapping_add(from_sum);
        Ok(())
    }

    fn compare_window(&self, state: &WindowState, compared: &mut Compared) -> Result<()> {
        let window = state.window;
        let (Some(from), to) = (of_window(self.from, window)?, of_window(self.to, window)?) else {
            compared.changed += 1;
            return Ok(());
        };
        if state.done != Some(from.inputs) {
            compared.changed += 1;
            return Ok(());
        }
        let differs = |to: &WindowSum| format!("{} and {}", from.text(), to.text());
        match &to {
            Some(to) if from.is_same(to) => {}
            Some(to) if from.inputs != to.inputs => {
                compared.recomputed += 1;
                return Ok(());
            }
            Some(to) => {
                compared.differences.push(format!("the window of {window} UTC: {}", differs(to)));
            }
            None => {
                compared.differences.push(format!("the window of {window} UTC has no results there"));
            }
        }
        compared.windows += 1;
        compared.connections += from.connections;
        compared.cells += from.cells.unwrap_or_default().0;
        compared.checksum = compared.checksum.wrapping_add(from.sum());
        Ok(())
    }

    fn compare_rest(&self, rest: Rest, compared: &mut Compared) -> Result<()> {
        let (from, to) = (of_cells(&self.from.read_rest(rest)?), of_cells(&self.to.read_rest(rest)?));
        if from != to {
            compared.differences.push(format!(
                "counts of {} UTC ({:?}): {} cells and {}",
                date_time(rest.start),
                rest.bucket,
                from.0,
                to.0
            ));
        }
        compared.cells += from.0;
        compared.checksum = compared.checksum.wrapping_add(from.1);
        Ok(())
    }

    fn compare_annotations(&self, compared: &mut Compared) -> Result<()> {
        let missing = missing(&self.annotations, self.to.annotations(ALWAYS)?);
        let missing = missing.map(|annotation| format!("annotation {} is missing there", annotation.id));
        compared.differences.extend(missing);
        compared.annotations = self.annotations.len() as u64;
        Ok(())
    }
}

/// The results that the target has of a window.
enum TargetResults {
    /// None, or results that must be replaced.
    Nothing,
    /// Results of the same packets.
    Same,
    /// Results of other packets.
    Other,
}

fn found(window: &WindowState, there: &WindowState) -> TargetResults {
    let Some(done) = there.done else { return TargetResults::Nothing };
    // What packets are left is the same on both sides.
    let same_packets = there.inputs.segments == window.inputs.segments;
    if Some(done) == window.done && (there.frozen || !window.frozen) {
        TargetResults::Same
    } else if there.frozen || !(there.is_due() || window.frozen && same_packets) {
        TargetResults::Other
    } else {
        TargetResults::Nothing
    }
}

/// The annotations that occur less often among others.
fn missing(annotations: &[Annotation], mut there: Vec<Annotation>) -> impl Iterator<Item = &Annotation> {
    annotations.iter().filter(move |annotation| {
        let found = there.iter().position(|other| other.content == annotation.content);
        found.map(|at| there.swap_remove(at)).is_none()
    })
}

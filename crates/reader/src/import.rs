//! Captures into a store.

use std::path::Path;

use cutshort_capture::{Captures, Reading, name_of};
use cutshort_model::{grouped, now, quantity};
use cutshort_pipeline::{Arrival, Imported, Privacy, import, reader_clock};
use cutshort_report::InputCount;
use cutshort_store::{Result, Store};
use cutshort_verdict::Rules;

use crate::captures::{dropped, is_simulated, parse, problems};

/// Puts captures into a store, one after the other: what is kept of one does not depend on the others.
pub struct Importing<'a, T, S> {
    /// The store that the captures are put into.
    pub store: &'a dyn Store,
    /// How addresses are kept.
    pub privacy: &'a mut Privacy,
    /// Ends the import when it is stopped.
    pub reading: &'a Reading,
    /// Gets the number of records read so far, again and again.
    pub tick: T,
    /// Gets sentences about what could not be read or used.
    pub say: S,
}

/// What was read of all captures, and kept.
#[derive(Clone, Debug, Default)]
pub struct ImportTotal {
    /// The number of captures with records.
    pub files: u64,
    /// The records that were read.
    pub input: InputCount,
    /// What was kept of them.
    pub imported: Imported,
    /// Whether one of them is marked as simulated.
    pub simulated: bool,
    /// Whether some input could not be read in full.
    pub in_part: bool,
    /// When the import began and ended, in nanoseconds since the Unix epoch.
    pub ran: (i64, i64),
}

impl ImportTotal {
    /// What was kept, in words.
    #[must_use]
    pub fn kept(&self) -> String {
        let Imported { new, known, packets, .. } = self.imported;
        let kept = quantity(packets, "packet");
        let (segments, others) = (quantity(new, "new segment"), grouped(known));
        match (new, known) {
            _ if packets == 0 => "no TCP packet was kept".to_owned(),
            (_, 0) => format!("{kept} kept in {segments}"),
            (0, _) => format!("nothing new: all its {kept} were there already"),
            _ => format!("{kept} kept, in {segments} and {others} that were there already"),
        }
    }
}

impl<T: FnMut(u64), S: Fn(&str)> Importing<'_, T, S> {
    /// Reads the captures, until reading is stopped.
    ///
    /// # Errors
    /// The error of the store. What was stored before it remains.
    pub fn run<P: AsRef<Path>>(&mut self, files: &[P]) -> Result<ImportTotal> {
        let mut total = ImportTotal { input: InputCount::read_at(reader_clock()), ..ImportTotal::default() };
        total.ran.0 = now();
        for file in files {
            if !self.reading.is_stopped() {
                self.one(file.as_ref(), &mut total)?;
            }
        }
        total.ran.1 = now();
        Ok(total)
    }

    fn one(&mut self, file: &Path, total: &mut ImportTotal) -> Result<()> {
        let reading = self.reading;
        let mut captures = Captures::open(&[file], reading);
        let mut input = InputCount::read_at(reader_clock());
        let (before, tick) = (total.input.records, &mut self.tick);
        let records = Records { captures: &mut captures, input: &mut input, before, tick, begun: false };
        let whole = || !reading.is_stopped();
        let imported = import(self.store, &Rules::default(), self.privacy, records, whole)?;
        total.imported.merge(&imported);
        input.late = imported.late;
        input.dropped = dropped(&captures);
        total.files += u64::from(input.records > 0);
        total.simulated |= is_simulated(&captures);
        problems(&captures).iter().for_each(|problem| (self.say)(problem));
        let is_whole = captures.problems().is_empty() && !reading.is_stopped() && input.is_whole();
        total.in_part |= !is_whole;
        let name = name_of(file);
        input.sentences().iter().for_each(|sentence| (self.say)(&format!("{name}: {sentence}")));
        total.input.merge(&input);
        Ok(())
    }
}

/// The records of a capture, counted on the way.
struct Records<'a, T> {
    captures: &'a mut Captures,
    input: &'a mut InputCount,
    /// Records of the captures before.
    before: u64,
    tick: &'a mut T,
    begun: bool,
}

impl<T: FnMut(u64)> Iterator for Records<'_, T> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        if std::mem::replace(&mut self.begun, true) {
            self.captures.advance();
        }
        let record = self.captures.record()?;
        let simulated = self.captures.application() == Some(cutshort_simulate::APPLICATION);
        let arrival = Arrival { ts: record.frame.ts, packet: parse(record, self.input), simulated };
        (self.tick)(self.before + self.input.records);
        Some(arrival)
    }
}

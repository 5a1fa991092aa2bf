//! Captures into a store.

use std::path::Path;

use cutshort_capture::{Captures, Reading, name_of};
use cutshort_model::{grouped, now, quantity};
use cutshort_packet::quic::{HashKey, ServerPorts};
use cutshort_pipeline::{
    Arrival, DatagramArrival, Imported, Meant, Privacy, import_as, import_datagrams, reader_clock,
};
use cutshort_report::{InputCount, ONE_DIRECTION};
use cutshort_store::{Result, Store};
use cutshort_verdict::DataSet;

use crate::captures::{dropped, is_simulated, parse, parse_both, problems};
use crate::datagrams::Datagrams;

/// Puts captures into a store, as packets of its data set. They are read one after the other, as what is kept of one does
/// not depend on the others. Of connections that this host opens a capture may have only the end, so then all are
/// merged by time.
pub struct Importing<'a, T, S> {
    /// The store that the captures are put into.
    pub store: &'a dyn Store,
    /// Which connections are kept.
    pub meant: &'a Meant<'a>,
    /// Whether packets inside tunnels are left alone.
    pub outer_only: bool,
    /// How addresses are kept.
    pub privacy: &'a mut Privacy,
    /// How datagrams are read; only the data set `quic` needs it.
    pub datagrams: Option<DatagramReading>,
    /// Ends the import when it is stopped.
    pub reading: &'a Reading,
    /// Gets the number of records read so far, again and again.
    pub tick: T,
    /// Gets sentences about what could not be read or used.
    pub say: S,
}

/// How datagrams are read for a store.
#[derive(Clone, Copy, Debug)]
pub struct DatagramReading {
    /// The ports of servers.
    pub ports: ServerPorts,
    /// The key for hashes of connection ids, the same for all captures of a store.
    pub key: HashKey,
    /// Whether Initial packets are opened.
    pub open_initials: bool,
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
            _ if packets == 0 && self.input.of_quic => "no QUIC datagram was kept".to_owned(),
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
        let together = match self.store.data_set() {
            DataSet::Origin => files.len().max(1),
            _ => 1,
        };
        for files in files.chunks(together) {
            if !self.reading.is_stopped() {
                self.merged(files, &mut total)?;
            }
        }
        total.ran.1 = now();
        Ok(total)
    }

    /// Reads captures as one.
    fn merged<P: AsRef<Path>>(&mut self, files: &[P], total: &mut ImportTotal) -> Result<()> {
        let (reading, data_set) = (self.reading, self.store.data_set());
        let mut captures = Captures::open(files, reading);
        let mut input = InputCount::read_at(reader_clock());
        input.outer_only = self.outer_only;
        let (before, tick) = (total.input.records, &mut self.tick);
        let with_errors = data_set == DataSet::Origin;
        let records =
            Records { captures: &mut captures, with_errors, input: &mut input, before, tick, begun: false };
        let importing =
            cutshort_pipeline::Importing { meant: self.meant, ..cutshort_pipeline::Importing::all(data_set) };
        let (store, privacy, is_whole) = (self.store, &mut *self.privacy, || !reading.is_stopped());
        let imported = match self.datagrams {
            Some(DatagramReading { ports, key, open_initials }) => {
                let datagrams = Datagrams::new(ports, key, open_initials);
                import_datagrams(store, &importing, privacy, QuicRecords { records, datagrams }, is_whole)
            }
            None => import_as(store, &importing, privacy, records, is_whole),
        }?;
        total.imported.merge(&imported);
        input.late = imported.late;
        input.dropped = dropped(&captures);
        let unread = captures.problems().iter().filter(|problem| problem.is_unreadable()).count();
        total.files += if input.records > 0 { files.len().saturating_sub(unread) as u64 } else { 0 };
        total.simulated |= is_simulated(&captures);
        problems(&captures).iter().for_each(|problem| (self.say)(problem));
        let is_whole = captures.problems().is_empty() && !reading.is_stopped() && input.is_whole();
        total.in_part |= !is_whole || imported.one_direction > 0;
        if imported.one_direction > 0 {
            (self.say)(ONE_DIRECTION);
        }
        let name = if let [file] = files { format!("{}: ", name_of(file.as_ref())) } else { String::new() };
        input.sentences().iter().for_each(|sentence| (self.say)(&format!("{name}{sentence}")));
        total.input.merge(&input);
        Ok(())
    }
}

/// The records of a capture, counted on the way.
struct Records<'a, T> {
    captures: &'a mut Captures,
    /// Whether ICMP errors are wanted.
    with_errors: bool,
    input: &'a mut InputCount,
    /// Records of the captures before.
    before: u64,
    tick: &'a mut T,
    begun: bool,
}

impl<T> Records<'_, T> {
    /// Goes on to the next record.
    fn advance(&mut self) {
        if std::mem::replace(&mut self.begun, true) {
            self.captures.advance();
        }
    }

    fn is_simulated(&self) -> bool {
        self.captures.application() == Some(cutshort_simulate::APPLICATION)
    }
}

/// The same with the datagrams of the records.
struct QuicRecords<'a, T> {
    records: Records<'a, T>,
    datagrams: Datagrams,
}

impl<T: FnMut(u64)> Iterator for QuicRecords<'_, T> {
    type Item = DatagramArrival;

    fn next(&mut self) -> Option<DatagramArrival> {
        let Self { records, datagrams } = self;
        records.advance();
        let record = records.captures.record()?;
        let ts = record.frame.ts;
        let (mut rows, mut taken) = ([None; 2], 0);
        datagrams.add_record(record, records.input, |row| {
            if let Some(free) = rows.get_mut(taken) {
                *free = Some(*row);
            }
            taken += 1;
        });
        let simulated = records.is_simulated();
        (records.tick)(records.before + records.input.records);
        Some(DatagramArrival { ts, rows, simulated })
    }
}

impl<T: FnMut(u64)> Iterator for Records<'_, T> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        self.advance();
        let simulated = self.is_simulated();
        let record = self.captures.record()?;
        let ts = record.frame.ts;
        let (packet, unreachable) = match self.with_errors {
            true => parse_both(record, self.input),
            false => (parse(record, self.input), None),
        };
        let arrival = Arrival { ts, packet, unreachable, simulated };
        (self.tick)(self.before + self.input.records);
        Some(arrival)
    }
}

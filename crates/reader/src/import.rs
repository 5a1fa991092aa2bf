//! Captures into a store.

use std::path::Path;
use std::thread::Scope;

use cutshort_capture::{Captures, Reading, Record, name_of};
use cutshort_model::{grouped, now, quantity};
use cutshort_packet::quic::{HashKey, ServerPorts};
use cutshort_pipeline::{
    Arrival, DatagramArrival, DatagramImport, Imported, Meant, PacketImport, Privacy, reader_clock,
};
use cutshort_report::{InputCount, ONE_DIRECTION};
use cutshort_store::{Result, Store};
use cutshort_verdict::DataSet;

use crate::captures::{dropped, is_simulated, parse, parse_both, problems};
use crate::datagrams::Datagrams;

/// Puts captures into stores of one or more data sets, in one reading. Captures are read one after the other, as what is
/// kept of one does not depend on the others. Of connections that this host opens a capture may have only the end, so then
/// all are merged by time; what is kept for the other data sets is the same either way.
pub struct Importing<'a, T, S> {
    /// What the captures are put into.
    pub targets: Vec<Target<'a>>,
    /// Whether packets inside tunnels are left alone.
    pub outer_only: bool,
    /// How addresses are kept.
    pub privacy: &'a Privacy,
    /// Ends the import when it is stopped.
    pub reading: &'a Reading,
    /// Gets the number of records read so far, again and again.
    pub tick: T,
    /// Gets sentences about what could not be read or used.
    pub say: S,
}

/// A store that captures are put into, as packets of its data set.
pub struct Target<'a> {
    /// The store.
    pub store: &'a dyn Store,
    /// Which connections are kept.
    pub meant: Box<Meant<'a>>,
    /// How datagrams are read; only the data set `quic` needs it.
    pub datagrams: Option<DatagramReading>,
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
    /// What was kept, for each target.
    pub kept: Vec<Kept>,
    /// Whether one of the captures is marked as simulated.
    pub simulated: bool,
    /// Whether some input could not be read in full.
    pub in_part: bool,
    /// When the import began and ended, in nanoseconds since the Unix epoch.
    pub ran: (i64, i64),
}

/// What was read and kept for a data set.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The data set.
    pub data_set: DataSet,
    /// The records that were read.
    pub input: InputCount,
    /// What was kept of them.
    pub imported: Imported,
}

impl ImportTotal {
    /// The records that were read, which are the same for all data sets.
    #[must_use]
    pub fn input(&self) -> Option<&InputCount> {
        self.kept.first().map(|kept| &kept.input)
    }

    /// Whether anything was kept that was not there before.
    #[must_use]
    pub fn has_new(&self) -> bool {
        self.kept.iter().any(|kept| kept.imported.new > 0)
    }
}

impl Kept {
    fn new(data_set: DataSet, outer_only: bool) -> Self {
        let mut input = InputCount::read_at(reader_clock());
        input.outer_only = outer_only;
        Self { data_set, input, imported: Imported::default() }
    }

    fn merge(&mut self, other: &Self) {
        self.input.merge(&other.input);
        self.imported.merge(&other.imported);
    }

    /// What was kept, in words.
    #[must_use]
    pub fn describe(&self) -> String {
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
    /// The error of a store. What was stored before it remains.
    pub fn run<P: AsRef<Path>>(&mut self, files: &[P]) -> Result<ImportTotal> {
        let mut total = ImportTotal { kept: self.nothing(), ran: (now(), 0), ..ImportTotal::default() };
        let together = match self.targets.iter().any(|target| is_merged(target.store.data_set())) {
            true => files.len().max(1),
            false => 1,
        };
        for files in files.chunks(together) {
            if !self.reading.is_stopped() {
                self.together(files, &mut total)?;
            }
        }
        total.ran.1 = now();
        Ok(total)
    }

    fn nothing(&self) -> Vec<Kept> {
        self.targets.iter().map(|target| Kept::new(target.store.data_set(), self.outer_only)).collect()
    }

    /// Reads captures merged by time.
    fn together<P: AsRef<Path>>(&mut self, files: &[P], total: &mut ImportTotal) -> Result<()> {
        let mut captures = Captures::open(files, self.reading);
        let mut kept = self.nothing();
        self.read(&mut captures, total.input().map_or(0, |input| input.records), &mut kept)?;
        for kept in &mut kept {
            kept.input.late = kept.imported.late;
            kept.input.dropped = dropped(&captures);
            total.in_part |= !kept.input.is_whole() || kept.imported.one_direction > 0;
        }
        total.in_part |= !captures.problems().is_empty() || self.reading.is_stopped();
        let unread = captures.problems().iter().filter(|problem| problem.is_unreadable()).count();
        let has_records = kept.first().is_some_and(|kept| kept.input.records > 0);
        total.files += if has_records { files.len().saturating_sub(unread) as u64 } else { 0 };
        total.simulated |= is_simulated(&captures);
        problems(&captures).iter().for_each(|problem| (self.say)(problem));
        if kept.iter().any(|kept| kept.imported.one_direction > 0) {
            (self.say)(ONE_DIRECTION);
        }
        let name = if let [file] = files { format!("{}: ", name_of(file.as_ref())) } else { String::new() };
        sentences(&kept).iter().for_each(|sentence| (self.say)(&format!("{name}{sentence}")));
        total.kept.iter_mut().zip(&kept).for_each(|(total, kept)| total.merge(kept));
        Ok(())
    }

    /// Shows every record to the imports of all targets.
    fn read(&mut self, captures: &mut Captures, before: u64, kept: &mut [Kept]) -> Result<()> {
        let (targets, privacy, tick) = (&self.targets, self.privacy, &mut self.tick);
        std::thread::scope(|scope| {
            let feed = |(target, kept)| Feed { scope, target, privacy, kept, imports: Vec::new() };
            let mut feeds: Vec<_> = targets.iter().zip(kept).map(feed).collect();
            let (mut read, mut ended, mut is_taken) = (before, 0, true);
            while is_taken && let Some(seen) = Seen::of(captures) {
                is_taken = feeds.iter_mut().all(|feed| feed.record(&seen));
                read += 1;
                tick(read);
                captures.advance();
                for file in &captures.ended()[ended..] {
                    feeds.iter_mut().try_for_each(|feed| feed.end_file(*file))?;
                    ended += 1;
                }
            }
            let is_whole = is_taken && !self.reading.is_stopped();
            feeds.into_iter().try_for_each(|feed| feed.end(is_whole))
        })
    }
}

/// Whether captures are one, merged by time, for a data set.
const fn is_merged(data_set: DataSet) -> bool {
    matches!(data_set, DataSet::Origin)
}

/// Sentences about what could not be used: of several data sets with their names, unless they are the same for all.
fn sentences(kept: &[Kept]) -> Vec<String> {
    let of_each: Vec<_> = kept.iter().map(|kept| (kept.data_set, kept.input.sentences())).collect();
    let mut all = Vec::new();
    for (data_set, sentences) in &of_each {
        for sentence in sentences {
            let of_all = of_each.iter().all(|(_, others)| others.contains(sentence));
            let said = if of_all { sentence.clone() } else { format!("{data_set}: {sentence}") };
            if !all.contains(&said) {
                all.push(said);
            }
        }
    }
    all
}

/// A record, and the capture that has it.
struct Seen<'a> {
    record: Record<'a>,
    file: usize,
    /// Whether the capture is marked as simulated.
    simulated: bool,
}

impl<'a> Seen<'a> {
    fn of(captures: &'a Captures) -> Option<Self> {
        let simulated = captures.application() == Some(cutshort_simulate::APPLICATION);
        Some(Self { record: captures.record()?, file: captures.file()?, simulated })
    }
}

/// Has the records of captures imported for one target.
struct Feed<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    target: &'env Target<'env>,
    privacy: &'env Privacy,
    kept: &'scope mut Kept,
    /// The imports of the captures that have begun and not ended.
    imports: Vec<(usize, Import<'scope, 'env>)>,
}

impl<'scope, 'env> Feed<'scope, 'env> {
    /// Takes a record; false if the store has failed.
    fn record(&mut self, seen: &Seen<'_>) -> bool {
        let at = self.import_of(seen.file);
        let Some((_, import)) = self.imports.get_mut(at) else { return false };
        import.record(seen, &mut self.kept.input)
    }

    /// Where the import of a capture is, which is begun with its first record.
    fn import_of(&mut self, file: usize) -> usize {
        let file = if is_merged(self.kept.data_set) { 0 } else { file };
        self.imports.iter().position(|(of, _)| *of == file).unwrap_or_else(|| {
            self.imports.push((file, Import::begin(self.scope, self.target, self.privacy)));
            self.imports.len() - 1
        })
    }

    /// Ends the import of a capture that has no more records, if that is not one with those of others.
    fn end_file(&mut self, file: usize) -> Result<()> {
        let at = self.imports.iter().position(|(of, _)| *of == file);
        match at.filter(|_| !is_merged(self.kept.data_set)) {
            Some(at) => self.end_import(at, true),
            None => Ok(()),
        }
    }

    fn end_import(&mut self, at: usize, is_whole: bool) -> Result<()> {
        let imported = self.imports.swap_remove(at).1.end(is_whole)?;
        self.kept.imported.merge(&imported);
        Ok(())
    }

    /// Ends the imports that are left.
    fn end(mut self, is_whole: bool) -> Result<()> {
        while !self.imports.is_empty() {
            self.end_import(0, is_whole)?;
        }
        Ok(())
    }
}

/// The import of one capture, or of captures that are one.
enum Import<'scope, 'env> {
    Packets { import: PacketImport<'scope, 'env>, with_errors: bool },
    Datagrams { import: DatagramImport<'scope, 'env>, datagrams: Datagrams },
}

impl<'scope, 'env> Import<'scope, 'env> {
    fn begin(scope: &'scope Scope<'scope, 'env>, target: &'env Target<'env>, privacy: &Privacy) -> Self {
        let (store, data_set) = (target.store, target.store.data_set());
        let all = cutshort_pipeline::Importing::all(data_set);
        let importing = cutshort_pipeline::Importing { meant: &*target.meant, ..all };
        match target.datagrams {
            Some(DatagramReading { ports, key, open_initials }) => Self::Datagrams {
                import: DatagramImport::begin(scope, store, &importing, privacy),
                datagrams: Datagrams::new(ports, key, open_initials),
            },
            None => Self::Packets {
                import: PacketImport::begin(scope, store, &importing, privacy),
                with_errors: data_set == DataSet::Origin,
            },
        }
    }

    fn record(&mut self, seen: &Seen<'_>, input: &mut InputCount) -> bool {
        let Seen { record, simulated, .. } = *seen;
        let ts = record.frame.ts;
        match self {
            Self::Packets { import, with_errors } => {
                let (packet, unreachable) = match with_errors {
                    true => parse_both(record, input),
                    false => (parse(record, input), None),
                };
                import.record(&Arrival { ts, packet, unreachable, simulated })
            }
            Self::Datagrams { import, datagrams } => {
                let rows = datagrams.rows(record, input);
                import.record(&DatagramArrival { ts, rows, simulated })
            }
        }
    }

    fn end(self, is_whole: bool) -> Result<Imported> {
        match self {
            Self::Packets { import, .. } => import.end(is_whole),
            Self::Datagrams { import, .. } => import.end(is_whole),
        }
    }
}

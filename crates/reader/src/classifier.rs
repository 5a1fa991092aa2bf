//! Classifies packets, and counts or writes the connections that are wanted.

use std::io::{self, Write};
use std::path::PathBuf;

use cutshort_capture::{Captures, Reading, Record, Visitor};
use cutshort_geo::{Geo, Place};
use cutshort_model::{Addresses, JudgedConnection};
use cutshort_packet::FiveTuple;
use cutshort_packet::quic::HashKey;
use cutshort_pipeline::reader_clock;
use cutshort_report::connection::{self, Writer};
use cutshort_report::{Filter, InputCount, Selection, Summary};
use cutshort_verdict::{ClosedWindow, DataSet, Exclusion, Outcome, Row, Rules, Tracker, Verdict};

use crate::captures::{add_record, dropped, is_simulated};
use crate::datagrams::Datagrams;
use crate::side_by_side;

/// The connections that are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Which connections are classified.
    pub selection: Selection,
    /// The conditions that their verdicts meet.
    pub filters: Vec<Filter>,
    /// Whether packets inside tunnels are left alone.
    pub outer_only: bool,
    /// Of the data set `quic`: whether Initial packets are opened (docs/quic.md#opening).
    pub open_initials: bool,
}

impl Wanted {
    /// The same in words; `None` if all connections are wanted.
    fn describe(&self) -> Option<String> {
        let conditions = self.filters.iter().map(ToString::to_string);
        let all: Vec<String> = self.selection.conditions().into_iter().chain(conditions).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// Classifies packets, and counts the connections that are wanted, or also writes them.
pub struct Classifier<'a> {
    pub(crate) tracker: Tracker,
    pub(crate) sink: Sink<'a>,
    /// Of the data set `quic`.
    datagrams: Option<Datagrams>,
}

/// The key of hashes that are compared while packets are read, and kept nowhere.
pub(crate) const NO_SECRET: HashKey = HashKey::new([0; 16]);

impl<'a> Classifier<'a> {
    /// Without a format, connections are counted and not written to `output`.
    ///
    /// # Errors
    /// An error of the output.
    pub fn new(
        wanted: Wanted,
        rules: Rules,
        format: Option<connection::Format>,
        geo: &'a Geo,
        output: &'a mut (impl Write + Send),
    ) -> io::Result<Self> {
        let tracker = Tracker::new(rules).read_at(reader_clock());
        let wanted_initials = wanted.open_initials;
        let needs_rows = format.is_some_and(connection::Format::needs_rows);
        let writer = format.map(|format| format.writer_of(output, rules.data_set, false)).transpose()?;
        let sink = Sink::new(wanted, rules.data_set, writer, geo);
        let datagrams = (rules.data_set == DataSet::Quic)
            .then(|| Datagrams::new(rules.server_ports, NO_SECRET, wanted_initials));
        Ok(Self { tracker: if needs_rows { tracker.keep_rows() } else { tracker }, sink, datagrams })
    }

    /// Reads captures to their end, or until reading is stopped. `tick` gets the number of records read so far, again
    /// and again. With two `threads` or more (none is one per processor), what was read is classified in a second one, with
    /// the same result; datagrams of the data set `quic` never are.
    ///
    /// # Errors
    /// An error of the output.
    pub fn read(
        mut self,
        files: &[PathBuf],
        reading: &Reading,
        threads: Option<u16>,
        mut tick: impl FnMut(u64),
    ) -> io::Result<(Captures, Classified<'a>)> {
        let Self { tracker, sink, datagrams } = &mut self;
        let mut captures = Captures::open(files, reading);
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        if threads.map_or_else(processors, usize::from) > 1 && datagrams.is_none() {
            let mut input = std::mem::take(&mut sink.summary.input);
            let read = side_by_side::read(&mut captures, (tracker, sink), &mut input, tick);
            let rows = std::mem::replace(&mut sink.summary.input, input).rows;
            sink.summary.input.add_rows(rows);
            read?;
            return self.ended(captures, reading);
        }
        while show(&mut captures, tracker, &mut sink.summary.input, datagrams.as_mut()) {
            sink.closed(tracker)?;
            tick(sink.summary.input.records);
        }
        self.ended(captures, reading)
    }

    /// Notes what is known of captures at their end.
    fn ended(mut self, captures: Captures, reading: &Reading) -> io::Result<(Captures, Classified<'a>)> {
        let sink = &mut self.sink;
        sink.summary.input.dropped = dropped(&captures);
        sink.summary.simulated = is_simulated(&captures);
        sink.summary.interrupted = reading.is_stopped();
        Ok((captures, self.end()?))
    }

    /// Takes what is left when nothing more comes.
    pub(crate) fn end(self) -> io::Result<Classified<'a>> {
        let Self { mut tracker, mut sink, .. } = self;
        sink.summary.input.late = tracker.late();
        tracker.finish().for_each(|window| sink.window(window));
        sink.end()?;
        Ok(Classified(sink))
    }
}

/// All connections of an input, before the output is complete.
pub struct Classified<'a>(Sink<'a>);

impl Classified<'_> {
    /// Completes the output, and returns the counts.
    ///
    /// # Errors
    /// An error of the output.
    pub fn finish(self) -> io::Result<Summary> {
        self.0.finish()
    }
}

/// Takes records until one closes windows; false at the end.
fn show(
    captures: &mut Captures,
    tracker: &mut Tracker,
    input: &mut InputCount,
    datagrams: Option<&mut Datagrams>,
) -> bool {
    match datagrams {
        None => captures.show(&mut Taking { tracker, input }),
        Some(datagrams) => captures.show(&mut TakingDatagrams { tracker, input, datagrams }),
    }
}

/// Takes TCP packets until a record closes windows.
struct Taking<'a> {
    tracker: &'a mut Tracker,
    input: &'a mut InputCount,
}

impl Visitor for Taking<'_> {
    #[inline(always)]
    fn record(&mut self, record: Record<'_>) -> bool {
        let closes = self.tracker.record(record.frame.ts, None);
        add_record(record, self.input, |link, frame| self.tracker.parse(link, frame));
        !closes
    }
}

/// Takes datagrams until a record closes windows.
struct TakingDatagrams<'a> {
    tracker: &'a mut Tracker,
    input: &'a mut InputCount,
    datagrams: &'a mut Datagrams,
}

impl Visitor for TakingDatagrams<'_> {
    #[inline]
    fn record(&mut self, record: Record<'_>) -> bool {
        let closes = self.tracker.record(record.frame.ts, None);
        self.datagrams.add_record(record, self.input, |row| self.tracker.add_datagram(row));
        !closes
    }
}

/// Takes connections and counts or writes them.
pub(crate) struct Sink<'a> {
    geo: &'a Geo,
    data_set: DataSet,
    wanted: Wanted,
    pub(crate) summary: Summary,
    writer: Option<Box<dyn Writer + 'a>>,
    failed: Option<io::Error>,
    /// Of the data set `origin`: windows that wait until it is known that both directions were captured
    /// (docs/origin.md#one-direction).
    held: Vec<ClosedWindow>,
    has_received: bool,
}

impl<'a> Sink<'a> {
    fn new(wanted: Wanted, data_set: DataSet, writer: Option<Box<dyn Writer + 'a>>, geo: &'a Geo) -> Self {
        let mut summary = Summary::of(data_set, wanted.describe());
        summary.input = InputCount::read_at(reader_clock());
        summary.input.outer_only = wanted.outer_only;
        let has_received = data_set != DataSet::Origin;
        Self { geo, data_set, wanted, summary, writer, failed: None, held: Vec::new(), has_received }
    }

    pub(crate) const fn data_set(&self) -> DataSet {
        self.data_set
    }

    /// Takes the windows that were closed, up to the first error of the output.
    pub(crate) fn closed(&mut self, tracker: &mut Tracker) -> io::Result<()> {
        while let Some(window) = tracker.next_closed() {
            self.window(window);
            self.check()?;
        }
        Ok(())
    }

    /// Takes a window.
    pub(crate) fn window(&mut self, window: ClosedWindow) {
        self.has_received |= window.received() > 0;
        self.held.push(window);
        if self.has_received {
            self.take_held();
        }
    }

    fn take_held(&mut self) {
        std::mem::take(&mut self.held).iter().for_each(|window| self.take(window));
    }

    fn take(&mut self, window: &ClosedWindow) {
        let data_set = self.data_set;
        let mut places =
            self.geo.places(window.five_tuples().map(|five_tuple| data_set.other_end(&five_tuple)));
        let (mut latest, mut place) = (None, Place::default());
        let rows = window.for_each(|five_tuple, outcome, rows| {
            // The connections of a 5-tuple follow each other.
            if latest != Some(*five_tuple) {
                latest = Some(*five_tuple);
                place = places.next().unwrap_or_default();
            }
            self.outcome(five_tuple, place, outcome, rows);
        });
        self.summary.input.add_rows(rows);
    }

    fn outcome(&mut self, five_tuple: &FiveTuple, place: Place, outcome: &Outcome, rows: &[Row]) {
        // Nobody knows who opened what has no SYN packet, or no Initial packet.
        let is_either = match outcome {
            Err(Exclusion::NoSyn) => self.data_set == DataSet::Origin,
            Err(exclusion) => *exclusion == Exclusion::NoInitial,
            Ok(_) => false,
        };
        if !(self.wanted.selection.has(five_tuple)
            || is_either && self.wanted.selection.has(&five_tuple.reversed()))
        {
            return self.summary.add_not_meant();
        }
        match outcome {
            Ok(verdict) => self.verdict(five_tuple, place, verdict, rows),
            Err(exclusion) => self.summary.add_excluded(*exclusion),
        }
    }

    fn verdict(&mut self, five_tuple: &FiveTuple, place: Place, verdict: &Verdict, rows: &[Row]) {
        let mut connection = JudgedConnection {
            five_tuple,
            addresses: Addresses::Full,
            verdict,
            node: "",
            place,
            as_name: None,
        };
        if !self.wanted.filters.iter().all(|filter| filter.matches(&connection)) {
            return self.summary.add_not_selected();
        }
        self.summary.add(&connection);
        if let Some(writer) = &mut self.writer {
            connection.as_name = as_name(self.geo, place);
            if self.failed.is_none() {
                self.failed = writer.write(&connection, rows).err();
            }
        }
    }

    /// Stops at the first error of the output.
    pub(crate) fn check(&mut self) -> io::Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Takes the windows that wait, at the end of the input.
    fn end(&mut self) -> io::Result<()> {
        self.summary.one_direction = self.held.iter().any(|window| window.sent_acks() > 0);
        if self.summary.one_direction {
            for window in std::mem::take(&mut self.held) {
                self.summary.input.add_rows(window.for_each(|_, _, _| ()));
            }
        }
        self.take_held();
        self.check()
    }

    fn finish(self) -> io::Result<Summary> {
        if let Some(writer) = self.writer {
            writer.finish()?;
        }
        Ok(self.summary)
    }
}

fn as_name(geo: &Geo, place: Place) -> Option<&str> {
    geo.as_name(place.asn?)
}

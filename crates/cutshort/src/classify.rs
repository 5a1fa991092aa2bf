//! `cutshort classify`: captures in, verdicts out.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::ColorChoice;
use cutshort_capture::{Captures, Drops, Reading, Record, Visitor};
use cutshort_geo::{Geo, Place};
use cutshort_model::JudgedConnection;
use cutshort_packet::{FiveTuple, Packet};
use cutshort_pipeline::reader_clock;
use cutshort_report::connection::{self, Writer};
use cutshort_report::{Dropped, InputCount, Selection, Summary};
use cutshort_verdict::{ClosedWindow, Outcome, Row, Rules, Tracker, Verdict};

use crate::arguments::{Classify, Format};
use crate::error::{Done, Error};
use crate::live;
use crate::output::Output;
use crate::progress::Progress;
use crate::signals::{Signals, interrupt};
use crate::terminal::{self, message};

pub(crate) fn run(arguments: &Classify, color: ColorChoice) -> Result<Done, Error> {
    check_output(arguments)?;
    let files = files(&arguments.files)?;
    let geo = crate::geo::open(&arguments.geo)?;
    let mut output = Output::create(arguments.output.as_deref())?;
    let source = live::source(&files)?;
    live::check_duration(arguments.duration, source.as_ref())?;
    let reading = Reading::default();
    let signals = Signals::of_command()?;
    // Drops privileges, for which there must be no other thread yet.
    let receiving = source.map(|source| live::open(source, arguments, &reading)).transpose()?;
    stop_on(signals, &reading)?;
    let mut sink = Sink::new(arguments, &geo, &mut output)?;
    if let Some(receiving) = receiving {
        let done = live::classify(receiving, arguments, &reading, &mut sink)?;
        let summary = sink.finish(false, false)?;
        write_summary(arguments, &summary, &geo, color, &mut output)?;
        output.finish()?;
        return Ok(done);
    }
    let captures = read(&files, &arguments.rules.rules(), &reading, &mut sink)?;
    let done = report_problems(&captures, &reading);
    let summary = sink.finish(is_simulated(&captures), reading.is_stopped())?;
    let done = done.and(summary.input.is_whole());
    if readable(&captures, &files) {
        write_summary(arguments, &summary, &geo, color, &mut output)?;
        output.finish()?;
    }
    Ok(done)
}

/// The captures to read: the standard input if none is named and something is piped into it.
pub(crate) fn files(files: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let stdin = PathBuf::from("-");
    match files {
        [] if io::stdin().is_terminal() => Err(Error::Usage(
            "name captures to read, or pipe one in; 'cutshort classify --help' shows how".to_owned(),
        )),
        [] => Ok(vec![stdin]),
        files if files.iter().filter(|file| **file == stdin).count() > 1 => {
            Err(Error::Usage("'-' (standard input) can be given only once".to_owned()))
        }
        files => Ok(files.to_vec()),
    }
}

/// Stops reading on SIGINT, SIGTERM or SIGHUP: the first one reports what was read so far, the second one exits at once.
pub(crate) fn stop_on_signals(reading: &Reading) -> Result<(), Error> {
    stop_on(Signals::of_command()?, reading)
}

fn stop_on(signals: Signals, reading: &Reading) -> Result<(), Error> {
    let reading = reading.clone();
    signals.each(move |_| {
        if reading.is_stopped() {
            crate::output::abandon();
            interrupt();
        }
        reading.stop();
    })
}

fn check_output(arguments: &Classify) -> Result<(), Error> {
    let Some(output) = &arguments.output else {
        return match arguments.format {
            Format::Parquet if terminal::is_terminal() => Err(Error::Usage(
                "Parquet is not for terminals: name a file with --output, or pipe it on".to_owned(),
            )),
            _ => Ok(()),
        };
    };
    let same = |file: &PathBuf| {
        output.canonicalize().ok().is_some_and(|path| file.canonicalize().ok() == Some(path))
    };
    match arguments.files.iter().chain(&arguments.geo.geo).find(|file| same(file)) {
        Some(file) => Err(Error::Usage(format!("{}: input and output are the same file", file.display()))),
        None => Ok(()),
    }
}

fn read(files: &[PathBuf], rules: &Rules, reading: &Reading, sink: &mut Sink<'_>) -> Result<Captures, Error> {
    let mut captures = Captures::open(files, reading);
    let mut tracker = Tracker::new(*rules).read_at(reader_clock());
    if sink.needs_rows {
        tracker = tracker.keep_rows();
    }
    let mut progress = Progress::new(files);
    while captures.show(&mut Taking { tracker: &mut tracker, input: &mut sink.summary.input }) {
        while let Some(window) = tracker.next_closed() {
            sink.window(&window);
            sink.check()?;
        }
        progress.tick(sink.summary.input.records, reading);
    }
    progress.finish();
    sink.summary.input.late = tracker.late();
    sink.summary.input.dropped = dropped(&captures);
    tracker.finish().for_each(|window| sink.window(&window));
    sink.check()?;
    Ok(captures)
}

/// Takes records until one closes windows.
struct Taking<'a> {
    tracker: &'a mut Tracker,
    input: &'a mut InputCount,
}

impl Visitor for Taking<'_> {
    #[inline(always)]
    fn record(&mut self, record: Record<'_>) -> bool {
        let closes = self.tracker.record(record.frame.ts, None);
        self.input.add_record(record.frame.ts);
        match record.link {
            Ok(link) => match self.tracker.parse(link, record.frame) {
                Ok(()) => self.input.packets += 1,
                Err(refusal) => self.input.add_refused(link, record.frame, refusal),
            },
            Err(number) => self.input.add_unknown_link(number),
        }
        !closes
    }
}

/// Counts a record and gives its packet if it is one.
#[inline(always)]
pub(crate) fn parse(record: Record<'_>, input: &mut InputCount) -> Option<Packet> {
    input.add_record(record.frame.ts);
    let link = record.link.map_err(|number| input.add_unknown_link(number)).ok()?;
    match Packet::parse(link, record.frame) {
        Ok(packet) => {
            input.packets += 1;
            Some(packet)
        }
        Err(refusal) => {
            input.add_refused(link, record.frame, refusal);
            None
        }
    }
}

/// Says what could not be read.
pub(crate) fn report_problems(captures: &Captures, reading: &Reading) -> Done {
    captures.problems().iter().for_each(message);
    if captures.without_time() > 0 {
        let count = captures.without_time();
        message(&format!(
            "{count} records carry no time (pcapng simple packet blocks): taken as of the one before"
        ));
    }
    let whole = captures.problems().is_empty() && !reading.is_stopped();
    if whole { Done::Whole } else { Done::InPart }
}

/// What the captures themselves say was lost.
pub(crate) fn dropped(captures: &Captures) -> Dropped {
    let Drops { received, interface, system, between } = *captures.drops();
    Dropped { received, interface, system, between }
}

/// Whether any of the captures could be read at all.
fn readable(captures: &Captures, files: &[PathBuf]) -> bool {
    let unread = captures.problems().iter().filter(|problem| problem.is_unreadable()).count();
    unread < files.len()
}

fn write_summary(
    arguments: &Classify,
    summary: &Summary,
    geo: &Geo,
    color: ColorChoice,
    output: &mut Output,
) -> Result<(), Error> {
    match arguments.format {
        Format::Table if arguments.output.is_none() => {
            terminal::print(color, |text| Ok(summary.write_table(geo, terminal::width(), text)?))
        }
        Format::Table => {
            let mut text = Vec::new();
            summary.write_table(geo, terminal::DEFAULT_WIDTH, &mut text)?;
            Ok(output.write_all(&terminal::without_colours(&text))?)
        }
        Format::Json => Ok(summary.write_json(geo, output)?),
        _ => {
            if summary.simulated {
                message(&SIMULATED);
            }
            summary.input.future_note().iter().for_each(message);
            summary.input.sentences().iter().for_each(message);
            Ok(())
        }
    }
}

/// Where a capture has no summary to say it in.
pub(crate) const SIMULATED: &str = "the capture is SIMULATED: nothing in it is real";

/// Takes connections and counts or writes them.
pub(crate) struct Sink<'a> {
    geo: &'a Geo,
    arguments: &'a Classify,
    selection: Selection,
    pub(crate) summary: Summary,
    writer: Option<Box<dyn Writer + 'a>>,
    pub(crate) needs_rows: bool,
    failed: Option<io::Error>,
}

impl<'a> Sink<'a> {
    fn new(arguments: &'a Classify, geo: &'a Geo, output: &'a mut Output) -> Result<Self, Error> {
        let format = connection_format(arguments.format);
        let mut summary = Summary::of(selection(arguments));
        summary.input = InputCount::read_at(reader_clock());
        Ok(Self {
            geo,
            arguments,
            selection: Selection {
                server_nets: arguments.server_net.clone(),
                server_ports: arguments.server_port.clone(),
                ignored_sources: arguments.ignore_src.clone(),
            },
            summary,
            writer: format.map(|format| format.writer(output)).transpose()?,
            needs_rows: format.is_some_and(connection::Format::needs_rows),
            failed: None,
        })
    }

    pub(crate) fn window(&mut self, window: &ClosedWindow) {
        let mut places = self.geo.places(window.five_tuples().map(|five_tuple| five_tuple.src_ip));
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
        if !self.selection.has(five_tuple) {
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
            addresses: cutshort_model::Addresses::Full,
            verdict,
            node: "",
            place,
            as_name: None,
        };
        if !self.arguments.filter.iter().all(|filter| filter.matches(&connection)) {
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
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        self.failed.take().map_or(Ok(()), |error| Err(error.into()))
    }

    fn finish(mut self, simulated: bool, interrupted: bool) -> Result<Summary, Error> {
        if let Some(writer) = self.writer {
            writer.finish()?;
        }
        self.summary.simulated = simulated;
        self.summary.interrupted = interrupted;
        Ok(self.summary)
    }
}

/// Whether one of the captures says that it is simulated.
pub(crate) fn is_simulated(captures: &Captures) -> bool {
    captures.applications().iter().any(|name| name == cutshort_simulate::APPLICATION)
}

fn as_name(geo: &Geo, place: Place) -> Option<&str> {
    geo.as_name(place.asn?)
}

const fn connection_format(format: Format) -> Option<connection::Format> {
    Some(match format {
        Format::Table | Format::Json => return None,
        Format::Jsonl => connection::Format::Jsonl,
        Format::Csv => connection::Format::Csv,
        Format::Parquet => connection::Format::Parquet,
        Format::Zeek => connection::Format::Zeek,
    })
}

/// What was asked for, in words.
fn selection(arguments: &Classify) -> Option<String> {
    let any = |items: Vec<String>, what: &str| {
        (!items.is_empty()).then(|| format!("{what} {}", items.join(" or ")))
    };
    let texts = |nets: &[ipnet::IpNet]| nets.iter().map(ToString::to_string).collect::<Vec<_>>();
    let ports = arguments.server_port.iter().map(ToString::to_string).collect();
    let servers = any(texts(&arguments.server_net), "server in").into_iter().chain(any(ports, "server port"));
    let clients = any(texts(&arguments.ignore_src), "client not in");
    let all: Vec<String> =
        servers.chain(clients).chain(arguments.filter.iter().map(ToString::to_string)).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

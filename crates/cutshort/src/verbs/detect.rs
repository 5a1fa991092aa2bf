//! `cutshort detect`.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use clap::{Args, ColorChoice, ValueEnum};
use cutshort_capture::name_of;
use cutshort_detect::{Config, Detector, Event, Journal, Window};
use cutshort_model::{Window as StoredWindow, date_time, quantity};
use cutshort_report::events::{Reader, write_json, write_text};
use cutshort_settings::values::{count, false_alarms};

use crate::error::{Done, Error};
use crate::terminal;
use cutshort_console::Progress;

/// Find events in counts: shutdowns, blocking, outages
///
/// Reads counts per 15 minutes and place, sorted by time, as CSV with a header or as JSON lines:
///
///   time,place,country,node,w,w2,post_syn,post_ack,post_psh,later
///   2026-01-05T00:00:00Z,as:64500,IQ,,1840,36800,120,40,60,20
///
/// 'time' is the beginning of the 15 minutes (ISO 8601, or seconds since 1970). 'place' is world,
/// country:IQ, as:64500 or server:NAME; 'country' is that of an AS or server, and 'network' (a column of its own) the
/// AS number of a server. 'w' is the number of connections and 'w2' the sum of
/// the squares of their weights, for sampled counts (w times N for 1 in N; default: w). 'post_syn' to 'later' are those that
/// were cut short. 'post_syn_reset', 'post_syn_scanner' and 'post_syn_port' are those of 'post_syn' that a RST ended,
/// that have marks of a scanner, and that went to the most frequent port; with any of them, floods, scans and reflections are
/// told as such. Only time, place and w are required. A node without any row in a window did not
/// observe it; a place without rows had no connections. Without rows of any server, none was observed.
///
/// The first weeks are used for learning what is usual.
#[derive(Args)]
#[command(
    after_help = "Example: what happened in a year of counts, in a table and for programs\n  cutshort detect counts.csv\n  zcat counts-*.csv.gz | cutshort detect --format json > events.jsonl"
)]
pub(crate) struct Detect {
    /// Counts; '-' or no file is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// False alarms a week to accept, of all places together
    #[arg(long, value_name = "NUMBER", default_value_t = Config::default().alpha, value_parser = false_alarms)]
    false_alarms: f64,
    /// Places to watch at most; those that come later are left out
    #[arg(long, value_name = "NUMBER", default_value_t = Config::default().max_places, value_parser = count::<usize>)]
    max_places: usize,
    /// Only events that raised an alarm: those that no other event explains, one per episode
    #[arg(long)]
    alarms: bool,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table
    Text,
    /// One JSON object per line
    Json,
}

pub(crate) fn run(arguments: &Detect, color: ColorChoice) -> Result<Done, Error> {
    let config = Config { alpha: arguments.false_alarms, max_places: arguments.max_places };
    let (mut detector, mut journal, mut ignored) = (Detector::new(config), Journal::default(), 0);
    let (mut progress, bytes) = (Progress::new(&arguments.files), Rc::new(Cell::new(0)));
    let mut add = |window: &Window<'_>| {
        journal.record(detector.add(window).map_err(|error| error.to_string())?);
        ignored = ignored.max(detector.ignored());
        progress.show_bytes(bytes.get(), || {
            let time = date_time(StoredWindow::from_number(window.number).start());
            format!("{}, up to {time}", quantity(detector.places() as u64, "place"))
        });
        Ok(())
    };
    let mut reader = Reader::default();
    let stdin = [PathBuf::from("-")];
    if arguments.files.is_empty() && io::stdin().is_terminal() {
        let text = "name files with counts, or pipe one in; 'cutshort detect --help' shows how";
        return Err(Error::Usage(text.to_owned()));
    }
    let files = if arguments.files.is_empty() { &stdin[..] } else { &arguments.files };
    for path in files {
        let input =
            BufReader::with_capacity(1 << 16, Counted { input: open(path)?, bytes: Rc::clone(&bytes) });
        reader.read(input, &mut add).map_err(|error| failed(path, &error))?;
    }
    let last = files.last().map_or(Path::new("-"), PathBuf::as_path);
    reader.finish(&mut add).map_err(|error| failed(last, &error))?;
    progress.finish();
    if ignored > 0 {
        let text = format!(
            "up to {ignored} places were left out of a window, because {} are watched: raise --max-places",
            arguments.max_places
        );
        terminal::message(&text);
    }
    let mut events = journal.into_events();
    events.retain(|event| !arguments.alarms || event.alarm.is_some());
    match arguments.format {
        Format::Json => write_lines(&events)?,
        Format::Text => terminal::print(color, |text| Ok(describe(&reader, &events, text)?))?,
    }
    Ok(Done::Whole.and(ignored == 0))
}

fn open(path: &Path) -> Result<Box<dyn Read>, Error> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).map_err(|error| Error::Failed(format!("{}: {error}", path.display())))?;
    Ok(Box::new(file))
}

/// An input that counts what was read of it, and of those before it.
struct Counted {
    input: Box<dyn Read>,
    bytes: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.bytes.set(self.bytes.get() + read as u64);
        Ok(read)
    }
}

fn failed(path: &Path, error: &cutshort_report::events::SeriesError) -> Error {
    Error::Failed(format!("{}: {error}", name_of(path)))
}

fn write_lines(events: &[Event]) -> Result<(), Error> {
    let mut output = BufWriter::new(io::stdout().lock());
    for event in events {
        write_json(event, &mut output)?;
    }
    Ok(output.flush()?)
}

fn describe(reader: &Reader, events: &[Event], mut text: &mut Vec<u8>) -> io::Result<()> {
    if events.is_empty() {
        return writeln!(text, "No events in {} rows.", cutshort_model::grouped(reader.rows()));
    }
    write_text(events, terminal::widths().tables, &mut text)
}

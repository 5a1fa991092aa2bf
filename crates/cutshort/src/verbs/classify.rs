//! `cutshort classify`: captures in, verdicts out.

mod explain;
mod live;
mod sink;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ColorChoice, ValueEnum};
use cutshort_capture::{Captures, LiveSettings, Reading, Record, Sides, Visitor};
use cutshort_geo::Geo;
use cutshort_packet::FiveTuple;
use cutshort_pipeline::reader_clock;
use cutshort_report::{InputCount, Summary, Widths, connection};
use cutshort_verdict::{DataSet, Tracker};
use jiff::SignedDuration;

use crate::captures::{SIMULATED, dropped, is_simulated, report_problems};
use crate::error::{Done, Error};
use crate::options::values::duration;
use crate::options::{GeoFiles, Inputs, Rules};
use crate::output::Output;
use crate::progress::Progress;
use crate::signals::Signals;
use crate::stopping::stop_on;
use crate::terminal::{self, message};
use sink::{Selected, Sink};

/// Classify the connections in captures
///
/// Reads pcap and pcapng, plain or compressed with gzip, zstd or xz, and merges several captures by
/// time. Or receives packets until Ctrl-C or for the time given by --for: nflog:GROUP receives what
/// firewall rules log ('cutshort rules' writes such rules), af_packet:INTERFACE what arrives on an
/// interface.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Classify {
    #[command(flatten)]
    inputs: Inputs,
    /// How long to receive (nflog: and af_packet: only)
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    duration: Option<SignedDuration>,
    /// Output format
    #[arg(long, short, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    selected: Selected,
    #[command(flatten)]
    geo: GeoFiles,
    #[command(flatten)]
    rules: Rules,
    /// Show one connection packet by packet with the reason for its verdict
    ///
    /// Write the 5-tuple as CLIENT:PORT > SERVER:PORT, with IPv6 addresses in brackets, or as the four
    /// fields separated by spaces or commas.
    #[arg(long, value_name = "5-TUPLE", value_parser = explain::five_tuple)]
    #[arg(conflicts_with_all = ["format", "output", "filter", "server_net", "server_port", "client_net", "ignore_src", "geo"])]
    explain: Option<FiveTuple>,
}

const EXAMPLES: &str = "Examples:
  cutshort classify server.pcap
  cutshort classify --server-port 443 captures/*.pcapng.zst
  tcpdump -i eth0 -w - 'tcp dst port 443' | cutshort classify -
  cutshort classify --for 1m nflog:5
  cutshort classify --filter stage=post_ack --format jsonl server.pcap
  cutshort classify --origin --client-net 192.0.2.0/28 proxy.pcap
  cutshort classify --explain '198.51.100.7:40112 > 203.0.113.5:443' server.pcap";

/// Formats of `classify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Summary for people
    Table,
    /// Summary for programs
    Json,
    /// One JSON object per connection, one per line
    Jsonl,
    /// One line per connection, with a header
    Csv,
    /// Apache Parquet file, one row per connection
    Parquet,
    /// Zeek log, one line per connection
    Zeek,
}

pub(crate) fn run(arguments: &Classify, color: ColorChoice) -> Result<Done, Error> {
    if let Some(five_tuple) = &arguments.explain {
        return explain::run(&arguments.inputs, &arguments.rules.rules(), five_tuple, color);
    }
    check_output(arguments)?;
    let files = arguments.inputs.paths()?;
    let geo = arguments.geo.open()?;
    let mut output = Output::create(arguments.output.as_deref())?;
    let source = live::source(&files)?;
    live::check_duration(arguments.duration, source.as_ref())?;
    let reading = Reading::default();
    let signals = Signals::of_command()?;
    // Drops privileges, for which there must be no other thread yet.
    let (folder, duration) = (arguments.output.as_deref(), arguments.duration);
    let open = |source| live::open(source, &live_settings(arguments), folder, duration, &reading);
    let receiving = source.map(open).transpose()?;
    stop_on(signals, &reading)?;
    let data_set = arguments.rules.rules().data_set;
    let mut sink =
        Sink::new(&arguments.selected, data_set, connection_format(arguments.format), &geo, &mut output)?;
    let tracker = tracker(arguments, &sink);
    if let Some(receiving) = receiving {
        let done = receiving.classify(tracker, &reading, &mut sink)?;
        let summary = sink.finish(false, false)?;
        write_summary(arguments, &summary, &geo, color, &mut output)?;
        output.finish()?;
        return Ok(done);
    }
    let captures = read(&files, tracker, &reading, &mut sink)?;
    let done = report_problems(&captures, &reading);
    let summary = sink.finish(is_simulated(&captures), reading.is_stopped())?;
    let done = done.and(summary.input.is_whole());
    let done = if summary.one_direction { Done::InPart } else { done };
    if readable(&captures, &files) {
        write_summary(arguments, &summary, &geo, color, &mut output)?;
        output.finish()?;
    }
    Ok(done)
}

fn tracker(arguments: &Classify, sink: &Sink<'_>) -> Tracker {
    let tracker = Tracker::new(arguments.rules.rules()).read_at(reader_clock());
    if sink.needs_rows { tracker.keep_rows() } else { tracker }
}

fn live_settings(arguments: &Classify) -> LiveSettings {
    let rules = arguments.rules.rules();
    LiveSettings {
        sides: if rules.data_set == DataSet::Origin { Sides::Opened } else { Sides::Clients },
        limit: rules.packet_limit,
        ports: arguments.selected.ends.server_port.clone(),
        exclude: arguments.selected.ends.ignore_src.clone(),
        ..LiveSettings::default()
    }
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
    match arguments.inputs.files.iter().chain(&arguments.geo.geo).find(|file| same(file)) {
        Some(file) => Err(Error::Usage(format!("{}: input and output are the same file", file.display()))),
        None => Ok(()),
    }
}

fn read(
    files: &[PathBuf],
    mut tracker: Tracker,
    reading: &Reading,
    sink: &mut Sink<'_>,
) -> Result<Captures, Error> {
    let mut captures = Captures::open(files, reading);
    let mut progress = Progress::new(files);
    while captures.show(&mut Taking { tracker: &mut tracker, input: &mut sink.summary.input }) {
        while let Some(window) = tracker.next_closed() {
            sink.window(window);
            sink.check()?;
        }
        progress.tick(sink.summary.input.records, reading);
    }
    progress.finish();
    sink.summary.input.late = tracker.late();
    sink.summary.input.dropped = dropped(&captures);
    tracker.finish().for_each(|window| sink.window(window));
    sink.end()?;
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
            terminal::print(color, |text| Ok(summary.write_table(geo, terminal::widths(), text)?))
        }
        Format::Table => {
            let mut text = Vec::new();
            let widths = Widths { text: terminal::DEFAULT_WIDTH, tables: usize::MAX };
            summary.write_table(geo, widths, &mut text)?;
            Ok(output.write_all(&terminal::without_colours(&text))?)
        }
        Format::Json => Ok(summary.write_json(geo, output)?),
        _ => {
            if summary.simulated {
                message(&SIMULATED);
            }
            if summary.one_direction {
                message(&cutshort_report::ONE_DIRECTION);
            }
            summary.input.future_note().iter().for_each(message);
            summary.input.sentences().iter().for_each(message);
            Ok(())
        }
    }
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

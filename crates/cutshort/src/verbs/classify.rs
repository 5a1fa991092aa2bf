//! `cutshort classify`: captures in, verdicts out.

mod explain;
mod live;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ColorChoice, ValueEnum};
use cutshort_capture::{Captures, LiveSets, LiveSettings, LiveSource, Reading};
use cutshort_console::{Output, Progress, Signals};
use cutshort_geo::Geo;
use cutshort_packet::FiveTuple;
use cutshort_packet::quic::ServerPorts;
use cutshort_reader::{Classifier, SIMULATED, Wanted, is_readable, problems};
use cutshort_report::{Filter, Summary, Widths, connection};
use cutshort_settings::values::duration;
use cutshort_verdict::{DataSet, Rules};
use jiff::SignedDuration;

use crate::error::{Done, Error};
use crate::options::{self, Ends, GeoFiles, Inputs};
use crate::stopping::stop_on;
use crate::terminal::{self, message};

/// Classify the connections in captures
///
/// Reads pcap and pcapng, plain or compressed with gzip, zstd or xz, and merges several captures by
/// time. Or receives packets until Ctrl-C or for the time given by --for: nflog:GROUP receives what
/// firewall rules log ('cutshort rules' writes such rules), af_packet:INTERFACE and ebpf:INTERFACE
/// what arrives on an interface; ebpf selects it in the kernel (Linux 6.6 or newer).
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Classify {
    #[command(flatten)]
    inputs: Inputs,
    /// How long to receive (nflog:, af_packet: and ebpf: only)
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
    rules: options::Rules,
    /// Open the Initial packets of QUIC for acknowledgements and closes (with --quic)
    ///
    /// Their keys can be computed from the packets themselves. The ClientHello is stepped over and never
    /// parsed, and the plaintext is overwritten at once; docs/privacy.md says what this means.
    #[arg(long)]
    open_initials: bool,
    /// Threads: with two or more, one reads and another classifies [default: one per processor]
    ///
    /// The results are the same. Of QUIC and of packets that are received, one thread does both.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Show one connection packet by packet with the reason for its verdict
    ///
    /// Write the 5-tuple as CLIENT:PORT > SERVER:PORT, with IPv6 addresses in brackets, or as the four
    /// fields separated by spaces or commas.
    #[arg(long, value_name = "5-TUPLE")]
    #[arg(conflicts_with_all = ["format", "output", "filter", "server_net", "server_port", "client_net", "ignore_src", "geo", "threads"])]
    explain: Option<FiveTuple>,
}

const EXAMPLES: &str = "Examples:
  cutshort classify server.pcap
  cutshort classify --server-port 443 captures/*.pcapng.zst
  tcpdump -i eth0 -w - 'tcp dst port 443' | cutshort classify -
  cutshort classify --for 1m nflog:5
  cutshort classify --filter stage=post_ack --format jsonl server.pcap
  cutshort classify --origin --client-net 192.0.2.0/28 proxy.pcap
  cutshort classify --quic --server-port 443,8443 server.pcap
  cutshort classify --quic --for 1m nflog:7
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

/// The connections that are wanted.
#[derive(Args)]
struct Selected {
    /// Only connections with KEY=VALUE[,VALUE...] or KEY!=...; may be repeated
    ///
    /// Keys: stage, termination, tag, signature (number or name), location (client's country),
    /// asn (client's network), port (server's), prefix (client's, CIDR). With --origin, location and asn
    /// are the server's.
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<Filter>,
    #[command(flatten)]
    ends: Ends,
}

impl Selected {
    /// The same as values; an error if the data set does not have the terms of the filters.
    fn wanted(&self, data_set: DataSet, outer_only: bool, open_initials: bool) -> Result<Wanted, Error> {
        let of = |filter: &Filter| Filter::of(&filter.to_string(), data_set);
        let filters: Result<_, _> = self.filter.iter().map(of).collect();
        Ok(Wanted {
            selection: self.ends.selection(data_set),
            outer_only,
            open_initials,
            filters: filters.map_err(|why| Error::Usage(why.to_string()))?,
        })
    }
}

pub(crate) fn run(arguments: &Classify, color: ColorChoice) -> Result<Done, Error> {
    let rules = rules(arguments)?;
    if let Some(five_tuple) = arguments.explain {
        return explain::run(arguments, rules, five_tuple, color);
    }
    check_output(arguments)?;
    let files = arguments.inputs.paths()?;
    let geo = arguments.geo.open()?;
    let mut output = Output::create(arguments.output.as_deref())?;
    let source = live::source(&files)?;
    check_source(arguments, source.as_ref())?;
    let reading = Reading::default();
    let signals = Signals::of_command()?;
    // Drops privileges, for which there must be no other thread yet.
    let (folder, duration) = (arguments.output.as_deref(), arguments.duration);
    let open = |source| live::open(source, &live_settings(arguments, &rules), folder, duration, &reading);
    let live = source.map(open).transpose()?;
    stop_on(signals, &reading)?;
    let wanted =
        arguments.selected.wanted(rules.data_set, arguments.inputs.outer, arguments.open_initials)?;
    let format = connection_format(arguments.format);
    let classifier = Classifier::new(wanted, rules, format, &geo, &mut output)?;
    let (summary, done) = match live {
        Some(live) => live::classify(live, classifier, duration, &reading)?,
        None => read(classifier, &files, &reading, arguments.threads)?,
    };
    if let Some(summary) = summary {
        write_summary(arguments, &summary, &geo, color, &mut output)?;
        output.finish()?;
    }
    Ok(done)
}

/// Reads captures, and says what could not be read. There is no summary if none of them could be.
fn read(
    classifier: Classifier<'_>,
    files: &[PathBuf],
    reading: &Reading,
    threads: Option<u16>,
) -> Result<(Option<Summary>, Done), Error> {
    let mut progress = Progress::new(files);
    let (captures, classified) =
        classifier.read(files, reading, threads, |records| progress.tick(records, reading))?;
    progress.finish();
    let done = report_problems(&captures, reading);
    let summary = classified.finish()?;
    let done = done.and(summary.input.is_whole() && !summary.one_direction);
    Ok((is_readable(&captures, files.len()).then_some(summary), done))
}

/// The rules, with the ports of QUIC: of one connection that of its server, unless it is a usual one.
fn rules(arguments: &Classify) -> Result<Rules, Error> {
    let rules = arguments.rules.rules();
    if rules.data_set != DataSet::Quic {
        return match arguments.open_initials {
            true => Err(Error::Usage("--open-initials is for --quic".to_owned())),
            false => Ok(rules),
        };
    }
    let server_ports = match &arguments.explain {
        Some(five_tuple) if !rules.server_ports.has_either(five_tuple) => {
            ServerPorts::new(&[five_tuple.dst_port]).unwrap_or(ServerPorts::ANY)
        }
        _ => arguments.selected.ends.quic_ports()?,
    };
    Ok(Rules { server_ports, ..rules })
}

/// Only captures have an end.
fn check_source(arguments: &Classify, source: Option<&LiveSource>) -> Result<(), Error> {
    if source.is_none() && arguments.duration.is_some() {
        let why = "--for is for nflog:, af_packet: and ebpf:; captures are read to their end";
        return Err(Error::Usage(why.to_owned()));
    }
    Ok(())
}

/// Says what could not be read.
fn report_problems(captures: &Captures, reading: &Reading) -> Done {
    problems(captures).iter().for_each(message);
    Done::Whole.and(captures.problems().is_empty() && !reading.is_stopped())
}

fn live_settings(arguments: &Classify, rules: &Rules) -> LiveSettings {
    let is_origin = rules.data_set == DataSet::Origin;
    LiveSettings {
        sets: match rules.data_set {
            DataSet::Origin => LiveSets::ORIGIN,
            DataSet::Quic => LiveSets::QUIC,
            _ => LiveSets::TCP,
        },
        limit: rules.packet_limit,
        datagrams: rules.packet_limit,
        opener: arguments.open_initials.then_some(cutshort_initials::opener),
        ports: arguments.selected.ends.server_ports(),
        // There the source is this host, and the network of a server is meant.
        exclude: if is_origin { Vec::new() } else { arguments.selected.ends.ignore_src.clone() },
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

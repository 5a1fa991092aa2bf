//! `cutshort import`: captures into a store.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ColorChoice};
use cutshort_api::page;
use cutshort_capture::Reading;
use cutshort_console::Progress;
use cutshort_model::{Addresses, Window, date_time, quantity, rfc3339, until};
use cutshort_packet::quic::ServerPorts;
use cutshort_pipeline::{AddressKey, Due, Report, SegmentName, WindowJob};
use cutshort_reader::{DatagramReading, ImportTotal, Importing, SIMULATED};
use cutshort_store::{DataDir, Store};
use cutshort_verdict::DataSet;

use crate::error::{Done, Error};
use crate::options::{AddressOptions, Data, DataSetOption, Ends, GeoFiles, Inputs, open_geo};
use crate::settings::Settings;
use crate::stopping::stop_on_signals;
use crate::terminal::{self, message};
use crate::windows;

/// Import captures into a store
///
/// Keeps the first 10 packets (of QUIC 24) of each connection in 15 minutes, and computes the results of all
/// affected windows. Captures may come in any order, in pieces, and may overlap; importing one twice
/// changes nothing, so after an interruption run the command again. The store is created if missing.
///
/// With --origin, keeps both directions of the connections that this host opens. Only the packets after a
/// SYN belong to a connection then, so pass all pieces of one capture in one command. With --quic, keeps what
/// the rules need of UDP datagrams to --server-port (443): no payload, and connection ids only as keyed hashes.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Import {
    #[command(flatten)]
    inputs: Inputs,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    data_set: DataSetOption,
    #[command(flatten)]
    ends: Ends,
    #[command(flatten)]
    geo: GeoFiles,
    #[command(flatten)]
    kept: AddressOptions,
    /// Open the Initial packets of QUIC for acknowledgements and closes (with --quic)
    #[arg(long)]
    open_initials: bool,
    /// Key file for hashes of connection ids (with --quic), created if missing [default: quic.key in the store's directory]
    #[arg(long, value_name = "FILE")]
    quic_key: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  cutshort import --data /var/lib/cutshort captures/*.pcapng.zst
  ssh server tcpdump -w - 'tcp dst port 443' | cutshort import --data store -
  cutshort import --data store --addresses encrypted server.pcap
  cutshort import --data store --origin --client-net 192.0.2.0/28 proxy*.pcap
  cutshort import --data store --quic server.pcap
  cutshort import --store clickhouse://cutshort@db/cutshort --quic --quic-key quic.key server.pcap";

pub(crate) fn run(arguments: &Import, color: ColorChoice) -> Result<Done, Error> {
    let files = arguments.inputs.paths()?;
    let geo = open_geo(&arguments.geo.geo)?;
    let reading = Reading::default();
    stop_on_signals(&reading)?;
    let store = arguments.data.open()?;
    let store = store.of(arguments.data_set.data_set())?;
    let privacy = &mut arguments.kept.privacy(arguments.data.in_folder(), &geo)?;
    if privacy.addresses() == Addresses::Full && !store.status()?.protected.is_empty() {
        message(
            &"the store has protected addresses, and those of these captures are kept in full (--addresses)",
        );
    }
    let mut progress = Progress::new(&files);
    let tick = |records: u64| progress.tick(records, &reading);
    let selection = arguments.ends.selection(store.data_set());
    let total = Importing {
        store,
        outer_only: arguments.inputs.outer,
        meant: &|five_tuple| selection.has(five_tuple),
        privacy,
        datagrams: datagrams(arguments)?,
        reading: &reading,
        tick,
        say: |text: &str| message(&text),
    }
    .run(&files)?;
    progress.finish();
    total.input.future_note().iter().for_each(message);
    if reading.is_stopped() {
        message(&"interrupted: what was read so far is kept; run this again to continue");
        return Ok(Done::InPart);
    }
    let report = windows::compute(&reading, |each| {
        WindowJob::default().run_due(store, &geo.current(), Due::All, each)
    })?;
    let done = windows::report_problems(&report);
    windows::find_events(&reading, store)?;
    if total.input.records > 0 {
        terminal::print(color, |text| write(text, &total, &report, store, arguments))?;
    }
    Ok(done.and(!total.in_part))
}

/// How datagrams of the data set `quic` are read.
fn datagrams(arguments: &Import) -> Result<Option<DatagramReading>, Error> {
    if arguments.data_set.data_set() != DataSet::Quic {
        return match (arguments.open_initials, &arguments.quic_key) {
            (true, _) => Err(Error::Usage("--open-initials is for --quic".to_owned())),
            (_, Some(_)) => Err(Error::Usage("--quic-key is for --quic".to_owned())),
            (false, None) => Ok(None),
        };
    }
    let path = match (&arguments.quic_key, arguments.data.in_folder()) {
        (Some(path), _) => path.clone(),
        (None, Some(folder)) => DataDir::new(folder).quic_key(),
        (None, None) => {
            return Err(Error::Usage(
                "name a file with the key for hashes of connection ids (it is made if it is missing): --quic-key FILE".to_owned(),
            ));
        }
    };
    let (key, _) = AddressKey::open(&path)?;
    let (ports, open_initials) = (arguments.ends.quic_ports()?, arguments.open_initials);
    if ports != ServerPorts::default() {
        message(
            &"a store does not keep --server-port: where neither port is 443, or both are, the client is the end whose Initial came first",
        );
    }
    Ok(Some(DatagramReading { ports, key: key.hash_key(), open_initials }))
}

/// What was done, and what to do next.
fn write(
    text: &mut Vec<u8>,
    total: &ImportTotal,
    report: &Report,
    store: &dyn Store,
    arguments: &Import,
) -> Result<(), Error> {
    let (data, data_set) = (arguments.data.flag(), arguments.data_set.flag());
    let ImportTotal { files, input, imported, simulated, .. } = total;
    if *simulated {
        writeln!(text, "{SIMULATED}")?;
    }
    let Some((first, last)) = input.span() else { return Ok(()) };
    let (files, records) = (quantity(*files, "capture"), quantity(input.records, "record"));
    writeln!(text, "{files}, {records}, {} to {} UTC", date_time(first), until(first, last))?;
    writeln!(text, "{}", total.kept())?;
    writeln!(text, "{} computed", quantity(report.done, "window"))?;
    let (from, to) = (rfc3339(Window::containing(first).start()), rfc3339(Window::containing(last).end()));
    let counts = store.status()?.counts;
    let connections = quantity(counts.connections, "connection");
    writeln!(
        text,
        "The store has {connections}. Now try\n  cutshort query summary {data}{data_set} --from {from} --to {to}\n  \
         cutshort serve {data}\nwhich shows them on\n  {}",
        page::address(Settings::default().http.listen, &page::between(store.data_set(), &(first..last)))
    )?;
    if imported.new > 0 {
        let name = SegmentName::Import(total.ran.0, total.ran.1);
        writeln!(text, "To undo this import\n  cutshort store forget {data} {name}")?;
    }
    Ok(())
}

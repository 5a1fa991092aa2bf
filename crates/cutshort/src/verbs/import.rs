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
use cutshort_reader::{DatagramReading, ImportTotal, Importing, SIMULATED, Target};
use cutshort_report::InputCount;
use cutshort_store::{DataDir, Store};
use cutshort_verdict::DataSet;

use crate::error::{Done, Error};
use crate::options::{AddressOptions, Data, DataSetsOption, Ends, GeoFiles, Inputs, flag_of, open_geo};
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
///
/// --dataset tcp,quic reads the captures once for several data sets, and keeps for each what an import of its
/// own would keep.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Import {
    #[command(flatten)]
    inputs: Inputs,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    data_sets: DataSetsOption,
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
  ssh server tcpdump -w - | cutshort import --data store --dataset tcp,quic -
  cutshort import --store clickhouse://cutshort@db/cutshort --quic --quic-key quic.key server.pcap";

pub(crate) fn run(arguments: &Import, color: ColorChoice) -> Result<Done, Error> {
    let files = arguments.inputs.paths()?;
    let geo = open_geo(&arguments.geo.geo)?;
    let reading = Reading::default();
    stop_on_signals(&reading)?;
    let store = arguments.data.open()?;
    let targets = targets(arguments, store.as_ref())?;
    let stores: Vec<_> = targets.iter().map(|target| target.store).collect();
    let privacy = &arguments.kept.privacy(arguments.data.in_folder(), &geo)?;
    warn_of_full_addresses(privacy.addresses(), &stores)?;
    let mut progress = Progress::new(&files);
    let tick = |records: u64| progress.tick(records, &reading);
    let total = Importing {
        targets,
        outer_only: arguments.inputs.outer,
        privacy,
        reading: &reading,
        tick,
        say: |text: &str| message(&text),
    }
    .run(&files)?;
    progress.finish();
    total.input().and_then(InputCount::future_note).iter().for_each(message);
    if reading.is_stopped() {
        message(&"interrupted: what was read so far is kept; run this again to continue");
        return Ok(Done::InPart);
    }
    let report = windows::compute(&reading, |each| {
        WindowJob::default().run_due(store.as_ref(), &geo.current(), Due::All, each)
    })?;
    let done = windows::report_problems(&report);
    windows::find_events(&reading, store.as_ref())?;
    if total.input().is_some_and(|input| input.records > 0) {
        terminal::print(color, |text| write(text, &total, &report, &stores, arguments))?;
    }
    Ok(done.and(!total.in_part))
}

/// What the captures are read for.
fn targets<'a>(arguments: &Import, store: &'a dyn Store) -> Result<Vec<Target<'a>>, Error> {
    let datagrams = datagrams(arguments)?;
    let target = |data_set| {
        let selection = arguments.ends.selection(data_set);
        Ok(Target {
            store: store.of(data_set)?,
            meant: Box::new(move |five_tuple| selection.has(five_tuple)),
            datagrams: datagrams.filter(|_| data_set == DataSet::Quic),
        })
    };
    arguments.data_sets.data_sets().into_iter().map(target).collect()
}

fn warn_of_full_addresses(kept: Addresses, stores: &[&dyn Store]) -> Result<(), Error> {
    for store in stores {
        if kept == Addresses::Full && !store.status()?.protected.is_empty() {
            message(
                &"the store has protected addresses, and those of these captures are kept in full (--addresses)",
            );
            return Ok(());
        }
    }
    Ok(())
}

/// How datagrams of the data set `quic` are read.
fn datagrams(arguments: &Import) -> Result<Option<DatagramReading>, Error> {
    if !arguments.data_sets.data_sets().contains(&DataSet::Quic) {
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
    stores: &[&dyn Store],
    arguments: &Import,
) -> Result<(), Error> {
    let data = arguments.data.flag();
    if total.simulated {
        writeln!(text, "{SIMULATED}")?;
    }
    let Some((input, (first, last))) = total.input().and_then(|input| Some((input, input.span()?))) else {
        return Ok(());
    };
    let (files, records) = (quantity(total.files, "capture"), quantity(input.records, "record"));
    writeln!(text, "{files}, {records}, {} to {} UTC", date_time(first), until(first, last))?;
    for kept in &total.kept {
        writeln!(text, "{}{}", name_among(kept.data_set, stores), kept.describe())?;
    }
    writeln!(text, "{} computed", quantity(report.done, "window"))?;
    let (from, to) = (rfc3339(Window::containing(first).start()), rfc3339(Window::containing(last).end()));
    writeln!(text, "The store has {}. Now try", connections(stores)?)?;
    for store in stores {
        let data_set = flag_of(store.data_set());
        writeln!(text, "  cutshort query summary {data}{data_set} --from {from} --to {to}")?;
    }
    let listen = Settings::default().http.listen;
    let data_set = stores.first().map_or(DataSet::Tcp, |store| store.data_set());
    let address = page::address(listen, &page::between(data_set, &(first..last)));
    writeln!(text, "  cutshort serve {data}\nwhich shows them on\n  {address}")?;
    if total.has_new() {
        let name = SegmentName::Import(total.ran.0, total.ran.1);
        writeln!(text, "To undo this import\n  cutshort store forget {data} {name}")?;
    }
    Ok(())
}

/// The name of a data set in front of what is said of it, if there are several.
fn name_among(data_set: DataSet, stores: &[&dyn Store]) -> String {
    if stores.len() > 1 { format!("{data_set}: ") } else { String::new() }
}

/// How many connections there are now, by data set if there are several.
fn connections(stores: &[&dyn Store]) -> Result<String, Error> {
    let mut all = Vec::new();
    for store in stores {
        let connections = quantity(store.status()?.counts.connections, "connection");
        all.push(match stores.len() {
            1 => connections,
            _ => format!("{connections} of the data set {}", store.data_set()),
        });
    }
    Ok(all.join(", "))
}

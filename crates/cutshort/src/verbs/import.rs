//! `cutshort import`: captures into a store.

use std::io::Write;
use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, ColorChoice};
use cutshort_capture::{Captures, Reading, name_of};
use cutshort_model::{Addresses, Window, date_time, grouped, nanoseconds, quantity, rfc3339, until};
use cutshort_packet::FiveTuple;
use cutshort_pipeline::{
    Arrival, Due, Imported, Importing, Privacy, Report, WindowJob, import_as, reader_clock,
};
use cutshort_report::{InputCount, ONE_DIRECTION};
use cutshort_store::Store;
use cutshort_verdict::DataSet;

use super::store::forget::import_name;
use crate::captures::{self, SIMULATED};
use crate::error::{Done, Error};
use crate::options::{AddressOptions, Data, DataSetOption, Ends, GeoFiles, Inputs, open_geo};
use crate::page;
use crate::progress::{Progress, Steps};
use crate::settings::Settings;
use crate::stopping::stop_on_signals;
use crate::terminal::{self, message};
use crate::windows;

/// Import captures into a store
///
/// Keeps the first 10 packets of each connection in 15 minutes, and computes the results of all
/// affected windows. Captures may come in any order, in pieces, and may overlap; importing one twice
/// changes nothing, so after an interruption run the command again. The store is created if missing.
///
/// With --origin, keeps both directions of the connections that this host opens. Only the packets after a
/// SYN belong to a connection then, so pass all pieces of one capture in one command.
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
}

const EXAMPLES: &str = "Examples:
  cutshort import --data /var/lib/cutshort captures/*.pcapng.zst
  ssh server tcpdump -w - 'tcp dst port 443' | cutshort import --data store -
  cutshort import --data store --addresses encrypted server.pcap
  cutshort import --data store --origin --client-net 192.0.2.0/28 proxy*.pcap";

/// What was read and kept of all captures.
#[derive(Default)]
struct Total {
    files: u64,
    input: InputCount,
    imported: Imported,
    simulated: bool,
    in_part: bool,
    /// Between which times it came in.
    ran: (i64, i64),
}

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
    let total = read(&files, arguments, store, privacy, &reading)?;
    if reading.is_stopped() {
        message(&"interrupted: what was read so far is kept; run this again to continue");
        return Ok(Done::InPart);
    }
    let job = WindowJob::default();
    let mut steps = Steps::new("windows");
    let report = job.run_due(store, &geo.current(), Due::All, &mut windows::show(&mut steps, &reading))?;
    steps.finish();
    let done = windows::report_problems(&report);
    if total.input.records > 0 {
        terminal::print(color, |text| write(text, &total, &report, store, arguments))?;
    }
    Ok(if total.in_part { Done::InPart } else { done })
}

/// Reads the captures one after the other, as what is kept of one does not depend on the others. Of connections that this
/// host opens a capture may have only the end, so then all are merged by time.
fn read(
    files: &[PathBuf],
    arguments: &Import,
    store: &dyn Store,
    privacy: &mut Privacy,
    reading: &Reading,
) -> Result<Total, Error> {
    let mut total = Total { input: InputCount::read_at(reader_clock()), ..Total::default() };
    total.ran.0 = nanoseconds(SystemTime::now());
    let mut progress = Progress::new(files);
    let together = match store.data_set() {
        DataSet::Origin => files.len(),
        _ => 1,
    };
    let selection = arguments.ends.selection();
    let meant = |five_tuple: &FiveTuple| selection.has(five_tuple);
    let importing = Importing { meant: &meant, ..Importing::all(store.data_set()) };
    for files in files.chunks(together.max(1)) {
        if !reading.is_stopped() {
            one(files, &importing, store, privacy, reading, &mut progress, &mut total)?;
        }
    }
    progress.finish();
    total.ran.1 = nanoseconds(SystemTime::now());
    total.input.future_note().iter().for_each(message);
    Ok(total)
}

/// Reads one capture, or several as one.
fn one(
    files: &[PathBuf],
    importing: &Importing<'_>,
    store: &dyn Store,
    privacy: &mut Privacy,
    reading: &Reading,
    progress: &mut Progress,
    total: &mut Total,
) -> Result<(), Error> {
    let mut captures = Captures::open(files, reading);
    let mut input = InputCount::read_at(reader_clock());
    let before = total.input.records;
    let records = Records {
        captures: &mut captures,
        with_errors: importing.rules.data_set == DataSet::Origin,
        input: &mut input,
        before,
        progress,
        reading,
        begun: false,
    };
    let imported = import_as(store, importing, privacy, records, || !reading.is_stopped())?;
    total.imported.merge(&imported);
    input.late = imported.late;
    input.dropped = captures::dropped(&captures);
    let unread = captures.problems().iter().filter(|problem| problem.is_unreadable()).count();
    total.files += if input.records > 0 { files.len().saturating_sub(unread) as u64 } else { 0 };
    total.simulated |= captures::is_simulated(&captures);
    let done = captures::report_problems(&captures, reading).and(input.is_whole());
    total.in_part |= done == Done::InPart || imported.one_direction > 0;
    if imported.one_direction > 0 {
        message(&ONE_DIRECTION);
    }
    match files {
        [file] => {
            let name = name_of(file);
            input.sentences().iter().for_each(|sentence| message(&format!("{name}: {sentence}")));
        }
        _ => input.sentences().iter().for_each(message),
    }
    total.input.merge(&input);
    Ok(())
}

/// The records of a capture, which are counted on the way.
struct Records<'a> {
    captures: &'a mut Captures,
    /// Whether ICMP errors are wanted.
    with_errors: bool,
    input: &'a mut InputCount,
    /// Records of the captures before.
    before: u64,
    progress: &'a mut Progress,
    reading: &'a Reading,
    begun: bool,
}

impl Iterator for Records<'_> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        if std::mem::replace(&mut self.begun, true) {
            self.captures.advance();
        }
        let record = self.captures.record()?;
        let simulated = self.captures.application() == Some(cutshort_simulate::APPLICATION);
        let ts = record.frame.ts;
        let (packet, unreachable) = match self.with_errors {
            true => captures::parse_both(record, self.input),
            false => (captures::parse(record, self.input), None),
        };
        let arrival = Arrival { ts, packet, unreachable, simulated };
        self.progress.tick(self.before + self.input.records, self.reading);
        Some(arrival)
    }
}

fn kept(imported: &Imported) -> String {
    let packets = quantity(imported.packets, "packet");
    let (new, known) = (quantity(imported.new, "new segment"), grouped(imported.known));
    match (imported.new, imported.known) {
        _ if imported.packets == 0 => "no TCP packet was kept".to_owned(),
        (_, 0) => format!("{packets} kept in {new}"),
        (0, _) => format!("nothing new: all its {packets} were there already"),
        _ => format!("{packets} kept, in {new} and {known} that were there already"),
    }
}

/// What was done, and what to do next.
fn write(
    text: &mut Vec<u8>,
    total: &Total,
    report: &Report,
    store: &dyn Store,
    arguments: &Import,
) -> Result<(), Error> {
    let data = format!("{}{}", arguments.data.flag(), arguments.data_set.flag());
    let Total { files, input, imported, simulated, .. } = total;
    if *simulated {
        writeln!(text, "{SIMULATED}")?;
    }
    let Some((first, last)) = input.span() else { return Ok(()) };
    let (files, records) = (quantity(*files, "capture"), quantity(input.records, "record"));
    writeln!(text, "{files}, {records}, {} to {} UTC", date_time(first), until(first, last))?;
    writeln!(text, "{}", kept(imported))?;
    writeln!(text, "{} computed", quantity(report.done, "window"))?;
    let (from, to) = (rfc3339(Window::containing(first).start()), rfc3339(Window::containing(last).end()));
    let counts = store.status()?.counts;
    let connections = quantity(counts.connections, "connection");
    writeln!(
        text,
        "The store has {connections}. Now try\n  cutshort query summary {data} --from {from} --to {to}\n  \
         cutshort serve {data}\nwhich shows them on\n  {}",
        page::address(Settings::default().http.listen, &page::between(&(first..last)))
    )?;
    if imported.new > 0 {
        let name = import_name(total.ran.0, total.ran.1);
        writeln!(text, "To undo this import\n  cutshort store forget {data} {name}")?;
    }
    Ok(())
}

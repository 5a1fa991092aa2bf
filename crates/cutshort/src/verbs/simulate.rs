//! `cutshort simulate`.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use cutshort_console::Output;
use cutshort_model::grouped;
use cutshort_settings::values::{count, duration, rate, start};
use cutshort_simulate::{CaptureKind, CaptureSettings, SimulatedCapture, World};
use jiff::SignedDuration;

use crate::error::{Done, Error};
use crate::terminal::{is_terminal, message};

/// Write a capture of a simulated internet
///
/// For demonstrations and tests: countries, networks, scanners, filters and shutdowns are invented,
/// and the same seed gives the same packets. The capture is marked as simulated.
#[derive(Args)]
pub(crate) struct Simulate {
    /// Capture to write (pcapng); '-' is standard output
    ///
    /// The simulated networks are written beside it as a file for 'classify --geo', with the extension
    /// .geo.csv instead of its own.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Connections that proxies open to servers (data set 'origin'), in both directions
    ///
    /// Some servers refuse, hang, close without an answer or cut their answers off. Without it: connections of
    /// clients, in one direction.
    #[arg(long, conflicts_with = "quic")]
    origin: bool,
    /// QUIC connections of clients (data set 'quic'): their datagrams to port 443
    ///
    /// Some get no answer, lose what follows their first datagram, or are not confirmed; scanners ask for versions, and
    /// a flood has forged sources. Packets are not encrypted: where there would be ciphertext, there are random bytes.
    #[arg(long)]
    quic: bool,
    /// Start of the capture (UTC), rounded down to 15 minutes
    #[arg(long, value_name = "TIME", default_value = "2026-01-05T00:00:00Z", value_parser = start)]
    start: jiff::Timestamp,
    /// Duration, rounded up to 15 minutes
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    duration: SignedDuration,
    /// Mean number of new connections per second
    #[arg(long, value_name = "CONNECTIONS", default_value_t = 20.0, value_parser = rate)]
    rate: f64,
    /// Seed of the random numbers
    #[arg(long, default_value_t = 1, value_parser = count::<u64>)]
    seed: u64,
    /// Bytes to keep of each packet; 0 keeps all
    #[arg(long, value_name = "BYTES", default_value_t = 0, value_parser = count::<u32>)]
    snaplen: u32,
}

pub(crate) fn run(arguments: &Simulate) -> Result<Done, Error> {
    let to_stdout = arguments.output == Path::new("-");
    if to_stdout && is_terminal() {
        return Err(Error::Usage("a capture is not for terminals: name a file, or pipe it on".to_owned()));
    }
    if arguments.duration.is_zero() {
        return Err(Error::Usage(
            "a capture of no time has no packets: give a --duration, such as 1h".to_owned(),
        ));
    }
    let world = World::standard();
    let geo_csv = world.geo_csv();
    let (kind, data_set) = match (arguments.origin, arguments.quic) {
        (true, _) => (CaptureKind::Upstreams, "--origin "),
        (_, true) => (CaptureKind::Quic, "--quic "),
        _ => (CaptureKind::Clients, ""),
    };
    let (from_ns, to_ns) = range(arguments)?;
    let settings = CaptureSettings { kind, from_ns, to_ns, rate: arguments.rate, seed: arguments.seed };
    let capture =
        SimulatedCapture::new(world, &settings).map_err(|why| Error::Usage(format!("--rate is {why}")))?;
    let (packets, output) = capture.write(Output::create(Some(&arguments.output))?, arguments.snaplen)?;
    output.finish()?;
    // Not beside pipes and devices.
    if to_stdout || !arguments.output.is_file() {
        return Ok(Done::Whole);
    }
    let geo = arguments.output.with_extension("geo.csv");
    write_geo(&geo_csv, &geo)?;
    let (packets, capture, geo) = (grouped(packets), arguments.output.display(), geo.display());
    message(&format!(
        "{packets} simulated packets are in {capture}, their made-up networks in {geo}. Now try\n  cutshort classify {data_set}--geo {geo} {capture}"
    ));
    Ok(Done::Whole)
}

/// The first and the last nanosecond since the Unix epoch.
fn range(arguments: &Simulate) -> Result<(i64, i64), Error> {
    let out_of_range = |_| {
        Error::Usage("--start or --duration is out of range: years 1970 to 2200 are simulated".to_owned())
    };
    let from = i64::try_from(arguments.start.as_nanosecond()).map_err(out_of_range)?;
    let duration = i64::try_from(arguments.duration.as_nanos()).map_err(out_of_range)?;
    Ok((from, from.saturating_add(duration)))
}

fn write_geo(csv: &str, path: &Path) -> Result<(), Error> {
    let mut output = Output::create(Some(path))?;
    output.write_all(csv.as_bytes())?;
    Ok(output.finish()?)
}

//! `cutshort simulate`.

use std::io::Write;
use std::path::Path;

use cutshort_model::grouped;
use cutshort_simulate::{PcapngWriter, Simulation, World};

use crate::arguments::Simulate;
use crate::error::{Done, Error};
use crate::output::Output;
use crate::terminal::{is_terminal, message};

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
    let simulation = simulation(arguments)?;
    let packets = grouped(write_capture(arguments, &simulation)?);
    // Not beside pipes and devices.
    if to_stdout || !arguments.output.is_file() {
        return Ok(Done::Whole);
    }
    let capture = &arguments.output;
    let geo = capture.with_extension("geo.csv");
    write_geo(&simulation, &geo)?;
    let (capture, geo) = (capture.display(), geo.display());
    message(&format!(
        "{packets} simulated packets are in {capture}, their made-up networks in {geo}. Now try\n  cutshort classify --geo {geo} {capture}"
    ));
    Ok(Done::Whole)
}

fn simulation(arguments: &Simulate) -> Result<Simulation, Error> {
    let out_of_range = |_| {
        Error::Usage("--start or --duration is out of range: years 1970 to 2200 are simulated".to_owned())
    };
    let from = i64::try_from(arguments.start.as_nanosecond()).map_err(out_of_range)?;
    let duration = i64::try_from(arguments.duration.as_nanos()).map_err(out_of_range)?;
    let to = from.saturating_add(duration);
    Ok(Simulation::new(World::standard(), from, to, arguments.rate, arguments.seed).whole_connections())
}

fn write_capture(arguments: &Simulate, simulation: &Simulation) -> Result<u64, Error> {
    let output = Output::create(Some(&arguments.output))?;
    let mut capture = PcapngWriter::new(output, arguments.snaplen)?;
    let mut count = 0;
    for packet in simulation.packets() {
        capture.write(&packet)?;
        count += 1;
    }
    capture.into_inner()?.finish()?;
    Ok(count)
}

fn write_geo(simulation: &Simulation, path: &Path) -> Result<(), Error> {
    let mut output = Output::create(Some(path))?;
    output.write_all(simulation.world().geo_csv().as_bytes())?;
    output.finish()
}

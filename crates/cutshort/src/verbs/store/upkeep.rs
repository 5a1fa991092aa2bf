//! `cutshort store verify` and `cutshort store repair`: whether a store is whole, and making it whole again.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ColorChoice};
use cutshort_capture::Reading;
use cutshort_console::Steps;
use cutshort_embedded::{Embedded, Remedy};
use cutshort_model::{quantity, rfc3339};
use cutshort_pipeline::{Due, WindowJob, stores};
use cutshort_store::Impaired;

use crate::backends::open_folder;
use crate::error::{Done, Error};
use crate::options::GeoFiles;
use crate::stopping::{self, stop_on_signals};
use crate::terminal::{self, message};
use crate::windows;

/// Read everything in a store and report damage
///
/// Reads all packets, all connections and the databases, compares them with their checksums and with
/// each other, and reports what is damaged or missing and how to fix it. Nothing is changed, and
/// 'cutshort serve' may keep running. The exit code is 1 if anything is wrong.
#[derive(Args)]
#[command(after_long_help = VERIFY_EXAMPLES)]
pub(crate) struct Verify {
    /// Directory of the store
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

const VERIFY_EXAMPLES: &str = "Examples:
  cutshort store verify --data /var/lib/cutshort";

/// Repair a damaged store
///
/// Moves damaged databases to the store's directory 'damaged' and rebuilds them from packets,
/// connections and whatever the old database still yields. Moves damaged packet and connection files
/// there, too, and recomputes the windows that it can. Reports what was lost. Stop 'cutshort serve'
/// first.
#[derive(Args)]
#[command(after_long_help = REPAIR_EXAMPLES)]
pub(crate) struct Repair {
    /// Directory of the store
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    geo: GeoFiles,
}

const REPAIR_EXAMPLES: &str = "Examples:
  systemctl stop cutshort-server; cutshort store repair --data /var/lib/cutshort";

pub(crate) fn verify(arguments: &Verify, color: ColorChoice) -> Result<Done, Error> {
    let reading = Reading::default();
    stop_on_signals(&reading)?;
    let mut steps = Steps::new("files");
    let verified = Embedded::verify(&arguments.data, &mut stopping::steps(&mut steps, &reading))?;
    steps.finish();
    terminal::print(color, |text| {
        write!(text, "{verified}")?;
        if verified.needs(Remedy::Repair) {
            let data = arguments.data.display();
            writeln!(
                text,
                "To repair it, end 'cutshort serve' and run 'cutshort store repair --data {data}'. It sets damaged files aside and computes again what can be computed."
            )?;
        }
        if verified.needs(Remedy::Again) {
            writeln!(
                text,
                "Packets that are damaged come back by importing their captures again, or from a backup (docs/operating.md)."
            )?;
        }
        Ok(())
    })?;
    if verified.interrupted {
        message(&"interrupted: not all was read");
    }
    Ok(Done::Whole.and(verified.is_whole()))
}

pub(crate) fn repair(arguments: &Repair, color: ColorChoice) -> Result<Done, Error> {
    let geo = arguments.geo.open()?;
    let reading = Reading::default();
    stop_on_signals(&reading)?;
    let mut repaired = Embedded::repair(&arguments.data)?;
    let store = open_folder(&arguments.data)?;
    let mut steps = Steps::new("files");
    let aside = store.set_damaged_aside(&mut stopping::steps(&mut steps, &reading))?;
    steps.finish();
    let Some(files) = aside else {
        message(&"interrupted: run this again to continue");
        return Ok(Done::InPart);
    };
    repaired.files = files;
    let report =
        windows::compute(&reading, |each| WindowJob::default().run_due(&store, &geo, Due::All, each))?;
    let done = windows::report_problems(&report);
    windows::find_events(&reading, &store)?;
    let mut impaired = Vec::new();
    for store in stores(&store)? {
        impaired.extend(store.status()?.impaired);
    }
    terminal::print(color, |text| {
        write!(text, "{repaired}")?;
        writeln!(text, "{} computed", quantity(report.done, "window"))?;
        for Impaired { window, how } in &impaired {
            writeln!(text, "the window of {}: {}", rfc3339(window.start()), how.about())?;
        }
        Ok(())
    })?;
    Ok(done.and(repaired.lost.is_empty() && impaired.is_empty()))
}

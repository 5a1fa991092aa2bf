//! `cutshort store verify` and `cutshort store repair`: whether a store is whole, and making it whole again.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ColorChoice};
use cutshort_capture::Reading;
use cutshort_embedded::{Embedded, Finding, Remedy, Repaired, Verified};
use cutshort_model::{quantity, rfc3339};
use cutshort_pipeline::{Due, WindowJob};
use cutshort_store::{Store, StoreError};

use crate::backends::{held, open_folder};
use crate::error::{Done, Error};
use crate::options::GeoFiles;
use crate::progress::Steps;
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
    terminal::print(color, |text| write_verified(text, &verified, &arguments.data))?;
    if verified.interrupted {
        message(&"interrupted: not all was read");
    }
    Ok(if verified.findings.is_empty() && !verified.interrupted { Done::Whole } else { Done::InPart })
}

fn write_verified(text: &mut Vec<u8>, verified: &Verified, data: &Path) -> Result<(), Error> {
    let Verified { segments, packets, windows, connections, findings, .. } = verified;
    writeln!(
        text,
        "read: {} with {}, {} with {}",
        quantity(*segments, "segment"),
        quantity(*packets, "packet"),
        quantity(*windows, "window"),
        quantity(*connections, "connection")
    )?;
    for Finding { name, why, .. } in findings {
        writeln!(text, "{name}: {why}")?;
    }
    if findings.is_empty() && !verified.interrupted {
        writeln!(text, "nothing is damaged")?;
    }
    let needs = |remedy| findings.iter().any(|finding| finding.remedy == remedy);
    if needs(Remedy::Repair) {
        let data = data.display();
        writeln!(
            text,
            "To repair it, end 'cutshort serve' and run 'cutshort store repair --data {data}'. It sets damaged files aside and computes again what can be computed."
        )?;
    }
    if needs(Remedy::Again) {
        writeln!(
            text,
            "Packets that are damaged come back by importing their captures again, or from a backup (docs/operating.md)."
        )?;
    }
    Ok(())
}

pub(crate) fn repair(arguments: &Repair, color: ColorChoice) -> Result<Done, Error> {
    let geo = arguments.geo.open()?;
    let reading = Reading::default();
    stop_on_signals(&reading)?;
    let repaired = match Embedded::repair(&arguments.data) {
        Err(StoreError::Locked(who)) => return Err(held(&who)),
        repaired => repaired?,
    };
    let store = open_folder(&arguments.data)?;
    let mut steps = Steps::new("files");
    let aside = store.set_damaged_aside(&mut stopping::steps(&mut steps, &reading))?;
    steps.finish();
    let Some(files) = aside else {
        message(&"interrupted: run this again to continue");
        return Ok(Done::InPart);
    };
    let report =
        windows::compute(&reading, |each| WindowJob::default().run_due(&store, &geo, Due::All, each))?;
    let done = windows::report_problems(&report);
    terminal::print(color, |text| {
        write_repaired(text, &repaired, files)?;
        writeln!(text, "{} computed", quantity(report.done, "window"))?;
        write_left(text, &store)
    })?;
    let is_whole = repaired.lost.is_empty() && store.status()?.impaired.is_empty();
    Ok(if is_whole { done } else { Done::InPart })
}

fn write_repaired(text: &mut Vec<u8>, repaired: &Repaired, files: u64) -> Result<(), Error> {
    let Repaired { aside, lost, segments, windows, annotations } = repaired;
    if aside.is_empty() && *segments == 0 && files == 0 {
        writeln!(text, "nothing is damaged that was not set aside before")?;
    }
    for name in aside {
        writeln!(text, "set aside: {name}")?;
    }
    if files > 0 {
        writeln!(text, "set aside: {} of packets or connections", quantity(files, "file"))?;
    }
    if *segments + *windows > 0 {
        let (segments, windows) = (quantity(*segments, "segment"), quantity(*windows, "window"));
        writeln!(text, "a new database has {segments}, and the results of {windows} as they were")?;
    }
    if *annotations > 0 {
        writeln!(text, "{} kept", quantity(*annotations, "annotation"))?;
    }
    for what in lost {
        writeln!(text, "lost: {what}")?;
    }
    Ok(())
}

/// What is still not as it should be.
fn write_left(text: &mut Vec<u8>, store: &dyn Store) -> Result<(), Error> {
    for impaired in store.status()?.impaired {
        writeln!(text, "the window of {}: {}", rfc3339(impaired.window.start()), impaired.how.about())?;
    }
    Ok(())
}

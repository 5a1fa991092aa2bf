//! `cutshort recompute`: the results of a store's windows once more.

use std::io::Write;

use clap::{Args, ColorChoice};
use cutshort_capture::Reading;
use cutshort_model::quantity;
use cutshort_pipeline::{Share, WindowJob};

use crate::backends::check_worker;
use crate::error::{Done, Error};
use crate::options::{Data, GeoFiles, TimeRange};
use crate::stopping::stop_on_signals;
use crate::{terminal, windows};

/// Recompute results from stored packets
///
/// Use it after an update with other rules or tags, or with other geo data. Windows whose packets were
/// deleted keep their results.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Recompute {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    time: TimeRange,
    /// Only this worker's share of the windows, such as 2/3, where several workers recompute one ClickHouse
    /// store; if one fails, run it again
    #[arg(long, value_name = "I/N", default_value_t)]
    worker: Share,
    #[command(flatten)]
    geo: GeoFiles,
}

const EXAMPLES: &str = "Examples:
  cutshort recompute --data /var/lib/cutshort --from -2d --to now
  cutshort recompute --data store --from 2026-01-05 --to 2026-01-06 --geo my.mmdb";

pub(crate) fn run(arguments: &Recompute, color: ColorChoice) -> Result<Done, Error> {
    let range = arguments.time.windows()?;
    check_worker(arguments.worker, arguments.data.in_folder().is_none())?;
    let geo = arguments.geo.open()?;
    let store = arguments.data.open_existing()?;
    let reading = Reading::default();
    stop_on_signals(&reading)?;
    let report = windows::compute(&reading, |each| {
        WindowJob::default().recompute(store.as_ref(), &geo, range, arguments.worker, each)
    })?;
    let done = windows::report_problems(&report);
    windows::find_events(&reading, store.as_ref())?;
    terminal::print(color, |text| {
        writeln!(text, "{} computed", quantity(report.done, "window"))?;
        if report.kept > 0 {
            let kept = quantity(report.kept, "window");
            writeln!(text, "{kept} left as before: their packets are not all there any more")?;
        }
        Ok(())
    })?;
    Ok(done)
}

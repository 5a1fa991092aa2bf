//! `cutshort store copy`: a store into another.

use std::io::Write;
use std::path::Path;

use clap::{Args, ColorChoice};
use cutshort_capture::Reading;
use cutshort_clickhouse::{Address, ClickHouse};
use cutshort_console::Steps;
use cutshort_embedded::Embedded;
use cutshort_model::{grouped, quantity};
use cutshort_pipeline::{Compared, Copying};
use cutshort_settings::store_address;
use cutshort_store::Movable;

use crate::backends::open_folder;
use crate::error::{Done, Error};
use crate::stopping::{self, stop_on_signals};
use crate::terminal::{self, message};

/// Copy a store into another
///
/// Copies packets, connections, counts and annotations between directories and ClickHouse databases, in
/// any direction. What the target already has is skipped, so after an interruption run it again. At the
/// end both stores are read and compared. The source is not changed.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Copy {
    /// Source: a directory, or clickhouse://USER@HOST:8123/DATABASE
    #[arg(long, value_name = "DIR|URL")]
    from: String,
    /// Target; a directory is created if missing
    #[arg(long, value_name = "DIR|URL")]
    to: String,
}

const EXAMPLES: &str = "Examples:
  cutshort store copy --from /var/lib/cutshort --to clickhouse://cutshort@db:8123/cutshort
  cutshort store copy --from clickhouse://cutshort@db:8123/cutshort --to backup";

pub(crate) fn run(arguments: &Copy, color: ColorChoice) -> Result<Done, Error> {
    refuse_same(&arguments.from, &arguments.to)?;
    let reading = Reading::default();
    stop_on_signals(&reading)?;
    let from = open_reader(&arguments.from)?;
    let to = open_writer(&arguments.to)?;
    let (from_name, to_name) = (name(&arguments.from), name(&arguments.to));
    let mut copying = Copying::new(from.as_ref(), to.as_ref())?;
    if copying.is_empty() {
        return Err(Error::Failed(format!("{from_name} is empty: nothing to copy")));
    }
    tell_of_others(&copying, &to_name)?;
    let mut steps = Steps::new("steps of copying");
    let copied = copying.run(&mut stopping::steps(&mut steps, &reading))?;
    steps.finish();
    if copied.interrupted {
        message(&"interrupted: what was copied so far is kept; run this again to continue");
        return Ok(Done::InPart);
    }
    let mut steps = Steps::new("steps of comparing");
    let compared = copying.compare(&mut stopping::steps(&mut steps, &reading))?;
    steps.finish();
    terminal::print(color, |text| {
        write!(text, "{copied}")?;
        if !compared.interrupted && compared.differences.is_empty() {
            writeln!(text, "{compared}")?;
        }
        Ok(())
    })?;
    judge(&compared, &to_name)
}

fn is_address(place: &str) -> bool {
    place.contains("://")
}

fn refuse_same(from: &str, to: &str) -> Result<(), Error> {
    let is_same = match (is_address(from), is_address(to)) {
        (true, true) => store_address(from)?.is_same_database(&store_address(to)?),
        (false, false) => {
            let (from, to) = (Path::new(from), Path::new(to));
            from == to
                || from.canonicalize().ok().is_some_and(|from| to.canonicalize().is_ok_and(|to| from == to))
        }
        _ => false,
    };
    if is_same {
        return Err(Error::Usage(format!("--from and --to are the same store, {}", name(from))));
    }
    Ok(())
}

fn open_reader(place: &str) -> Result<Box<dyn Movable>, Error> {
    match is_address(place) {
        true => Ok(Box::new(ClickHouse::open(&store_address(place)?)?)),
        false => Ok(Box::new(Embedded::open_reader(Path::new(place))?)),
    }
}

fn open_writer(place: &str) -> Result<Box<dyn Movable>, Error> {
    match is_address(place) {
        true => Ok(Box::new(ClickHouse::open(&store_address(place)?)?)),
        false => Ok(Box::new(open_folder(Path::new(place))?)),
    }
}

/// What is copied, without a password.
fn name(place: &str) -> String {
    match Address::parse(place) {
        Ok(address) if is_address(place) => address.to_string(),
        _ => place.to_owned(),
    }
}

fn tell_of_others(copying: &Copying<'_>, to: &str) -> Result<(), Error> {
    let (segments, windows) = copying.foreign()?;
    if segments + windows > 0 {
        let (segments, windows) = (quantity(segments, "segment"), quantity(windows, "window"));
        message(&format!(
            "{to} has other data, too ({segments}, results of {windows}): it stays, and windows with packets of both \
             are computed again by 'cutshort serve' or 'cutshort import'"
        ));
    }
    Ok(())
}

fn judge(compared: &Compared, to: &str) -> Result<Done, Error> {
    if compared.interrupted {
        message(&"interrupted: all is copied, but not all was compared; run this again to compare it");
        return Ok(Done::InPart);
    }
    if let Some(differences) = compared.differences() {
        return Err(Error::Failed(format!("{to} differs:\n  {differences}")));
    }
    if compared.recomputed > 0 {
        let windows = quantity(compared.recomputed, "window");
        message(&format!("{windows} were recomputed in {to} meanwhile, from additional packets"));
    }
    if compared.changed > 0 {
        let changed = grouped(compared.changed);
        message(&format!(
            "segments and windows that changed at the source meanwhile: {changed}; run this again to copy them"
        ));
        return Ok(Done::InPart);
    }
    Ok(Done::Whole)
}

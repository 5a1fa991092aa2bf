//! `cutshort config`: all settings.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ColorChoice};

use crate::error::{Done, Error};
use crate::{settings, terminal};

/// Show all settings with their descriptions and values
///
/// The output is a valid settings file.
#[derive(Args)]
pub(crate) struct Config {
    /// Settings file to show; without one, the defaults
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Config, color: ColorChoice) -> Result<Done, Error> {
    let read = settings::read_all(arguments.settings.as_deref())?;
    terminal::print(color, |text| Ok(text.write_all(cutshort_settings::write(&read).as_bytes())?))?;
    Ok(Done::Whole)
}

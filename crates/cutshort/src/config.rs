//! `cutshort config`: all settings.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ColorChoice};

use crate::error::{Done, Error};
use crate::{settings, terminal};

/// Show all settings of 'serve' with what they do and what they are
///
/// The output is a settings file itself.
#[derive(Args)]
pub(crate) struct Config {
    /// Settings file to be looked at; without one the defaults are shown
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Config, color: ColorChoice) -> Result<Done, Error> {
    let read = settings::read_all(arguments.settings.as_deref())?;
    terminal::print(color, |text| Ok(text.write_all(settings::write(&read).as_bytes())?))?;
    Ok(Done::Whole)
}

//! `cutshort config`: all settings.

use std::io::Write;

use clap::{Args, ColorChoice};
use cutshort_settings::SettingsFile;

use crate::error::{Done, Error};
use crate::{settings, terminal};

/// Show all settings with their descriptions and values
///
/// The output is a valid settings file.
#[derive(Args)]
pub(crate) struct Config {
    #[command(flatten)]
    file: SettingsFile,
}

pub(crate) fn run(arguments: &Config, color: ColorChoice) -> Result<Done, Error> {
    let read = settings::checked(arguments.file.read())?;
    terminal::print(color, |text| Ok(text.write_all(cutshort_settings::write(&read).as_bytes())?))?;
    Ok(Done::Whole)
}

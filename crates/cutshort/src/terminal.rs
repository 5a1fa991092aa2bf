//! Standard output and error, and the exit code.

use std::process::ExitCode;

use clap::ColorChoice;
pub(crate) use cutshort_console::{DEFAULT_WIDTH, is_terminal, message, width, widths, without_colours};

use crate::error::{Done, Error};

/// Ends the program: 0 fine, 1 some input could not be read in full or something failed, 2 usage.
pub(crate) fn exit_code(result: Result<Done, Error>) -> ExitCode {
    match result {
        Ok(Done::Whole) | Err(Error::BrokenPipe) => ExitCode::SUCCESS,
        Ok(Done::InPart) => ExitCode::from(1),
        Err(error) => {
            message(&error);
            ExitCode::from(if matches!(error, Error::Usage(_)) { 2 } else { 1 })
        }
    }
}

/// Writes text for people to the standard output, with colours only where they are shown.
pub(crate) fn print(
    color: ColorChoice,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>,
) -> Result<(), Error> {
    let colored = match color {
        ColorChoice::Always => Some(true),
        ColorChoice::Never => Some(false),
        ColorChoice::Auto => None,
    };
    let mut text = Vec::new();
    write(&mut text)?;
    Ok(cutshort_console::print(&text, colored)?)
}

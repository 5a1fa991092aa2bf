//! Standard output and error.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anstream::AutoStream;
use anstream::adapter::strip_bytes;
use clap::ColorChoice;
use cutshort_report::Widths;

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

/// Says something beside the output. That standard error is closed is no reason to stop.
pub(crate) fn message(text: &impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "cutshort: {text}");
}

/// How wide lines are where nothing tells.
pub(crate) const DEFAULT_WIDTH: usize = 80;

/// How wide lines may be; `COLUMNS` goes before what the terminal says.
pub(crate) fn width() -> usize {
    told().or_else(|| Some(usize::from(terminal_size::terminal_size()?.0.0))).unwrap_or(DEFAULT_WIDTH)
}

/// How wide text and tables may be. Where nobody looks at a terminal, no name need be cut.
pub(crate) fn widths() -> Widths {
    let tables = if is_terminal() { Some(width()) } else { told() };
    Widths { text: width(), tables: tables.unwrap_or(usize::MAX) }
}

fn told() -> Option<usize> {
    std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok())
}

/// Writes text for people to the standard output, with colours only where they are shown.
pub(crate) fn print(
    color: ColorChoice,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut text = Vec::new();
    write(&mut text)?;
    let plain = match color {
        ColorChoice::Always => false,
        ColorChoice::Never => true,
        ColorChoice::Auto => AutoStream::choice(&io::stdout()) == anstream::ColorChoice::Never,
    };
    let text = if plain { without_colours(&text) } else { text };
    let mut stdout = io::stdout().lock();
    stdout.write_all(&text)?;
    Ok(stdout.flush()?)
}

/// The text for where colours are not shown.
pub(crate) fn without_colours(text: &[u8]) -> Vec<u8> {
    strip_bytes(text).into_vec()
}

pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

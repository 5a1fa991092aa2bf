//! Standard output and error.

use std::io::{self, IsTerminal, Write};

use anstream::AutoStream;
use anstream::adapter::strip_bytes;
use cutshort_report::Widths;

/// Says something beside the output. That standard error is closed is no reason to stop.
pub fn message(text: &impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "cutshort: {text}");
}

/// How wide lines are where nothing tells.
pub const DEFAULT_WIDTH: usize = 80;

/// How wide lines may be; `COLUMNS` goes before what the terminal says.
#[must_use]
pub fn width() -> usize {
    told().or_else(|| Some(usize::from(terminal_size::terminal_size()?.0.0))).unwrap_or(DEFAULT_WIDTH)
}

/// How wide text and tables may be. Where nobody looks at a terminal, no name need be cut.
#[must_use]
pub fn widths() -> Widths {
    let tables = if is_terminal() { Some(width()) } else { told() };
    Widths { text: width(), tables: tables.unwrap_or(usize::MAX) }
}

fn told() -> Option<usize> {
    std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok())
}

/// Writes text for people to the standard output: with its colours, without them, or by what the standard output shows.
///
/// # Errors
/// The standard output was closed.
pub fn print(text: &[u8], colored: Option<bool>) -> io::Result<()> {
    let colored =
        colored.unwrap_or_else(|| AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never);
    let plain = if colored { None } else { Some(without_colours(text)) };
    let mut stdout = io::stdout().lock();
    stdout.write_all(plain.as_deref().unwrap_or(text))?;
    stdout.flush()
}

/// The text for where colours are not shown.
#[must_use]
pub fn without_colours(text: &[u8]) -> Vec<u8> {
    strip_bytes(text).into_vec()
}

/// Whether the standard output is a terminal.
#[must_use]
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

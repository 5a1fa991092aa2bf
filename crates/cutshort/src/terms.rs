//! `cutshort explain`.

use std::io::Write;

use clap::ColorChoice;
use cutshort_report::explain;

use crate::arguments::Explain;
use crate::error::{Done, Error};
use crate::terminal;

/// Longer lines are hard to read.
const MAX_WIDTH: usize = 92;

pub(crate) fn run(arguments: &Explain, color: ColorChoice) -> Result<Done, Error> {
    let terms: Result<Vec<_>, _> = arguments.names.iter().map(|name| explain::find(name)).collect();
    let terms = terms.map_err(Error::Usage)?.concat();
    let width = terminal::width().min(MAX_WIDTH);
    terminal::print(color, |text| {
        if terms.is_empty() {
            explain::write_all(width, &mut *text)?;
        }
        for (at, term) in terms.into_iter().enumerate() {
            if at > 0 {
                writeln!(text)?;
            }
            explain::write_term(term, width, &mut *text)?;
        }
        Ok(())
    })?;
    Ok(Done::Whole)
}

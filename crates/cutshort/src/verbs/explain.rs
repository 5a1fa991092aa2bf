//! `cutshort explain`.

use std::io::Write;

use clap::{Args, ColorChoice};
use cutshort_report::explain;

use crate::error::{Done, Error};
use crate::terminal;

/// Explain a stage, tag or signature
///
/// Without a name, all of them are listed.
#[derive(Args)]
pub(crate) struct Explain {
    /// Name of a stage or tag; name or number of a signature
    #[arg(value_name = "SIGNATURE|TAG|STAGE")]
    names: Vec<String>,
}

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

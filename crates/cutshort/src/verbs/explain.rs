//! `cutshort explain`.

use std::io::Write;

use clap::{Args, ColorChoice};
use cutshort_report::explain;

use crate::error::{Done, Error};
use crate::options::DataSetOption;
use crate::terminal;

/// Explain a stage, tag, signature or pattern
///
/// Without a name, all of them are listed. Patterns are seen in many connections: flood, scan, reflection,
/// half_open, zero_window.
#[derive(Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    data_set: DataSetOption,
    /// Name of a stage, tag or pattern; name or number of a signature
    #[arg(value_name = "SIGNATURE|TAG|STAGE|PATTERN")]
    names: Vec<String>,
}

/// Longer lines are hard to read.
const MAX_WIDTH: usize = 92;

pub(crate) fn run(arguments: &Explain, color: ColorChoice) -> Result<Done, Error> {
    let set = arguments.data_set.data_set();
    let found: Result<Vec<_>, _> =
        arguments.names.iter().map(|name| explain::find_in_any(name, set)).collect();
    let found = found.map_err(Error::Usage)?;
    let terms: Vec<_> =
        found.iter().flat_map(|(set, terms)| terms.iter().map(|term| (*set, *term))).collect();
    let width = terminal::width().min(MAX_WIDTH);
    terminal::print(color, |text| {
        if terms.is_empty() {
            explain::write_all(set, width, &mut *text)?;
        }
        for (at, (set, term)) in terms.into_iter().enumerate() {
            if at > 0 {
                writeln!(text)?;
            }
            explain::write_term(term, set, width, &mut *text)?;
        }
        Ok(())
    })?;
    Ok(Done::Whole)
}

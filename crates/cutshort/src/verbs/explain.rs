//! `cutshort explain`.

use std::io::Write;

use clap::{Args, ColorChoice};
use cutshort_report::explain::{self, Term};
use cutshort_verdict::DataSet;

use crate::error::{Done, Error};
use crate::options::DataSetOption;
use crate::terminal;

/// Explain a stage, tag or signature
///
/// Without a name, all of them are listed.
#[derive(Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    data_set: DataSetOption,
    /// Name of a stage or tag; name or number of a signature
    #[arg(value_name = "SIGNATURE|TAG|STAGE")]
    names: Vec<String>,
}

/// Longer lines are hard to read.
const MAX_WIDTH: usize = 92;

pub(crate) fn run(arguments: &Explain, color: ColorChoice) -> Result<Done, Error> {
    let set = arguments.data_set.data_set();
    let terms: Result<Vec<_>, _> = arguments.names.iter().map(|name| find(name, set)).collect();
    let terms = terms.map_err(Error::Usage)?.concat();
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

/// The terms called so, and the data set in which they are: what only connections have that this host opens needs no flag.
fn find(name: &str, set: DataSet) -> Result<Vec<(DataSet, Term)>, String> {
    let of = |set| explain::find(name, set).map(|terms| terms.into_iter().map(|term| (set, term)).collect());
    of(set).or_else(|error| of(DataSet::Origin).map_err(|_| error))
}

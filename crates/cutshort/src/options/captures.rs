//! Captures to read.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::Args;

use crate::error::Error;

/// Captures to read.
#[derive(Args)]
pub(crate) struct Inputs {
    /// Capture files; '-' or none reads standard input
    #[arg(value_name = "FILES")]
    pub(crate) files: Vec<PathBuf>,
    /// Leave out packets inside tunnels and labels, such as VXLAN, GRE and MPLS
    ///
    /// Otherwise the innermost packet counts, with its addresses and ports.
    #[arg(long)]
    pub(crate) outer: bool,
}

impl Inputs {
    /// The captures to read: the standard input if none is named and something is piped into it.
    pub(crate) fn paths(&self) -> Result<Vec<PathBuf>, Error> {
        let stdin = PathBuf::from("-");
        match &self.files[..] {
            [] if io::stdin().is_terminal() => Err(Error::Usage(
                "name captures to read, or pipe one in; 'cutshort classify --help' shows how".to_owned(),
            )),
            [] => Ok(vec![stdin]),
            files if files.iter().filter(|file| **file == stdin).count() > 1 => {
                Err(Error::Usage("'-' (standard input) can be given only once".to_owned()))
            }
            files => Ok(files.to_vec()),
        }
    }
}

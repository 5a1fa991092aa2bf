//! `cutshort completions` and `cutshort man`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Command};

use crate::error::{Done, Error};

/// Print a shell completion script
#[derive(Args)]
pub(crate) struct Completions {
    /// The shell
    shell: clap_complete::Shell,
}

/// Print the manual page
#[derive(Args)]
pub(crate) struct Man {
    /// Write a page for each command into this directory instead of one to standard output
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

pub(crate) fn completions(mut command: Command, arguments: &Completions) -> Result<Done, Error> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "cutshort", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Done::Whole)
}

pub(crate) fn man(command: Command, arguments: &Man) -> Result<Done, Error> {
    match &arguments.dir {
        Some(dir) => {
            std::fs::create_dir_all(dir).map_err(|error| Error::writing(dir, &error))?;
            clap_mangen::generate_to(command, dir).map_err(|error| Error::writing(dir, &error))?;
        }
        None => clap_mangen::Man::new(command).render(&mut io::stdout())?,
    }
    Ok(Done::Whole)
}

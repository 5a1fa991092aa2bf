//! `cutshort store`: what concerns a whole store.

pub(crate) mod copy;
pub(crate) mod forget;
mod upkeep;

use clap::{ColorChoice, Subcommand};

use crate::error::{Done, Error};

/// Copy, verify and repair stores; list and remove segments
#[derive(Subcommand)]
pub(crate) enum Stores {
    Copy(copy::Copy),
    Verify(upkeep::Verify),
    Repair(upkeep::Repair),
    Segments(forget::Segments),
    Forget(forget::Forget),
}

pub(crate) fn run(arguments: &Stores, color: ColorChoice) -> Result<Done, Error> {
    match arguments {
        Stores::Copy(arguments) => copy::run(arguments, color),
        Stores::Verify(arguments) => upkeep::verify(arguments, color),
        Stores::Repair(arguments) => upkeep::repair(arguments, color),
        Stores::Segments(arguments) => forget::list(arguments, color),
        Stores::Forget(arguments) => forget::run(arguments, color),
    }
}

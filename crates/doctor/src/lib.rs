//! Finds out why no connections arrive.
//!
//! [`look`] probes the kernel, the rules, who receives, what waits, the collector and its token, clocks, geo data and
//! disks, for the agent or server that a [`Subject`] describes, and changes nothing. What it has found is a plain
//! [`Seen`]. [`checks`] turns that into a list of [`Check`]s without looking at anything else, so every check can be
//! tested from values. [`table`] and [`json`] write them.

mod check;
mod checks;
mod cure;
mod host;
mod probe;
mod reports;
mod seen;
mod show;
mod subject;
#[cfg(test)]
mod tests;
mod text;

pub use check::{Check, Status};
pub use checks::checks;
pub use probe::look;
pub use seen::{Collector, Disk, Interface, Kernel, Paths, Reported, Seen, Server, Station, Store};
pub use show::{json, table};
pub use subject::{CollectorSubject, StoreSubject, Subject};

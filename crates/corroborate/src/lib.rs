//! What other sources say about the places and times of our events.
//!
//! [`read()`] turns a file of IODA, OONI, Radar, Censored Planet or CenAlert, or any CSV, into records that a
//! store keeps ([`cutshort_store::Outside`]); the format is told from its content. [`compare()`] says for an event what each
//! source has: it [agrees, is silent, disagrees, or has no data](Opinion). Sources are never combined into one verdict.
//! `docs/events.md` describes the rules for readers. No I/O.

mod compare;
mod error;
mod fields;
mod formats;
mod found;
mod links;

use std::fmt;
use std::net::IpAddr;

use cutshort_detect::SeriesPlace;
use cutshort_model::{grouped, quantity};
use cutshort_store::OutsideRecords;

pub use compare::{Corroboration, Opinion, Said, Testimony, compare, needed};
pub use error::ReadError;
pub use found::joined;
pub use links::{Link, links};

/// What a reader has to be told.
pub struct Reading<'a> {
    /// The place of files that name none.
    pub place: Option<SeriesPlace>,
    /// The name of the source of a CSV file.
    pub source: Option<&'a str>,
    /// When the file is read, in nanoseconds since the Unix epoch.
    pub now: i64,
    /// The country and the network of an address, for files that name addresses only.
    pub locate: &'a dyn Fn(IpAddr) -> Located,
}

/// Country and network of an address.
pub type Located = (Option<[u8; 2]>, Option<u32>);

/// What was in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadFile {
    /// The format, for people: `outage events of IODA`.
    pub format: &'static str,
    /// What can be compared with events.
    pub records: OutsideRecords,
    /// What was left out, and how often, in order of names.
    pub left_out: Vec<(&'static str, u64)>,
}

/// Its format, how much it has, and how much was left out.
impl fmt::Display for ReadFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OutsideRecords { reports, series, .. } = &self.records;
        let points: usize = series.iter().map(|series| series.points.len()).sum();
        let reported = (!reports.is_empty()).then(|| quantity(reports.len() as u64, "report"));
        let measured =
            (points > 0).then(|| format!("{} in {} series", quantity(points as u64, "value"), series.len()));
        let parts: Vec<String> = reported.into_iter().chain(measured).collect();
        let what = if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") };
        write!(f, "{}: {what}", self.format)?;
        self.left_out.iter().try_for_each(|(what, count)| write!(f, "; left out: {} {what}", grouped(*count)))
    }
}

/// Checks the name of a source: it is written in lists and in addresses.
///
/// # Errors
/// What a name needs.
pub fn check_source(name: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    match (1..=32).contains(&name.len()) && name.chars().all(is_plain) {
        true => Ok(name.to_owned()),
        false => Err("write 1 to 32 of a-z, 0-9 and _, such as ground".to_owned()),
    }
}

/// Reads a file of any known format.
///
/// # Errors
/// [`ReadError`] says where, and what is wrong with it.
pub fn read(text: &str, reading: &Reading<'_>) -> Result<ReadFile, ReadError> {
    let (format, found) = formats::read(text, reading)?;
    let (records, left_out) = found.finish();
    Ok(ReadFile { format, records, left_out })
}

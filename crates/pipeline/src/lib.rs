//! The jobs that run: import, ingest, and the results of windows.
//!
//! * [`import()`] makes segments of a capture's records.
//! * [`Privacy`] takes from packets what is not to be kept of their addresses.
//! * [`GeoData`] has geo data, which a [`GeoRefresher`] reads again when its files change.
//! * [`Ingest`] takes segments that others have made.
//! * [`live`] has what records packets as they come, and delivers them.
//! * A [`WindowJob`] makes the results of windows from their packets, and replaces those of before.
//! * A [`Service`] runs the window job and retention as long as it lives.
//! * [`trace()`] shows one connection packet by packet.
//! * [`Copying`] takes everything from one store to another.
//! * [`demo`] fills a store with made-up weeks.
//!
//! All of them know the store by its trait only, and hold nothing that a crash could lose: what is
//! to be done is derived from what the store has.

mod cap;
mod copying;
mod cut;
pub mod demo;
mod gather;
mod geo_data;
mod import;
mod ingest;
mod judge;
pub mod live;
mod privacy;
mod service;
mod share;
mod trace;
mod window_job;

pub use copying::{Compared, Copied, Copying, Tally};
pub use geo_data::{GeoData, GeoRefresher, GeoState};
pub use import::{Arrival, Imported, import, import_at};
pub use ingest::{Answer, Ingest, IngestCounts};
pub use privacy::{AddressCipher, AddressKey, AddressKeyError, Privacy};
pub use service::{Service, ServiceState, Settings, Trouble};
pub use share::Share;
pub use trace::trace;
pub use window_job::{Due, Progress, Ran, Report, WindowJob};

use cutshort_verdict::ReaderClock;

/// The clock of this machine.
#[must_use]
pub const fn reader_clock() -> ReaderClock {
    ReaderClock::new(cutshort_model::now)
}

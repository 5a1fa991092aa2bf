//! The jobs: import, ingest, recording, and computing the results of windows.
//!
//! * [`import()`] makes segments of a capture's records.
//! * [`Privacy`] truncates or encrypts the addresses of packets.
//! * [`GeoData`] holds geo data, which a [`GeoRefresher`] reloads when its files change.
//! * [`Ingest`] accepts segments from other programs.
//! * [`live`] records live packets and delivers them.
//! * A [`WindowJob`] computes the results of windows from their packets.
//! * An [`EventJob`] finds events in the results.
//! * A [`Service`] runs both jobs and retention continuously.
//! * [`trace()`] shows one connection packet by packet.
//! * [`Unwanted`] segments are removed as if they had never arrived.
//! * [`Copying`] copies everything from one store to another.
//! * [`demo`] fills a store with simulated weeks.
//!
//! All of them use the store through its trait only, and have no state that a crash could lose: what must be done is
//! derived from the contents of the store. A store is that of the data set `tcp`, and jobs treat those of the [other data
//! sets](stores) alike.

mod cap;
mod copying;
mod cut;
mod data_sets;
mod datagrams;
pub mod demo;
mod events;
mod forget;
mod gather;
mod geo_data;
mod import;
mod ingest;
mod judge;
pub mod live;
mod pairs;
mod privacy;
mod row;
mod service;
mod share;
mod trace;
mod window_job;

pub use copying::{Compared, Copied, CopyCount, Copying};
pub use data_sets::stores;
pub use events::{EventJob, EventProgress, EventReport};
pub use forget::{Removed, SegmentName, SegmentNameError, Unwanted, known_segments};
pub use geo_data::{GeoData, GeoRefresher, GeoState};
pub use import::{
    Arrival, DatagramArrival, DatagramImport, Import, Imported, Importing, Meant, PacketImport, import,
    import_as, import_datagrams,
};
pub use ingest::{Ingest, IngestAnswer, IngestCounts};
pub use privacy::{AddressCipher, AddressKey, AddressKeyError, KeyFileError, Privacy};
pub use row::Row;
pub use service::{Service, ServiceState, Settings, Trouble};
pub use share::Share;
pub use trace::{StoredDatagrams, StoredTrace, trace, trace_datagrams};
pub use window_job::{Due, Ran, Report, RunProgress, WindowJob};

use cutshort_verdict::ReaderClock;

/// The clock of this machine.
#[must_use]
pub const fn reader_clock() -> ReaderClock {
    ReaderClock::new(cutshort_model::now)
}

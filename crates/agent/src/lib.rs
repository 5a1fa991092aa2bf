//! The agent: packets as they come, received, recorded and delivered.
//!
//! * A [`Station`] receives from a live source, records into a spool and delivers from there, to a collector
//!   somewhere else ([`HttpCollector`]) or in the same process.
//! * [`metrics`] tells Prometheus how it goes.
//! * A [`Notifier`] tells systemd.

mod collector;
pub mod metrics;
mod notify;
mod receiver;
mod station;

pub use collector::{HttpCollector, HttpSettings, Token};
pub use notify::Notifier;
pub use station::{Parts, Station, StationState};

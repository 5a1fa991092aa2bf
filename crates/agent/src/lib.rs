//! The agent: receives packets as they arrive, records them and delivers them.
//!
//! * A [`Capture`] is a source that was opened as an [`AgentConfig`] says, with all privileges; a [`Destination`] is where
//!   its packets go. What both need afterwards is what a sandbox must leave.
//! * A [`Station`] receives from a live source, records into a spool and delivers from there, to a collector
//!   somewhere else ([`HttpCollector`]), in the same process, or straight to a store ([`StoreCollector`]).
//! * [`metrics`] are for Prometheus.
//! * A [`Notifier`] tells systemd the state, a [`Reporter`] the report file that `cutshort doctor` reads. [`Watched`]
//!   tells all of them.

mod capture;
mod collector;
mod config;
mod destination;
mod left_out;
pub mod metrics;
mod notify;
mod receiver;
mod report;
mod station;
mod straight;
mod watch;

pub use capture::{Capture, CaptureError};
pub use collector::{HttpCollector, HttpSettings, Probe, Token};
pub use config::AgentConfig;
pub use destination::{Destination, StoreServer};
pub use notify::Notifier;
pub use report::{About, DeliveryReport, Report, Reporter, SpoolReport};
pub use station::{Parts, Station, StationState};
pub use straight::StoreCollector;
pub use watch::{Running, Watched};

//! The agent: packets as they come, received, recorded and delivered.
//!
//! * A [`Station`] receives from a live source, records into a spool and delivers from there, to a collector
//!   somewhere else ([`HttpCollector`]), in the same process, or straight to a store ([`StoreCollector`]).
//! * [`metrics`] tells Prometheus how it goes.
//! * A [`Notifier`] tells systemd, a [`Reporter`] whoever looks for what is wrong.

mod collector;
mod left_out;
pub mod metrics;
mod notify;
mod receiver;
mod report;
mod station;
mod straight;

pub use collector::{HttpCollector, HttpSettings, Probe, Token};
pub use notify::Notifier;
pub use report::{About, DeliveryReport, Report, Reporter, SpoolReport};
pub use station::{Parts, Station, StationState};
pub use straight::StoreCollector;

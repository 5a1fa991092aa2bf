//! Delivery of live packets to a store, which survives crashes, full disks and an unreachable collector.
//!
//! A [`Recorder`] writes packets to a segment in the [`Spool`], a directory of bounded size. An [`Uploader`] delivers
//! its segments to a [`Collector`], the oldest first, until each is acknowledged. None of them knows where packets
//! come from, or how segments are transferred.

mod counts;
mod incomplete;
mod names;
mod recorder;
mod spool;
mod uploader;

pub use counts::AgentCounts;
pub use incomplete::IncompleteNotes;
pub use recorder::{Recorder, RecorderCounts, RecorderSettings};
pub use spool::{Spool, SpoolCounts, SpoolState};
pub use uploader::{Collector, Delivered, Retry, Uploader, UploaderState};

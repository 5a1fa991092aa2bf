//! Live packets on their way to a store, over a crash, a full disk and a collector that is away.
//!
//! A [`Recorder`] writes packets to a segment in the [`Spool`], a folder of bounded size. A [`Uploader`] gives
//! its segments to a [`Collector`], the oldest first, until each is acknowledged. None of them knows where
//! packets come from, or how segments travel.

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

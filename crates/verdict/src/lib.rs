#![doc = include_str!("../README.md")]
//!
//! # Where to start
//!
//! * [`Tracker`] takes the packets of a capture in reading order and closes window by window. [`PacketLimiter`] picks the same
//!   packets, for programs that keep them elsewhere.
//! * [`Connections`] holds the packets of one 5-tuple and window where they come grouped, and merges such groups.
//! * Both are made of [`Split`], which separates connections on reused ports, and [`Findings`], which are what the rules
//!   take from one connection's rows. With a [`ConnectionContext`] they give an [`Outcome`]: a [`Verdict`] or an [`Exclusion`].
//! * [`Stage`], [`Termination`], [`Tag`] and [`Signature`] have names, descriptions and known causes.
//! * [`quic`] has the rules for datagrams.
//! * [`Trace`] explains a verdict packet by packet; [`WeightedCount`] adds up sampled connections and gives confidence intervals.

mod clock;
mod connection;
mod count;
mod data_set;
mod findings;
mod names;
pub mod origin;
mod packet_limiter;
pub mod quic;
mod row;
mod scanner;
mod signature;
mod split;
mod stage;
mod table;
mod tag;
mod trace;
mod tracker;
mod verdict;

pub use clock::ReaderClock;
pub use connection::{Connections, Judged};
pub use count::WeightedCount;
pub use data_set::DataSet;
pub use findings::Findings;
pub use names::Unknown;
pub use origin::OriginLimiter;
pub use packet_limiter::PacketLimiter;
pub use row::{Row, duplicates};
pub use scanner::{ZMAP_WINDOW, ZMAP4_OPTIONS};
pub use signature::{Occurrence, Signature, SignatureRule};
pub use split::{Part, Split};
pub use stage::{Exclusion, Progress, Stage, Termination};
pub use tag::{Tag, TagRule, Tags};
pub use trace::{Step, Trace};
pub use tracker::{ClosedWindow, RowCount, Tracker};
pub use verdict::{ConnectionContext, FlowContext, Outcome, Rules, Verdict};

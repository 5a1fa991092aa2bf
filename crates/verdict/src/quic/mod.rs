//! The rules of the data set `quic`: QUIC connections of clients, by the clients' datagrams (docs/quic.md).
//!
//! ```text
//! datagrams of both directions, ICMP errors
//!   │  Limiter: which of them are taken (limiter.rs)
//!   ▼
//! rows of one 5-tuple and window
//!   │  Findings: all that the rules take from them, in any order (findings.rs, facts.rs)
//!   ▼
//! Findings + Context: Verdict, or an Exclusion (judge.rs)
//! ```
//!
//! A [`Tracker`](crate::Tracker) does all of this for datagrams in reading order:
//!
//! ```
//! use cutshort_packet::FiveTuple;
//! use cutshort_packet::quic::{Datagram, Kinds};
//! use cutshort_verdict::{DataSet, Rules, Tracker};
//!
//! const SECOND: i64 = 1_000_000_000;
//! let five_tuple = FiveTuple::new([198, 51, 100, 7].into(), 40112, [203, 0, 113, 5].into(), 443);
//! let initial = Datagram {
//!     five_tuple,
//!     kinds: Kinds::INITIAL,
//!     version: 1,
//!     len: 1200,
//!     dcid: Some(1),
//!     dcid_len: 8,
//!     scid: Some(2),
//!     token: Some(Datagram::NO_TOKEN),
//!     sample_rate: 1,
//!     ..Datagram::ZERO
//! };
//!
//! let mut tracker = Tracker::new(Rules::of(DataSet::Quic));
//! for ts in [0, SECOND] {
//!     assert!(!tracker.record(ts, None), "no window is closed");
//!     tracker.add_datagram(&Datagram { ts, ..initial });
//! }
//! assert!(!tracker.record(60 * SECOND, None));
//! let mut signatures = Vec::new();
//! for window in tracker.finish() {
//!     window.for_each(|_five_tuple, outcome, _rows| signatures.push(outcome.unwrap().signature.unwrap().name()));
//! }
//! assert_eq!(signatures, ["Initial; Initial → ∅"]);
//! ```

mod facts;
mod findings;
mod judge;
mod limiter;
pub(crate) mod signatures;
mod table;
mod trace;
pub(crate) mod words;

pub use facts::{ANOTHER, CLIENT_ID, FEW, FULL_SIZE, REPEATED};
pub use findings::{Context, Findings, GONE, Other};
pub use judge::stage;
pub use limiter::Limiter;
pub(crate) use limiter::is_late;
pub use signatures::Last;
pub(crate) use table::Table;
pub use trace::{Step, Trace, datagrams};

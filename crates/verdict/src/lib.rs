//! TCP packets to connections, and connections to stage, tags, signature and evidence.
//!
//! Pure: no I/O, no clock, no allocation per packet beyond the rows that are kept. The terms are
//! those of Cloudflare's "TCP resets and timeouts" (2024) and of "Global, Passive Detection of
//! Connection Tampering" (SIGCOMM 2023, doi:10.1145/3603269.3604875), on top of RFC 9293.
//!
//! * A [`Tracker`] takes packets in reading order and rebuilds connections, window by window. Use
//!   it for captures.
//! * A [`Capper`] tells which of these packets count, for those who keep packets.
//! * [`Connections`] are the rows of one 5-tuple and window, mergeable in any order. Use them where
//!   packets come grouped. Where ports are used again, a [`Split`] tells one connection from the next.
//! * Both give [`Findings`], and these, with their [`Context`], a [`Verdict`] or an
//!   [`Exclusion`].
//! * [`Stage`], [`Termination`], [`Tag`] and [`Signature`] know their names and what is to be
//!   said of them: what was seen, and what is known to cause it.
//! * [`Trace`] shows how a verdict came about, [`Count`] adds up weighted connections.
//!
//! A verdict says what was seen, never who did it or why.

mod capper;
mod clock;
mod connection;
mod count;
mod findings;
mod names;
mod row;
mod signature;
mod split;
mod stage;
mod table;
mod tag;
mod trace;
mod tracker;
mod verdict;

pub use capper::Capper;
pub use clock::ReaderClock;
pub use connection::{Connections, Judged};
pub use count::Count;
pub use findings::Findings;
pub use names::Unknown;
pub use row::{Row, copies};
pub use signature::{Signature, SignatureRule, Times};
pub use split::{Part, Split};
pub use stage::{Exclusion, Progress, Stage, Termination};
pub use tag::{Tag, TagRule, Tags};
pub use trace::{Step, Trace};
pub use tracker::{ClosedWindow, RowCount, Tracker};
pub use verdict::{Context, Outcome, Rules, Surroundings, Verdict};

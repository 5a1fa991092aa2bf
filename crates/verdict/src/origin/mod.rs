//! The rules of the data set `origin`: the connections that this host opens to other servers (docs/origin.md).
//!
//! ```text
//! packets of both directions, ICMP errors
//!   │  Pair: which of them are rows, and of which connection (opener.rs)
//!   ▼
//! rows of one connection
//!   │  Reading: what each row means (reading.rs)
//!   ▼
//! Shape: all that the rules need (shape.rs)  ──►  Ending and Verdict (judge.rs)
//! ```

mod judge;
mod limiter;
mod opener;
mod reading;
mod shape;
mod table;
pub(crate) mod trace;
pub(crate) mod words;

pub(crate) use judge::Ending;
pub use limiter::OriginLimiter;
pub use reading::AT_ONCE;
pub use shape::SLOW;
pub(crate) use shape::{Shape, findings};
pub(crate) use table::Table;

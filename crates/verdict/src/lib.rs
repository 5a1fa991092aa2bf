//! TCP packets to connections, and connections to stage, tags, signature and evidence.
mod clock;
mod connection;
mod findings;
mod index;
mod names;
mod pool;
mod rate;
mod row;
mod signature;
mod stage;
mod table;
mod tag;
mod trace;
mod tracker;
mod verdict;

pub use connection::Connection;
pub use findings::Findings;
pub use names::Unknown;
pub use rate::Count;
pub use row::Row;
pub use signature::Signature;
pub use stage::{Exclusion, Progress, Stage, Termination};
pub use tag::{Tag, Tags};
pub use trace::{Step, Trace};
pub use tracker::{ClosedWindow, RowCount, Tracker};
pub use verdict::{Outcome, Rules, Surroundings, Verdict};

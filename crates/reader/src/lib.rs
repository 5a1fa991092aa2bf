//! Reads captures, and packets as they arrive.
//!
//! A [`Classifier`] gives verdicts, which it counts and may write. [`Traced`] shows one connection packet by packet.
//! [`Importing`] puts captures into stores. All count every record that they read.

mod captures;
mod classifier;
mod datagrams;
mod import;
mod live;
mod side_by_side;
mod trace;

pub use captures::{SIMULATED, is_readable, is_simulated, problems};
pub use classifier::{Classified, Classifier, Wanted};
pub use import::{DatagramReading, ImportTotal, Importing, Kept, Target};
pub use live::{LiveInput, ReceiveError};
pub use trace::Traced;

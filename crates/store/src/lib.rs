//! Packets, connections and their counts at rest.
//!
//! [`Store`] is what the rest of the product knows; [`Embedded`] is the store that needs no set-up: a folder
//! of Parquet files and a SQLite file.
//!
//! * Packets come in as [`Segment`]s, immutable Parquet files that anyone can read.
//! * A window of 15 minutes is read as a whole, grouped by 5-tuple, and its results replace those of
//!   before as a whole: nothing is ever added to a count, so nothing is counted twice.
//! * [`Cell`](cell::Key)s are counts by everything that can be asked for; [`RollupQuery`] adds them up.

pub mod cell;
mod damage;
mod data_dir;
pub mod durable;
pub mod embedded;
mod error;
mod forget;
mod movable;
pub mod open;
mod query;
mod record;
mod segment;
mod state;
mod store;

pub use cutshort_report::connection::Addresses;
pub use damage::{Impaired, Impairment};
pub use data_dir::DataDir;
pub use embedded::Embedded;
pub use error::{Result, StoreError};
pub use forget::{Forgotten, KnownSegment};
pub use movable::{Movable, Rest, Restoration, WindowResults};
pub use query::{
    Bucket, Choice, ConnectionQuery, Dimension, RollupAnswer, RollupQuery, RollupRow, Selection, Value,
};
pub use record::{Annotation, AnnotationKind, NewAnnotation};
pub use segment::{
    FILE_NODE, FlowKey, Keepable, Origin, Protected, Protection, Segment, SegmentId, SegmentInfo, check_node,
    truncation,
};
pub use state::{Added, Damaged, Inputs, Retention, Status, WindowCounts, WindowState};
pub use store::{
    Batch, ConnectionSink, FlowVerdict, Grouped, Replacement, Store, StoredRow, Told, Verdicts,
    WindowPackets, WindowVerdicts,
};

/// Length of a window in nanoseconds: 15 minutes, aligned to the Unix epoch (SPEC 2).
pub const WINDOW: i64 = 900_000_000_000;

/// The beginning of the window that holds a time (nanoseconds since the Unix epoch).
#[must_use]
pub const fn window_of(ts: i64) -> i64 {
    ts.div_euclid(WINDOW).saturating_mul(WINDOW)
}

//! Storage of packets, connections and counts.
//!
//! [`Store`] is the interface that all other crates use; `cutshort-embedded` and `cutshort-clickhouse` implement it.
//!
//! * Packets arrive as [`Segment`]s, immutable Parquet files that any program can read.
//! * A window of 15 minutes is read as a whole, grouped by 5-tuple, and its results are replaced as a whole: nothing
//!   is ever added to a count, so nothing is counted twice.
//! * [`Cells`](cell::Cells) are counts by everything that can be queried; [`RollupQuery`] asks for sums of them.
//! * [`Events`] keeps what was found in them, and [`Outside`] what other sources say about the same places and times.

pub mod cell;
pub mod connection_file;
mod coverage;
mod damage;
pub mod data_dir;
mod error;
mod events;
mod file_version;
mod folder_lock;
pub mod footer;
mod forget;
mod movable;
pub mod open;
mod order;
mod outbox;
mod outside;
mod query;
mod record;
mod review;
pub mod segment;
mod servers;
mod state;
mod store;
pub mod thrift;

pub use coverage::{CoverageBuilder, NodeCoverage};
pub use damage::{Impaired, Impairment};
pub use data_dir::DataDir;
pub use error::{Reason, Result, StoreError};
pub use events::{Checkpoint, EventQuery, EventStep, Events, Folded, KeptEvent, REPLAY_WINDOWS};
pub use file_version::FileVersion;
pub use folder_lock::{FolderLock, NotLocked};
pub use forget::{Forgotten, KnownSegment};
pub use movable::{Movable, Rest, Restoration, WindowResults};
pub use order::{First, Order, OrderBy};
pub use outbox::{ALERTS_KEPT, Alert, AlertKind, Outbox, QueuedAlert, Told};
pub use outside::{
    Outside, OutsideCounts, OutsidePoint, OutsideRecords, OutsideReport, OutsideSeries, OutsideSource,
    OutsideSpan,
};
pub use query::{Choice, ConnectionQuery, HasAny, RollupAnswer, RollupQuery, RollupRow, Selection};
pub use record::{Annotation, AnnotationKind, NewAnnotation};
pub use review::{Decision, Review};
pub use segment::{
    FILE_NODE, FlowKey, Ids, Keepable, KeptDatagram, Protected, Protection, Provenance, Recordable, Segment,
    SegmentId, SegmentInfo, SegmentSource, check_node, truncation,
};
pub use servers::ServerTotals;
pub use state::{Added, Damaged, Inputs, Retention, Status, WindowCounts, WindowState};
pub use store::{
    ConnectionSink, FlowVerdict, Grouped, Replacement, ReplacementBatch, Store, StoredDatagram, StoredRow,
    VerdictBatch, Verdicts, WindowPackets, WindowVerdicts,
};

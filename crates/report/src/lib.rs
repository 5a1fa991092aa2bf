//! Reports for people and programs.
//!
//! A [`Summary`] counts connections and is written as a table or as JSON. A [`Writer`](connection::Writer) writes
//! connections one by one as JSON lines, CSV, Parquet or a Zeek log; [counts](mod@counts) by time and value are
//! written in the same way. A [`Filter`] selects connections. [`explain`] describes the terms.
//!
//! All functions that write return the errors of their output.

mod annotations;
mod cell;
pub mod connection;
pub mod counts;
pub mod events;
pub mod explain;
mod export;
mod filter;
mod input;
mod notes;
mod rank;
mod servers;
mod summary;
mod summary_json;
mod summary_table;
pub mod table;
mod text;
mod trace;
mod unread;

pub use annotations::annotations;
pub use cell::cell;
pub use export::{ExportError, Exported, export_connections, export_rollups, extent};
pub use filter::{Filter, FilterError, Selection};
pub use input::{Incomplete, InputCount};
pub use notes::ONE_DIRECTION;
pub use rank::least_sample;
pub use summary::Summary;
pub use text::{Widths, percent, wrap, write_note};
pub use trace::{write_quic_trace, write_trace};
pub use unread::{Dropped, UnreadCount};

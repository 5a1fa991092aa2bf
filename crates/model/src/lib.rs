//! The types that stores, reports and the API share: times, windows, dimensions, and the record of a connection.
//!
//! This crate performs no I/O.

mod addresses;
mod bucket;
mod dimension;
mod net;
mod numbers;
mod record;
mod server;
mod server_name;
mod time;
mod window;

pub use addresses::Addresses;
pub use bucket::Bucket;
pub use dimension::{Dimension, Network, Port, Value};
pub use net::parse_net;
pub use numbers::{grouped, quantity};
pub use record::{ADDRESSES, ConnectionRecord, FIELDS, JudgedConnection, RST_FIELDS, fields, more_fields};
pub use server::{CountedConnection, GroupCounts, ServerCounts, TimeHistogram};
pub use server_name::ServerName;
pub use time::{
    compact, date, date_time, micros, nanoseconds, now, parse_rfc3339, rfc3339, time_left, until,
};
pub use window::Window;

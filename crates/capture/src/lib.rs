//! Where packets come from: captures in files and streams.
//!
//! [`Capture`] reads one pcap or pcapng, plain or compressed with gzip, zstd or xz.
//! [`Captures`] reads many as one, merged by time.

mod buffer;
mod capture;
mod captures;
mod error;
mod input;
mod pcap;
mod pcapng;
mod pipe;

pub use capture::{Capture, Record};
pub use captures::{Captures, Problem};
pub use error::CaptureError;
pub use input::{Input, Reading};

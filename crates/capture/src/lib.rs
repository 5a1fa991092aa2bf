//! Sources of packets: captures in files and streams, and live sources.
//!
//! [`Capture`] reads one pcap or pcapng, plain or compressed with gzip, zstd or xz. [`Captures`] reads many as one,
//! merged by time. [`Live`] receives packets from the netfilter log, a packet socket or a program in the kernel; [`rules`] are the nftables
//! and iptables rules that write that log.

mod buffer;
mod capture;
mod captures;
mod error;
mod foreign;
mod input;
mod live;
#[cfg(target_os = "linux")]
mod netlink;
mod pcap;
mod pcapng;
mod pipe;
mod random;
mod record;
mod resume;
pub mod rules;

pub use capture::{Capture, Visitor};
pub use captures::{CaptureProblem, Captures, name_of};
pub use error::CaptureError;
pub use foreign::Foreign;
pub use input::{Input, Reading};
pub use live::{
    Batch, DATAGRAMS, Groups, LeftOut, Live, LiveCount, LiveError, LiveSets, LiveSettings, LiveSource,
    OPENED_ERRORS, OPENED_MORE, Open, Spell,
};
pub use pcapng::Drops;
pub use record::Record;

#![doc = include_str!("../README.md")]
//!
//! # Where to start
//!
//! * [`Packet::parse`] takes a [`Frame`] and its [`LinkType`], and returns a [`Packet`] or a [`Refusal`].
//! * [`FiveTuple`], [`Flags`] and [`SynOptions`] are parts of a packet with methods of their own.
//! * [`Packet::p0f`] writes a SYN packet in the notation of p0f.
//! * [`Unreachable::parse`] reads an ICMP error that quotes a SYN packet.
//! * [`quic::Datagram`] is what is kept of a UDP datagram that may be QUIC.
//! * [`Inner::of`] finds the packet inside labels, tags and tunnels.
//! * [`Unread::of`] names what a refused frame carries.

mod bytes;
mod family;
mod ip;
mod link;
mod nflog;
mod options;
mod p0f;
mod packet;
mod parse;
pub mod quic;
mod refusal;
mod tunnel;
mod unreachable;
mod unread;

pub use link::LinkType;
pub use nflog::{LEFT_OUT_PREFIX, ORIGIN_PREFIX, QUIC_PREFIX};
pub use options::{OptionKind, SynOptions};
pub use p0f::P0f;
pub use packet::{FiveTuple, FiveTupleError, Flags, Packet};
pub use parse::Frame;
pub use refusal::Refusal;
pub use tunnel::{Inner, Tunnel};
pub use unreachable::Unreachable;
pub use unread::Unread;

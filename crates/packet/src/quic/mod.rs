//! QUIC, as far as it can be read without keys (RFC 8999, RFC 9000, RFC 9369; docs/quic.md).
//!
//! [`Found::parse`] takes a frame. A [`Udp`] datagram consists of [`Parts`], and is kept as a [`Datagram`].

mod datagram;
mod found;
mod hash;
mod ports;
mod version;
mod walk;

pub use datagram::{Datagram, Frames, Icmp, Kinds, Opened};
pub(crate) use found::may_be_found;
pub use found::{Found, Udp};
pub use hash::HashKey;
pub use ports::ServerPorts;
pub use version::Version;
pub use walk::{Header, Part, Parts, Whole, varint};

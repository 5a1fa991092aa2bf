//! QUIC, as far as it can be read without keys (RFC 8999, RFC 9000, RFC 9369; docs/quic.md).

mod datagram;
mod version;

pub use datagram::{Datagram, Frames, Icmp, Kinds, Opened};
pub use version::Version;

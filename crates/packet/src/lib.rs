//! Bytes to [`Packet`]s: the fixed header fields of TCP packets out of captured frames.
//!
//! No I/O, no dependencies, no allocation, and no panic on any bytes. Understands Ethernet with
//! any stack of VLAN tags and PPPoE, Linux SLL and SLL2, BSD NULL and LOOP, raw IP, and NFLOG;
//! IPv4, and IPv6 with extension headers. Unlike general-purpose parsers it keeps a TCP header
//! whose options or payload were cut by the capture's snap length, and takes any combination of
//! flags. Whatever is refused has a [`Refusal`] to be counted under, and [`Unread`] names what it carries.
//!
//! ```
//! use cutshort_packet::{Frame, LinkType, Packet, Refusal};
//!
//! let arp = [0x08, 0x06].repeat(21);
//! let frame = Frame { ts: 0, wire_len: 42, bytes: &arp };
//! assert_eq!(Packet::parse(LinkType::Ethernet, frame), Err(Refusal::NotIp));
//! ```

mod bytes;
mod family;
mod link;
mod nflog;
mod packet;
mod parse;
mod refusal;
mod unread;

pub use link::LinkType;
pub use nflog::ORIGIN_PREFIX;
pub use packet::{FiveTuple, Flags, Packet};
pub use parse::Frame;
pub use refusal::Refusal;
pub use unread::Unread;

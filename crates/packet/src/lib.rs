//! TCP packet headers out of captured bytes.
mod packet;

pub use packet::{FiveTuple, Flags, Packet};

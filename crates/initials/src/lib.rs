//! Opens Initial packets of QUIC (docs/quic.md#opening).
//!
//! The keys of these packets are public by design: anyone who sees a packet can compute them (RFC 9001, 5.2). An [`Opener`]
//! does so only to see whether a client acknowledges something, and whether it closes the connection and with which error
//! code. The ClientHello in the same packets is stepped over and never parsed, and the plaintext is overwritten at once.

mod frames;
mod keys;
mod opener;
mod recent;

pub use opener::{Opener, opener};

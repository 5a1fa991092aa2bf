//! Packets of a made-up internet, with the truth about every connection in it.
//!
//! For the demo, the tests and the benches, and for nothing else: no address, name or number here
//! belongs to anybody. Sources are in 240.0.0.0/4 (reserved) and 3fff::/20 (documentation), servers
//! in 203.0.113.0/24 and 2001:db8:ffff::/48, AS numbers are private-use and names begin with
//! [`SIMULATED`]. Country codes are real for the map's sake only; what happens in which of them is
//! invented.
//!
//! ```
//! use cutshort_simulate::{Event, Simulation, World};
//!
//! let day = 86_400_000_000_000;
//! let simulation = Simulation::new(World::standard(), 20_000 * day, 20_000 * day + day / 96, 2.0, 7);
//! let (mut packets, mut truths) = (0, Vec::new());
//! simulation.for_each(|event| match event {
//!     Event::Connection(truth) => truths.push(truth),
//!     Event::Packet(_) => packets += 1,
//! });
//! assert!(packets > truths.len() && !truths.is_empty());
//! ```
//!
//! # Windows
//! Time is cut into aligned windows of 15 minutes, each with random numbers of its own, so that any
//! of them can be had without those before it ([`Simulation::window`]), also in parallel. The rule
//! that makes this simple and the truth exact: **a connection ends in the window in which it
//! begins**. One that would reach beyond is played faster; one that is silent or open, but not for
//! longer than ten seconds when the window ends, is [`Outcome::Incomplete`]. What real tails of
//! older connections look like is simulated apart, as [`Outcome::NoSyn`]. No 5-tuple occurs twice in
//! a window or in the one after it, up to 8.9 thousand connections a second.
//!
//! # Truth
//! The truth follows from what a connection was meant to do, not from looking at its packets. It
//! holds for full captures of one direction with the standard settings: the first ten packets of
//! each connection, ten seconds of guard.
mod capture;
mod client;
mod country;
pub mod frame;
mod incident;
mod pcapng;
mod profile;
pub mod quic;
mod rng;
mod script;
pub mod series;
mod simulation;
mod truth;
mod upstreams;
mod window;
mod world;

pub use capture::{CaptureKind, CaptureSettings, RateTooHigh, SimulatedCapture};
use cutshort_packet::{FiveTuple, Flags, Packet, SynOptions};
pub use incident::{Incident, IncidentKind};
pub use pcapng::{APPLICATION, PcapngWriter};

pub use profile::Behaviour;
pub use simulation::{Simulation, WINDOW_NS};
pub use truth::{Outcome, Stage, TAGS, Termination, Truth, Verdict, tag};
pub use upstreams::{Fate, Upstream, Upstreams};
pub use window::{Event, Events};
pub use world::{Country, Network, World, WorldBuilder};

/// The word that marks everything here: names of networks begin with it.
pub const SIMULATED: &str = "Simulated";

/// The note that goes into files of simulated packets.
pub const COMMENT: &str = "simulated traffic: not real";

/// Packets of a connection that capturing takes.
pub const PACKET_LIMIT: usize = 10;

/// Silence before a window's end without which a connection is incomplete, in nanoseconds.
pub const GUARD_NS: i64 = 10_000_000_000;

/// A single SYN packet to 203.0.113.5:443 from 198.51.100.7 and a port, as Linux sends it, for tests that need any
/// packet. The time is in nanoseconds since the Unix epoch.
#[must_use]
pub fn syn_packet(ts: i64, client_port: u16) -> Packet {
    let packet = Packet {
        ts,
        five_tuple: FiveTuple::new([198, 51, 100, 7].into(), client_port, [203, 0, 113, 5].into(), 443),
        ip_id: 7,
        ttl: 57,
        flags: Flags::SYN,
        seq: 1,
        ack: 0,
        tcp_window: 64_240,
        options_len: 20,
        payload_len: 0,
        sample_rate: 1,
        df: true,
        syn: SynOptions::NONE,
    };
    Packet { syn: frame::syn_options(&packet), ..packet }
}

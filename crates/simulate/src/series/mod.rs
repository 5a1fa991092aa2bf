//! Counts per window of a made-up internet over eight weeks, with the truth about what happened: a benchmark for the detection
//! of events.
//!
//! Places are networks (autonomous systems), their countries and the world, which four nodes of ours observe. The first four
//! weeks are for learning; what is found in the last four is judged against [`Label`]s. Much else happens that is no event:
//! growth, daylight saving, holidays, known scanners, nodes that lose packets, changes of the sampling rate. Noise is
//! correlated in time, and has heavier tails than normal noise. Every cause can be had alone.
//!
//! ```
//! use cutshort_simulate::series::{Benchmark, Cause};
//!
//! let benchmark = Benchmark::new(1, 60, 12, &[Cause::Outages]);
//! assert_eq!(benchmark.labels().len(), 6);
//! let mut windows = 0;
//! benchmark.run(|window| windows += usize::from(!window.counts.is_empty()));
//! assert_eq!(windows, 5376);
//! ```
//!
//! The rules are those of the benchmark with which the detector was designed, written anew: a holiday is never on a weekend,
//! events overlap, and some concern a whole country for days.

mod causes;
mod generate;
mod random;
mod score;
mod shares;

pub use causes::Cause;
pub use generate::{Benchmark, StageCounts, WindowCounts};
pub use score::{Found, Score};
pub use shares::{NetworkShares, Shares};

/// Windows of a day.
pub const DAY: i64 = 96;
/// Windows of a week.
pub const WEEK: i64 = 7 * DAY;
/// Windows of a benchmark: eight weeks from a Monday, 00:00 UTC.
pub const WINDOWS: i64 = 8 * WEEK;
/// The first window that is judged.
pub const JUDGED: i64 = 4 * WEEK;
/// Nodes that observe.
pub const NODES: usize = 4;

/// A place, by its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SimulatedPlace {
    /// All networks together.
    World,
    /// A country: the sum of its networks.
    Country(usize),
    /// A network by its number.
    Network(usize),
}

/// The channels: traffic of completed handshakes, and the shares of Post-SYN, Post-ACK, Post-PSH and Later.
pub const CHANNELS: [&str; 5] = ["traffic", "post_syn", "post_ack", "post_psh", "later"];

/// What happened, where and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Where it happened.
    pub place: SimulatedPlace,
    /// The position in [`CHANNELS`].
    pub channel: usize,
    /// The first window.
    pub from: i64,
    /// The first window after it.
    pub to: i64,
    /// What it is, in words.
    pub kind: &'static str,
    /// Whether it counts. What does not may be told or not.
    pub counts: bool,
}

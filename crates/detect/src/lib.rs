//! Counts per window in, events out.
//!
//! [`Detector`] takes the counts of one window of 15 minutes after the other, and says in which place (the world, a country, a
//! network) connections became fewer, or a larger share of them was cut short, when that began and when it ended. [`outliers`]
//! finds the networks whose shares differ from those of their peers over a longer time. Nothing here says who did something,
//! or why. `docs/events.md` describes the rules for readers, and how well they do on a benchmark.
//!
//! ```
//! use cutshort_detect::{Channel, Config, Detector, ObservedNode, SeriesCounts, SeriesPlace, Window};
//!
//! let mut detector = Detector::new(Config::default());
//! let mut found = Vec::new();
//! // A network with 100 connections per window, each with weight 1, that is gone for six hours after five weeks.
//! for number in 0..5 * 672 + 200 {
//!     let all = if (5 * 672..5 * 672 + 24).contains(&number) { 0.0 } else { 100.0 };
//!     let counts = [SeriesCounts {
//!         place: SeriesPlace::Network(64_500),
//!         country: Some(*b"IQ"),
//!         network: None,
//!         node: 0,
//!         all,
//!         squares: all,
//!         stages: [0.0; 4],
//!         single: None,
//!     }];
//!     let nodes = [ObservedNode { name: "node-1", coverage: 1.0 }];
//!     found.extend(detector.add(&Window { number, nodes: &nodes, counts: &counts }).unwrap());
//! }
//! let last = &found.last().unwrap().event;
//! assert_eq!((last.channel, last.onset, last.end), (Channel::Traffic, 5 * 672, Some(5 * 672 + 24)));
//! ```
//!
//! # Units
//! Times are numbers of windows since the Unix epoch. Counts are *weighted*: a connection counts as often as its sampling rate
//! says. Thresholds concern *effective* connections, that is, weights divided by Σw²/Σw (docs/spec.md, weights).
//! All logarithms are natural.
//!
//! # How it works
//! 1. *Usual*: the median of this hour of the week and its neighbours over four weeks, and an envelope of what is usual within
//!    an hour around it. A local level follows slow change.
//! 2. *Ours*: what nodes did not see, and what all places have in common, is no event of a place.
//! 3. *Evidence* against "as usual" is added up (a CUSUM of quasi-log-likelihood ratios, with the variance of the series' own
//!    past) until it would be one false alarm in ten weeks of all series together.
//! 4. *Grouping*: events of a network, its country and the world explain each other; events less than 26 hours apart are one
//!    episode, with one alarm.
//!
//! # Determinism
//! The same input gives the same bits on every platform. [`Detector::save`] returns the state, and a detector restored from it
//! continues as if nothing had happened. If windows are replaced, restore the last state before them and add the windows from
//! there again; [`reconcile`] gives the new events the ids of the old ones.

mod checkpoint;
mod common;
mod config;
mod detector;
mod event;
mod follow;
mod grouping;
mod history;
mod input;
mod journal;
mod kind;
mod math;
mod observer;
pub mod outliers;
mod place;
mod reconcile;
mod series;
mod status;
mod watched;

pub use checkpoint::StateError;
pub use config::Config;
pub use detector::{Detector, WindowError};
pub use event::{Change, Event, EventId, EventState, Severity, What};
pub use follow::Followers;
pub use input::{ObservedNode, SeriesCounts, SingleSyns, Window};
pub use journal::Journal;
pub use place::{Channel, SeriesPlace, UnknownPlace, country_code};
pub use reconcile::reconcile;
pub use status::SeriesStatus;

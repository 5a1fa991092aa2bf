//! The state as bytes: numbers in little-endian order, lists and texts with their length before them, and a digest at the end.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

use crate::detector::{Detector, SeenNode};
use crate::event::{Event, EventId, EventState, Severity};
use crate::grouping::OpenEvent;
use crate::history::Hours;
use crate::observer::{Loss, Observer};
use crate::series::{Advance, Episode, Run, Series};
use crate::watched::{Carried, HourSums, WatchedSeries};
use crate::{Channel, Config, SeriesPlace};

/// Begins each state. The number grows with every change of what is stored or of how events are found.
const VERSION: &[u8; 16] = b"cutshort detect3";

/// Bytes that are not an undamaged state of this version: compute it anew from the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateError;

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a state of this version of the detector, or damaged: add the windows again")
    }
}

impl std::error::Error for StateError {}

impl Detector {
    /// The state as bytes: about 8 kB per place. The same state has the same bytes. The configuration is not part of it.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let mut out = VERSION.to_vec();
        self.next.save(&mut out);
        self.nodes.save(&mut out);
        self.everywhere.save(&mut out);
        self.places.save(&mut out);
        self.live.values().cloned().collect::<Vec<_>>().save(&mut out);
        let digest = digest(&out);
        out.extend_from_slice(&digest);
        out
    }

    /// The detector with a saved state.
    ///
    /// # Errors
    /// If the bytes are damaged, or of another version.
    pub fn restore(config: Config, state: &[u8]) -> Result<Self, StateError> {
        let (stored, check) = state.split_last_chunk().ok_or(StateError)?;
        if digest(stored) != *check {
            return Err(StateError);
        }
        let mut input = stored.strip_prefix(VERSION).ok_or(StateError)?;
        let input = &mut input;
        let mut detector = Self::new(config);
        detector.next = Option::load(input)?;
        detector.nodes = Vec::load(input)?;
        detector.everywhere = Observer::load(input)?;
        detector.places = Vec::load(input)?;
        detector.live =
            Vec::<OpenEvent>::load(input)?.into_iter().map(|live| (live.event.id, live)).collect();
        detector.index = index(&detector.places);
        if input.is_empty() { Ok(detector) } else { Err(StateError) }
    }
}

/// A digest of the state, by which damage is detected.
fn digest(state: &[u8]) -> [u8; 32] {
    Sha256::digest(state).into()
}

fn index(places: &[WatchedSeries]) -> BTreeMap<SeriesPlace, usize> {
    places.iter().enumerate().map(|(at, watched)| (watched.place.clone(), at)).collect()
}

/// What can be part of a state.
trait Stored: Sized {
    fn save(&self, out: &mut Vec<u8>);
    fn load(input: &mut &[u8]) -> Result<Self, StateError>;
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Stored for $number {
            fn save(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn load(input: &mut &[u8]) -> Result<Self, StateError> {
                let (number, rest) = input.split_first_chunk().ok_or(StateError)?;
                *input = rest;
                Ok(Self::from_le_bytes(*number))
            }
        }
    )*};
}
numbers!(u8, i16, u16, u32, u64, i64, f32, f64);

/// Structs are stored field by field.
macro_rules! fields {
    ($($name:ident { $($field:ident),* })*) => {$(
        impl Stored for $name {
            fn save(&self, out: &mut Vec<u8>) {
                $(self.$field.save(out);)*
            }

            fn load(input: &mut &[u8]) -> Result<Self, StateError> {
                Ok(Self { $($field: Stored::load(input)?),* })
            }
        }
    )*};
}
fields! {
    Advance { excess, volume }
    Episode { first, began, until, alarmed }
    Run { evidence, start }
    Series {
        runs, peak, recovery, weighed, level, variance, onset, recovered, open, trail, hold, masked, episode, usual, next, quietest
    }
    Carried { node, past, today, now }
    HourSums { traffic, windows, stages, all, completed }
    WatchedSeries { place, country, network, since, seen, nodes, weight, squares, hours, quiet, sums, series }
    SeenNode { name, observer, covered }
    Observer { open }
    Loss { onset, until, largest, revision }
    OpenEvent { event, trail }
    Event {
        id, place, channel, onset, opened, end, closed, state, severity, size, excess, evidence, part_of, episode, alarm,
        revision
    }
}

/// Enums without values are stored as the position in a list.
macro_rules! lists {
    ($($name:ident [ $($value:ident),* ])*) => {$(
        impl Stored for $name {
            fn save(&self, out: &mut Vec<u8>) {
                (*self as u8).save(out);
            }

            fn load(input: &mut &[u8]) -> Result<Self, StateError> {
                let number = u8::load(input)?;
                [$(Self::$value),*].into_iter().find(|value| *value as u8 == number).ok_or(StateError)
            }
        }
    )*};
}
lists! {
    Channel [Traffic, PostSyn, PostAck, PostPsh, Later, Flood, Scan, Reflection, Observer]
    EventState [Open, Closed, Usual, Retracted]
    Severity [Minor, Major, Severe]
}

impl Stored for bool {
    fn save(&self, out: &mut Vec<u8>) {
        u8::from(*self).save(out);
    }

    fn load(input: &mut &[u8]) -> Result<Self, StateError> {
        match u8::load(input)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(StateError),
        }
    }
}

impl<T: Stored> Stored for Option<T> {
    fn save(&self, out: &mut Vec<u8>) {
        self.is_some().save(out);
        if let Some(value) = self {
            value.save(out);
        }
    }

    fn load(input: &mut &[u8]) -> Result<Self, StateError> {
        bool::load(input)?.then(|| T::load(input)).transpose()
    }
}

impl<T: Stored> Stored for Vec<T> {
    fn save(&self, out: &mut Vec<u8>) {
        (self.len() as u64).save(out);
        for value in self {
            value.save(out);
        }
    }

    fn load(input: &mut &[u8]) -> Result<Self, StateError> {
        let length = u64::load(input)?;
        // Every value takes a byte at least: a length beyond that is damage, and must not ask for memory.
        if length > input.len() as u64 {
            return Err(StateError);
        }
        (0..length).map(|_| T::load(input)).collect()
    }
}

impl<T: Stored, const N: usize> Stored for [T; N] {
    fn save(&self, out: &mut Vec<u8>) {
        for value in self {
            value.save(out);
        }
    }

    fn load(input: &mut &[u8]) -> Result<Self, StateError> {
        let values: Vec<T> = (0..N).map(|_| T::load(input)).collect::<Result<_, _>>()?;
        values.try_into().map_err(|_| StateError)
    }
}

impl Stored for String {
    fn save(&self, out: &mut Vec<u8>) {
        self.as_bytes().to_vec().save(out);
    }

    fn load(input: &mut &[u8]) -> Result<Self, StateError> {
        Self::from_utf8(Vec::load(input)?).map_err(|_| StateError)
    }
}

impl Stored for SeriesPlace {
    fn save(&self, out: &mut Vec<u8>) {
        self.to_string().save(out);
    }

    fn load(input: &mut &[u8]) -> Result<Self, StateError> {
        String::load(input)?.parse().map_err(|_| StateError)
    }
}

impl Stored for EventId {
    fn save(&self, out: &mut Vec<u8>) {
        self.0.save(out);
    }

    fn load(input: &mut &[u8]) -> Result<Self, StateError> {
        u64::load(input).map(Self)
    }
}

impl Stored for Hours {
    fn save(&self, out: &mut Vec<u8>) {
        self.0.save(out);
    }

    fn load(input: &mut &[u8]) -> Result<Self, StateError> {
        Vec::load(input).map(Self)
    }
}

use std::fmt;

use sha2::{Digest, Sha256};

use crate::{Channel, SeriesPlace};

/// The name of an event: 16 hexadecimal digits, from place, channel and onset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u64);

impl EventId {
    /// The id of an event that begins with this window: the first 8 bytes of a SHA-256 of place, channel and onset.
    #[must_use]
    pub fn new(place: &SeriesPlace, channel: Channel, onset: i64) -> Self {
        let text = format!("cutshort event 1\n{place}\n{channel}\n{onset}");
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        Self(digest.iter().take(8).fold(0, |id, byte| (id << 8) | u64::from(*byte)))
    }
}

impl EventId {
    /// Reads the text that it is written as; none if it has another form.
    ///
    /// ```
    /// use cutshort_detect::EventId;
    /// assert_eq!(EventId::from_hex("00000000000000ff"), Some(EventId(255)));
    /// assert_eq!(EventId::from_hex("ff"), None);
    /// ```
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| u64::from_str_radix(text, 16).ok().map(Self))?
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Whether an event continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EventState {
    /// It continues.
    Open,
    /// It has ended.
    Closed,
    /// It has lasted for seven days, and is now what is usual in its place.
    Usual,
    /// It was published, and is gone since counts were replaced. Only [`reconcile`](crate::reconcile) makes it.
    Retracted,
}

impl EventState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Open, Self::Closed, Self::Usual, Self::Retracted];

    /// The state with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The name in data: `open`, `closed`, `usual`, `retracted`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Usual => "usual",
            Self::Retracted => "retracted",
        }
    }
}

/// How large an event is, by its [`size`](Event::size).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Severity {
    /// A drop of less than half, or less than 10 points.
    Minor,
    /// A drop of less than 80 %, or less than 30 points.
    Major,
    /// A larger change than that.
    Severe,
}

impl Severity {
    /// All severities, the least first.
    pub const ALL: [Self; 3] = [Self::Minor, Self::Major, Self::Severe];

    /// The severity with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }

    /// The severity of an event of this size.
    #[must_use]
    pub fn of(channel: Channel, size: f64) -> Self {
        let (major, severe) = if channel.is_drop() { (0.5, 0.8) } else { (0.10, 0.30) };
        if size < major {
            Self::Minor
        } else if size < severe {
            Self::Major
        } else {
            Self::Severe
        }
    }

    /// The name in data: `minor`, `major`, `severe`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Severe => "severe",
        }
    }
}

/// What was unusual in one channel of one place, and for how long. Times are numbers of windows ([`Window::number`]): an
/// interval ends with the first window after it.
///
/// [`Window::number`]: crate::Window::number
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its name. It stays when counts are replaced, if the caller [reconciles](crate::reconcile).
    pub id: EventId,
    /// Where it was seen.
    pub place: SeriesPlace,
    /// In which count or share it was seen.
    pub channel: Channel,
    /// The first window of the event.
    pub onset: i64,
    /// The window with which it was decided.
    pub opened: i64,
    /// The first window after the event; `None` while it continues, and if it has become usual.
    pub end: Option<i64>,
    /// The window with which the end was decided, or that it is usual.
    pub closed: Option<i64>,
    /// Whether it continues.
    pub state: EventState,
    /// Its severity at worst.
    pub severity: Severity,
    /// For drops: the part of the expected connections that is missing, from 0 to 1. For shares: the difference between the
    /// share and the usual one, from 0 to 1 (0.1 is 10 points).
    pub size: f64,
    /// Connections that are missing or too many since the onset, weighted.
    pub excess: f64,
    /// The sum of evidence for it: as surprising as one case in e^evidence, by the model.
    pub evidence: f64,
    /// The event of a network, country or the world that explains this one.
    pub part_of: Option<EventId>,
    /// The first event of its episode: events of a series that are less than 26 hours apart.
    pub episode: EventId,
    /// The window in which it raised an alarm. One per episode, and none for events that another explains.
    pub alarm: Option<i64>,
    /// Counts the changes.
    pub revision: u32,
}

impl Event {
    /// An event that began and was decided with a window, continues, and is of no size yet.
    #[must_use]
    pub fn new(place: SeriesPlace, channel: Channel, onset: i64) -> Self {
        let id = EventId::new(&place, channel, onset);
        Self {
            id,
            place,
            channel,
            onset,
            opened: onset,
            end: None,
            closed: None,
            state: EventState::Open,
            severity: Severity::Minor,
            size: 0.0,
            excess: 0.0,
            evidence: 0.0,
            part_of: None,
            episode: id,
            alarm: None,
            revision: 0,
        }
    }

    /// For readers of IODA: the sum of the drop in percent over minutes.
    #[must_use]
    pub fn area(&self, now: i64) -> f64 {
        let windows = self.end.unwrap_or(now) - self.onset;
        self.size * 100.0 * windows as f64 * 15.0
    }
}

/// What happened to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// It was decided.
    Opened,
    /// It is of the next severity.
    Worse,
    /// Another event explains it now, or no longer does.
    Regrouped,
    /// It raised an alarm. An event that is opened with an alarm is only [`Opened`](Self::Opened).
    Alarmed,
    /// It has ended.
    Closed,
    /// It has become usual.
    Usual,
}

/// An event that was opened or changed in a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What happened to the event.
    pub what: What,
    /// The event as it is now.
    pub event: Event,
}

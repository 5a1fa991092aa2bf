use cutshort_detect::Event;
use cutshort_verdict::DataSet;

use crate::Result;

/// What happened to an event that raises an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKind {
    /// It raised its alarm, or continues although its end was told.
    Opened,
    /// It is of the next severity.
    Worse,
    /// It has ended, or has become usual.
    Ended,
    /// It is gone since counts were replaced.
    Retracted,
}

impl AlertKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Opened, Self::Worse, Self::Ended, Self::Retracted];

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The name in data: `opened`, `worse`, `ended`, `retracted`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Worse => "worse",
            Self::Ended => "ended",
            Self::Retracted => "retracted",
        }
    }
}

/// A change of an event that receivers are told.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// What happened.
    pub kind: AlertKind,
    /// The event as it was then.
    pub event: Event,
    /// When it was stored, in nanoseconds since the Unix epoch.
    pub at: i64,
}

impl Alert {
    /// A key that is the same however often this is sent: `tcp-00f1e2d3c4b5a697-3-opened`.
    #[must_use]
    pub fn key(&self, data_set: DataSet) -> String {
        let Event { id, revision, .. } = &self.event;
        format!("{}-{id}-{revision}-{}", data_set.name(), self.kind.name())
    }
}

/// An [`Alert`] in an [`Outbox`].
#[derive(Clone, Debug, PartialEq)]
pub struct QueuedAlert {
    /// Its place in the order in which they were stored.
    pub number: i64,
    /// The alert.
    pub alert: Alert,
    /// Whether the operator has dismissed its event by now.
    pub is_dismissed: bool,
}

/// How much a receiver was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The last alert before the receiver was known, which it was not told.
    pub first: i64,
    /// The last alert that it was told, or that it is not to be told.
    pub last: i64,
    /// When it was last told one, in nanoseconds since the Unix epoch.
    pub at: Option<i64>,
}

/// Alerts until all receivers were told, with the events of a data set. They are added by [`Events::keep`](crate::Events::keep), with the
/// changes that they are about.
pub trait Outbox: Send + Sync {
    /// Makes a receiver known, which is told all alerts from now on. Nothing happens if it is known.
    fn subscribe(&self, receiver: &str) -> Result<()>;

    /// How much a receiver was told; none if it is not known.
    fn told(&self, receiver: &str) -> Result<Option<Told>>;

    /// The alerts after one with this number, in their order, at most so many.
    fn after(&self, number: i64, most: usize) -> Result<Vec<QueuedAlert>>;

    /// Notes that a receiver was told all alerts up to this number; if it was really told one, the time.
    fn tell(&self, receiver: &str, last: i64, at: Option<i64>) -> Result<()>;

    /// The events that a receiver was told are open, that still are, and that the operator has not dismissed.
    fn firing(&self, receiver: &str) -> Result<Vec<Event>>;
}

/// How long alerts are kept in nanoseconds: longer than an event can be open, which becomes usual after a week.
pub const ALERTS_KEPT: i64 = 14 * 86_400 * 1_000_000_000;

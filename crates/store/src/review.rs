/// What the operator decided about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// It happened.
    Confirmed,
    /// It is a false alarm, or of no interest.
    Dismissed,
}

impl Decision {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Confirmed, Self::Dismissed];

    /// The decision with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.name() == name)
    }

    /// The name in data: `confirmed`, `dismissed`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Dismissed => "dismissed",
        }
    }
}

/// The operator's decision about an event. It does not follow from the counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// The decision.
    pub decision: Decision,
    /// Why, in words.
    pub note: Option<String>,
    /// When it was made, in nanoseconds since the Unix epoch.
    pub at: i64,
}

impl Review {
    /// The longest note, in characters.
    pub const LONGEST_NOTE: usize = 2_000;

    /// A decision, made at this time (nanoseconds since the Unix epoch); a note without text is none.
    ///
    /// # Errors
    /// A text for the operator: the note is too long.
    pub fn new(decision: Decision, note: Option<&str>, at: i64) -> Result<Self, String> {
        let note = note.map(str::trim).filter(|note| !note.is_empty());
        if note.is_some_and(|note| note.chars().count() > Self::LONGEST_NOTE) {
            return Err(format!("note: at most {} characters", Self::LONGEST_NOTE));
        }
        Ok(Self { decision, note: note.map(str::to_owned), at })
    }
}

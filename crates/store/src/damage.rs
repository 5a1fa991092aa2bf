use cutshort_model::Window;

/// What damaged files mean for the results of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Impairment {
    /// Its results were computed from all of its packets, some of which are damaged now: they stay as they are.
    Kept,
    /// Some of its packets were damaged before it had results: these are of the other packets.
    Incomplete,
    /// The file of its single connections is damaged. Its counts are whole.
    WithoutConnections,
    /// Its counts were damaged, and its packets are gone.
    WithoutCounts,
}

impl Impairment {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Kept, Self::Incomplete, Self::WithoutConnections, Self::WithoutCounts];

    /// The name in data.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Incomplete => "incomplete",
            Self::WithoutConnections => "without_connections",
            Self::WithoutCounts => "without_counts",
        }
    }

    /// What it means and what to do, in a sentence.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Kept => {
                "Packets are damaged; the results that were computed before are kept. Deliver or import these packets again to have the window computed again."
            }
            Self::Incomplete => {
                "Packets were damaged before there were results; these count the other packets only. Deliver or import the damaged packets again to have the window computed again."
            }
            Self::WithoutConnections => {
                "The file of single connections is damaged; counts are whole. It is computed again if all packets of the window are kept."
            }
            Self::WithoutCounts => {
                "Counts were damaged and are missing, all or some; packets are gone. A backup may have them."
            }
        }
    }
}

/// A window that is concerned by damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Impaired {
    /// Which one.
    pub window: Window,
    /// In which way.
    pub how: Impairment,
}

use cutshort_model::Window;

/// How damaged files affect the results of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Impairment {
    /// Its results were computed from all of its packets; some of these are damaged now, so the results are kept.
    Kept,
    /// Some of its packets were damaged before it had results: these were computed from the others.
    Incomplete,
    /// The file of its connections is damaged. Its counts are complete.
    WithoutConnections,
    /// Its counts were damaged, and its packets are no longer stored.
    WithoutCounts,
}

impl Impairment {
    /// All variants, in the order in which they are reported.
    pub const ALL: [Self; 4] = [Self::Kept, Self::Incomplete, Self::WithoutConnections, Self::WithoutCounts];

    /// The name in data, such as `without_counts`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Incomplete => "incomplete",
            Self::WithoutConnections => "without_connections",
            Self::WithoutCounts => "without_counts",
        }
    }

    /// What it means and what to do about it, in one or two sentences.
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

/// A window that is affected by damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Impaired {
    /// The affected window.
    pub window: Window,
    /// How its results are affected.
    pub how: Impairment,
}

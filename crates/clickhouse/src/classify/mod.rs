//! The classifier as an SQL query, generated from the rule tables of `cutshort-verdict`.
//!
//! The query has five stages: [`flows`] groups packets and collects a few lists of each flow, in any order; [`split`]
//! divides flows into connections; [`facts`] reduces their lists to what the rules need; then RSTs of the other
//! direction are joined; [`rules`] judges. The window job and the view `classified` use the same query on different
//! rows.

mod facts;
mod flows;
mod marks;
mod rules;
mod split;
pub(crate) mod view;

use cutshort_verdict::Rules;

pub(crate) use flows::PacketRows;

/// The key of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grain {
    /// The 5-tuple, of one window (the parameter `window`) with full addresses.
    FiveTuple,
    /// The 5-tuple, the window, and the number that distinguishes connections whose addresses became equal.
    All,
}

impl Grain {
    /// The columns of the key.
    const fn key(self) -> &'static str {
        match self {
            Self::FiveTuple => "src_ip, src_port, dst_ip, dst_port",
            Self::All => "src_ip, src_port, dst_ip, dst_port, window_start, flow, addresses",
        }
    }

    /// The columns in addition to the 5-tuple, each after a comma.
    const fn more(self) -> &'static str {
        match self {
            Self::FiveTuple => "",
            Self::All => ", window_start, flow, addresses",
        }
    }

    /// The start of the window in nanoseconds since the Unix epoch.
    const fn window(self) -> &'static str {
        match self {
            Self::FiveTuple => "{window:Int64}",
            Self::All => "toUnixTimestamp64Nano(window_start)",
        }
    }
}

/// Columns of a SELECT: name and expression.
type Columns = Vec<(&'static str, String)>;

fn list(columns: &Columns) -> String {
    columns.iter().map(|(name, sql)| format!("{sql} AS {name}")).collect::<Vec<_>>().join(",\n  ")
}

/// The input of the classifier.
pub(crate) struct Classified<'a> {
    pub(crate) grain: Grain,
    pub(crate) sources: &'a [PacketRows],
    /// The cutoff in nanoseconds since the Unix epoch, an Int64; it may depend on `window_start`.
    pub(crate) cutoff: &'a str,
    pub(crate) rules: &'a Rules,
}

impl Classified<'_> {
    /// One row per connection, or flow without a SYN packet: the key, and the columns of [`rules::select`].
    pub(crate) fn sql(&self) -> String {
        let union = |select: &dyn Fn(&PacketRows) -> String| {
            self.sources.iter().map(select).collect::<Vec<_>>().join("\n UNION ALL\n ")
        };
        let connections = split::select(&union(&|source| source.flows(self.grain)), self);
        let facts = facts::select(&connections, self);
        rules::select(&facts, &union(&|source| source.other_rsts(self.grain)), self)
    }
}

//! Classification in SQL, written from the rule tables of `cutshort-verdict`.
//!
//! A query has five storeys: [`flows`] groups packets and takes a few lists of each flow, in any order; [`split`] makes
//! connections of flows; [`facts`] reduces their lists to what the rules ask for; then the RSTs of other directions are
//! joined; [`rules`] judges. It is the same for the window job and for the view `classified`, which only differ in where
//! rows come from.

mod facts;
mod flows;
mod rules;
mod split;
pub(crate) mod view;

use cutshort_verdict::Rules;

pub(crate) use flows::Source;

/// What tells flows apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grain {
    /// The 5-tuple: of one window, the parameter `window`, with full addresses.
    FiveTuple,
    /// Also the window, and what tells those apart whose addresses became the same.
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

    /// Those besides the 5-tuple, each behind a comma.
    const fn more(self) -> &'static str {
        match self {
            Self::FiveTuple => "",
            Self::All => ", window_start, flow, addresses",
        }
    }

    /// The beginning of the window in nanoseconds since the epoch.
    const fn window(self) -> &'static str {
        match self {
            Self::FiveTuple => "{window:Int64}",
            Self::All => "toUnixTimestamp64Nano(window_start)",
        }
    }
}

/// Columns of a SELECT, each with its name.
type Columns = Vec<(&'static str, String)>;

fn list(columns: &Columns) -> String {
    columns.iter().map(|(name, sql)| format!("{sql} AS {name}")).collect::<Vec<_>>().join(",\n  ")
}

/// Where flows come from and until when they count.
pub(crate) struct Classified<'a> {
    pub(crate) grain: Grain,
    pub(crate) sources: &'a [Source],
    /// The cutoff in nanoseconds since the epoch, an Int64; may depend on `window_start`.
    pub(crate) cutoff: &'a str,
    pub(crate) rules: &'a Rules,
}

impl Classified<'_> {
    /// One row a connection, or a flow without a SYN packet: the key, and what [`rules::select`] says.
    pub(crate) fn sql(&self) -> String {
        let union = |select: &dyn Fn(&Source) -> String| {
            self.sources.iter().map(select).collect::<Vec<_>>().join("\n UNION ALL\n ")
        };
        let connections = split::select(&union(&|source| source.flows(self.grain)), self);
        let facts = facts::select(&connections, self);
        rules::select(&facts, &union(&|source| source.other_rsts(self.grain)), self)
    }
}

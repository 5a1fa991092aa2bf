//! Classification in SQL, written from the rule tables of `cutshort-verdict`.
//!
//! A query has four storeys: [`flows`] groups packets and takes of each flow a few numbers and three lists, in any
//! order; [`facts`] reduces the lists to what the rules ask for; then the RSTs of other directions are joined; [`rules`]
//! judges. It is the same for the window job and for the view `classified`, which only differ in where rows come from.

mod facts;
mod flows;
mod rules;
pub(crate) mod view;

use cutshort_verdict::Rules;

pub(crate) use flows::Source;

/// What tells flows apart. The window is one of it, so that several can be judged at once.
const KEY: &str = "window_start, src_ip, src_port, dst_ip, dst_port, flow, addresses";

/// Columns of a SELECT, each with its name.
type Columns = Vec<(&'static str, String)>;

fn list(columns: &Columns) -> String {
    columns.iter().map(|(name, sql)| format!("{sql} AS {name}")).collect::<Vec<_>>().join(",\n  ")
}

/// Where flows come from and until when they count.
pub(crate) struct Classified<'a> {
    pub(crate) sources: &'a [Source],
    /// The cutoff in nanoseconds since the epoch, an Int64; may depend on `window_start`.
    pub(crate) cutoff: &'a str,
    pub(crate) rules: &'a Rules,
}

impl Classified<'_> {
    /// One row a flow: the key, and what [`rules::select`] says.
    pub(crate) fn sql(&self) -> String {
        let union = |select: fn(&Source, &Rules) -> String| {
            let selects = self.sources.iter().map(|source| select(source, self.rules));
            selects.collect::<Vec<_>>().join("\n UNION ALL\n ")
        };
        let facts = facts::select(&union(Source::flows), self.rules);
        rules::select(&facts, &union(|source, _| source.other_rsts()), self.cutoff, self.rules)
    }
}

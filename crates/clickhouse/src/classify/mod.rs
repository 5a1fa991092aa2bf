//! The classifier as an SQL query, generated from the rule tables of `cutshort-verdict`.
//!
//! For `tcp` the query has five stages: [`flows`] groups packets and collects a few lists of each flow, in any order; [`split`]
//! divides flows into connections; [`facts`] reduces their lists to what the rules need; then RSTs of the other
//! direction are joined; [`rules`] judges. The window job and the view `classified` use the same query on different
//! rows. The other data sets have modules of their own: [`origin`] and [`quic`].

mod facts;
mod flows;
mod marks;
mod origin;
mod quic;
mod rules;
mod split;
pub(crate) mod view;

use cutshort_verdict::{DataSet, Exclusion, Rules};

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

/// A column of a SELECT: name and expression.
type Column = (&'static str, String);
type Columns = Vec<Column>;

fn list(columns: &[Column]) -> String {
    columns.iter().map(|(name, sql)| format!("{sql} AS {name}")).collect::<Vec<_>>().join(",\n  ")
}

/// Adds columns, each of which may use those before it.
///
/// They are added in levels, so that no column uses one of its own level: the server takes many times as long to analyse
/// a query in which columns are made of others in the same SELECT.
fn levels(inner: String, columns: impl IntoIterator<Item = Columns>) -> String {
    let (mut sql, mut level) = (inner, Columns::new());
    for column in columns.into_iter().flatten() {
        if level.iter().any(|(name, _)| mentions(&column.1, name)) {
            sql = with_level(&sql, &std::mem::take(&mut level));
        }
        level.push(column);
    }
    with_level(&sql, &level)
}

fn with_level(inner: &str, columns: &[Column]) -> String {
    format!("SELECT *,\n  {}\n FROM ({inner})", list(columns))
}

/// Whether an expression has a word, which is not the field of a row.
fn mentions(sql: &str, word: &str) -> bool {
    let is_of_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    sql.match_indices(word).any(|(at, _)| {
        let before = sql[..at].chars().next_back();
        let behind = sql[at + word.len()..].chars().next();
        !before.is_some_and(|letter| is_of_word(letter) || letter == '.') && !behind.is_some_and(is_of_word)
    })
}

/// The number of a reason; 0 is none.
const fn excluded(exclusion: Exclusion) -> u8 {
    exclusion as u8 + 1
}

/// Instead of such a number: the flow counts with its other direction, or is nothing.
pub(crate) const NOWHERE: u8 = u8::MAX;

/// Looks up a value by its index in a list.
fn table<T: ToString>(kind: &str, values: impl Iterator<Item = T>, place: &str) -> String {
    let values = values.map(|value| value.to_string()).collect::<Vec<_>>().join(",");
    format!("to{kind}([{values}][{place} + 1])")
}

/// A value that rows of other data sets have.
fn null(kind: &str) -> String {
    format!("CAST(NULL, 'Nullable({kind})')")
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
    /// One row per connection, or flow that is none: the key, and the columns of a verdict.
    pub(crate) fn sql(&self) -> String {
        match self.rules.data_set {
            DataSet::Origin => origin::sql(self),
            DataSet::Quic => quic::sql(self),
            _ => self.of_tcp(),
        }
    }

    fn of_tcp(&self) -> String {
        let connections = split::select(&self.union(&|source| source.flows(self.grain)), self);
        let facts = facts::select(&connections, self);
        rules::select(&facts, &self.union(&|source| source.other_rsts(self.grain)), self)
    }

    fn union(&self, select: &dyn Fn(&PacketRows) -> String) -> String {
        self.sources.iter().map(select).collect::<Vec<_>>().join("\n UNION ALL\n ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_use_others_are_a_level_above_them() {
        let column = |name, sql: &str| (name, sql.to_owned());
        let columns = vec![column("a", "x + 1"), column("b", "r.a + ab"), column("c", "f(a) + b")];
        let sql = levels("t".to_owned(), [columns, vec![column("d", "x")]]);
        let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            sql,
            "SELECT *, f(a) + b AS c, x AS d FROM (SELECT *, x + 1 AS a, r.a + ab AS b FROM (t))"
        );
    }
}

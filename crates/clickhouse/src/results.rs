//! Which results are valid: those of windows, and those of hours and days that are computed from them.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher};
use std::ops::Range;

use clickhouse::Row;
use cutshort_model::{Bucket, Window, now};
use cutshort_store::Result;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::server::{Server, time};

/// The time that a result covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    FifteenMinutes = 0,
    Hour = 1,
    Day = 2,
}

impl Level {
    pub(crate) const fn nanoseconds(self) -> i64 {
        match self {
            Self::FifteenMinutes => Window::LENGTH,
            Self::Hour => Bucket::Hour.nanoseconds(),
            Self::Day => Bucket::Day.nanoseconds(),
        }
    }

    /// The start of the row that contains a time.
    pub(crate) const fn start(self, t: i64) -> i64 {
        t.div_euclid(self.nanoseconds()) * self.nanoseconds()
    }
}

/// A row of the table `result`. Of several rows of a time, the latest version is valid.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
#[cfg_attr(test, derive(Default))]
pub(crate) struct ResultRow {
    pub(crate) level: u8,
    pub(crate) t: i64,
    pub(crate) version: u64,
    /// The generation of its cells.
    pub(crate) generation: u64,
    /// A digest of its inputs: segments, or generations of windows.
    pub(crate) parts: u64,
    pub(crate) cutoff: i64,
    pub(crate) rules: u64,
    pub(crate) packets: u64,
    pub(crate) copies: u64,
    pub(crate) tail: u64,
    pub(crate) connections: u64,
    pub(crate) excluded: Vec<u64>,
    pub(crate) updated: i64,
    /// The size of its connections in bytes.
    pub(crate) bytes: u64,
    pub(crate) connection_generations: Vec<u64>,
    pub(crate) has_connections: bool,
    pub(crate) has_cells: bool,
    pub(crate) networks_folded: bool,
    pub(crate) ports_folded: bool,
}

pub(crate) const COLUMNS: &str = "level, t, version, generation, parts, cutoff, rules, packets, copies, tail, connections, excluded, updated, bytes, connection_generations, has_connections, has_cells, networks_folded, ports_folded";

impl ResultRow {
    /// Gives it a version later than `before`, and later than all versions made until now by other clocks.
    pub(crate) fn later(self, before: Option<u64>) -> Self {
        let least = before.map_or(0, |version| version + 1);
        Self { version: now().unsigned_abs().max(least), ..self }
    }

    /// Gives it the version after `before`, so that results computed by others in the meantime take precedence.
    pub(crate) fn next(self, before: &Self) -> Self {
        Self { version: before.version + 1, ..self }
    }
}

/// A random number.
pub(crate) fn new_generation() -> u64 {
    let mut hasher = std::hash::RandomState::new().build_hasher();
    hasher.write_i64(now());
    hasher.write_u32(std::process::id());
    hasher.finish()
}

/// A generation that is being written, recorded so that it can be deleted if it never becomes valid.
#[derive(Row, Serialize, Deserialize)]
pub(crate) struct GenerationRow {
    pub(crate) id: u64,
    pub(crate) level: u8,
    pub(crate) t: i64,
    pub(crate) since: i64,
}

/// Records generations, with their times, before anything of them is written.
pub(crate) fn begin(
    server: &Server,
    level: Level,
    generations: impl IntoIterator<Item = (i64, u64)>,
) -> Result<()> {
    let since = now();
    let row = |(t, id)| GenerationRow { id, level: level as u8, t, since };
    server.insert_all("generation", generations.into_iter().map(row))
}

/// The valid results, of one level or all, that begin in a range; in order of level and time.
pub(crate) fn within(server: &Server, range: &Range<i64>) -> Result<Vec<ResultRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM result FINAL WHERE t >= {} AND t < {} ORDER BY level, t",
        time("from"),
        time("to")
    );
    server.all(server.query(&sql).param("from", range.start).param("to", range.end))
}

#[derive(Row, Deserialize)]
struct Print {
    day: i64,
    print: u64,
}

/// A digest of the results of each day of a range, which changes with them. (Also when the server merges rows that were
/// replaced.)
pub(crate) fn prints(server: &Server, range: &Range<i64>) -> Result<BTreeMap<i64, u64>> {
    let sql = format!(
        "SELECT toUnixTimestamp64Nano(t) - positiveModulo(toUnixTimestamp64Nano(t), {}) AS day,
           groupBitXor(sipHash64(level, t, version)) AS print
         FROM result WHERE t >= {} AND t < {} GROUP BY day",
        Level::Day.nanoseconds(),
        time("from"),
        time("to")
    );
    let found: Vec<Print> =
        server.all(server.question(&sql).param("from", range.start).param("to", range.end))?;
    Ok(found.into_iter().map(|row| (row.day, row.print)).collect())
}

/// The result of a window.
pub(crate) fn of_window(server: &Server, window: i64) -> Result<Option<ResultRow>> {
    let sql = format!("SELECT {COLUMNS} FROM result FINAL WHERE level = 0 AND t = {}", time("window"));
    server.optional(server.query(&sql).param("window", window))
}

#[derive(Row, Deserialize)]
struct WindowVersion {
    t: i64,
    version: u64,
}

/// The versions of the results of windows, where there are any.
pub(crate) fn versions(server: &Server, windows: &[i64]) -> Result<BTreeMap<i64, u64>> {
    let (Some(first), Some(last)) = (windows.iter().min(), windows.iter().max()) else {
        return Ok(BTreeMap::new());
    };
    let sql = format!(
        "SELECT t, version FROM result FINAL WHERE level = 0 AND t >= {} AND t <= {}
         AND has({{windows:Array(Int64)}}, toUnixTimestamp64Nano(t))",
        time("first"),
        time("last")
    );
    let query = server.query(&sql).param("first", first).param("last", last).param("windows", windows);
    let rows: Vec<WindowVersion> = server.all(query)?;
    Ok(rows.into_iter().map(|row| (row.t, row.version)).collect())
}

/// A digest of the results from which an hour or a day is computed.
pub(crate) fn digest<'a>(parts: impl Iterator<Item = &'a ResultRow>) -> u64 {
    let add = |hash: Sha256, part: &ResultRow| {
        hash.chain_update(part.t.to_be_bytes()).chain_update(part.generation.to_be_bytes())
    };
    let hash = parts.fold(Sha256::new(), add).finalize();
    hash.iter().take(8).fold(0, |digest, byte| digest << 8 | u64::from(*byte))
}

#[derive(Row, Deserialize)]
struct CoveredTo {
    covered_to: i64,
}

/// The end of the time that segments cover. Times more than a day in the future, which come from a wrong clock, do
/// not count unless there is nothing else (docs/spec.md#future).
pub(crate) const COVERED_TO: &str =
    "ifNull(maxOrNullIf(covers_to, covers_to <= now64(9) + INTERVAL 1 DAY), max(covers_to))";

/// A query for the end of the time that all segments cover.
pub(crate) fn covered_to_sql() -> String {
    format!(
        "SELECT if(count() = 0, toInt64(-9223372036854775808), toUnixTimestamp64Nano({COVERED_TO})) AS covered_to
         FROM segment FINAL WHERE state IN ('kept', 'deleted')"
    )
}

/// The end of the time that all segments cover.
pub(crate) fn covered_to(server: &Server) -> Result<i64> {
    Ok(server.one::<CoveredTo>(server.query(&covered_to_sql()))?.covered_to)
}

/// A row of the table `frozen`, or the start of a result.
#[derive(Row, Serialize, Deserialize)]
struct Time {
    t: i64,
}

/// Records that windows keep their present results.
pub(crate) fn freeze<'a>(server: &Server, windows: impl Iterator<Item = &'a i64>) -> Result<()> {
    let rows: Vec<Time> = windows.map(|t| Time { t: *t }).collect();
    server.insert_all("frozen", rows)
}

/// Windows of a range that keep their present results.
pub(crate) fn frozen(server: &Server, range: &Range<i64>) -> Result<Vec<i64>> {
    times(server, "frozen WHERE", range)
}

/// The times in a table that are in a range.
fn times(server: &Server, table: &str, range: &Range<i64>) -> Result<Vec<i64>> {
    let sql = format!("SELECT DISTINCT t FROM {table} t >= {} AND t < {}", time("from"), time("to"));
    let rows: Vec<Time> = server.all(server.query(&sql).param("from", range.start).param("to", range.end))?;
    Ok(rows.into_iter().map(|row| row.t).collect())
}

/// Whether finer counts of a window's day were deleted.
pub(crate) fn is_closed(server: &Server, window: i64) -> Result<bool> {
    Ok(!closed_days(server, &(window..window.saturating_add(1)))?.is_empty())
}

/// Whether a window has results and keeps them.
pub(crate) fn is_frozen(server: &Server, window: i64) -> Result<bool> {
    Ok(!frozen(server, &(window..window.saturating_add(1)))?.is_empty() || is_closed(server, window)?)
}

/// Days that overlap a range and whose finer counts were deleted, so that they cannot be computed again.
pub(crate) fn closed_days(server: &Server, range: &Range<i64>) -> Result<BTreeSet<i64>> {
    let deleted = times(server, "result FINAL WHERE NOT has_cells AND", &whole_days(range))?;
    Ok(deleted.into_iter().map(|t| Level::Day.start(t)).collect())
}

/// The whole days that overlap a range.
pub(crate) fn whole_days(range: &Range<i64>) -> Range<i64> {
    let day = Level::Day.nanoseconds();
    let from = range.start.div_euclid(day).saturating_mul(day);
    let to = range.end.div_euclid(day).saturating_add(1).saturating_mul(day);
    from..to
}

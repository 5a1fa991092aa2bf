//! Deletes packets of segments that do not count, day by day.

use clickhouse::Row;
use cutshort_model::now;
use cutshort_store::Result;
use serde::Deserialize;

use crate::results::{Level, new_generation};
use crate::segments;
use crate::server::{Server, time};

/// The number of days that are checked in one turn, the oldest first.
const DAYS: u64 = 64;

/// A day that has more packets than its segments.
#[derive(Row, Deserialize)]
struct Day {
    /// The day as a number like 20260105, the partition key of packets.
    day: u32,
    /// The start of the day.
    start: i64,
    /// Packets of segments that are kept or arriving.
    counted: u64,
}

impl Day {
    /// Whether none of its packets are kept, and it is so long ago that hardly any will arrive.
    fn is_whole(&self) -> bool {
        let yesterday = Level::Day.start(now()).saturating_sub(Level::Day.nanoseconds());
        self.counted == 0 && self.start < yesterday
    }
}

/// Segments that began to arrive this long ago, and whose packets have been kept long enough, are given up.
const COUNTS: &str =
    "(state = 'kept' OR state = 'arriving' AND NOT (covers_to < @before AND arrived < @before))";

fn counts() -> String {
    COUNTS.replace("@before", &time("before"))
}

/// The days that have packets to delete.
fn left_over(server: &Server, before: i64) -> Result<Vec<Day>> {
    let sql = format!(
        "SELECT day, toUnixTimestamp64Nano(toDateTime64(
           makeDate(intDiv(day, 10000), intDiv(day, 100) % 100, day % 100), 9, 'UTC')) AS start,
           sum(rows_counted) AS counted FROM (
           SELECT toYYYYMMDD(p.ts) AS day, count() AS stored, toUInt64(0) AS rows_counted FROM packet AS p GROUP BY day
           UNION ALL
           SELECT toYYYYMMDD(w.1) AS day, toUInt64(0) AS stored, sum(w.2) AS rows_counted
           FROM (SELECT windows FROM segment FINAL WHERE {}) AS s ARRAY JOIN s.windows AS w GROUP BY day)
         GROUP BY day HAVING sum(stored) > counted ORDER BY day LIMIT {DAYS}",
        counts()
    );
    server.all_of_much(server.query(&sql).param("before", before))
}

/// Deletes remaining packets in the background. Failed deletions are found again in the next turn.
pub(super) fn delete(server: &Server, before: i64) -> Result<()> {
    let days = left_over(server, before)?;
    let (whole, partly): (Vec<Day>, Vec<Day>) =
        days.into_iter().partition(|day| day.is_whole() && server.cluster.is_none());
    let dropped = if whole.is_empty() { Ok(()) } else { drop_days(server, before) };
    let deleted = partly.iter().try_for_each(|day| delete_from(server, before, day));
    dropped.and(deleted)
}

/// Deletes packets of segments that do not count. If replicas may lag behind, only of segments that are known not to
/// count.
fn delete_from(server: &Server, before: i64, day: &Day) -> Result<()> {
    let (counts, start) = (counts(), time("start"));
    let of_day = format!("last >= {start} AND first < {start} + toIntervalDay(1)");
    let condition = match server.cluster {
        None => format!("segment NOT IN (SELECT id FROM segment FINAL WHERE {of_day} AND {counts})"),
        Some(_) => format!("segment IN (SELECT id FROM segment FINAL WHERE {of_day} AND NOT {counts})"),
    };
    let sql =
        format!("ALTER TABLE {} DELETE IN PARTITION {} WHERE {condition}", server.local("packet"), day.day);
    // Times do not depend on anybody's clock or zone, and replicas only delete what is said to be deleted.
    let query = server.query(&sql).param("before", before).param("start", day.start);
    server.execute(query.with_setting("allow_nondeterministic_mutations", "1"))
}

/// Drops whole days. Nobody stores packets of old days in the meantime: a writer waits, or is seen here (see
/// `segments::await_drop`).
fn drop_days(server: &Server, before: i64) -> Result<()> {
    let number = new_generation();
    segments::note_dropping(server, number, true)?;
    let days = left_over(server, before);
    let dropped = days.and_then(|days| {
        let empty = days.iter().filter(|day| day.is_whole());
        empty.map(|day| day.day).try_for_each(|day| {
            server.execute(server.query(&format!("ALTER TABLE packet DROP PARTITION {day}")))
        })
    });
    dropped.and(segments::note_dropping(server, number, false))
}

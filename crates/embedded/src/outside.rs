//! What other sources say, in a SQLite file of its own to which any process may write, as to the annotations.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use cutshort_detect::{Channel, SeriesPlace};
use cutshort_store::data_dir::OUTSIDE;
use cutshort_store::{
    Outside, OutsideCounts, OutsidePoint, OutsideRecords, OutsideReport, OutsideSeries, OutsideSource,
    OutsideSpan, Reason, StoreError,
};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::guard;
use crate::error::{Error, Result};

/// How long to wait while another process has the file locked.
const BUSY: Duration = Duration::from_secs(10);

/// Times are nanoseconds. Lists are separated by spaces.
const SCHEMA: &str = "
CREATE TABLE report (
    source TEXT NOT NULL, id TEXT NOT NULL, signal TEXT NOT NULL, places TEXT NOT NULL, start_ns INTEGER NOT NULL,
    end_ns INTEGER, whole_days INTEGER NOT NULL, note TEXT NOT NULL, url TEXT, imported_ns INTEGER NOT NULL,
    PRIMARY KEY (source, id)
) STRICT;
CREATE TABLE series (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, signal TEXT NOT NULL, place TEXT NOT NULL, about TEXT NOT NULL,
    step_ns INTEGER NOT NULL, UNIQUE (place, source, signal)
) STRICT;
CREATE TABLE point (
    series INTEGER NOT NULL, at_ns INTEGER NOT NULL, value REAL NOT NULL, total REAL, PRIMARY KEY (series, at_ns)
) STRICT, WITHOUT ROWID;
CREATE TABLE span (
    source TEXT NOT NULL, place TEXT NOT NULL, start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL,
    PRIMARY KEY (source, place, start_ns, end_ns)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
";
const VERSION: i64 = 1;
const REPORT: &str = "source, id, signal, places, start_ns, end_ns, whole_days, note, url, imported_ns";

/// The file of what other sources say. It is created with the first import.
pub struct OutsideFile {
    path: PathBuf,
    connection: Mutex<Option<Connection>>,
}

impl OutsideFile {
    /// The file in a data directory, which must exist.
    #[must_use]
    pub fn in_directory(directory: &Path) -> Self {
        Self { path: directory.join(OUTSIDE), connection: Mutex::new(None) }
    }

    /// Runs a query; the default if there is no file.
    fn read<T: Default>(&self, look: impl FnOnce(&Connection) -> Result<T>) -> cutshort_store::Result<T> {
        let mut connection = guard(&self.connection);
        if connection.is_none() && !self.path.exists() {
            return Ok(T::default());
        }
        Ok(self.open(&mut connection).and_then(|sql| look(sql)).map_err(|error| self.failed(error))?)
    }

    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> cutshort_store::Result<T> {
        let mut connection = guard(&self.connection);
        let change = || -> Result<T> {
            let transaction = self.open(&mut connection)?.transaction()?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        Ok(change().map_err(|error| self.failed(error))?)
    }

    /// The error of a damaged file says what to do: everything in it can be imported again.
    fn failed(&self, error: Error) -> Error {
        match error {
            Error(StoreError::Damaged(_)) => Error(StoreError::Damaged(
                format!(
                    "{} is damaged: move it away (in a store, 'cutshort store repair' does so), and run 'cutshort corroborate import' again with its files",
                    self.path.display()
                )
                .into(),
            )),
            other => other,
        }
    }

    fn open<'a>(&self, connection: &'a mut MutexGuard<'_, Option<Connection>>) -> Result<&'a mut Connection> {
        if connection.is_none() {
            **connection = Some(self.connect()?);
        }
        connection.as_mut().ok_or_else(|| Error(StoreError::Failed("no connection".to_owned().into())))
    }

    fn connect(&self) -> Result<Connection> {
        let opened = Connection::open(&self.path);
        let mut sql = opened.map_err(|error| {
            Error(StoreError::Failed(Reason::caused_by(
                format!("cannot open {}", self.path.display()),
                error,
            )))
        })?;
        sql.busy_timeout(BUSY)?;
        // A program that has given up reaching other folders has no place for temporary files.
        sql.pragma_update(None, "temp_store", "MEMORY")?;
        match version(&sql)? {
            0 => {
                let transaction = sql.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                // Another process may have been first.
                if version(&transaction)? == 0 {
                    transaction.execute_batch(SCHEMA)?;
                }
                transaction.commit()?;
            }
            VERSION => {}
            _ => {
                let text = format!("{} is of another version of cutshort", self.path.display());
                return Err(Error(StoreError::Refused(text)));
            }
        }
        Ok(sql)
    }
}

/// Whether its tables can be read.
pub(super) fn check(sql: &Connection) -> Result<()> {
    for table in ["report", "series", "point", "span"] {
        sql.query_row(&format!("SELECT count(*) FROM {table}"), [], |_| Ok(()))?;
    }
    Ok(())
}

fn version(sql: &Connection) -> Result<i64> {
    Ok(sql.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

impl Outside for OutsideFile {
    fn import(&self, records: &OutsideRecords) -> cutshort_store::Result<OutsideCounts> {
        self.write(|sql| {
            let mut counts = OutsideCounts::default();
            records.reports.iter().try_for_each(|report| keep_report(sql, report, &mut counts))?;
            records.series.iter().try_for_each(|series| keep_series(sql, series, &mut counts))?;
            let insert =
                "INSERT OR IGNORE INTO span (source, place, start_ns, end_ns) VALUES (?1, ?2, ?3, ?4)";
            for span in &records.spans {
                let values = params![span.source, span.place.to_string(), span.range.start, span.range.end];
                sql.prepare_cached(insert)?.execute(values)?;
            }
            Ok(counts)
        })
    }

    fn reports(&self, range: Range<i64>) -> cutshort_store::Result<Vec<OutsideReport>> {
        self.read(|sql| {
            let select = format!(
                "SELECT {REPORT} FROM report WHERE start_ns < ?1 AND (end_ns IS NULL OR end_ns > ?2)
                 ORDER BY start_ns, source, id"
            );
            let mut select = sql.prepare_cached(&select)?;
            let mut rows = select.query([range.end, range.start])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(report(row)?);
            }
            Ok(found)
        })
    }

    fn spans(&self) -> cutshort_store::Result<Vec<OutsideSpan>> {
        self.read(|sql| {
            let mut select = sql.prepare_cached("SELECT source, place, start_ns, end_ns FROM span")?;
            let mut rows = select.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let range = row.get(2)?..row.get(3)?;
                found.push(OutsideSpan {
                    source: row.get(0)?,
                    place: place(&row.get::<_, String>(1)?)?,
                    range,
                });
            }
            Ok(found)
        })
    }

    fn series(&self, of: &SeriesPlace, ranges: &[Range<i64>]) -> cutshort_store::Result<Vec<OutsideSeries>> {
        self.read(|sql| {
            let mut select = sql.prepare_cached(
                "SELECT id, source, signal, about, step_ns FROM series WHERE place = ?1 ORDER BY source, signal",
            )?;
            let mut rows = select.query([of.to_string()])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let (id, about): (i64, String) = (row.get(0)?, row.get(3)?);
                let series = OutsideSeries {
                    source: row.get(1)?,
                    signal: row.get(2)?,
                    place: of.clone(),
                    about: about.split(' ').filter_map(Channel::from_name).collect(),
                    step: row.get(4)?,
                    points: Vec::new(),
                };
                let points = points(sql, id, series.step, ranges)?;
                if !points.is_empty() {
                    found.push(OutsideSeries { points, ..series });
                }
            }
            Ok(found)
        })
    }

    fn sources(&self) -> cutshort_store::Result<Vec<OutsideSource>> {
        self.read(|sql| {
            let mut select = sql.prepare_cached(
                "SELECT source, sum(reports), sum(points), min(first), max(last) FROM (
                     SELECT source, count(*) AS reports, 0 AS points, min(start_ns) AS first,
                            max(coalesce(end_ns, imported_ns)) AS last FROM report GROUP BY source
                     UNION ALL SELECT source, 0, count(*), min(at_ns), max(at_ns + step_ns)
                               FROM series JOIN point ON point.series = series.id GROUP BY source
                     UNION ALL SELECT DISTINCT source, 0, 0, NULL, NULL FROM span
                 ) GROUP BY source ORDER BY source",
            )?;
            let rows = select.query_map([], |row| {
                let range: (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
                Ok(OutsideSource {
                    name: row.get(0)?,
                    reports: row.get::<_, i64>(1)?.unsigned_abs(),
                    points: row.get::<_, i64>(2)?.unsigned_abs(),
                    range: range.0.zip(range.1).map(|(first, last)| first..last),
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    fn remove(&self, source: &str) -> cutshort_store::Result<u64> {
        if !self.path.exists() {
            return Ok(0);
        }
        self.write(|sql| {
            let mut removed = 0;
            for delete in [
                "DELETE FROM point WHERE series IN (SELECT id FROM series WHERE source = ?1)",
                "DELETE FROM report WHERE source = ?1",
            ] {
                removed += sql.execute(delete, [source])? as u64;
            }
            let empty = sql.execute("DELETE FROM series WHERE source = ?1", [source])?;
            let spans = sql.execute("DELETE FROM span WHERE source = ?1", [source])?;
            Ok(if removed == 0 { (empty + spans) as u64 } else { removed })
        })
    }
}

fn keep_report(sql: &Connection, new: &OutsideReport, counts: &mut OutsideCounts) -> Result<()> {
    let select = format!("SELECT {REPORT} FROM report WHERE source = ?1 AND id = ?2");
    let mut select = sql.prepare_cached(&select)?;
    let mut rows = select.query([&new.source, &new.id])?;
    let old = rows.next()?.map(report).transpose()?;
    match &old {
        None => counts.new += 1,
        Some(old) if OutsideReport { imported: new.imported, ..old.clone() } == *new => {
            counts.known += 1;
            // What has not ended was seen again.
            if new.to.is_some() || old.imported >= new.imported {
                return Ok(());
            }
        }
        Some(_) => counts.changed += 1,
    }
    let insert =
        format!("INSERT OR REPLACE INTO report ({REPORT}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
    let places: Vec<String> = new.places.iter().map(SeriesPlace::to_string).collect();
    sql.prepare_cached(&insert)?.execute(params![
        new.source,
        new.id,
        new.signal,
        places.join(" "),
        new.from,
        new.to,
        new.whole_days,
        new.note,
        new.url,
        new.imported,
    ])?;
    Ok(())
}

fn keep_series(sql: &Connection, new: &OutsideSeries, counts: &mut OutsideCounts) -> Result<()> {
    let about: Vec<&str> = new.about.iter().map(|channel| channel.name()).collect();
    let insert = "INSERT INTO series (source, signal, place, about, step_ns) VALUES (?1, ?2, ?3, ?4, ?5)
                  ON CONFLICT (place, source, signal) DO UPDATE SET about = ?4, step_ns = ?5 RETURNING id";
    let place = new.place.to_string();
    let values = params![new.source, new.signal, place, about.join(" "), new.step];
    let id: i64 = sql.prepare_cached(insert)?.query_row(values, |row| row.get(0))?;
    let mut select = sql.prepare_cached("SELECT value, total FROM point WHERE series = ?1 AND at_ns = ?2")?;
    let mut keep = sql.prepare_cached(
        "INSERT OR REPLACE INTO point (series, at_ns, value, total) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for OutsidePoint { at, value, of } in &new.points {
        let values = |row: &Row<'_>| Ok((row.get::<_, f64>(0)?, row.get::<_, Option<f64>>(1)?));
        match select.query_row([id, *at], values).optional()? {
            None => counts.new += 1,
            Some(old) if old == (*value, *of) => {
                counts.known += 1;
                continue;
            }
            Some(_) => counts.changed += 1,
        }
        keep.execute(params![id, at, value, of])?;
    }
    Ok(())
}

/// The points of a series that last into some ranges, in order of time.
fn points(sql: &Connection, id: i64, step: i64, ranges: &[Range<i64>]) -> Result<Vec<OutsidePoint>> {
    let mut select = sql.prepare_cached(
        "SELECT at_ns, value, total FROM point WHERE series = ?1 AND at_ns > ?2 AND at_ns < ?3 ORDER BY at_ns",
    )?;
    let mut found = BTreeMap::new();
    for range in ranges {
        let after = range.start.saturating_sub(step.max(1));
        let mut rows = select.query([id, after, range.end])?;
        while let Some(row) = rows.next()? {
            let point = OutsidePoint { at: row.get(0)?, value: row.get(1)?, of: row.get(2)? };
            found.insert(point.at, point);
        }
    }
    Ok(found.into_values().collect())
}

fn report(row: &Row<'_>) -> Result<OutsideReport> {
    let places: String = row.get("places")?;
    Ok(OutsideReport {
        source: row.get("source")?,
        id: row.get("id")?,
        signal: row.get("signal")?,
        places: places.split(' ').map(place).collect::<Result<_>>()?,
        from: row.get("start_ns")?,
        to: row.get("end_ns")?,
        whole_days: row.get("whole_days")?,
        note: row.get("note")?,
        url: row.get("url")?,
        imported: row.get("imported_ns")?,
    })
}

fn place(text: &str) -> Result<SeriesPlace> {
    text.parse()
        .map_err(|_| Error(StoreError::Damaged(format!("'{text}' is not the name of a place").into())))
}

#[cfg(test)]
mod tests;

//! Annotations by operators, in a SQLite file of their own to which any process may write.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cutshort_geo::Country;
use cutshort_store::{Annotation, AnnotationKind, NewAnnotation, StoreError};
use cutshort_verdict::DataSet;
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use super::rescue::{Scan, scan};
use crate::error::{Error, Result, of_database};

/// How long to wait while another process has the file locked.
const BUSY: Duration = Duration::from_secs(10);

/// AUTOINCREMENT: numbers of removed annotations are not used again.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS annotation (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, start_ns INTEGER NOT NULL, end_ns INTEGER,
    description TEXT NOT NULL, linked_url TEXT, scope TEXT, locations TEXT NOT NULL, asns TEXT NOT NULL,
    outage_cause TEXT, outage_type TEXT, data_set TEXT
) STRICT;
";
const COLUMNS: &str = "kind, start_ns, end_ns, description, linked_url, scope, locations, asns, \
                       outage_cause, outage_type";
/// The data set of an annotation; version 0.1 made files without it, whose annotations are about all data sets.
const DATA_SET: &str = "data_set";

/// The stored annotations.
#[derive(Debug)]
pub(crate) struct Annotations {
    path: PathBuf,
    /// Whether to wait until what is written is on the disk.
    durable: bool,
    connection: Mutex<Option<Connection>>,
}

impl Annotations {
    /// Opens the annotations in a file. It is created with the first one, so that a directory that cannot be written
    /// to can be read.
    pub(crate) fn open(path: &Path, durable: bool) -> Result<Self> {
        let connection = path.exists().then(|| connect(path, durable)).transpose()?;
        Ok(Self { path: path.to_owned(), durable, connection: Mutex::new(connection) })
    }

    /// The annotations whose time overlaps the range, in order of their start.
    pub(crate) fn list(&self, range: Range<i64>) -> Result<Vec<Annotation>> {
        if !self.path.exists() {
            return Ok(Vec::new());
        }
        self.with(|sql| list_all(sql, &range))
    }

    /// Stores an annotation.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with what is wrong with it.
    pub(crate) fn add(&self, annotation: &NewAnnotation) -> Result<Annotation> {
        annotation.check()?;
        let id = self.with(|sql| {
            add_data_set(sql)?;
            insert(sql, annotation)
        })?;
        Ok(Annotation { id: id.unsigned_abs(), content: annotation.clone() })
    }

    /// Removes an annotation; false if no annotation has this number.
    pub(crate) fn remove(&self, id: u64) -> Result<bool> {
        let Ok(id) = i64::try_from(id) else { return Ok(false) };
        if !self.path.exists() {
            return Ok(false);
        }
        self.with(|sql| Ok(sql.execute("DELETE FROM annotation WHERE id = ?1", [id])? != 0))
    }

    /// Stores what can be read of a damaged file, with the same numbers. Returns how many annotations these are, and
    /// whether they are all.
    pub(crate) fn salvage(&self, old: &Connection) -> Result<(u64, bool)> {
        let mut found = BTreeMap::new();
        // Where not even the columns are known, nothing can be read.
        let Ok(columns) = columns(old) else { return Ok((0, false)) };
        let select = format!("SELECT id, {columns} FROM annotation");
        let state = scan(old, &select, &["id"], [], |row| {
            let content = annotation(row).map_err(|_| rusqlite::Error::InvalidQuery)?;
            found.insert(content.id, content.content);
            Ok(())
        });
        for (id, content) in &found {
            let given = self.with(|sql| insert(sql, content))?;
            let number = "UPDATE annotation SET id = ?1 WHERE id = ?2";
            self.with(|sql| Ok(sql.execute(number, params![id.cast_signed(), given]).map(drop)?))?;
        }
        if let Some((last, _)) = found.last_key_value() {
            let next = "UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = 'annotation'";
            self.with(|sql| Ok(sql.execute(next, [last.cast_signed()]).map(drop)?))?;
        }
        Ok((found.len() as u64, state == Scan::Whole))
    }

    fn with<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        match &*connection {
            Some(open) => work(open),
            None => work(connection.insert(connect(&self.path, self.durable)?)),
        }
    }
}

fn connect(path: &Path, durable: bool) -> Result<Connection> {
    let open = || -> rusqlite::Result<Connection> {
        let sql = Connection::open(path)?;
        sql.busy_timeout(BUSY)?;
        if !durable {
            sql.pragma_update(None, "synchronous", "OFF")?;
        }
        if !sql.table_exists(None, "annotation")? {
            sql.execute_batch(SCHEMA)?;
        }
        Ok(sql)
    };
    open().map_err(|error| match Error::from(error) {
        Error(StoreError::Failed(why)) => {
            Error(StoreError::Failed(why.with_text(format!("cannot open {}", path.display()))))
        }
        other => other,
    })
}

/// Asks the file, as `column_exists` does not notice what another process has added since it was opened.
fn has_data_set(sql: &Connection) -> rusqlite::Result<bool> {
    let count = "SELECT count(*) FROM pragma_table_info('annotation') WHERE name = ?1";
    sql.query_row(count, [DATA_SET], |row| row.get::<_, i64>(0)).map(|found| found != 0)
}

/// Adds the column to an older file, before something is written: a directory that cannot be written to can be read.
fn add_data_set(sql: &Connection) -> Result<()> {
    if has_data_set(sql)? {
        return Ok(());
    }
    let sql = Transaction::new_unchecked(sql, TransactionBehavior::Immediate)?;
    // Another process may have been first.
    if !has_data_set(&sql)? {
        sql.execute(&format!("ALTER TABLE annotation ADD COLUMN {DATA_SET} TEXT"), [])?;
    }
    Ok(sql.commit()?)
}

/// What to select of a file of any version.
fn columns(sql: &Connection) -> Result<String> {
    let data_set = if has_data_set(sql)? { DATA_SET } else { "NULL AS data_set" };
    Ok(format!("{COLUMNS}, {data_set}"))
}

/// The annotations in a database whose time overlaps the range.
pub(super) fn list_all(sql: &Connection, range: &Range<i64>) -> Result<Vec<Annotation>> {
    let select = format!(
        "SELECT id, {} FROM annotation
         WHERE start_ns < ?1 AND (end_ns IS NULL OR end_ns >= ?2) ORDER BY start_ns, id",
        columns(sql)?
    );
    let mut select = sql.prepare_cached(&select)?;
    let mut rows = select.query([range.end, range.start])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(annotation(row)?);
    }
    Ok(found)
}

fn insert(sql: &Connection, annotation: &NewAnnotation) -> Result<i64> {
    let insert = format!(
        "INSERT INTO annotation ({COLUMNS}, {DATA_SET}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    );
    let (cause, kind) = annotation.outage.as_ref().map(|(cause, kind)| (cause, kind)).unzip();
    let locations: Vec<&str> = annotation.locations.iter().map(|country| country.alpha2()).collect();
    let asns: Vec<String> = annotation.asns.iter().map(u32::to_string).collect();
    sql.prepare_cached(&insert)?.execute(params![
        annotation.kind.name(),
        annotation.start,
        annotation.end,
        annotation.description,
        annotation.linked_url,
        annotation.scope,
        locations.join(","),
        asns.join(","),
        cause,
        kind,
        annotation.data_set.map(DataSet::name),
    ])?;
    Ok(sql.last_insert_rowid())
}

fn annotation(row: &Row<'_>) -> Result<Annotation> {
    let id: i64 = row.get(0)?;
    let kind: String = row.get("kind")?;
    let (locations, asns): (String, String) = (row.get("locations")?, row.get("asns")?);
    let data_set: Option<String> = row.get(DATA_SET)?;
    let outage: (Option<String>, Option<String>) = (row.get("outage_cause")?, row.get("outage_type")?);
    let unknown = |what: &str, value: &str| {
        of_database(&format!("annotation {id} has the {what} '{value}', which is not known"))
    };
    Ok(Annotation {
        id: id.unsigned_abs(),
        content: NewAnnotation {
            data_set: data_set
                .map(|name| name.parse().map_err(|_| unknown("data set", &name)))
                .transpose()?,
            kind: AnnotationKind::from_name(&kind).ok_or_else(|| unknown("kind", &kind))?,
            start: row.get("start_ns")?,
            end: row.get("end_ns")?,
            description: row.get("description")?,
            linked_url: row.get("linked_url")?,
            scope: row.get("scope")?,
            locations: list(&locations, Country::from_alpha2)
                .ok_or_else(|| unknown("locations", &locations))?,
            asns: list(&asns, |asn| asn.parse().ok()).ok_or_else(|| unknown("networks", &asns))?,
            outage: outage.0.zip(outage.1),
        },
    })
}

fn list<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').filter(|item| !item.is_empty()).map(parse).collect()
}

#[cfg(test)]
mod tests;

//! What the operator decided about events. It cannot be found again in the counts.

use std::collections::BTreeMap;
use std::path::Path;

use cutshort_detect::EventId;
use cutshort_store::{Decision, Review};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

use super::named;
use crate::error::Result;
use crate::rescue::{Scan, scan};

pub(super) const SCHEMA: &str = "
CREATE TABLE review (id INTEGER PRIMARY KEY, decision TEXT NOT NULL, note TEXT, at_ns INTEGER NOT NULL) STRICT;
";

/// The condition that an event, named by an expression for its ID, was dismissed.
macro_rules! is_dismissed {
    ($id:literal) => {
        concat!("EXISTS (SELECT 1 FROM review WHERE review.id = ", $id, " AND review.decision = 'dismissed')")
    };
}
pub(super) use is_dismissed;

const SELECT: &str = "SELECT id, decision, note, at_ns FROM review";

pub(super) fn list(sql: &Connection) -> Result<BTreeMap<EventId, Review>> {
    // Files of earlier versions are read, too.
    let known = "SELECT 1 FROM sqlite_master WHERE name = 'review'";
    if sql.query_row(known, [], |_| Ok(())).optional()?.is_none() {
        return Ok(BTreeMap::new());
    }
    let mut select = sql.prepare_cached(SELECT)?;
    let mut rows = select.query([])?;
    let mut found = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (id, review) = read(row)?;
        found.insert(id, review);
    }
    Ok(found)
}

fn read(row: &Row<'_>) -> Result<(EventId, Review)> {
    let decision = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
    let decision = named("decision", decision, Decision::from_name)?;
    let id = EventId(row.get::<_, i64>(0)?.cast_unsigned());
    Ok((id, Review { decision, note: row.get(2)?, at: row.get(3)? }))
}

/// Sets or deletes the review of an event; false if there is no such event.
pub(super) fn set(sql: &Connection, id: EventId, review: Option<&Review>) -> Result<bool> {
    let known = sql.query_row("SELECT 1 FROM event WHERE id = ?1", [id.0.cast_signed()], |_| Ok(()));
    if known.optional()?.is_none() {
        return Ok(false);
    }
    match review {
        Some(review) => insert(sql, id, review)?,
        None => _ = sql.execute("DELETE FROM review WHERE id = ?1", [id.0.cast_signed()])?,
    }
    Ok(true)
}

pub(super) fn insert(sql: &Connection, id: EventId, review: &Review) -> Result<()> {
    let insert = "INSERT OR REPLACE INTO review (id, decision, note, at_ns) VALUES (?1, ?2, ?3, ?4)";
    sql.execute(insert, params![id.0.cast_signed(), review.decision.name(), review.note, review.at])?;
    Ok(())
}

/// What can be read of a damaged file, and whether it is all.
pub(super) fn salvage(path: &Path) -> (BTreeMap<EventId, Review>, Scan) {
    let mut found = BTreeMap::new();
    let Ok(sql) = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY) else {
        return (found, Scan::InPart);
    };
    let scanned = scan(&sql, SELECT, &["id"], [], |row| {
        let (id, review) = read(row).map_err(|_| rusqlite::Error::InvalidQuery)?;
        found.insert(id, review);
        Ok(())
    });
    (found, scanned)
}

#[cfg(test)]
mod tests {
    use cutshort_detect::{Channel, Event, SeriesPlace};
    use cutshort_store::{EventStep, Events, KeptEvent};
    use cutshort_verdict::DataSet;

    use super::*;
    use crate::EventFile;
    use crate::folder::{EVENTS, Folder};

    fn review(decision: Decision) -> Review {
        Review { decision, note: Some("a test".to_owned()), at: 7 }
    }

    /// Stores an event, and returns its id.
    fn keep(file: &EventFile) -> EventId {
        let event = Event::new(SeriesPlace::World, Channel::Traffic, 1);
        let id = event.id;
        let events = [KeptEvent { event, found: id, updated: 1 }];
        let step = EventStep { windows: 1..3, digests: &[], events: &events, alerts: &[], state: None };
        file.keep(&step).unwrap();
        id
    }

    #[test]
    fn decisions_are_replaced_and_taken_back_also_while_another_process_writes() {
        let folder = tempfile::tempdir().unwrap();
        let writer = EventFile::in_directory(folder.path(), DataSet::Tcp);
        let reader = EventFile::new(&Folder::new(folder.path(), true), false);
        let confirmed = review(Decision::Confirmed);
        assert!(!reader.review(EventId(1), Some(&confirmed)).unwrap(), "there is no file");
        let id = keep(&writer);
        assert!(!writer.review(EventId(1), Some(&confirmed)).unwrap(), "there is no such event");
        assert!(writer.review(id, Some(&confirmed)).unwrap());
        assert!(reader.review(id, Some(&review(Decision::Dismissed))).unwrap());
        for file in [&writer, &reader] {
            assert_eq!(file.reviews().unwrap(), [(id, review(Decision::Dismissed))].into());
        }
        keep(&writer);
        assert_eq!(reader.reviews().unwrap().len(), 1, "the event was stored again");
        assert!(reader.review(id, None).unwrap());
        assert_eq!(writer.reviews().unwrap(), BTreeMap::new());
    }

    #[test]
    fn decisions_are_saved_from_a_damaged_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = EventFile::in_directory(folder.path(), DataSet::Tcp);
        let id = keep(&file);
        file.review(id, Some(&review(Decision::Confirmed))).unwrap();
        let (_, aside, scanned) = file.renew().unwrap();
        assert_eq!((aside.as_str(), scanned), ("damaged/events.sqlite", Scan::Whole));
        let again = EventFile::in_directory(folder.path(), DataSet::Tcp);
        assert_eq!(again.reviews().unwrap(), [(id, review(Decision::Confirmed))].into());
        assert_eq!(again.list(&cutshort_store::EventQuery::default()).unwrap(), []);
    }

    /// The version before had no reviews.
    #[test]
    fn a_file_of_the_second_version_is_read_and_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let id = keep(&EventFile::in_directory(folder.path(), DataSet::Tcp));
        let sql = Connection::open(folder.path().join(EVENTS)).unwrap();
        sql.execute_batch("DROP TABLE review; PRAGMA user_version = 2").unwrap();
        drop(sql);
        let reader = EventFile::new(&Folder::new(folder.path(), true), false);
        assert_eq!(reader.reviews().unwrap(), BTreeMap::new());
        let writer = EventFile::in_directory(folder.path(), DataSet::Tcp);
        assert!(writer.review(id, Some(&review(Decision::Confirmed))).unwrap());
        assert_eq!(reader.reviews().unwrap().len(), 1);
    }
}

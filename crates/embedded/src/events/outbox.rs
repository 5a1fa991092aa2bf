//! Alerts, beside the events that they are about.

use cutshort_detect::Event;
use cutshort_store::{
    ALERTS_KEPT, Alert, AlertKind, KeptEvent, Outbox, QueuedAlert, Result as StoreResult, Told,
};
use rusqlite::{OptionalExtension, Transaction, params, params_from_iter};

use super::{COLUMNS, EventFile, event_columns, kept, named, reviews, values};
use crate::error::Result;

/// In an alert, the event is as it was then, and `updated_ns` is when it was stored. Numbers are never used again.
pub(super) const SCHEMA: &str = concat!(
    "CREATE TABLE alert (number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id INTEGER NOT NULL, ",
    event_columns!(),
    ") STRICT;
CREATE INDEX alert_id ON alert (id);
CREATE TABLE receiver (name TEXT PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, told_ns INTEGER) STRICT;
"
);

/// Adds alerts, and deletes those that are too old for anybody.
pub(super) fn add(sql: &Transaction<'_>, alerts: &[Alert]) -> Result<()> {
    let Some(latest) = alerts.iter().map(|alert| alert.at).max() else { return Ok(()) };
    let insert = format!(
        "INSERT INTO alert ({COLUMNS}, kind)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)"
    );
    let mut insert = sql.prepare_cached(&insert)?;
    for Alert { kind, event, at } in alerts {
        let values = values(&KeptEvent { event: event.clone(), found: event.id, updated: *at });
        let kind = kind.name().to_owned().into();
        insert.execute(params_from_iter(values.into_iter().chain([kind])))?;
    }
    sql.execute("DELETE FROM alert WHERE updated_ns < ?1", [latest - ALERTS_KEPT])?;
    Ok(())
}

impl Outbox for EventFile {
    fn subscribe(&self, receiver: &str) -> StoreResult<()> {
        let insert = "INSERT OR IGNORE INTO receiver (name, first, last)
                      SELECT ?1, number, number FROM (SELECT coalesce(max(number), 0) AS number FROM alert)";
        Ok(self.write(|sql| {
            sql.execute(insert, [receiver])?;
            Ok(())
        })?)
    }

    fn told(&self, receiver: &str) -> StoreResult<Option<Told>> {
        let select = "SELECT first, last, told_ns FROM receiver WHERE name = ?1";
        Ok(self.read(|sql| {
            let mut select = sql.prepare_cached(select)?;
            let told =
                |row: &rusqlite::Row<'_>| Ok(Told { first: row.get(0)?, last: row.get(1)?, at: row.get(2)? });
            Ok(select.query_row([receiver], told).optional()?)
        })?)
    }

    fn after(&self, number: i64, most: usize) -> StoreResult<Vec<QueuedAlert>> {
        let select = format!(
            "SELECT number, kind, {COLUMNS}, {} AS is_dismissed FROM alert WHERE number > ?1 ORDER BY number LIMIT ?2",
            reviews::is_dismissed!("alert.id")
        );
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        Ok(self.read(|sql| {
            let mut select = sql.prepare_cached(&select)?;
            let mut rows = select.query(params![number, most])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let KeptEvent { event, updated: at, .. } = kept(row)?;
                let kind = row.get_ref("kind")?.as_str().map_err(rusqlite::Error::from)?;
                let kind = named("kind of alert", kind, AlertKind::from_name)?;
                let (number, is_dismissed) = (row.get("number")?, row.get("is_dismissed")?);
                found.push(QueuedAlert { number, alert: Alert { kind, event, at }, is_dismissed });
            }
            Ok(found)
        })?)
    }

    fn tell(&self, receiver: &str, last: i64, at: Option<i64>) -> StoreResult<()> {
        let update = "UPDATE receiver SET last = ?2, told_ns = coalesce(?3, told_ns) WHERE name = ?1";
        Ok(self.write(|sql| {
            sql.execute(update, params![receiver, last, at])?;
            Ok(())
        })?)
    }

    fn firing(&self, receiver: &str) -> StoreResult<Vec<Event>> {
        let select = format!(
            "SELECT {COLUMNS} FROM event WHERE state = 'open' AND alarm IS NOT NULL AND EXISTS (
                 SELECT 1 FROM alert, receiver WHERE alert.id = event.id AND receiver.name = ?1
                 AND alert.number > receiver.first AND alert.number <= receiver.last
             ) AND NOT {} ORDER BY onset, id",
            reviews::is_dismissed!("event.id")
        );
        Ok(self.read(|sql| {
            let mut select = sql.prepare_cached(&select)?;
            let mut rows = select.query([receiver])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(kept(row)?.event);
            }
            Ok(found)
        })?)
    }
}

#[cfg(test)]
mod tests {
    use cutshort_detect::{Channel, EventState, SeriesPlace};
    use cutshort_store::{Decision, EventStep, Events, Review};
    use cutshort_verdict::DataSet;

    use super::*;

    const DAY: i64 = 86_400 * 1_000_000_000;

    fn event(onset: i64) -> Event {
        let place = SeriesPlace::Country(*b"IQ");
        Event { size: 0.4, alarm: Some(onset + 1), ..Event::new(place, Channel::Traffic, onset) }
    }

    fn alert(kind: AlertKind, event: Event, at: i64) -> Alert {
        Alert { kind, event, at }
    }

    /// Stores the events of alerts with them.
    fn keep(file: &EventFile, alerts: &[Alert]) {
        let kept = |alert: &Alert| KeptEvent {
            event: alert.event.clone(),
            found: alert.event.id,
            updated: alert.at,
        };
        let events: Vec<_> = alerts.iter().map(kept).collect();
        let step = EventStep { windows: 0..1, digests: &[], events: &events, alerts, state: None };
        file.keep(&step).unwrap();
    }

    fn numbers(file: &EventFile, after: i64) -> Vec<i64> {
        file.after(after, 10).unwrap().iter().map(|queued| queued.number).collect()
    }

    #[test]
    fn a_receiver_is_told_what_comes_after_it_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let open = || EventFile::in_directory(folder.path(), DataSet::Tcp);
        let file = open();
        assert_eq!(file.told("a").unwrap(), None);
        keep(&file, &[alert(AlertKind::Opened, event(1), 5)]);
        file.subscribe("a").unwrap();
        assert_eq!(file.told("a").unwrap(), Some(Told { first: 1, last: 1, at: None }));
        let later = [alert(AlertKind::Opened, event(20), 7), alert(AlertKind::Worse, event(20), 7)];
        keep(&file, &later);
        file.subscribe("a").unwrap();
        drop(file);
        let file = open();
        let told = file.told("a").unwrap().unwrap();
        assert_eq!((told.last, numbers(&file, told.last)), (1, vec![2, 3]));
        assert_eq!(file.after(1, 10).unwrap()[1].alert, later[1]);
        assert_eq!(file.after(1, 1).unwrap().len(), 1);
        file.tell("a", 2, Some(9)).unwrap();
        file.tell("a", 3, None).unwrap();
        assert_eq!(file.told("a").unwrap(), Some(Told { first: 1, last: 3, at: Some(9) }));
    }

    #[test]
    fn only_events_that_a_receiver_was_told_fire_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = EventFile::in_directory(folder.path(), DataSet::Tcp);
        keep(&file, &[alert(AlertKind::Opened, event(1), 5)]);
        file.subscribe("a").unwrap();
        keep(&file, &[alert(AlertKind::Opened, event(20), 7)]);
        assert_eq!(file.firing("a").unwrap(), [], "not told yet");
        file.tell("a", 2, Some(8)).unwrap();
        assert_eq!(file.firing("a").unwrap(), [event(20)]);
        let review =
            |decision| file.review(event(20).id, Some(&Review::new(decision, None, 8).unwrap())).unwrap();
        assert!(review(Decision::Dismissed));
        assert_eq!(file.firing("a").unwrap(), []);
        assert!(review(Decision::Confirmed));
        assert_eq!(file.firing("a").unwrap(), [event(20)]);
        let closed = Event { state: EventState::Closed, end: Some(30), closed: Some(31), ..event(20) };
        keep(&file, &[alert(AlertKind::Ended, closed, 9)]);
        assert_eq!(file.firing("a").unwrap(), []);
    }

    #[test]
    fn alerts_say_whether_their_event_was_dismissed() {
        let folder = tempfile::tempdir().unwrap();
        let file = EventFile::in_directory(folder.path(), DataSet::Tcp);
        keep(&file, &[alert(AlertKind::Opened, event(1), 5), alert(AlertKind::Opened, event(20), 5)]);
        file.review(event(20).id, Some(&Review::new(Decision::Dismissed, None, 8).unwrap())).unwrap();
        let dismissed: Vec<bool> =
            file.after(0, 10).unwrap().iter().map(|queued| queued.is_dismissed).collect();
        assert_eq!(dismissed, [false, true]);
    }

    #[test]
    fn old_alerts_are_deleted_and_their_numbers_not_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = EventFile::in_directory(folder.path(), DataSet::Tcp);
        keep(&file, &[alert(AlertKind::Opened, event(1), 0), alert(AlertKind::Worse, event(1), 0)]);
        keep(&file, &[alert(AlertKind::Ended, event(1), 15 * DAY)]);
        assert_eq!(numbers(&file, 0), [3]);
    }

    /// The version before had no alerts.
    #[test]
    fn a_file_of_the_first_version_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let sql = rusqlite::Connection::open(folder.path().join("events.sqlite")).unwrap();
        sql.execute_batch(super::super::SCHEMA).unwrap();
        sql.pragma_update(None, "user_version", 1).unwrap();
        drop(sql);
        let file = EventFile::in_directory(folder.path(), DataSet::Tcp);
        file.subscribe("a").unwrap();
        keep(&file, &[alert(AlertKind::Opened, event(1), 5)]);
        assert_eq!(numbers(&file, 0), [1]);
        assert_eq!(file.list(&cutshort_store::EventQuery::default()).unwrap().len(), 1);
    }
}

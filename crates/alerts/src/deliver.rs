//! Delivering alerts: a thread for each receiver.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use cutshort_geo::Geo;
use cutshort_metrics::Exposition;
use cutshort_model::nanoseconds;
use cutshort_pipeline::{GeoData, stores};
use cutshort_store::{Alert, AlertKind, Outbox, QueuedAlert, Result as StoreResult, Store, StoreError, Told};
use cutshort_verdict::DataSet;

use crate::config::Filter;
use crate::counts::{self, SharedCounts};
use crate::message::Message;
use crate::receivers::{Open, Receivers};
use crate::sender::{Failure, Sender};

/// How often to look for new alerts.
const LOOK: Duration = Duration::from_secs(1);
/// How often to look for new data sets.
const LOOK_FOR_DATA_SETS: Duration = Duration::from_mins(1);
/// The shortest and the longest wait after a failure.
const REST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));
/// How long deliveries are waited for at the end.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many alerts are read together.
const TOGETHER: usize = 500;

/// Threads that deliver alerts until this is dropped.
pub struct Alerts {
    receivers: Vec<(String, SharedCounts)>,
    stop: Arc<Stop>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Stop {
    asked: Mutex<bool>,
    called: Condvar,
}

impl Stop {
    fn is_asked(&self) -> bool {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the given time; returns false if delivery should stop.
    fn wait(&self, time: Duration) -> bool {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.called.wait_timeout_while(asked, time, |asked| !*asked);
        !*waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn ask(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.called.notify_all();
    }
}

impl Alerts {
    /// Begins to deliver. Receivers that are new are told what happens from now on, so that this must be called before events
    /// are looked for. An alert that cannot be delivered is given up at an age of `give_up`.
    ///
    /// # Errors
    /// The store cannot be read, or the events of one of its data sets cannot be written.
    pub fn start(
        receivers: Receivers,
        store: &Arc<dyn Store>,
        geo: &Arc<GeoData>,
        give_up: Duration,
    ) -> StoreResult<Self> {
        let give_up = i64::try_from(give_up.as_nanos()).unwrap_or(i64::MAX);
        let stop = Arc::new(Stop::default());
        let mut alerts = Self { receivers: Vec::new(), stop: Arc::clone(&stop), threads: Vec::new() };
        for Open { name, filter, sender, .. } in receivers.all {
            for (_, outbox) in outboxes(store.as_ref())? {
                outbox.subscribe(&name)?;
            }
            let counts = SharedCounts::default();
            alerts.receivers.push((name.clone(), counts.clone()));
            let (store, geo, stop) = (Arc::clone(store), Arc::clone(geo), Arc::clone(&stop));
            let (rest, page) = (Rest::default(), receivers.page.clone());
            let mut worker = Worker {
                name,
                filter,
                sender,
                page,
                store,
                geo,
                give_up,
                counts,
                stop,
                rest,
                repeated: None,
            };
            alerts.threads.push(std::thread::spawn(move || worker.run()));
        }
        Ok(alerts)
    }

    /// Writes the metrics.
    pub fn write(&self, exposition: &mut Exposition) {
        counts::write(&self.receivers, nanoseconds(SystemTime::now()), exposition);
    }
}

impl Drop for Alerts {
    /// Ends after the present deliveries; those that hang are left alone, and repeated by the next start.
    fn drop(&mut self) {
        self.stop.ask();
        let end = Instant::now() + PATIENCE;
        for thread in self.threads.drain(..) {
            while !thread.is_finished() && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(20));
            }
            if thread.is_finished() {
                // Its panic was shown.
                let _ = thread.join();
            }
        }
    }
}

type DataSetOutbox<'a> = (DataSet, &'a dyn Outbox);

/// The outboxes of a store, as of some time ago.
#[derive(Default)]
struct Found<'a> {
    outboxes: Vec<DataSetOutbox<'a>>,
    looked: Option<Instant>,
}

impl<'a> Found<'a> {
    /// Looks for new ones from time to time. A store elsewhere has to be asked for them, and may be away: those that are
    /// known stay.
    fn look(&mut self, store: &'a dyn Store) -> StoreResult<()> {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK_FOR_DATA_SETS) {
            return Ok(());
        }
        self.looked = Some(Instant::now());
        self.outboxes = outboxes(store)?;
        Ok(())
    }
}

/// The outboxes of a store.
fn outboxes(store: &dyn Store) -> StoreResult<Vec<DataSetOutbox<'_>>> {
    let mut found = Vec::new();
    for store in stores(store)? {
        if let Some(outbox) = store.events().and_then(|events| events.outbox()) {
            found.push((store.data_set(), outbox));
        }
    }
    Ok(found)
}

/// When to try again.
#[derive(Default)]
struct Rest {
    /// The number of failures in a row.
    failures: u32,
    until: Option<Instant>,
}

impl Rest {
    fn after_failure(&mut self) -> Duration {
        let (least, most) = REST;
        let time = least.saturating_mul(2_u32.saturating_pow(self.failures)).min(most);
        self.failures = self.failures.saturating_add(1);
        self.until = Some(Instant::now() + time);
        time
    }

    fn is_over(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() >= until)
    }
}

/// The thread of a receiver.
struct Worker {
    name: String,
    filter: Filter,
    sender: Box<dyn Sender>,
    /// The public address of the page.
    page: Option<String>,
    store: Arc<dyn Store>,
    geo: Arc<GeoData>,
    /// In nanoseconds.
    give_up: i64,
    counts: SharedCounts,
    stop: Arc<Stop>,
    rest: Rest,
    /// When open events were last sent again.
    repeated: Option<Instant>,
}

/// Alerts of a data set that are sent together with those of others.
struct Part<'a> {
    outbox: &'a dyn Outbox,
    /// The last of them.
    last: i64,
}

/// Why a turn ended early.
enum Trouble {
    Store(StoreError),
    Receiver(String),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Worker {
    fn run(&mut self) {
        let store = Arc::clone(&self.store);
        let mut found = Found::default();
        while !self.stop.is_asked() {
            if let Err(error) = found.look(store.as_ref()) {
                tracing::warn!(receiver = self.name, "cannot look for alerts of all data sets: {error:#}");
            }
            if self.rest.is_over() {
                match self.turn(&found.outboxes) {
                    Ok(()) => self.recovered(),
                    Err(trouble) => self.note(trouble),
                }
            }
            if let Err(error) = self.count_waiting(&found.outboxes) {
                tracing::warn!(receiver = self.name, "cannot read alerts: {error:#}");
            }
            if !self.stop.wait(LOOK) {
                return;
            }
        }
    }

    /// Delivers the queued alerts.
    fn turn(&mut self, outboxes: &[DataSetOutbox<'_>]) -> Result<(), Trouble> {
        for (_, outbox) in outboxes {
            if outbox.told(&self.name)?.is_none() {
                outbox.subscribe(&self.name)?;
            }
        }
        while !self.stop.is_asked() && self.may_send(outboxes)? && self.deliver(outboxes)? {}
        self.repeat(outboxes)
    }

    /// Whether enough time has passed since the last delivery.
    fn may_send(&self, outboxes: &[DataSetOutbox<'_>]) -> StoreResult<bool> {
        let Some(every) = self.sender.every() else { return Ok(true) };
        let mut latest = None;
        for (_, outbox) in outboxes {
            latest = latest.max(self.told(*outbox)?.at);
        }
        let every = i64::try_from(every.as_nanos()).unwrap_or(i64::MAX);
        Ok(latest.is_none_or(|latest| latest.saturating_add(every) <= now()))
    }

    fn told(&self, outbox: &dyn Outbox) -> StoreResult<Told> {
        Ok(outbox.told(&self.name)?.unwrap_or_default())
    }

    /// Sends the next alerts; false if there are none.
    fn deliver(&mut self, outboxes: &[DataSetOutbox<'_>]) -> Result<bool, Trouble> {
        let (mut messages, mut parts) = (Vec::new(), Vec::new());
        let mut is_skipped = false;
        for (data_set, outbox) in outboxes {
            let told = self.told(*outbox)?;
            let last = self.skip(*data_set, *outbox, told.last)?;
            is_skipped |= last > told.last;
            parts.extend(self.take(*data_set, *outbox, last, &mut messages)?);
        }
        if messages.is_empty() {
            return Ok(is_skipped);
        }
        let number = messages.len() as u64;
        match self.sender.send(&messages) {
            Ok(()) => self.counts.lock().delivered += number,
            Err(Failure::Refused(why)) => {
                let keys: Vec<&str> = messages.iter().map(|message| message.key.as_str()).collect();
                tracing::warn!(receiver = self.name, alerts = keys.join(", "), "alert given up: {why}");
                self.counts.lock().given_up += number;
            }
            Err(Failure::Later(why)) => return Err(Trouble::Receiver(why)),
        }
        self.rest.failures = self.rest.failures.min(1);
        for Part { outbox, last } in parts {
            outbox.tell(&self.name, last, Some(now()))?;
        }
        Ok(true)
    }

    /// Whether the receiver is told of an alert. That an event gets worse is of no interest once it is dismissed; its end is,
    /// as receivers may wait for it.
    fn wants(&self, queued: &QueuedAlert, data_set: DataSet, geo: &Geo) -> bool {
        let is_of_interest = match queued.alert.kind {
            AlertKind::Opened | AlertKind::Worse => !queued.is_dismissed,
            AlertKind::Ended | AlertKind::Retracted => true,
        };
        is_of_interest && self.filter.wants(&queued.alert.event, data_set, geo)
    }

    /// Passes over the alerts at the front that are not for this receiver, or too old; the number of the last one.
    fn skip(&self, data_set: DataSet, outbox: &dyn Outbox, told: i64) -> StoreResult<i64> {
        let (geo, mut last) = (self.geo.current(), told);
        for queued in outbox.after(told, TOGETHER)? {
            let alert = &queued.alert;
            if self.wants(&queued, data_set, &geo) {
                if now().saturating_sub(alert.at) <= self.give_up {
                    break;
                }
                let key = alert.key(data_set);
                tracing::warn!(
                    receiver = self.name,
                    alert = key,
                    "alert given up: it could not be delivered in time"
                );
                self.counts.lock().given_up += 1;
            }
            last = queued.number;
        }
        if last > told {
            outbox.tell(&self.name, last, None)?;
        }
        Ok(last)
    }

    /// Adds the alerts after one to messages, until there are as many as can be sent together.
    fn take<'a>(
        &self,
        data_set: DataSet,
        outbox: &'a dyn Outbox,
        told: i64,
        messages: &mut Vec<Message>,
    ) -> StoreResult<Option<Part<'a>>> {
        let room = self.sender.most().saturating_sub(messages.len());
        if room == 0 {
            return Ok(None);
        }
        let (geo, mut last) = (self.geo.current(), told);
        for queued in outbox.after(told, room)? {
            if self.wants(&queued, data_set, &geo) {
                messages.push(Message::new(&queued.alert, data_set, &geo, self.page.as_deref()));
            }
            last = queued.number;
        }
        Ok((last > told).then_some(Part { outbox, last }))
    }

    /// Tells a receiver that forgets which events are still open.
    fn repeat(&mut self, outboxes: &[DataSetOutbox<'_>]) -> Result<(), Trouble> {
        let Some(every) = self.sender.repeat() else { return Ok(()) };
        if self.repeated.is_some_and(|repeated| repeated.elapsed() < every) {
            return Ok(());
        }
        let geo = self.geo.current();
        let mut messages = Vec::new();
        for (data_set, outbox) in outboxes {
            let open = outbox.firing(&self.name)?;
            let wanted = open.into_iter().filter(|event| self.filter.wants(event, *data_set, &geo));
            messages.extend(wanted.map(|event| {
                let alert = Alert { kind: AlertKind::Opened, event, at: now() };
                Message::new(&alert, *data_set, &geo, self.page.as_deref())
            }));
        }
        if !messages.is_empty() {
            let sent = self.sender.send(&messages);
            sent.map_err(|failure| Trouble::Receiver(failure.text().to_owned()))?;
        }
        self.repeated = Some(Instant::now());
        Ok(())
    }

    /// Notes that all went well.
    fn recovered(&mut self) {
        if self.rest.failures > 0 {
            tracing::info!(receiver = self.name, "alerts are delivered again");
        }
        self.rest = Rest::default();
    }

    /// Notes what went wrong, and when to try again.
    fn note(&mut self, trouble: Trouble) {
        let seconds = self.rest.after_failure().as_secs();
        match trouble {
            Trouble::Store(error) => tracing::warn!(receiver = self.name, "cannot read alerts: {error:#}"),
            Trouble::Receiver(why) => {
                self.counts.lock().failures += 1;
                tracing::warn!(receiver = self.name, "alerts wait: {why}; next attempt in {seconds} s");
            }
        }
    }

    /// Counts what waits.
    fn count_waiting(&self, outboxes: &[DataSetOutbox<'_>]) -> StoreResult<()> {
        let geo = self.geo.current();
        let (mut waiting, mut oldest) = (0, None);
        for (data_set, outbox) in outboxes {
            let told = self.told(*outbox)?;
            let wanted = outbox.after(told.last, TOGETHER)?.into_iter();
            for queued in wanted.filter(|queued| self.wants(queued, *data_set, &geo)) {
                waiting += 1;
                let at = queued.alert.at;
                oldest = Some(oldest.map_or(at, |oldest: i64| oldest.min(at)));
            }
        }
        let mut counts = self.counts.lock();
        (counts.waiting, counts.oldest) = (waiting, oldest);
        Ok(())
    }
}

fn now() -> i64 {
    nanoseconds(SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_some_minutes() {
        let mut rest = Rest::default();
        let waits: Vec<u64> = (0..12).map(|_| rest.after_failure().as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert!(!rest.is_over());
    }
}

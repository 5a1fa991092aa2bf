//! What was delivered, for metrics.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cutshort_metrics::Exposition;

/// The counts of one receiver since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Alerts that it accepted.
    pub(crate) delivered: u64,
    /// Attempts that failed.
    pub(crate) failures: u64,
    /// Alerts that it will not be told.
    pub(crate) given_up: u64,
    /// Alerts that wait for it.
    pub(crate) waiting: u64,
    /// When the oldest of these was stored, in nanoseconds since the Unix epoch.
    pub(crate) oldest: Option<i64>,
}

/// The counts of a receiver, which its thread changes and others read.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedCounts(Arc<Mutex<Counts>>);

impl SharedCounts {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the metrics of receivers at a time in nanoseconds since the Unix epoch.
pub(crate) fn write(receivers: &[(String, SharedCounts)], now: i64, exposition: &mut Exposition) {
    let all: Vec<(&str, Counts)> =
        receivers.iter().map(|(name, counts)| (name.as_str(), *counts.lock())).collect();
    type Count = fn(&Counts) -> u64;
    let counters: [(&str, &str, Count); 3] = [
        ("alerts_delivered", "Alerts that a receiver accepted, by receiver", |counts| counts.delivered),
        ("alerts_failures", "Failed attempts to deliver alerts, by receiver", |counts| counts.failures),
        (
            "alerts_given_up",
            "Alerts that were not delivered because they are too old or the receiver refused them, by receiver",
            |counts| counts.given_up,
        ),
    ];
    for (name, help, count) in counters {
        let mut family = exposition.counters(name, help);
        all.iter().for_each(|(receiver, counts)| family.sample(&[("receiver", receiver)], count(counts)));
    }
    let mut waiting = exposition.gauges("alerts_waiting", "Alerts that wait for their delivery, by receiver");
    for (receiver, counts) in &all {
        waiting.sample(&[("receiver", receiver)], counts.waiting as f64);
    }
    let help = "Time since the oldest waiting alert was stored, in seconds; 0 if none waits, by receiver";
    let mut oldest = exposition.gauges("alerts_oldest_waiting_seconds", help);
    for (receiver, counts) in &all {
        let age = counts.oldest.map_or(0, |at| now.saturating_sub(at).max(0));
        oldest.sample(&[("receiver", receiver)], age as f64 / 1e9);
    }
}

//! Requests counted for Prometheus.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cutshort_metrics::{Exposition, Histogram};

use super::results::LatestResults;

/// Counts of requests. What the store and the jobs know is asked of them when metrics are collected.
#[derive(Default)]
pub(super) struct Metrics {
    answered: Mutex<Answered>,
    remembered: AtomicU64,
    pub(super) latest: LatestResults,
}

/// Requests by endpoint, and by status.
#[derive(Default)]
struct Answered {
    requests: BTreeMap<(&'static str, u16), u64>,
    seconds: BTreeMap<&'static str, Histogram>,
}

/// Upper bounds of the buckets of latencies in seconds.
const SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

impl Metrics {
    pub(super) fn request(&self, endpoint: &'static str, status: u16, took: Duration) {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        *answered.requests.entry((endpoint, status)).or_default() += 1;
        let histogram = answered.seconds.entry(endpoint).or_insert_with(|| Histogram::new(&SECONDS));
        histogram.observe(took.as_secs_f64());
    }

    pub(super) fn remembered(&self) {
        self.remembered.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn write(&self, exposition: &mut Exposition) {
        let answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let mut requests = exposition.counters("http_requests", "HTTP requests answered");
        for ((endpoint, status), count) in &answered.requests {
            requests.sample(&[("endpoint", endpoint), ("status", &status.to_string())], *count);
        }
        let help = "Time from an HTTP request to its answer, in seconds";
        let mut seconds = exposition.histograms("http_request_seconds", help);
        for (endpoint, histogram) in &answered.seconds {
            seconds.sample(&[("endpoint", endpoint)], histogram);
        }
        drop(answered);
        let help = "HTTP requests answered from memory because the same was asked before";
        let hits = self.remembered.load(Ordering::Relaxed);
        exposition.counter("http_cache_hits", help, hits);
        // The former name, for one release.
        exposition.counter("http_remembered", help, hits);
    }
}

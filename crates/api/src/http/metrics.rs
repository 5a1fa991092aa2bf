//! Numbers for Prometheus.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// What was asked for, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    endpoint: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndpointLabel {
    endpoint: &'static str,
}

/// Counts of requests. What the store and the jobs know is asked of them when numbers are collected.
pub(super) struct Metrics {
    requests: Family<Labels, Counter>,
    seconds: Family<EndpointLabel, Histogram, fn() -> Histogram>,
    remembered: Counter,
}

/// Upper bounds of the buckets of latencies in seconds.
const SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

impl Default for Metrics {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            remembered: Counter::default(),
        }
    }
}

impl Metrics {
    pub(super) fn request(&self, endpoint: &'static str, status: u16, took: Duration) {
        self.requests.get_or_create(&Labels { endpoint, status }).inc();
        self.seconds.get_or_create(&EndpointLabel { endpoint }).observe(took.as_secs_f64());
    }

    pub(super) fn remembered(&self) {
        self.remembered.inc();
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("http_requests", "Requests answered", self.requests.clone());
        registry.register("http_request_seconds", "Time to the answer", self.seconds.clone());
        registry.register(
            "http_remembered",
            "Requests answered from memory because the same was asked before",
            self.remembered.clone(),
        );
    }
}

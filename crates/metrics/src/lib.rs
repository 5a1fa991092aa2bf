//! Metrics in both text formats of Prometheus: the classic one (0.0.4), which all tools read, and OpenMetrics 1.0.
//!
//! [`Format::accepted`] chooses one by what a client accepts, and an [`Exposition`] writes it. Names are given without the
//! `_total` of counters: the formats differ in where it belongs.
//!
//! ```
//! use cutshort_metrics::{Exposition, Format};
//!
//! let mut exposition = Exposition::new(Format::Text, "cutshort");
//! exposition.counter("retention_errors", "Failed attempts to delete expired data", 2);
//! assert_eq!(
//!     exposition.finish(),
//!     "# HELP cutshort_retention_errors_total Failed attempts to delete expired data\n# TYPE cutshort_retention_errors_total counter\n\
//!      cutshort_retention_errors_total 2\n"
//! );
//! ```
//!
//! Sources: the [classic format](https://prometheus.io/docs/instrumenting/exposition_formats/) and
//! [OpenMetrics 1.0](https://prometheus.io/docs/specs/om/open_metrics_spec/).

mod exposition;
mod format;
mod histogram;

pub use exposition::{Exposition, Family, Histograms, Value};
pub use format::Format;
pub use histogram::Histogram;

//! The writer of both formats.

use std::fmt::{self, Write as _};

use crate::{Format, Histogram};

/// Text that Prometheus reads.
#[derive(Debug)]
pub struct Exposition {
    format: Format,
    prefix: &'static str,
    text: String,
}

/// The value of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    Count(u64),
    /// Any other number.
    Number(f64),
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Number(number) if number.is_infinite() => {
                f.write_str(if *number > 0.0 { "+Inf" } else { "-Inf" })
            }
            Self::Number(number) => write!(f, "{number:?}"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MetricKind {
    Counter,
    Gauge,
    Histogram,
}

impl MetricKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Names and values of labels.
type Labels<'a> = [(&'a str, &'a str)];

impl Exposition {
    /// An empty text. All names begin with `prefix` and `_`.
    #[must_use]
    pub fn new(format: Format, prefix: &'static str) -> Self {
        Self { format, prefix, text: String::new() }
    }

    /// Writes a value that can increase and decrease.
    pub fn gauge(&mut self, name: &str, help: &str, value: impl Into<Value>) {
        self.gauges(name, help).sample(&[], value);
    }

    /// Writes a value that only increases. `name` must not end in `_total`.
    pub fn counter(&mut self, name: &str, help: &str, value: impl Into<Value>) {
        self.counters(name, help).sample(&[], value);
    }

    /// Gauges that differ in their labels.
    pub fn gauges<'a>(&'a mut self, name: &'a str, help: &'a str) -> Family<'a> {
        self.family(MetricKind::Gauge, name, help)
    }

    /// Counters that differ in their labels. `name` must not end in `_total`.
    pub fn counters<'a>(&'a mut self, name: &'a str, help: &'a str) -> Family<'a> {
        self.family(MetricKind::Counter, name, help)
    }

    /// Histograms that differ in their labels.
    pub fn histograms<'a>(&'a mut self, name: &'a str, help: &'a str) -> Histograms<'a> {
        Histograms(self.family(MetricKind::Histogram, name, help))
    }

    /// The whole text.
    #[must_use]
    pub fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    fn family<'a>(&'a mut self, kind: MetricKind, name: &'a str, help: &'a str) -> Family<'a> {
        Family { exposition: self, kind, name, help, is_described: false }
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
    }
}

/// Samples with the same name. The description is written with the first one.
#[derive(Debug)]
pub struct Family<'a> {
    exposition: &'a mut Exposition,
    kind: MetricKind,
    name: &'a str,
    help: &'a str,
    is_described: bool,
}

impl Family<'_> {
    /// Writes a sample. Each needs different values of labels.
    pub fn sample(&mut self, labels: &Labels<'_>, value: impl Into<Value>) {
        let suffix = if self.kind == MetricKind::Counter { "_total" } else { "" };
        self.write(suffix, labels, value.into());
    }

    fn write(&mut self, suffix: &str, labels: &Labels<'_>, value: Value) {
        self.describe();
        let (prefix, name) = (self.exposition.prefix, self.name);
        self.exposition.line(format_args!("{prefix}_{name}{suffix}{} {value}", Shown(labels)));
    }

    /// OpenMetrics describes a family, whose name has no suffix, and the classic format the samples that follow.
    fn describe(&mut self) {
        if std::mem::replace(&mut self.is_described, true) {
            return;
        }
        let (prefix, name, kind) = (self.exposition.prefix, self.name, self.kind);
        let format = self.exposition.format;
        let suffix = if kind == MetricKind::Counter && format == Format::Text { "_total" } else { "" };
        let quotes = format == Format::OpenMetrics;
        let help = escaped(self.help, quotes);
        self.exposition.line(format_args!("# HELP {prefix}_{name}{suffix} {help}"));
        self.exposition.line(format_args!("# TYPE {prefix}_{name}{suffix} {}", kind.name()));
    }
}

/// Histograms of one name.
#[derive(Debug)]
pub struct Histograms<'a>(Family<'a>);

impl Histograms<'_> {
    /// Writes a histogram. Each needs different values of labels.
    pub fn sample(&mut self, labels: &Labels<'_>, histogram: &Histogram) {
        let mut total = 0;
        for (bound, count) in histogram.buckets() {
            let bound = Value::Number(bound).to_string();
            let labels: Vec<(&str, &str)> = labels.iter().copied().chain([("le", bound.as_str())]).collect();
            self.0.write("_bucket", &labels, count.into());
            total = count;
        }
        self.0.write("_sum", labels, histogram.sum().into());
        self.0.write("_count", labels, total.into());
    }
}

/// Labels in braces, if there are any.
struct Shown<'a>(&'a Labels<'a>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            f.write_char(if index == 0 { '{' } else { ',' })?;
            write!(f, "{name}=\"{}\"", escaped(value, true))?;
        }
        f.write_str(if self.0.is_empty() { "" } else { "}" })
    }
}

/// Text without line ends, and without quotation marks where these end it.
fn escaped(text: &str, quotes: bool) -> String {
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    if quotes { text.replace('"', "\\\"") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format) -> String {
        let mut exposition = Exposition::new(format, "cutshort");
        exposition.counter("seen", "How \"often\"", 3);
        exposition.counter("spent_seconds", "For how long", 0.5);
        let mut family = exposition.gauges("lag_seconds", "Lag");
        family.sample(&[("node", "a\\b\"c\nd"), ("way", "up")], 2.0);
        family.sample(&[("node", "other"), ("way", "up")], f64::NEG_INFINITY);
        exposition.gauges("empty", "Described only with samples");
        let mut histogram = Histogram::new(&[0.25, 1.0]);
        histogram.observe(0.125);
        histogram.observe(7.0);
        exposition.histograms("took_seconds", "Time").sample(&[("endpoint", "x")], &histogram);
        exposition.finish()
    }

    #[test]
    fn the_classic_format_describes_counters_with_their_suffix() {
        let expected = r#"# HELP cutshort_seen_total How "often"
# TYPE cutshort_seen_total counter
cutshort_seen_total 3
# HELP cutshort_spent_seconds_total For how long
# TYPE cutshort_spent_seconds_total counter
cutshort_spent_seconds_total 0.5
# HELP cutshort_lag_seconds Lag
# TYPE cutshort_lag_seconds gauge
cutshort_lag_seconds{node="a\\b\"c\nd",way="up"} 2.0
cutshort_lag_seconds{node="other",way="up"} -Inf
# HELP cutshort_took_seconds Time
# TYPE cutshort_took_seconds histogram
cutshort_took_seconds_bucket{endpoint="x",le="0.25"} 1
cutshort_took_seconds_bucket{endpoint="x",le="1.0"} 1
cutshort_took_seconds_bucket{endpoint="x",le="+Inf"} 2
cutshort_took_seconds_sum{endpoint="x"} 7.125
cutshort_took_seconds_count{endpoint="x"} 2
"#;
        assert_eq!(written(Format::Text), expected);
    }

    #[test]
    fn open_metrics_describes_counters_without_it() {
        let text = written(Format::OpenMetrics);
        for lines in [
            "# HELP cutshort_seen How \\\"often\\\"\n# TYPE cutshort_seen counter\ncutshort_seen_total 3\n",
            "# TYPE cutshort_spent_seconds counter\ncutshort_spent_seconds_total 0.5\n",
            "# TYPE cutshort_took_seconds histogram\ncutshort_took_seconds_bucket{",
        ] {
            assert!(text.contains(lines), "{lines} in\n{text}");
        }
        assert!(text.ends_with("_count{endpoint=\"x\"} 2\n# EOF\n"), "{text}");
        let samples = |text: &str| -> Vec<String> {
            text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
        };
        assert_eq!(samples(&text), samples(&written(Format::Text)));
    }
}

//! Content negotiation between the two formats.

/// A text format of Prometheus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The classic text format 0.0.4.
    Text,
    /// The OpenMetrics text format, version 1.0.
    OpenMetrics,
}

const TEXT: &str = "text/plain";
const OPEN_METRICS: &str = "application/openmetrics-text";

impl Format {
    /// All formats, the default first.
    pub const ALL: [Self; 2] = [Self::Text, Self::OpenMetrics];

    /// Chooses the format for a client that sent these `Accept` headers (RFC 9110, 12.5.1): OpenMetrics only if it is
    /// named and not less preferred than the classic format. All other clients get the classic format, even if they
    /// accept neither.
    #[must_use]
    pub fn accepted<'a>(headers: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut text, mut open_metrics) = (0.0_f32, 0.0_f32);
        for range in headers.into_iter().flat_map(|header| header.split(',')).map(Range::read) {
            match range.format() {
                Some(Self::Text) => text = text.max(range.quality),
                Some(Self::OpenMetrics) => open_metrics = open_metrics.max(range.quality),
                None => {}
            }
        }
        if open_metrics > 0.0 && open_metrics >= text { Self::OpenMetrics } else { Self::Text }
    }

    /// The media type without parameters.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Text => TEXT,
            Self::OpenMetrics => OPEN_METRICS,
        }
    }

    /// The value of the header `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// One media range of an `Accept` header.
struct Range {
    kind: String,
    version: Option<String>,
    quality: f32,
}

impl Range {
    fn read(text: &str) -> Self {
        let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
        let mut range = Self { kind: parts.next().unwrap_or_default(), version: None, quality: 1.0 };
        for part in parts {
            match part.split_once('=').map(|(name, value)| (name.trim(), value.trim().trim_matches('"'))) {
                Some(("q", value)) => range.quality = value.parse().unwrap_or(0.0),
                Some(("version", value)) => range.version = Some(value.to_owned()),
                _ => {}
            }
        }
        range
    }

    fn format(&self) -> Option<Format> {
        match (self.kind.as_str(), self.version.as_deref()) {
            (OPEN_METRICS, None | Some("1.0.0")) => Some(Format::OpenMetrics),
            (TEXT, None | Some("0.0.4")) | ("text/*" | "*/*", _) => Some(Format::Text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_for_those_who_ask_for_it() {
        let prometheus_2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                            text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                            application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;q=0.3,\
                            text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        for accept in [
            prometheus_2,
            prometheus_3,
            "application/openmetrics-text",
            "Application/OpenMetrics-Text; Version=\"1.0.0\" ; Q=0.1",
            "text/plain, application/openmetrics-text",
        ] {
            assert_eq!(Format::accepted([accept]), Format::OpenMetrics, "{accept}");
        }
        assert_eq!(Format::accepted(["text/html", "application/openmetrics-text"]), Format::OpenMetrics);
    }

    #[test]
    fn all_others_get_the_classic_format() {
        for accept in [
            "*/*",
            "text/plain;version=0.0.4",
            "text/html,application/xhtml+xml,*/*;q=0.8",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=nonsense",
            "application/openmetrics-text;q=0.4, text/plain;version=0.0.4;q=0.5",
            "application/openmetrics-text;version=0.0.1",
            "application/json",
            "",
            ";;==,,",
        ] {
            assert_eq!(Format::accepted([accept]), Format::Text, "{accept}");
        }
        assert_eq!(Format::accepted([]), Format::Text);
    }
}

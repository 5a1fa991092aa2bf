//! Where to look at other sources.

use cutshort_detect::{Event, SeriesPlace};
use cutshort_model::{Window, date};

use crate::fields::{DAY, SECOND};

/// The page of a source about a place and a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The source, as in imported records.
    pub source: &'static str,
    /// The address of the page.
    pub url: String,
}

/// Pages about the place of an event, from a day before it to a day after it; none for events that are of no country or network.
/// `now` is in nanoseconds since the Unix epoch.
#[must_use]
pub fn links(event: &Event, now: i64) -> Vec<Link> {
    let start = |window: i64| Window::from_number(window).start();
    let from = start(event.onset) - DAY;
    let to = event.end.or(event.closed).map_or(now, start) + DAY;
    let ((ioda, ooni), radar) = match event.place {
        SeriesPlace::Country([a, b]) => {
            let code: String = [a, b].map(char::from).iter().collect();
            ((format!("country/{code}"), format!("probe_cc={code}")), code.to_ascii_lowercase())
        }
        SeriesPlace::Network(asn) => {
            ((format!("asn/{asn}"), format!("probe_asn=AS{asn}")), format!("as{asn}"))
        }
        _ => return Vec::new(),
    };
    let (seconds, day) = (|ns: i64| ns.div_euclid(SECOND), date);
    vec![
        Link {
            source: "ioda",
            url: format!(
                "https://ioda.inetintel.cc.gatech.edu/{ioda}?from={}&until={}",
                seconds(from),
                seconds(to)
            ),
        },
        Link {
            source: "ooni",
            url: format!(
                "https://explorer.ooni.org/chart/mat?{ooni}&since={}&until={}&time_grain=day&axis_x=measurement_start_day&test_name=web_connectivity",
                day(from),
                day(to + DAY)
            ),
        },
        Link {
            source: "radar",
            url: format!(
                "https://radar.cloudflare.com/traffic/{radar}?dateStart={}&dateEnd={}",
                day(from),
                day(to)
            ),
        },
    ]
}

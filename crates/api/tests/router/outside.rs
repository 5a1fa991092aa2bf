//! What other sources say, in memory, and in answers about events.

use std::ops::Range;

use cutshort_detect::{Channel, SeriesPlace};
use cutshort_store::{
    Outside, OutsideCounts, OutsideRecords, OutsideReport, OutsideSeries, OutsideSource, OutsideSpan, Result,
    StoreError,
};
use serde_json::{Value, json};

use crate::client::{END, NOW, Server, WINDOW};
use crate::events::event;
use crate::memory::{KnownEvents, Memory};

/// Records of other sources; those of series may be damaged.
#[derive(Debug, Default)]
pub(crate) struct KnownOutside(pub(crate) OutsideRecords, pub(crate) bool);

impl Outside for KnownOutside {
    fn import(&self, _records: &OutsideRecords) -> Result<OutsideCounts> {
        Err(StoreError::Refused("nothing is imported here".to_owned()))
    }

    fn reports(&self, _range: Range<i64>) -> Result<Vec<OutsideReport>> {
        Ok(self.0.reports.clone())
    }

    fn spans(&self) -> Result<Vec<OutsideSpan>> {
        Ok(self.0.spans.clone())
    }

    fn series(&self, place: &SeriesPlace, _ranges: &[Range<i64>]) -> Result<Vec<OutsideSeries>> {
        if self.1 {
            return Err(StoreError::Damaged(
                "corroboration.sqlite is damaged: move it away".to_owned().into(),
            ));
        }
        Ok(self.0.series.iter().filter(|series| series.place == *place).cloned().collect())
    }

    fn sources(&self) -> Result<Vec<OutsideSource>> {
        let reports = self.0.reports.iter().map(|report| report.source.clone());
        let mut names: Vec<String> =
            reports.chain(self.0.spans.iter().map(|span| span.source.clone())).collect();
        names.sort();
        names.dedup();
        Ok(names.into_iter().map(|name| OutsideSource { name, reports: 1, points: 0, range: None }).collect())
    }

    fn remove(&self, _source: &str) -> Result<u64> {
        Ok(0)
    }
}

/// Two days before noon, Portugal lost its connections for five hours; IODA began to see it twenty minutes later, and OONI reported
/// something elsewhere.
fn store() -> Memory {
    let begin = (END / WINDOW - 192) * WINDOW;
    let report = |source: &str, place: &str| OutsideReport {
        source: source.to_owned(),
        id: "1".to_owned(),
        signal: "bgp".to_owned(),
        places: vec![place.parse().unwrap()],
        from: begin + 20 * 60_000_000_000,
        to: Some(begin + 4 * 3_600_000_000_000),
        whole_days: false,
        note: "score 7".to_owned(),
        url: Some("https://example.org".to_owned()),
        imported: NOW,
    };
    let reports = vec![report("ioda", "country:PT"), report("ooni", "country:ES")];
    let kept = vec![
        event("country:PT", Channel::Traffic, 192, Some(20), 0.95),
        event("node:edge1", Channel::Observer, 400, Some(12), 1.0),
    ];
    Memory {
        events: KnownEvents::of(kept),
        outside: KnownOutside(OutsideRecords { reports, ..OutsideRecords::default() }, false),
        ..Memory::default()
    }
}

#[test]
fn events_say_what_each_source_says() {
    let server = Server::of(store());
    let events = server.get("/client/v4/cutshort/events").result()["events"].clone();
    let expected = json!([
        {
            "source": "ioda", "verdict": "agrees", "minutesApart": 20,
            "signals": [{
                "signal": "bgp", "place": "country:PT", "verdict": "agrees", "minutesApart": 20, "url": "https://example.org",
                "says": "bgp 2026-01-12 12:20:00 UTC to 16:00:00: score 7"
            }]
        },
        {"source": "ooni", "verdict": "no_data", "minutesApart": null, "signals": []}
    ]);
    assert_eq!(events[0]["corroboration"], expected);
    let sources: Vec<_> = events[0]["links"].as_array().unwrap().iter().map(|link| &link["source"]).collect();
    assert_eq!(sources, ["ioda", "ooni", "radar"]);
    assert_eq!(
        (&events[1]["corroboration"], &events[1]["links"]),
        (&json!([]), &json!([])),
        "our own server"
    );
    let table = server.get("/client/v4/cutshort/events?format=csv").text;
    assert!(table.lines().nth(1).unwrap().ends_with(",\"ioda agrees, ooni no data\""), "{table}");
}

#[test]
fn events_are_listed_if_what_sources_say_is_damaged() {
    let mut store = store();
    store.outside.1 = true;
    let server = Server::of(store);
    let events = server.get("/client/v4/cutshort/events").result()["events"].clone();
    let nothing =
        |source: &str| json!({"source": source, "verdict": "no_data", "minutesApart": null, "signals": []});
    assert_eq!(events[0]["corroboration"], json!([nothing("ioda"), nothing("ooni")]));
    let anomalies = server.get("/client/v4/radar/traffic_anomalies").result()["trafficAnomalies"].clone();
    assert_eq!(anomalies[0]["status"], "UNVERIFIED");
}

#[test]
fn an_anomaly_with_which_a_source_agrees_is_verified() {
    let status = |store: Memory| -> Value {
        let list = Server::of(store).get("/client/v4/radar/traffic_anomalies").result();
        list["trafficAnomalies"][0]["status"].clone()
    };
    assert_eq!(status(store()), "VERIFIED");
    let mut other = store();
    other.outside.0.reports.remove(0);
    assert_eq!(status(other), "UNVERIFIED");
}

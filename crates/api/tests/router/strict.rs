//! What a strict client of Radar refuses never comes, whatever is asked of whatever store.

use std::sync::{Arc, Mutex};

use cutshort_store::{Annotation, AnnotationKind, NewAnnotation};
use cutshort_verdict::{Exclusion, Stage};
use proptest::prelude::*;
use serde_json::Value;

use crate::client::{DAY, END, Got, Server, WINDOW};
use crate::memory::{Cell, Memory, connection, excluded};

const PLACES: [(&str, u32); 6] =
    [("US", 174), ("US", 3356), ("PT", 3243), ("BR", 28573), ("JP", 0), ("", 174)];

fn cell() -> impl Strategy<Value = Cell> {
    let ago = prop_oneof![0..96_i64, 0..96 * 30_i64, 0..96 * 400_i64];
    let kind = prop_oneof![8 => (0..5_usize).prop_map(Ok), 1 => (0..3_usize).prop_map(Err)];
    (ago, 0..PLACES.len(), kind, prop_oneof![Just(1_u32), 1..1000_u32], 1..200_u64).prop_map(
        |(ago, place, kind, rate, times)| {
            let (window, (country, asn)) = (END - (ago + 1) * WINDOW, PLACES[place]);
            let cell = match kind {
                Ok(stage) => connection(window, country, asn, Stage::ALL[stage], times),
                Err(reason) => excluded(window, country, asn, Exclusion::ALL[reason], times),
            };
            Cell { rate, ..cell }
        },
    )
}

fn store() -> impl Strategy<Value = Memory> {
    let pending = prop::collection::vec(0..1000_i64, 0..3);
    let noted = prop::collection::vec((note(), 0..400_i64, prop::option::of(0..100_i64)), 0..4);
    (prop::collection::vec(cell(), 0..60), pending, any::<bool>(), noted).prop_map(
        |(cells, pending, odd, noted)| Memory {
            pending: pending.into_iter().map(|ago| END - ago * WINDOW).collect(),
            folded: odd,
            simulated: odd,
            annotations: Arc::new(Mutex::new(annotations(noted))),
            ..Memory::of(cells)
        },
    )
}

/// A note of any kind and name that is read, also the legacy one.
fn note() -> impl Strategy<Value = AnnotationKind> {
    let names =
        AnnotationKind::ALL.map(AnnotationKind::name).into_iter().chain([AnnotationKind::LEGACY_GENERAL]);
    prop::sample::select(names.collect::<Vec<_>>()).prop_map(|name| AnnotationKind::from_name(name).unwrap())
}

/// Notes of these kinds, each so many days ago, for so many windows or until now.
fn annotations(noted: Vec<(AnnotationKind, i64, Option<i64>)>) -> Vec<Annotation> {
    let annotation = |(id, (kind, ago, windows)): (u64, (AnnotationKind, i64, Option<i64>))| {
        let start = END - ago * DAY;
        let end = windows.map(|windows| start + windows * WINDOW);
        Annotation { id, content: plain_note(kind, start, end) }
    };
    (1..).zip(noted).map(annotation).collect()
}

fn plain_note(kind: AnnotationKind, start: i64, end: Option<i64>) -> NewAnnotation {
    NewAnnotation {
        data_set: None,
        kind,
        start,
        end,
        description: "Noted".to_owned(),
        linked_url: None,
        scope: None,
        locations: Vec::new(),
        asns: Vec::new(),
        outage: None,
    }
}

fn one_of(values: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(values).prop_map(str::to_owned)
}

fn filters() -> impl Strategy<Value = String> {
    let location = one_of(&["", "US", "us,PT", "-US", "BR,JP", "PT, -US", "DE"]);
    let asn = one_of(&["", "174", "-174", "174,3356", "AS3243", "64500"]);
    let continent = one_of(&["", "EU", "-eu", "NA,AS"]);
    (location, asn, continent).prop_map(|(location, asn, continent)| {
        format!("&location={}&asn={asn}&continent={continent}", location.replace(' ', "%20"))
    })
}

/// Ranges of equal length for so many series.
fn ranges() -> impl Strategy<Value = Vec<String>> {
    let relative = (1..=364_i64, prop::collection::vec(any::<bool>(), 1..4)).prop_map(|(days, series)| {
        let range = |control: bool| format!("dateRange={days}d{}", if control { "Control" } else { "" });
        series.into_iter().map(range).collect()
    });
    let fixed = (1..96 * 60_i64, prop::collection::vec(0..96 * 60_i64, 1..4)).prop_map(|(length, starts)| {
        let range = |ago: i64| {
            let start = END - (ago + length) * WINDOW;
            format!("dateStart={}&dateEnd={}", iso(start), iso(start + length * WINDOW))
        };
        starts.into_iter().map(range).collect()
    });
    prop_oneof![relative, fixed]
}

fn iso(time: i64) -> String {
    jiff::Timestamp::from_nanosecond(time.into()).unwrap().to_string()
}

fn query() -> impl Strategy<Value = String> {
    (ranges(), prop::collection::vec(filters(), 4)).prop_map(|(ranges, filters)| {
        let series = ranges.iter().zip(&filters).map(|(range, filters)| format!("{range}{filters}"));
        series.collect::<Vec<String>>().join("&")
    })
}

/// What the models of the official SDKs (Python 5.9.0) allow.
const EVENT_TYPES: [&str; 5] = ["GENERAL", "OUTAGE", "PARTIAL_PROJECTION", "PIPELINE", "TRAFFIC_ANOMALY"];
const AGG_INTERVALS: [&str; 5] = ["FIFTEEN_MINUTES", "ONE_HOUR", "ONE_DAY", "ONE_WEEK", "ONE_MONTH"];

#[track_caller]
fn check_one_of(value: &Value, allowed: &[&str]) {
    assert!(value.as_str().is_some_and(|value| allowed.contains(&value)), "{value} is none of {allowed:?}");
}

const FIELDS: [&str; 5] = ["post_syn", "post_ack", "post_psh", "later_in_flow", "no_match"];

fn percent(text: &Value) -> f64 {
    let text = text.as_str().expect("shares are strings");
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    assert!(decimals <= 6 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'), "{text}");
    let share: f64 = text.parse().unwrap();
    assert!((0.0..=100.0).contains(&share), "{text}");
    share
}

fn exact(text: &Value) -> i64 {
    (percent(text) * 1e6).round() as i64
}

fn check_meta(meta: &Value, series: usize) {
    let ranges = meta["dateRange"].as_array().unwrap();
    assert_eq!(ranges.len(), series);
    assert!(matches!(meta["confidenceInfo"]["level"].as_u64(), Some(1 | 2 | 3 | 5)));
    assert_eq!(meta["units"].as_array().unwrap().len(), 1);
    assert_eq!(meta["normalization"], "PERCENTAGE");
    assert!(meta["lastUpdated"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    for note in meta["confidenceInfo"]["annotations"].as_array().unwrap() {
        assert_eq!(note["dataSource"], "CONNECTION_ANOMALY");
        check_one_of(&note["eventType"], &EVENT_TYPES);
        for key in ["description", "linkedUrl"] {
            assert!(note[key].is_string(), "{key}");
        }
        for key in ["startDate", "endDate"] {
            assert!(note[key].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{key}");
        }
        assert!(note["isInstantaneous"].is_boolean());
    }
}

/// Series without a connection are left out, but for the first one, and `messages` names them.
fn check_summary(got: &Got, series: usize) {
    let (result, messages) = (got.result(), got.json()["messages"].as_array().unwrap().clone());
    check_meta(&result["meta"], series);
    assert_eq!(result.as_object().unwrap().len() + messages.len(), series + 1);
    assert!(!result["summary_0"].is_null(), "{result}");
    for at in 0..series {
        if result[format!("summary_{at}")].is_null() {
            let begin = format!("summary_{at}: no connection from ");
            let names = |message: &Value| message["message"].as_str().unwrap().starts_with(&begin);
            assert!(messages.iter().any(|message| message["code"] == 1003 && names(message)), "{messages:?}");
            continue;
        }
        let shares = &result[format!("summary_{at}")];
        assert_eq!(shares.as_object().unwrap().len(), FIELDS.len());
        assert_eq!(FIELDS.iter().map(|field| exact(&shares[field])).sum::<i64>(), 100_000_000, "{shares}");
    }
}

fn check_timeseries(result: &Value, series: usize) {
    check_meta(&result["meta"], series);
    check_one_of(&result["meta"]["aggInterval"], &AGG_INTERVALS);
    assert_eq!(result.as_object().unwrap().len(), series + 1);
    for at in 0..series {
        let serie = &result[format!("serie_{at}")];
        assert_eq!(serie.as_object().unwrap().len(), FIELDS.len() + 1);
        let times: Vec<&str> =
            serie["timestamps"].as_array().unwrap().iter().map(|time| time.as_str().unwrap()).collect();
        let range = &result["meta"]["dateRange"][at];
        let (start, end) = (range["startTime"].as_str().unwrap(), range["endTime"].as_str().unwrap());
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
        assert!(times.iter().all(|time| (start..end).contains(time)), "{times:?} in {start} to {end}");
        let columns = FIELDS.map(|field| serie[field].as_array().unwrap().clone());
        assert!(columns.iter().all(|column| column.len() == times.len()));
        for row in 0..times.len() {
            assert_eq!(columns.iter().map(|column| exact(&column[row])).sum::<i64>(), 100_000_000);
        }
    }
}

/// Every value of every enum that answers have is one that strict clients know.
#[test]
fn every_value_of_an_enum_is_one_of_radars() {
    let kinds: Vec<_> = AnnotationKind::ALL.into_iter().map(|kind| (kind, 2, Some(1))).collect();
    let store = || Memory {
        pending: vec![END - WINDOW],
        folded: true,
        simulated: true,
        annotations: Arc::new(Mutex::new(annotations(kinds.clone()))),
        ..Memory::of(vec![connection(END - DAY, "US", 174, Stage::None, 1000)])
    };
    let server = Server::of(store());
    let summary = server.radar("/summary?asn=174");
    check_summary(&summary, 1);
    let notes = summary.result()["meta"]["confidenceInfo"]["annotations"].as_array().unwrap().clone();
    for kind in EVENT_TYPES {
        assert!(notes.iter().any(|note| note["eventType"] == kind), "{kind}: {notes:?}");
    }
    for interval in ["15m", "1h", "1d", "1w"] {
        check_timeseries(&server.radar(&format!("/timeseries_groups?aggInterval={interval}")).result(), 1);
    }
    let outages = server.get("/client/v4/radar/annotations/outages?eventType=EVENT").result();
    let found = outages["annotations"].as_array().unwrap();
    assert!(found.len() == 1 && found[0]["eventType"] == "GENERAL", "{found:?}");
    let searched = server.get("/client/v4/radar/search/global?query=portugal").result();
    searched["search"]
        .as_array()
        .unwrap()
        .iter()
        .for_each(|found| check_one_of(&found["type"], &["location", "asn", "as"]));
}

/// What was refused must have been for one of the reasons there are for these questions.
fn is_fair(got: &Got) -> bool {
    let (status, code, message) = got.problem();
    match (status, code) {
        (404, 2004) => message.contains("no connection from"),
        (400, 2001) => message.starts_with("aggInterval: too fine"),
        (422, 2002) => true,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn strict_clients_accept_every_answer(
        store in store(),
        query in query(),
        interval in one_of(&["", "", "1h", "1d", "1w", "15m"]),
    ) {
        let server = Server::of(store);
        let series = query.matches("location=").count();
        let summary = server.radar(&format!("/summary?{query}"));
        match summary.status.as_u16() {
            200 => check_summary(&summary, series),
            _ => prop_assert!(is_fair(&summary), "{}", summary.text),
        }
        let timeseries = server.radar(&format!("/timeseries_groups?{query}&aggInterval={interval}"));
        match timeseries.status.as_u16() {
            200 => check_timeseries(&timeseries.result(), series),
            _ => prop_assert!(is_fair(&timeseries), "{}", timeseries.text),
        }
    }

    /// Whatever is sent, it is answered with a status that is documented.
    #[test]
    fn nothing_that_is_sent_is_too_much(store in store(), keys in prop::collection::vec((
        one_of(&["name", "dateRange", "dateStart", "dateEnd", "asn", "location", "continent", "format", "aggInterval", "counts", "limitPerGroup", "tag", "signature", "port", "stage", "x"]),
        "[ -~]{0,12}",
    ), 0..6), own in any::<bool>()) {
        let server = Server::of(store);
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&keys).finish();
        for path in if own { ["/summary/signature", "/timeseries_groups/as"] } else { ["/summary", "/timeseries_groups"] } {
            let got = server.radar(&format!("{path}?{query}"));
            prop_assert!([200, 400, 404, 422].contains(&got.status.as_u16()), "{query}: {}", got.text);
        }
    }

    /// Shares of all dimensions but tags add up as well, whatever the limit.
    #[test]
    fn shares_by_dimension_add_up(store in store(), query in query(), dimension in one_of(&["stage", "signature", "termination", "ip_version", "location", "as", "port", "node", "exclusion"]), limit in 1..8_usize) {
        let server = Server::of(store);
        let got = server.radar(&format!("/summary/{dimension}?{query}&limitPerGroup={limit}"));
        if got.status == 200 {
            let result = got.result();
            for (name, shares) in result.as_object().unwrap().iter().filter(|(name, _)| *name != "meta") {
                let sum: i64 = shares.as_object().unwrap().values().map(exact).sum();
                prop_assert!(sum == 100_000_000 || shares.as_object().unwrap().is_empty(), "{name}: {shares}");
            }
        } else {
            prop_assert!(is_fair(&got), "{}", got.text);
        }
    }
}

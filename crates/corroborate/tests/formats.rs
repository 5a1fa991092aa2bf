//! Files of each format, made up: what is read from them, and what is wrong with bad ones.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

use std::net::IpAddr;

use cutshort_corroborate::{ReadFile, Reading, joined, read};
use cutshort_detect::{Channel, SeriesPlace};
use cutshort_model::{parse_rfc3339, rfc3339};
use cutshort_store::{OutsideReport, OutsideSeries};

/// Addresses in 203.0.113.0/24 are of AS64500 in Iran.
fn locate(address: IpAddr) -> (Option<[u8; 2]>, Option<u32>) {
    match address.to_string().starts_with("203.0.113.") {
        true => (Some(*b"IR"), Some(64_500)),
        false => (None, None),
    }
}

fn reading(place: Option<&str>) -> Reading<'static> {
    let place = place.map(|place| place.parse().unwrap());
    Reading { place, source: None, now: parse_rfc3339("2026-06-20T00:00:00Z").unwrap(), locate: &locate }
}

fn good(text: &str) -> ReadFile {
    read(text, &reading(None)).unwrap()
}

fn wrong(text: &str) -> String {
    read(text, &reading(None)).unwrap_err().to_string()
}

/// Signal, places, times and note.
fn told(report: &OutsideReport) -> String {
    let places: Vec<String> = report.places.iter().map(SeriesPlace::to_string).collect();
    let to = report.to.map_or("-".to_owned(), rfc3339);
    format!("{} | {} | {} | {to} | {}", report.signal, places.join(" "), rfc3339(report.from), report.note)
}

fn reports(file: &ReadFile) -> Vec<String> {
    file.records.reports.iter().map(told).collect()
}

/// Signal, place, step in seconds, and the points.
type Values = (String, String, i64, Vec<(String, f64, Option<f64>)>);

fn values(series: &OutsideSeries) -> Values {
    let points = series.points.iter().map(|point| (rfc3339(point.at), point.value, point.of));
    (series.signal.clone(), series.place.to_string(), series.step / 1_000_000_000, points.collect())
}

const IODA_SIGNALS: &str = r#"{
 "type": "signals", "error": null,
 "requestParameters": {"entityType": "country", "entityCode": "IQ", "from": "1781060400", "until": "1781067600"},
 "data": [[
  {"entityType": "country", "entityCode": "IQ", "entityName": "Iraq", "datasource": "bgp", "subtype": "",
   "from": 1781060400, "until": 1781061300, "step": 300, "nativeStep": 300, "values": [6012, null, 900]},
  {"entityType": "country", "entityCode": "IQ", "datasource": "ping-slash24-latency", "from": 1781060400, "step": 300, "values": [1]},
  {"entityType": "region", "entityCode": "77", "datasource": "bgp", "from": 1781060400, "step": 300, "values": [1]},
  {"entityType": "asn", "entityCode": "64500", "datasource": "gtr", "subtype": "WEB_SEARCH",
   "from": 1781060400, "until": 1781062200, "step": 1800, "values": [0.25]}
 ]]
}"#;

#[test]
fn signals_of_ioda_are_series() {
    let file = good(IODA_SIGNALS);
    assert_eq!(file.format, "signals of IODA");
    let found: Vec<_> = file.records.series.iter().map(values).collect();
    let bgp = vec![
        ("2026-06-10T03:00:00Z".to_owned(), 6012.0, None),
        ("2026-06-10T03:10:00Z".to_owned(), 900.0, None),
    ];
    assert_eq!(found[0], ("bgp".to_owned(), "country:IQ".to_owned(), 300, bgp));
    assert_eq!((found[1].0.as_str(), found[1].1.as_str(), found[1].2), ("gtr WEB_SEARCH", "as:64500", 1800));
    assert_eq!(file.records.series[0].about, [Channel::Traffic]);
    assert_eq!(file.left_out, [("of regions and of parts of networks", 1), ("signals of loss and delay", 1)]);
    let bare = IODA_SIGNALS.split_once("\"data\":").unwrap().1.trim().strip_suffix('}').unwrap();
    assert_eq!(good(bare).records.series, file.records.series, "without its envelope");
}

#[test]
fn outages_of_ioda_are_reports_in_each_format() {
    let envelope = |kind: &str, data: &str| {
        format!(
            r#"{{"type": "{kind}", "error": null, "data": [{data}], "requestParameters": {{"entityType": "country",
              "entityCode": "IQ", "from": "1781060400", "until": "1781146800", "datasource": null, "limit": 500}}}}"#
        )
    };
    let entity =
        r#""entity": {"code": "IQ", "name": "Iraq", "type": "country", "subnames": [], "attrs": {}}"#;
    let codf = r#"{"location": "country/IQ", "start": 1781061600, "duration": 5400, "uncertainty": null, "method": "median",
        "datasource": "ping-slash24", "status": 0, "score": 7838.9, "location_name": "Iraq", "overlaps_window": false}"#;
    let own = format!(
        r#"{{{entity}, "from": 1781061600, "until": 1781067000, "score": 7838.9, "datasource": "ping-slash24", "method": "median"}}"#
    );
    let alert = |time: i64, level: &str, value: i64| {
        format!(
            r#"{{"datasource": "ping-slash24", {entity}, "time": {time}, "level": "{level}", "condition": "< 0.8",
              "value": {value}, "historyValue": 3101, "method": "median"}}"#
        )
    };
    let alerts = [alert(1781061600, "critical", 400), alert(1781067000, "normal", 2950)].join(",");
    let expected = |note: &str| {
        vec![format!("ping-slash24 | country:IQ | 2026-06-10T03:20:00Z | 2026-06-10T04:50:00Z | {note}")]
    };
    let codf = good(&envelope("outages.events", codf));
    assert_eq!(reports(&codf), expected("score 7839"));
    let own = good(&envelope("outages.events", &own));
    assert_eq!(reports(&own), expected("score 7839"));
    let alerts = good(&envelope("outages.alerts", &alerts));
    assert_eq!(reports(&alerts), expected("400 instead of 3101"));
    let ids: Vec<&str> = [&codf, &own, &alerts].map(|file| file.records.reports[0].id.as_str()).to_vec();
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "one outage has one id: {ids:?}");
    for file in [&codf, &own, &alerts, &good(&envelope("outages.events", ""))] {
        let span = &file.records.spans[0];
        assert_eq!(
            (span.place.to_string().as_str(), span.range.end - span.range.start),
            ("country:IQ", 86_400_000_000_000)
        );
    }
    let open = alert(1781061600, "critical", 400);
    assert_eq!(good(&format!("[{open}]")).records.reports[0].to, None, "not over yet, without an envelope");
}

#[test]
fn measurements_of_ooni_are_counts() {
    let row = |day: &str, anomalies: u32, all: u32| {
        format!(
            r#"{{"anomaly_count": {anomalies}, "confirmed_count": 1, "failure_count": 2, "ok_count": 4, "measurement_count": {all},
              "measurement_start_day": "{day}", "probe_cc": "DZ"}}"#
        )
    };
    let rows = [row("2026-06-09", 14, 626), row("2026-06-10", 190, 601)];
    let file = good(&format!(r#"{{"v": 0, "dimension_count": 1, "result": [{}]}}"#, rows.join(",")));
    let points = vec![
        ("2026-06-09T00:00:00Z".to_owned(), 15.0, Some(626.0)),
        ("2026-06-10T00:00:00Z".to_owned(), 191.0, Some(601.0)),
    ];
    assert_eq!(
        values(&file.records.series[0]),
        ("measurements".to_owned(), "country:DZ".to_owned(), 86_400, points)
    );
    assert!(!file.records.series[0].about.contains(&Channel::Traffic));
    let one = good(&format!(r#"{{"v": 0, "dimension_count": 0, "result": {}}}"#, rows[1]));
    assert_eq!(one.records.series[0].points.len(), 1, "one object without dimensions");
    let table = "anomaly_count,confirmed_count,failure_count,measurement_count,measurement_start_day,ok_count\n\
                 14,1,2,626,2026-06-09,610\n190,1,9,601,2026-06-10,402\n";
    assert_eq!(
        read(table, &reading(Some("country:DZ"))).unwrap().records.series,
        file.records.series,
        "the same in CSV"
    );
    assert_eq!(wrong(table), "line 2: it does not say of which place it is: add --location or --asn");
}

#[test]
fn the_rest_of_ooni() {
    let analysis = r#"{"db_stats": {}, "dimension_count": 2, "results": [{"count": 40.0, "measurement_start_day": "2026-06-10T00:00:00Z",
        "loni": {"tls_blocked": 0.8, "blocked_max_outcome": "tls.timeout", "blocked_max": 0.8}, "domain": "example.org",
        "probe_cc": "DZ", "probe_asn": 36947}]}"#;
    let series = &good(analysis).records.series[0];
    assert_eq!(
        (series.signal.as_str(), series.place.clone()),
        ("analysis example.org", SeriesPlace::Network(36_947))
    );
    assert_eq!((series.points[0].value, series.points[0].of), (32.0, Some(40.0)));
    let change = |time: &str, direction: &str| {
        format!(
            r#"{{"probe_asn": 36947, "probe_cc": "DZ", "domain": "example.org", "start_time": "{time}", "count": 7,
              "change_dir": {direction}, "h": 3.5, "block_type": "tls_blocked", "new_in_some_version": [1]}}"#
        )
    };
    let changes = [
        change("2026-06-10T18:00:00Z", "\"down\""),
        change("2026-06-10T08:00:00Z", "\"up\""),
        change("2026-06-12T08:00:00Z", "\"up\""),
        change("2026-06-12T09:00:00Z", "null"),
    ];
    let file = good(&format!(r#"{{"results": [{}]}}"#, changes.join(",")));
    let expected = [
        "tls_blocked example.org | as:36947 | 2026-06-10T08:00:00Z | 2026-06-10T18:00:00Z | ",
        "tls_blocked example.org | as:36947 | 2026-06-12T08:00:00Z | - | ",
    ];
    assert_eq!(reports(&file), expected);
    assert_eq!(file.left_out, [("changes without a direction", 1)]);
    let incidents = r#"{"incidents": [{"id": "330022197701", "start_time": "2026-06-07T00:00:00Z", "end_time": null,
        "title": "DZ: restrictions during exams", "CCs": ["DZ"], "ASNs": [], "links": ["https://example.org/report"], "mine": 0}], "v": 1}"#;
    let file = good(incidents);
    let expected = ["incident | country:DZ | 2026-06-07T00:00:00Z | - | DZ: restrictions during exams"];
    assert_eq!(reports(&file), expected);
    assert_eq!(file.records.reports[0].url.as_deref(), Some("https://example.org/report"));
}

#[test]
fn outages_of_radar_are_read_in_both_dialects() {
    let outage = |details: &str, kind: &str| {
        format!(
            r#"{{"success": true, "errors": [], "result": {{"annotations": [{{"id": "901", "dataSource": "ALL",
              "description": "Cable cut", "startDate": "2026-06-10T03:00:00Z", "endDate": "2026-06-10T05:00:00Z", "asns": [64500],
              "asnsDetails": [{{"asn": "64500", "name": "Example", {details}: {{"code": "IQ", "name": "Iraq"}}}}], "locations": ["IQ"],
              "eventType": "OUTAGE", "linkedUrl": "", "outage": {{"outageCause": "CABLE_CUT", "outageType": "{kind}"}}}}]}}}}"#
        )
    };
    let newest = good(&outage("\"location\"", "NATIONWIDE"));
    let expected = "outage | as:64500 country:IQ | 2026-06-10T03:00:00Z | 2026-06-10T05:00:00Z | Cable cut, CABLE_CUT, NATIONWIDE";
    assert_eq!(reports(&newest), [expected]);
    assert_eq!(good(&outage("\"locations\"", "NATIONWIDE")), newest);
    let places = &good(&outage("\"location\"", "NETWORK")).records.reports[0].places;
    assert_eq!(places, &[SeriesPlace::Network(64_500)], "an outage of a network is not one of its country");
}

#[test]
fn anomalies_and_series_of_radar() {
    let anomaly = |kind: &str, end: &str, asn: &str, place: &str| {
        format!(
            r#"{{"uuid": "{kind}", "type": "{kind}", "status": "VERIFIED", "startDate": "2026-06-10T03:00:00Z", "endDate": {end},
              "visibleInDataSources": ["HTTP"], "asnDetails": {asn}, "locationDetails": {place}}}"#
        )
    };
    let all = [
        anomaly("LOCATION", "\"2026-06-10T05:15:00Z\"", "null", r#"{"code": "IQ", "name": "Iraq"}"#),
        anomaly("AS", "null", r#"{"asn": "64500", "name": "Example"}"#, "null"),
        anomaly("ORIGIN", "null", "null", "null"),
    ];
    let file =
        good(&format!(r#"{{"success": true, "result": {{"trafficAnomalies": [{}]}}}}"#, all.join(",")));
    let expected = [
        "traffic anomaly | country:IQ | 2026-06-10T03:00:00Z | 2026-06-10T05:15:00Z | verified, HTTP",
        "traffic anomaly | as:64500 | 2026-06-10T03:00:00Z | - | verified, HTTP",
    ];
    assert_eq!(reports(&file), expected);
    assert_eq!(file.left_out, [("anomalies of origins", 1)]);
    let series = |values: &str| {
        format!(
            r#"{{"success": true, "result": {{"meta": {{}}, "serie_0": {{"timestamps": ["2026-06-10T03:00:00Z",
              "2026-06-10T03:15:00Z"], {values}}}}}}}"#
        )
    };
    let groups =
        series(r#""post_ack": ["2.1", "2.0"], "later_in_flow": ["1", "2"], "no_match": ["86", "87"]"#);
    let file = read(&groups, &reading(Some("as:64500"))).unwrap();
    let signals: Vec<_> =
        file.records.series.iter().map(|one| (one.signal.as_str(), one.about[0], one.step)).collect();
    let step = 900_000_000_000;
    assert_eq!(signals, [("later", Channel::Later, step), ("post_ack", Channel::PostAck, step)]);
    let traffic = read(&series(r#""values": ["0.25", "1.0"]"#), &reading(Some("country:IQ"))).unwrap();
    assert_eq!(traffic.records.series[0].about, [Channel::Traffic]);
    assert_eq!(wrong(&groups), "it does not say of which place it is: add --location or --asn");
    let uneven = read(&series(r#""values": ["0.25"]"#), &reading(Some("world"))).unwrap_err().to_string();
    assert_eq!(uneven, "\"serie_0\": 1 of \"values\", but 2 \"timestamps\"");
    let failed = r#"{"success": false, "errors": [{"message": "Invalid location"}], "result": null}"#;
    assert_eq!(wrong(failed), "the answer is an error: \"Invalid location\"");
}

#[test]
fn rows_of_censored_planet_are_counted_by_day() {
    let second = |error: &str, failed: bool| {
        format!(
            r#"{{"vp": "203.0.113.9", "location": {{"country_code": "IR"}}, "service": "https", "test_url": "example.org", "response": [{{"matches_template": false, "error": {error}, "start_time": "2026-06-10T03:20:00.123Z", "end_time": "2026-06-10T03:20:01Z"}}], "anomaly": {}, "controls_failed": {failed}}}"#,
            error != "null"
        )
    };
    let reset = "\"read tcp 192.0.2.1:4000->203.0.113.9:443: read: connection reset by peer\"";
    let refused = "\"dial tcp 203.0.113.9:443: connect: connection refused\"";
    let lines = [second(reset, false), second(refused, false), second("null", false), second(reset, true)];
    let file = good(&lines.join("\n"));
    let points = vec![("2026-06-10T00:00:00Z".to_owned(), 1.0, Some(3.0))];
    let found: Vec<_> = file.records.series.iter().map(values).collect();
    let signal = "hyperquack https".to_owned();
    assert_eq!(found[0], (signal.clone(), "country:IR".to_owned(), 86_400, points.clone()));
    assert_eq!(found[1], (signal, "as:64500".to_owned(), 86_400, points));
    assert_eq!(file.records.series[0].about, [Channel::PostPsh]);
    assert_eq!(file.left_out[0].1, 1);
    let sum = joined([file.records.clone(), file.records]);
    assert_eq!(
        (sum.series[0].points[0].value, sum.series[0].points[0].of),
        (2.0, Some(6.0)),
        "files of a scan"
    );
    let first = r#"{"Server": "203.0.113.9", "Keyword": "example.org", "Retries": 1, "Results": [{"Sent": "GET /", "Received": "", "Success": false, "Error": {"Op": "read", "Err": 104}, "StartTime": "2021-06-10T03:20:00.1+02:00", "EndTime": "2021-06-10T03:20:00.2+02:00"}], "Blocked": true, "FailSanity": false, "StatefulBlock": false}"#;
    let series = &good(first).records.series[0];
    assert_eq!((series.place.clone(), series.points[0].value), (SeriesPlace::Country(*b"IR"), 1.0));
    let bad = format!("{}\n{}", lines[0], lines[1].replace("2026-06-10T03:20:00.123Z", "yesterday"));
    let error = wrong(&bad);
    assert!(error.starts_with("line 2, field \"start_time\": wrong time \"yesterday\""), "{error}");
}

#[test]
fn tables_of_cenalert() {
    let anomalies = "start,end,peak,score,residual,impact,proximity,cause,who\n\
                     2026-06-08,2026-06-10,2026-06-09,6.21,1,2,3,election,somebody\n";
    let file = read(anomalies, &reading(Some("country:IQ"))).unwrap();
    let expected = "searches for VPNs | country:IQ | 2026-06-08T00:00:00Z | 2026-06-11T00:00:00Z | election, somebody, score 6.2";
    assert_eq!(reports(&file), [expected]);
    assert!(file.records.reports[0].whole_days);
    let events =
        "country_code,start_date,affected_services,source\nIQ,2026-06-09,Telegram,https://example.org\n";
    let file = good(events);
    assert_eq!(
        reports(&file),
        ["event | country:IQ | 2026-06-09T00:00:00Z | 2026-06-10T00:00:00Z | Telegram"]
    );
    assert_eq!(file.records.reports[0].url.as_deref(), Some("https://example.org"));
}

#[test]
fn any_csv_is_reports_or_values() {
    let text = "# from the ground\nstart,end,location,asn,note,url\n\
                2026-06-10T03:00:00Z,2026-06-10T05:00:00+01:00,IQ,,\"no internet, all day\",https://example.org\n\
                2026-06-10,,,AS64500,,\n";
    let expected = [
        "report | country:IQ | 2026-06-10T03:00:00Z | 2026-06-10T04:00:00Z | no internet, all day",
        "report | as:64500 | 2026-06-10T00:00:00Z | 2026-06-11T00:00:00Z | ",
    ];
    assert_eq!(reports(&good(text)), expected);
    let named = Reading { source: Some("ground"), ..reading(None) };
    assert_eq!(read(text, &named).unwrap().records.reports[0].source, "ground");
    let values = "time,region,product,fraction\n2026-06-10T03:00:00Z,IQ,web_search,0.71\n2026-06-10T03:30:00Z,IQ,web_search,0.05\n";
    let file = good(values);
    let series = &file.records.series[0];
    assert_eq!(
        (series.signal.as_str(), series.step, series.points.len()),
        ("web_search", 1_800_000_000_000, 2)
    );
    assert_eq!(read(values, &named).unwrap().records.series[0].source, "ground");
}

#[test]
fn errors_name_line_and_field() {
    let cases = [
        ("", "the file is empty"),
        ("{\"a\": 1}", "not in a known format: "),
        ("{\"data\": [\n  {\"location\": \"country/IQ\",\n", "line 3: EOF while parsing"),
        ("when,what\n1,2\n", "line 1: no column \"time\" or \"start\""),
        ("start,location\n2026-06-10,Iraq\n", "line 2, field \"location\": unknown country \"Iraq\""),
        (
            "start,end\n2026-06-10,2026-06-01\n",
            "line 2, field \"end\": \"2026-06-01\" is before the beginning",
        ),
        ("start,asn\n2026-06-10\n", "line 2: 1 columns instead of 2"),
        ("time,value\n2026-06-10,many\n", "line 2, field \"value\": \"many\" is not a number"),
        (
            "[{\"location\": \"country/IQ\", \"datasource\": \"bgp\", \"duration\": 60,\n  \"start\": \"soon\"}]",
            "line 2, field \"start\": wrong time \"soon\"",
        ),
        (
            "[{\"location\": \"country/IQ\", \"duration\": 60,\n \"start\": 5}]",
            "line 2: missing field \"datasource\"",
        ),
        (
            "[{\"location\": \"Iraq\", \"datasource\": \"bgp\", \"duration\": 60, \"start\": 5}]",
            "\"data\", item 1: \"location\" is \"Iraq\"",
        ),
        (
            "{\"incidents\": [{\"id\": \"1\", \"start_time\": \"2026-06-10\", \"title\": \"t\",\n\"CCs\": [\"IRAQ\"]}]}",
            "line 2, field \"CCs\": unknown country \"IRAQ\"",
        ),
    ];
    for (text, expected) in cases {
        let error = wrong(text);
        assert!(error.starts_with(expected), "{text}: {error}");
    }
    let named = Reading { source: Some("ground"), ..reading(None) };
    assert!(read(IODA_SIGNALS, &named).unwrap_err().to_string().starts_with("--source is for CSV"));
}

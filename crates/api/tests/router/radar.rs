//! The endpoints of Radar, rule by rule.

use cutshort_verdict::Stage;
use serde_json::{Value, json};

use crate::client::{DAY, END, Server, WINDOW};
use crate::memory::{Memory, connection};

/// In the last days: of the US all stages, of Portugal few.
fn store() -> Memory {
    let stages = [
        (Stage::None, 800),
        (Stage::PostSyn, 112),
        (Stage::PostAck, 41),
        (Stage::PostPsh, 14),
        (Stage::Later, 33),
    ];
    let mut cells: Vec<_> =
        stages.map(|(stage, times)| connection(END - DAY, "US", 174, stage, times)).to_vec();
    cells.push(connection(END - 2 * WINDOW, "PT", 3243, Stage::None, 3));
    cells.push(connection(END - 2 * WINDOW, "PT", 3243, Stage::PostAck, 1));
    cells.push(connection(END - 9 * DAY, "US", 174, Stage::PostSyn, 50));
    Memory::of(cells)
}

fn server() -> Server {
    Server::of(store())
}

#[test]
fn a_summary_has_five_shares() {
    let result = server().radar("/summary?location=US").result();
    let shares = json!({
        "no_match": "80", "post_syn": "11.2", "post_ack": "4.1", "post_psh": "1.4", "later_in_flow": "3.3"
    });
    assert_eq!(result["summary_0"], shares);
    let keys: Vec<&String> = result.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["meta", "summary_0"]);
}

/// A time with a single connection is not an empty one.
#[test]
fn one_connection_is_a_result() {
    let one = || Server::of(Memory::of(vec![connection(END - DAY, "US", 174, Stage::None, 1)]));
    let result = one().radar("/summary").result();
    assert_eq!(result["summary_0"]["no_match"], "100");
    let result = one().radar("/timeseries_groups?aggInterval=15m").result();
    assert_eq!(result["serie_0"]["timestamps"].as_array().unwrap().len(), 1);
}

#[test]
fn meta_says_what_was_counted() {
    let meta = server().radar("/summary").result()["meta"].clone();
    assert_eq!(
        meta["dateRange"],
        json!([{"startTime": "2026-01-07T12:00:00Z", "endTime": "2026-01-14T12:00:00Z"}])
    );
    assert_eq!(meta["units"], json!([{"name": "*", "value": "connections"}]));
    assert_eq!(meta["normalization"], "PERCENTAGE");
    assert_eq!(meta["confidenceInfo"], json!({"annotations": [], "level": 5}));
    assert_eq!(meta["lastUpdated"], "2026-01-14T11:45:30Z");
    let keys: Vec<&String> = meta.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["confidenceInfo", "dateRange", "lastUpdated", "normalization", "units"]);
}

#[test]
fn a_time_series_has_arrays_side_by_side() {
    let result = server().radar("/timeseries_groups?dateRange=2d&location=PT").result();
    let serie = json!({
        "timestamps": ["2026-01-14T11:00:00Z"],
        "post_syn": ["0"], "post_ack": ["25"], "post_psh": ["0"], "later_in_flow": ["0"], "no_match": ["75"]
    });
    assert_eq!(result["serie_0"], serie);
    assert_eq!(result["meta"]["aggInterval"], "ONE_HOUR");
    let two = server().radar("/timeseries_groups?dateRange=2d").result();
    assert_eq!(two["serie_0"]["timestamps"], json!(["2026-01-13T12:00:00Z", "2026-01-14T11:00:00Z"]));
}

#[test]
fn series_stand_side_by_side() {
    let result =
        server().radar("/summary?name=us&location=US&dateRange=7d&location=PT&dateRange=7d").result();
    assert_eq!(result["us"]["no_match"], "80");
    assert_eq!(result["summary_1"]["no_match"], "75");
    assert_eq!(result["meta"]["dateRange"].as_array().unwrap().len(), 2);
    let series = server().radar("/timeseries_groups?name=&location=US&name=Portugal&location=PT").result();
    assert!(series["serie_0"].is_object() && series["Portugal"].is_object());
}

#[test]
fn an_empty_value_is_as_if_it_was_not_given() {
    let result = server().radar("/summary?location=&location=PT&asn=&continent=&dateStart=&format=").result();
    assert_eq!(result["summary_0"]["no_match"], "79.98008");
    assert_eq!(result["summary_1"]["no_match"], "75");
}

#[test]
fn a_comma_list_includes_and_leaves_out() {
    let no_match =
        |query: &str| server().radar(&format!("/summary?{query}")).result()["summary_0"]["no_match"].clone();
    assert_eq!(no_match("asn=-174,%203243"), "75");
    assert_eq!(no_match("asn=-%20174"), "75");
    assert_eq!(no_match("asn=AS174"), "80");
    assert_eq!(no_match("location=us"), "80");
    assert_eq!(no_match("location=-US"), "75");
    assert_eq!(no_match("continent=EU"), "75");
    assert_eq!(no_match("continent=-eu,%20NA"), "80");
    assert_eq!(no_match("location=US,PT,"), "79.98008");
}

fn ranges(query: &str) -> Value {
    let result = server().radar(&format!("/timeseries_groups?{query}")).result();
    let ranges = result["meta"]["dateRange"].as_array().unwrap().iter();
    let day = |time: &Value| time.as_str().unwrap().trim_end_matches("T12:00:00Z").to_owned();
    ranges.map(|range| [day(&range["startTime"]), day(&range["endTime"])]).map(|range| json!(range)).collect()
}

#[test]
fn control_ranges_are_shifted_by_whole_weeks() {
    assert_eq!(ranges("dateRange=7dcontrol"), json!([["2025-12-31", "2026-01-07"]]));
    assert_eq!(ranges("dateRange=10dControl"), json!([["2025-12-21", "2025-12-31"]]));
    assert_eq!(ranges("dateRange=3dCONTROL"), json!([["2026-01-04", "2026-01-07"]]));
    assert_eq!(ranges("dateRange=1W"), json!([["2026-01-07", "2026-01-14"]]));
    assert_eq!(ranges("dateRange=2wcontrol"), json!([["2025-12-17", "2025-12-31"]]));
    assert_eq!(
        ranges("dateRange=7d&dateRange=7dControl"),
        json!([["2026-01-07", "2026-01-14"], ["2025-12-31", "2026-01-07"]])
    );
}

#[test]
fn a_range_that_is_given_once_holds_for_all_series() {
    assert_eq!(
        ranges("dateRange=2d&location=US&location=PT"),
        json!([["2026-01-12", "2026-01-14"], ["2026-01-12", "2026-01-14"]])
    );
    assert_eq!(
        ranges("dateRange=7dcontrol&location=US&location=PT"),
        json!([["2025-12-31", "2026-01-07"], ["2026-01-07", "2026-01-14"]])
    );
}

#[test]
fn times_are_rounded_down_to_a_quarter() {
    let forms = [
        ("2026-01-14T10:07:59Z", "2026-01-14T11:59:59.999Z"),
        ("2026-01-14T10:07:59%2B00:00", "2026-01-14T13:50:00%2B02:00"),
        ("2026-01-14T10:07:59+00:00", "2026-01-14T13:50:00+02:00"),
        ("2026-01-14T10:00", "2026-01-14 11:45"),
        ("20260114T100000Z", "20260114T114500Z"),
    ];
    for (start, end) in forms {
        let query = format!(
            "/timeseries_groups?dateStart={}&dateEnd={}",
            start.replace(' ', "%20"),
            end.replace(' ', "%20")
        );
        let result = server().radar(&query).result();
        let range = json!([{"startTime": "2026-01-14T10:00:00Z", "endTime": "2026-01-14T11:45:00Z"}]);
        assert_eq!(result["meta"]["dateRange"], range, "{query}");
        assert_eq!(result["serie_0"]["timestamps"], json!(["2026-01-14T11:30:00Z"]));
    }
    let days = server().radar("/timeseries_groups?dateStart=2026-01-13&dateEnd=2026-01-14").result();
    assert_eq!(
        days["meta"]["dateRange"],
        json!([{"startTime": "2026-01-13T00:00:00Z", "endTime": "2026-01-14T00:00:00Z"}])
    );
}

#[track_caller]
fn refused(query: &str, parameter: &str) {
    let (status, code, message) = server().radar(query).problem();
    assert_eq!((status, code), (400, 2001), "{query}: {message}");
    assert!(message.starts_with(parameter), "{query}: {message}");
}

#[test]
fn what_cannot_be_understood_is_named() {
    for range in [
        "0d",
        "365d",
        "07d",
        "53w",
        "7",
        "d",
        "7days",
        "-7d",
        "7dcontrolcontrol",
        "7d%20control",
        "1m",
        "%2B7d",
        "400d",
    ] {
        refused(&format!("/summary?dateRange={range}"), "dateRange: '");
    }
    refused("/summary?dateStart=2026-01-01", "dateEnd: missing");
    refused("/summary?dateEnd=2026-01-01", "dateStart: missing");
    refused("/summary?dateStart=yesterday&dateEnd=2026-01-01", "dateStart: 'yesterday'");
    refused("/summary?dateStart=2026-01-01&dateEnd=2026-02-30", "dateEnd: '2026-02-30'");
    refused("/summary?dateStart=2026-01-02&dateEnd=2026-01-01", "dateEnd: not after");
    refused("/summary?dateStart=2026-01-01T00:01&dateEnd=2026-01-01T00:14", "dateEnd: not after");
    refused("/summary?dateRange=7d&dateStart=2026-01-01&dateEnd=2026-01-02", "dateRange: give either");
    refused("/summary?location=XX", "location: 'XX'");
    refused("/summary?location=USA", "location: 'USA'");
    refused("/summary?continent=XX", "continent: 'XX'");
    refused("/summary?asn=x", "asn: 'x'");
    refused("/summary?asn=4294967296", "asn: '4294967296'");
    refused("/summary?asn=1,--2", "asn: '-2'");
    refused("/summary?format=xml", "format: 'XML'");
    refused("/summary?format=json&format=csv", "format: give it once");
    refused("/timeseries_groups?aggInterval=2h", "aggInterval: '2h'");
    refused(
        "/timeseries_groups?aggInterval=15m&dateRange=52w",
        "aggInterval: too fine for the range, more than 10000 points; use one of 1h, 1d, 1w",
    );
    refused("/summary?name=meta", "name: 'meta'");
    refused("/summary?name=a&name=a", "name: two series are called 'a'");
    refused("/summary?name=summary_1&location=US&location=PT", "name: two series are called 'summary_1'");
    refused("/summary?name=%00", "name: at most");
}

#[test]
fn series_must_be_equally_long() {
    refused(
        "/summary?dateRange=7d&dateRange=14d",
        "dateRange, dateStart, dateEnd: all series must be equally long; the first lasts 7d, the one at position 1 14d",
    );
    refused(
        "/timeseries_groups?dateRange=7d&dateRange=&dateStart=&dateStart=2026-01-01&dateEnd=&dateEnd=2026-01-02T06:15",
        "dateRange, dateStart, dateEnd",
    );
    let result = server().radar("/timeseries_groups?dateRange=7d&dateRange=1w&dateRange=7dcontrol").result();
    assert!(result["serie_2"].is_object());
}

#[test]
fn the_interval_goes_by_the_length() {
    let interval = |query: &str| {
        server().radar(&format!("/timeseries_groups?{query}")).result()["meta"]["aggInterval"].clone()
    };
    assert_eq!(interval("dateRange=1d"), "FIFTEEN_MINUTES");
    assert_eq!(interval("dateRange=2d"), "ONE_HOUR");
    assert_eq!(interval("dateRange=4w"), "ONE_HOUR");
    assert_eq!(interval("dateRange=31d"), "ONE_HOUR");
    assert_eq!(interval("dateRange=32d"), "ONE_DAY");
    assert_eq!(interval("dateRange=52w"), "ONE_DAY");
    assert_eq!(interval("dateRange=52w&aggInterval=1H"), "ONE_HOUR");
    assert_eq!(interval("dateRange=52w&aggInterval=1W"), "ONE_WEEK");
    assert_eq!(interval("dateRange=104d&aggInterval=15M"), "FIFTEEN_MINUTES");
}

#[test]
fn weeks_begin_on_monday_and_the_first_with_the_range() {
    let result = server().radar("/timeseries_groups?dateRange=2w&aggInterval=1w").result();
    assert_eq!(result["serie_0"]["timestamps"], json!(["2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z"]));
    let result = server().radar("/timeseries_groups?dateRange=9d&aggInterval=1w").result();
    assert_eq!(result["serie_0"]["timestamps"], json!(["2026-01-05T12:00:00Z", "2026-01-12T00:00:00Z"]));
}

#[test]
fn a_series_without_a_connection_has_no_summary() {
    let (status, code, message) = server().radar("/summary?location=BR&name=brazil").problem();
    assert_eq!((status, code), (404, 2004));
    assert!(message.contains("brazil") && message.contains("2026-01-05T12:00:00Z"), "{message}");
    let result = server().radar("/timeseries_groups?location=BR").result();
    let empty = json!({"timestamps": [], "post_syn": [], "post_ack": [], "post_psh": [], "later_in_flow": [], "no_match": []});
    assert_eq!(result["serie_0"], empty);
    assert_eq!(result["meta"]["confidenceInfo"]["level"], 1);
    let (status, _, message) = Server::of(Memory::default()).radar("/summary").problem();
    assert!(status == 404 && message.contains("import"), "{message}");
}

/// A client that compares several series gets those that have connections.
#[test]
fn a_later_series_without_a_connection_does_not_take_the_others_away() {
    let server = server();
    for (query, name) in
        [("location=PT&location=BR", "summary_1"), ("name=a&location=PT&name=b&location=BR", "b")]
    {
        let got = server.radar(&format!("/summary?{query}"));
        let (result, messages) = (got.result(), got.json()["messages"].clone());
        assert!(result[name].is_null() && result.as_object().unwrap().len() == 2, "{result}");
        assert_eq!(result["meta"]["dateRange"].as_array().unwrap().len(), 2);
        assert_eq!((messages[0]["code"].as_u64(), messages.as_array().unwrap().len()), (Some(1003), 1));
        let message = messages[0]["message"].as_str().unwrap();
        assert!(
            message.starts_with(&format!("{name}: no connection from 2026-01-07T12:00:00Z")),
            "{message}"
        );
        // Our own endpoint has an empty object, and says the same.
        let own = server.radar(&format!("/summary/stage?{query}"));
        assert_eq!((&own.result()[name], &own.json()["messages"]), (&json!({}), &messages));
        let csv = server.radar(&format!("/summary?{query}&format=csv")).text;
        let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!((lines.len(), lines[0].len(), lines[1].len()), (2, 10, 10), "{csv}");
        assert!(lines[1][5..].iter().all(|field| field.is_empty()), "{csv}");
    }
    let (status, code, message) = server.radar("/summary?location=BR&location=PT&location=JP").problem();
    assert_eq!((status, code), (404, 2004));
    assert!(message.contains("summary_0: ") && message.contains("summary_2: "), "{message}");
}

#[test]
fn csv_has_a_column_for_each_field() {
    let got = server().radar("/summary?location=US&format=csv");
    assert_eq!(got.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        got.text,
        "Summary_0 post_syn,Summary_0 post_ack,Summary_0 post_psh,Summary_0 later_in_flow,Summary_0 no_match\n11.2,4.1,1.4,3.3,80\n"
    );
    let got = server().radar("/timeseries_groups?name=a,b&dateRange=2d&dateRange=2dcontrol&format=CSV");
    let lines: Vec<&str> = got.text.lines().collect();
    let fields = ["timestamps", "post_syn", "post_ack", "post_psh", "later_in_flow", "no_match"];
    let head =
        |name: &str| {
            fields
                .map(|field| {
                    if name.contains(',') { format!("\"{name} {field}\"") } else { format!("{name} {field}") }
                })
                .join(",")
        };
    assert_eq!(lines[0], format!("{},{}", head("A,b"), head("Serie_1")));
    // By the time since the beginning of each range.
    assert_eq!(lines[1], ",,,,,,2026-01-05T12:00:00Z,100,0,0,0,0");
    assert_eq!(lines[2], "2026-01-13T12:00:00Z,11.2,4.1,1.4,3.3,80,,,,,,");
    assert_eq!(lines[3], "2026-01-14T11:00:00Z,0,25,0,0,75,,,,,,");
}

#[test]
fn unknown_parameters_are_ignored_which_is_said_but_not_ours() {
    let got = server().radar("/summary?location=US&botClass=LIKELY_HUMAN");
    assert_eq!(got.result()["summary_0"]["no_match"], "80");
    assert_eq!(got.json()["messages"][0]["message"], "unknown parameter 'botClass' was ignored");
    refused("/summary?tag=zmap", "tag: not here");
    refused("/summary?counts=true", "counts: not here");
}

#[test]
fn lists_may_be_written_with_brackets() {
    for path in ["/summary", "/timeseries_groups", "/summary/stage", "/timeseries_groups/location"] {
        let plain = server().radar(&format!("{path}?location=US&location=PT&asn=174")).result();
        for query in
            ["location[]=US&location[]=PT&asn[]=174", "location%5B1%5D=PT&location%5B0%5D=US&asn%5B0%5D=174"]
        {
            let got = server().radar(&format!("{path}?{query}"));
            assert_eq!(got.result(), plain, "{path}?{query}");
            assert_eq!(got.json()["messages"], serde_json::json!([]), "{path}?{query}");
        }
    }
    let all = server().radar("/summary?location[a]=US&[]=PT");
    assert_eq!(all.json()["messages"].as_array().unwrap().len(), 2, "{}", all.text);
}

#[test]
fn other_spellings_of_parameters_are_refused() {
    for (query, name) in [
        ("Location=PT", "location"),
        ("locations=PT", "location"),
        ("LOCATION[]=PT", "location"),
        ("asns=174", "asn"),
        ("date_range=1d", "dateRange"),
        ("daterange=1d", "dateRange"),
        ("Format=csv", "format"),
        ("tags=zmap", "tag"),
    ] {
        for path in ["/summary", "/timeseries_groups"] {
            let (status, code, message) = server().radar(&format!("{path}?{query}")).problem();
            assert_eq!((status, code), (400, 2001), "{query}: {message}");
            assert!(message.ends_with(&format!("write it as '{name}'")), "{query}: {message}");
        }
    }
}

#[test]
fn names_cannot_be_formulas_of_a_spreadsheet() {
    let csv = |path: &str| server().radar(&format!("{path}?format=CSV&name=%3Dcmd|'%20/C%20calc'!A0")).text;
    assert!(csv("/summary").starts_with("'=cmd|' /C calc'!A0 post_syn,"), "{}", csv("/summary"));
    for path in ["/timeseries_groups", "/summary/location", "/top/locations"] {
        assert!(csv(path).starts_with("'=cmd|"), "{path}: {}", csv(path));
    }
}

#[test]
fn little_and_erratic_data_lower_the_confidence() {
    let level = |query: &str| server().radar(query).result()["meta"]["confidenceInfo"]["level"].clone();
    assert_eq!(level("/summary?location=US"), 5);
    assert_eq!(level("/summary?location=PT"), 2);
    assert_eq!(level("/summary?location=US&location=PT"), 2);
    assert_eq!(level("/timeseries_groups?location=US"), 3, "most hours have no connection");
    assert_eq!(level("/timeseries_groups?location=PT"), 1);
    let mut rates = store();
    rates
        .cells
        .push(crate::memory::Cell { rate: 100_000, ..connection(END - DAY, "US", 174, Stage::None, 1) });
    let level =
        Server::of(rates).radar("/summary?location=US").result()["meta"]["confidenceInfo"]["level"].clone();
    assert_eq!(level, 3, "one connection stands for more than all others");
}

#[test]
fn weights_make_shares_and_samples_make_confidence() {
    let weighted = crate::memory::Cell { rate: 100, ..connection(END - DAY, "US", 174, Stage::PostSyn, 1) };
    let store = Memory::of(vec![weighted, connection(END - DAY, "US", 174, Stage::None, 100)]);
    assert_eq!(Server::of(store).radar("/summary").result()["summary_0"]["post_syn"], "50");
}

#[test]
fn other_routes_and_methods_are_said_in_json() {
    use axum::body::Body;
    use axum::http::Request;
    let (status, code, message) = server().get("/client/v4/radar/http/summary/bot_class").problem();
    assert_eq!((status, code), (404, 7003));
    assert!(message.contains("/client/v4/radar/http/summary/bot_class"));
    assert_eq!(server().get("/").status, 200);
    let post = |method: &str| {
        server().send(
            Request::builder()
                .method(method)
                .uri("/client/v4/radar/tcp_resets_timeouts/summary")
                .body(Body::empty())
                .unwrap(),
        )
    };
    let got = post("POST");
    assert_eq!(got.problem().0, 405);
    assert_eq!(got.header("allow"), "GET, HEAD, OPTIONS");
    let got = post("OPTIONS");
    assert_eq!((got.status.as_u16(), got.header("allow")), (204, "GET, HEAD, OPTIONS"));
    let got = post("HEAD");
    assert_eq!((got.status.as_u16(), got.text.as_str()), (200, ""));
}

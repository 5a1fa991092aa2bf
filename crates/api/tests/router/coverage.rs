//! What was not collected is not zero, and answers say so.

use std::ops::Range;

use cutshort_store::NodeCoverage;
use cutshort_verdict::Stage;
use serde_json::{Value, json};

use crate::client::{DAY, END, Server, WINDOW};
use crate::memory::{Cell, Memory, connection};

const HOUR: i64 = 4 * WINDOW;

/// Two servers on the last two days; one was silent for six hours, the other for an hour.
fn server() -> Server {
    let at = |hours: Range<i64>| END - 48 * HOUR + hours.start * HOUR..END - 48 * HOUR + hours.end * HOUR;
    let node = |node: &str, spans: &[Range<i64>]| NodeCoverage {
        node: node.to_owned(),
        spans: spans.iter().cloned().map(at).collect(),
    };
    let cell = |hour: i64, node: &str| Cell {
        node: node.to_owned(),
        ..connection(END - 48 * HOUR + hour * HOUR, "US", 174, Stage::PostAck, 500)
    };
    Server::of(Memory {
        coverage: Some(vec![node("edge1", &[0..10, 16..48]), node("edge2", &[0..15, 16..48])]),
        ..Memory::of(
            (0..10).chain(16..48).flat_map(|hour| [cell(hour, "edge1"), cell(hour, "edge2")]).collect(),
        )
    })
}

/// From when, until when, and what is said.
fn notes(result: &Value) -> Vec<[String; 3]> {
    let notes = result["meta"]["confidenceInfo"]["annotations"].as_array().unwrap();
    let text = |note: &Value| {
        ["startDate", "endDate", "description"].map(|key| note[key].as_str().unwrap().to_owned())
    };
    notes.iter().map(text).collect()
}

#[test]
fn own_answers_say_what_was_collected() {
    let server = server();
    let result = server.radar("/timeseries_groups/node?dateRange=2d&aggInterval=1h").result();
    let coverage = &result["meta"]["coverage"][0];
    assert_eq!((&coverage["collected"], &coverage["complete"]), (&json!("97.916667"), &json!("87.5")));
    assert_eq!(
        coverage["gaps"],
        json!([
            {"startTime": "2026-01-12T22:00:00Z", "endTime": "2026-01-13T03:00:00Z", "nothing": false, "missing": ["edge1"]},
            {"startTime": "2026-01-13T03:00:00Z", "endTime": "2026-01-13T04:00:00Z", "nothing": true, "missing": ["edge1", "edge2"]},
        ])
    );
    assert_eq!(coverage["gapsOmitted"], 0);
    assert_eq!(coverage["nodes"][0], json!({"name": "edge1", "collected": "87.5", "missing": "12.5"}));
    let intervals = &coverage["intervals"];
    assert_eq!(intervals["timestamps"].as_array().unwrap().len(), 48, "also those without connections");
    assert!(result["serie_0"]["timestamps"].as_array().unwrap().len() < 48);
    let at = |key: &str, at: usize| intervals[key][at].as_str().unwrap().to_owned();
    assert_eq!([9, 10, 15, 16].map(|hour| at("collected", hour)), ["100", "100", "0", "100"]);
    assert_eq!([9, 10, 15, 16].map(|hour| at("complete", hour)), ["100", "0", "0", "100"]);
    // Each series has its own range, and only the servers that it asks for.
    let two = server.radar("/summary/stage?node=edge2&node=edge2&dateRange=2d&dateRange=2dcontrol").result();
    assert_eq!(two["meta"]["coverage"][0]["complete"], "97.916667");
    assert_eq!(two["meta"]["coverage"][1]["collected"], "0");
    assert!(two["meta"]["coverage"][0].get("intervals").is_none());
    let top = server.radar("/top/ases?dateRange=2d").result();
    assert_eq!(top["meta"]["coverage"][0]["collected"], "97.916667");
}

/// Radar's clients refuse other keys, and show annotations.
#[test]
fn radars_answers_say_it_in_annotations() {
    let server = server();
    let result = server.radar("/timeseries_groups?dateRange=2d").result();
    assert!(result["meta"].get("coverage").is_none());
    let nothing =
        "No packets were collected during this time. This does not mean that there were no connections.";
    assert_eq!(
        notes(&result),
        [
            [
                "2026-01-12T22:00:00Z",
                "2026-01-13T03:00:00Z",
                "No packets from edge1 were collected during this time."
            ],
            ["2026-01-13T03:00:00Z", "2026-01-13T04:00:00Z", nothing],
        ]
    );
    assert_eq!(result["meta"]["confidenceInfo"]["annotations"][0]["eventType"], "PIPELINE");
    assert_eq!(server.radar("/summary?dateRange=2d").result()["meta"]["confidenceInfo"]["level"], 5);
    let young = server.radar("/summary").result();
    assert_eq!(notes(&young)[0], ["2026-01-07T12:00:00Z", "2026-01-12T12:00:00Z", nothing]);
    assert_eq!(young["meta"]["confidenceInfo"]["level"], 3, "most of the range was not collected");
    assert!(notes(&server.radar("/summary?dateRange=1d").result()).is_empty());
}

#[test]
fn coverage_can_be_asked_for_alone() {
    let server = server();
    let result = server.radar("/coverage?dateRange=2d&node=edge1").result();
    assert_eq!(result["meta"]["dateRange"][0]["endTime"], "2026-01-14T12:00:00Z");
    assert_eq!(result["meta"]["aggInterval"], "ONE_HOUR");
    assert_eq!(result["coverage_0"]["collected"], "87.5");
    assert_eq!(result["coverage_0"]["intervals"]["collected"][12], "0");
    assert_eq!(END % DAY, 12 * HOUR);
    let days = server.radar("/coverage?dateRange=2d&aggInterval=1d&name=both").result();
    let timestamps = json!(["2026-01-12T12:00:00Z", "2026-01-13T00:00:00Z", "2026-01-14T00:00:00Z"]);
    assert_eq!(days["both"]["intervals"]["timestamps"], timestamps);
    assert_eq!(days["both"]["intervals"]["complete"], json!(["83.333333", "83.333333", "100"]));
    let (status, code, message) = server.radar("/coverage?location=US").problem();
    assert!((status, code) == (400, 2001) && message.contains("location"), "{message}");
}

#[test]
fn an_empty_store_covers_nothing() {
    let server = Server::of(Memory { coverage: Some(Vec::new()), ..Memory::default() });
    let result = server.radar("/summary/stage?dateRange=1d").result();
    let coverage = &result["meta"]["coverage"][0];
    assert_eq!((&coverage["collected"], &coverage["nodes"]), (&json!("0"), &json!([])));
    assert_eq!(coverage["gaps"][0]["nothing"], true);
}

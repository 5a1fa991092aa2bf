//! Events from the counts of a store to those who read them, also across a kill.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::server::Server;
use common::{run, shutdown};
use cutshort_model::{Window, rfc3339};
use serde_json::{Value, json};

const EVENTS: &str = "/client/v4/cutshort/events";

fn ask(server: &Server, path: &str) -> Value {
    let (status, body) = server.send("GET", path, &[]);
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str::<Value>(&body).unwrap()["result"].clone()
}

/// All events, as far as they do not change with time.
fn events(server: &Server) -> Vec<Value> {
    ask(server, EVENTS)["events"].as_array().unwrap().clone()
}

fn query(folder: &Path, question: &str) -> String {
    run(&format!("query {question} --data {}", folder.display()), &[] as &[&str]).fine().stdout
}

#[test]
fn a_shutdown_is_served_and_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let end = shutdown::end();
    shutdown::fill(folder.path(), shutdown::FIVE_WEEKS, end);
    let time = |t: i64| rfc3339(Window::from_number(t).start());
    let server = Server::start(folder, &[]);
    server.until("events", |server| events(server).len() >= 4);
    let found = events(&server);
    let places: Vec<_> = found.iter().map(|event| event["place"].as_str().unwrap()).collect();
    assert_eq!(places, ["country:IQ", "as:50710", "as:59588", "as:203214"]);
    let gone = shutdown::gone(end);
    let country = &found[0];
    assert_eq!((&country["onset"], &country["end"]), (&json!(time(gone.start)), &json!(time(gone.end))));
    assert_eq!((&country["channel"], &country["severity"]), (&json!("traffic"), &json!("severe")));
    assert_eq!(country["parts"].as_array().unwrap().len(), 3);
    let anomalies = server.result("/traffic_anomalies")["trafficAnomalies"].clone();
    assert_eq!((anomalies.as_array().unwrap().len(), &anomalies[0]["uuid"]), (1, &country["id"]));
    let (_, feed) = server.send("GET", &format!("{EVENTS}.atom?location=IQ"), &[]);
    assert!(feed.contains("Iraq: 98 % fewer connections than usual"), "{feed}");

    // Killed, it finds neither more nor fewer the next time, and says so without a change.
    let server = Server::start(server.kill(), &[]);
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(events(&server), found);

    let folder = server.kill();
    let table = query(folder.path(), "events --alarms");
    assert!(table.contains("country:IQ  traffic 98 % lower"), "{table}");
    assert_eq!(table.matches("traffic").count(), 1, "{table}");
    let listed = query(folder.path(), "events --location IQ --format json");
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["result"]["events"].as_array().unwrap(), &found);
    assert_eq!(query(folder.path(), "events --asn 7922"), "No events.\n");
    let watched = query(folder.path(), "watched --location IQ");
    assert!(watched.contains("17 places; ") && watched.contains("country:IQ  Iraq"), "{watched}");
    let wrong = run(&format!("query events --tag reset --data {}", folder.path().display()), &[] as &[&str]);
    assert!(wrong.ended(2).stderr.contains("--location, --asn, --node"), "says what selects events");
}

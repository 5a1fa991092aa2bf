//! Events from the counts of a store to those who read them, also across a kill.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
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

/// A URL at which a file can be read once.
fn publish(file: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/ioda.json", listener.local_addr().unwrap());
    let text = std::fs::read_to_string(file).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        while !lines.next().unwrap().unwrap().is_empty() {}
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len()).unwrap();
    });
    url
}

/// Imports an outage of IODA's that begins with a window, twice: it agrees, with what the page of the source has.
fn corroborate(folder: &Path, window: i64) {
    let file = folder.join("../ioda.json");
    let start = Window::from_number(window).start() / 1_000_000_000;
    let text = format!(
        r#"[{{"location": "country/IQ", "start": {start}, "duration": 3600, "datasource": "bgp", "score": 7.2}}]"#
    );
    std::fs::write(&file, text).unwrap();
    let import = || {
        let command = format!("corroborate import --data {} {}", folder.display(), file.display());
        run(&command, &[] as &[&str]).ended(0).stderr
    };
    let first = import();
    assert!(first.contains("ioda.json: outage events of IODA: 1 report\n"), "{first}");
    assert!(first.ends_with("1 record new, 0 changed, 0 known before\n"), "{first}");
    assert!(import().ends_with("0 records new, 0 changed, 1 known before\n"));
    let url = publish(&file);
    let command = format!("corroborate import --data {} {url}", folder.display());
    let fetched = run(&command, &[] as &[&str]).ended(0).stderr;
    assert!(fetched.contains(&format!("{url}: outage events of IODA: 1 report\n")), "{fetched}");
    let table = query(folder, "events --alarms");
    assert!(table.contains("Other sources") && table.contains("ioda agrees"), "{table}");
    std::fs::write(&file, "[{\"location\": \"country/IQ\"}]").unwrap();
    let bad =
        run(&format!("corroborate import --data {} {}", folder.display(), file.display()), &[] as &[&str]);
    assert!(bad.ended(1).stderr.contains("ioda.json: "), "names the file");
    std::fs::remove_file(&file).unwrap();
    let list = run(&format!("corroborate list --data {}", folder.display()), &[] as &[&str]).fine().stdout;
    assert!(list.lines().nth(1).unwrap().starts_with("ioda    1        0"), "{list}");
    let removed = run(&format!("corroborate remove ioda --data {}", folder.display()), &[] as &[&str]);
    assert_eq!(removed.fine().stdout, "1 record of ioda removed\n");
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
    assert!(table.contains("Iraq   traffic 98 % lower"), "{table}");
    assert_eq!(table.matches("traffic").count(), 1, "{table}");
    let listed = query(folder.path(), "events --location IQ --format json");
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["result"]["events"].as_array().unwrap(), &found);
    assert_eq!(query(folder.path(), "events --asn 7922"), "No events.\n");
    corroborate(folder.path(), gone.start);
    let watched = query(folder.path(), "watched --location IQ");
    assert!(watched.contains("17 places; ") && watched.contains("country:IQ  Iraq"), "{watched}");
    let wrong = run(&format!("query events --tag reset --data {}", folder.path().display()), &[] as &[&str]);
    assert!(wrong.ended(2).stderr.contains("--location, --asn, --node"), "says what selects events");
}

//! Each data set has paths, terms and numbers of its own.

use cutshort_store::cell::CellOutcome;
use cutshort_verdict::{DataSet, Exclusion, Stage, Tag, Tags, Termination};
use serde_json::{Value, json};

use crate::client::{END, Got, Server, WINDOW};
use crate::memory::{Cell, Memory, connection, excluded};

const ORIGIN: &str = "/client/v4/radar/origin_resets_timeouts";

/// A connection that this side gave up, as no SYN+ACK came.
fn given_up(times: u64) -> Cell {
    let cell = connection(END - WINDOW, "DE", 3320, Stage::PostSyn, times);
    let tags: Tags = [Tag::GaveUp].into_iter().collect();
    let outcome = CellOutcome::Connection {
        stage: Stage::PostSyn,
        termination: Termination::GaveUp,
        completed: false,
        signature: DataSet::Origin.signature("201").ok(),
        tags,
    };
    Cell { key: cutshort_store::cell::CellKey { outcome, ..cell.key }, ..cell }
}

fn both() -> Server {
    let origin = Memory {
        data_set: DataSet::Origin,
        ..Memory::of(vec![
            given_up(30),
            connection(END - WINDOW, "DE", 3320, Stage::None, 70),
            excluded(END - WINDOW, "DE", 3320, Exclusion::SelfConnected, 5),
        ])
    };
    let tcp = Memory::of(vec![connection(END - WINDOW, "US", 174, Stage::PostAck, 10)]);
    Server::of(Memory { origin: Some(Box::new(origin)), ..tcp })
}

#[test]
fn numbers_are_not_mixed() {
    let server = both();
    let tcp = server.radar("/summary?dateRange=1d").result();
    assert_eq!(tcp["summary_0"]["post_ack"], "100");
    let origin = server.get(&format!("{ORIGIN}/summary?dateRange=1d")).result();
    assert_eq!(
        (&origin["summary_0"]["post_syn"], &origin["summary_0"]["no_match"]),
        (&json!("30"), &json!("70"))
    );
    let place = |path: &str| server.get(&format!("{path}/top/locations?dateRange=1d")).result();
    assert_eq!(place(ORIGIN)["top_0"][0]["clientCountryAlpha2"], "DE");
    assert_eq!(place(crate::client::RADAR)["top_0"][0]["clientCountryAlpha2"], "US");
}

#[test]
fn terms_are_those_of_the_data_set() {
    let server = both();
    let by = |dimension: &str| {
        server.get(&format!("{ORIGIN}/summary/{dimension}?dateRange=1d")).result()["summary_0"].clone()
    };
    assert_eq!(by("tag"), json!({"answered": "70", "gave_up": "30"}));
    assert_eq!(by("signature"), json!({"SYN → CLOSE": "30", "none": "70"}));
    let reasons = by("exclusion");
    assert_eq!(reasons[Exclusion::SelfConnected.name()], "4.761905");
    assert_eq!(reasons.as_object().unwrap().len(), 1 + DataSet::Origin.exclusions().len());

    let only = server.get(&format!("{ORIGIN}/summary?tag=gave_up")).text;
    assert!(
        only.contains("it is a parameter of /client/v4/radar/origin_resets_timeouts/summary/stage"),
        "{only}"
    );
    let only = server.get(&format!("{ORIGIN}/summary/stage?dateRange=1d&tag=gave_up")).result();
    assert_eq!(only["summary_0"]["post_syn"], "100");
    let (status, code, message) = server.radar("/summary/stage?tag=gave_up").problem();
    assert_eq!((status, code), (400, 2001));
    assert!(message.contains("no tag is called 'gave_up'"), "{message}");

    let terms = server.get(&format!("{ORIGIN}/terms")).result();
    let names = |key: &str| -> Vec<String> {
        let all = terms[key].as_array().unwrap();
        all.iter().map(|term| term["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("tags"), DataSet::Origin.tags().iter().map(|tag| tag.name()).collect::<Vec<_>>());
    assert!(names("terminations").contains(&"gave_up".to_owned()));
    let signatures: Vec<&str> =
        DataSet::Origin.signatures().iter().map(|signature| signature.name()).collect();
    assert_eq!(names("signatures"), signatures);
    let about = |got: Got| got.result()["stages"][0]["about"].clone();
    assert_ne!(about(server.get(&format!("{ORIGIN}/terms"))), about(server.radar("/terms")));
}

#[test]
fn a_data_set_without_packets_is_not_there() {
    let server = Server::of(Memory::of(vec![connection(END - WINDOW, "US", 174, Stage::PostAck, 10)]));
    for path in ["summary", "timeseries_groups", "top/ases", "coverage"] {
        let (status, code, message) = server.get(&format!("{ORIGIN}/{path}?dateRange=1d")).problem();
        assert_eq!((status, code), (404, 2004), "{path}: {message}");
        assert!(message.contains("data set 'origin'"), "{message}");
    }
    assert_eq!(kept(&server), ["tcp"]);
}

#[test]
fn status_lists_what_is_there() {
    let server = both();
    assert_eq!(kept(&server), ["tcp", "origin"]);
    let status = server.get("/client/v4/radar/status").result();
    assert_eq!(status["dataSets"][1]["directory"], "origin_resets_timeouts");
}

fn kept(server: &Server) -> Vec<String> {
    let status = server.get("/client/v4/radar/status").result();
    let name = |one: &Value| one["name"].as_str().unwrap().to_owned();
    status["dataSets"].as_array().unwrap().iter().map(name).collect()
}

#[test]
fn every_question_about_tcp_can_be_asked_about_origin() {
    let document = serde_json::to_value(cutshort_api::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let of = |set: &str| -> Vec<&str> {
        paths.keys().filter_map(|path| path.strip_prefix(&format!("/client/v4/radar/{set}"))).collect()
    };
    assert!(of("tcp_resets_timeouts").len() >= 9);
    assert_eq!(of("tcp_resets_timeouts"), of("origin_resets_timeouts"));
    let tags = |set: &str| {
        let parameters =
            &paths[&format!("/client/v4/radar/{set}/summary/{{dimension}}")]["get"]["parameters"];
        let all = parameters.as_array().unwrap();
        all.iter().find(|parameter| parameter["name"] == "tag").unwrap()["schema"].to_string()
    };
    assert!(
        tags("origin_resets_timeouts").contains("gave_up") || tags("origin_resets_timeouts").contains("[Gg]")
    );
    assert_ne!(tags("origin_resets_timeouts"), tags("tcp_resets_timeouts"));
}

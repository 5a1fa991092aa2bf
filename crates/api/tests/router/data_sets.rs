//! Each data set has paths, terms and numbers of its own.

use cutshort_api::Options;
use cutshort_geo::{Country, Place};
use cutshort_model::{ConnectionRecord, ServerCounts, TimeHistogram, Window};
use cutshort_packet::FiveTuple;
use cutshort_store::cell::{CellOutcome, ServerCell};
use cutshort_store::{Impaired, Impairment, ServerTotals};
use cutshort_verdict::{DataSet, Exclusion, Progress, Stage, Tag, Tags, Termination, WeightedCount};
use serde_json::{Value, json};

use crate::client::{END, Got, Server, WINDOW, open};
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
    with_impaired(Vec::new())
}

/// The same, with windows of `origin` that are affected by damage.
fn with_impaired(impaired: Vec<Impaired>) -> Server {
    let origin = Memory {
        data_set: DataSet::Origin,
        impaired,
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

#[test]
fn damage_and_numbers_of_every_data_set_are_said() {
    let window = Window::containing(END - WINDOW);
    let server = with_impaired(vec![Impaired { window, how: Impairment::Kept }]);
    let said = format!("1 window of the data set origin affected: {}", Impairment::Kept.about());
    assert_eq!(server.get("/client/v4/radar/status").result()["hints"], json!([said]));
    assert_eq!(server.get("/readyz").json(), json!({"ready": true, "reasons": [said]}));
    let metrics = server.get("/metrics").text;
    for line in [
        "cutshort_connections 10.0",
        "cutshort_data_set_connections{data_set=\"tcp\"} 10.0",
        "cutshort_data_set_connections{data_set=\"origin\"} 100.0",
        "cutshort_data_set_windows_pending{data_set=\"origin\"} 0.0",
    ] {
        assert!(metrics.lines().any(|own| own == line), "{line} in\n{metrics}");
    }
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
    let mut origin = of("origin_resets_timeouts");
    origin.retain(|path| *path != "/top/servers");
    assert_eq!(of("tcp_resets_timeouts"), origin);
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

/// A connection to a server, cut short unless it was answered.
fn to(server: &str, port: u16, asn: u32, handshake_us: Option<i64>, tag: Tag) -> ConnectionRecord<'static> {
    let stage = if handshake_us.is_some() { Stage::None } else { Stage::PostSyn };
    ConnectionRecord {
        data_set: DataSet::Origin,
        five_tuple: FiveTuple::new("10.0.0.1".parse().unwrap(), 40000, server.parse().unwrap(), port),
        stage,
        termination: if stage == Stage::None { Termination::Fin } else { Termination::Reset },
        progress: if stage == Stage::None { Progress::PostPsh } else { Progress::PostSyn },
        tags: [tag].into_iter().collect(),
        asn: Some(asn),
        handshake_us,
        location: Country::from_alpha2("DE"),
        ..crate::own::record((END - WINDOW) / 1000)
    }
}

fn servers(options: Options) -> Server {
    let records = vec![
        to("192.0.2.1", 443, 64500, Some(20_000), Tag::Answered),
        to("192.0.2.1", 443, 64500, Some(30_000), Tag::Answered),
        to("192.0.2.2", 443, 64500, None, Tag::Refused),
        to("192.0.2.2", 443, 64500, Some(10_000), Tag::EmptyAnswer),
        to("2001:db8::7", 5432, 64501, Some(500), Tag::Answered),
    ];
    let origin = Memory { data_set: DataSet::Origin, records, more_windows: 32 * 96, ..Memory::default() };
    Server::with(Memory { origin: Some(Box::new(origin)), ..Memory::default() }, options)
}

#[test]
fn servers_are_ranked_by_what_failed() {
    let server = servers(Options {
        connections: true,
        upstreams: vec!["db=[2001:db8::]/32:5432".parse().unwrap()],
        ..open()
    });
    let result = server.get(&format!("{ORIGIN}/top/servers?dateRange=1d")).result();
    assert_eq!((&result["meta"]["servers"], &result["meta"]["connections"]), (&json!(3), &json!(5)));
    let ranked = result["servers"].as_array().unwrap();
    let addresses: Vec<&str> = ranked.iter().map(|one| one["address"].as_str().unwrap()).collect();
    assert_eq!(addresses, ["192.0.2.2", "192.0.2.1", "2001:db8::7"]);
    let worst = &ranked[0];
    assert_eq!((&worst["refused"], &worst["emptyAnswers"]), (&json!("50"), &json!("50")));
    assert_eq!((&worst["stages"]["post_syn"], &worst["cutShort"]), (&json!("50"), &json!("50")));
    let median = ranked[1]["handshakeP50Us"].as_u64().unwrap();
    assert!(median.abs_diff(20_000) < 2_000, "{median}");
    assert_eq!((&ranked[2]["name"], &ranked[2]["port"]), (&json!("db"), &json!(5432)));
    let csv = server.get(&format!("{ORIGIN}/top/servers?dateRange=1d&format=csv&limit=1"));
    assert_eq!(csv.text.lines().count(), 2);
    assert!(csv.text.lines().nth(1).unwrap().starts_with(",192.0.2.2,443,"), "{}", csv.text);
    let filtered = server.get(&format!("{ORIGIN}/top/servers?dateRange=1d&tag=refused")).result();
    assert_eq!(filtered["meta"]["connections"], 1);
    // That of clients is not asked about servers.
    assert_eq!(server.radar("/top/servers").status, 400);
}

/// Windows that count servers are enough for questions about them, however long the time and however many their connections.
#[test]
fn counts_of_windows_rank_servers() {
    let totals = |server: Option<&str>, node: &str, succeeded: u32, refused: u32| {
        let mut counts = [WeightedCount::default(); ServerCounts::STORED.len()];
        (0..succeeded).for_each(|_| counts[Stage::None as usize].add(1));
        (0..refused).for_each(|_| [0, 7].iter().for_each(|&at| counts[at].add(1)));
        let place = server.map_or_else(Place::default, |_| Place { country: None, asn: Some(64500) });
        let counts = ServerCounts::from_stored(&counts, TimeHistogram::default());
        let mut totals = ServerTotals {
            server: server.map(|address| (address.parse().unwrap(), 443)),
            node: node.to_owned(),
            ..ServerTotals::default()
        };
        totals.add(END - WINDOW, &ServerCell { place, as_name: Some("Example".to_owned()), counts });
        totals
    };
    let known = vec![
        totals(Some("192.0.2.1"), "edge1", 9, 1),
        totals(Some("192.0.2.1"), "edge2", 0, 10),
        totals(Some("2001:db8::1"), "edge1", 5, 0),
        totals(None, "edge1", 0, 100),
    ];
    let cells = vec![connection(END - WINDOW, "DE", 3320, Stage::None, 5_000_001)];
    let origin = Memory { data_set: DataSet::Origin, servers: Some(known), ..Memory::of(cells) };
    let options = Options { connections: true, ..open() };
    let server = Server::with(Memory { origin: Some(Box::new(origin)), ..Memory::default() }, options);
    let asked = |filter: &str| server.get(&format!("{ORIGIN}/top/servers?dateRange=52w{filter}"));
    let result = asked("").result();
    assert_eq!((&result["meta"]["servers"], &result["meta"]["connections"]), (&json!(2), &json!(125)));
    let [worst, healthy, other] = &result["servers"].as_array().unwrap()[..] else { panic!("{result}") };
    assert_eq!((&worst["address"], &worst["refused"]), (&json!("192.0.2.1"), &json!("55")));
    let nodes = json!([
        {"node": "edge1", "cutShort": "10", "connections": 10},
        {"node": "edge2", "cutShort": "100", "connections": 10},
    ]);
    assert_eq!(worst["nodes"], nodes);
    let last = "2026-01-14T11:45:00Z";
    assert_eq!((&worst["firstFailure"], &worst["lastSuccess"]), (&json!(last), &json!(last)));
    assert_eq!((&healthy["firstFailure"], &healthy["refused"]), (&Value::Null, &json!("0")));
    let named = (&other["name"], &other["address"], &other["port"], &other["connections"]);
    assert_eq!(named, (&json!("other"), &Value::Null, &Value::Null, &json!(100)));

    let connections = |filter: &str| asked(filter).result()["meta"]["connections"].clone();
    assert_eq!(connections("&ipVersion=IPv6"), 5);
    assert_eq!(connections("&node=edge2"), 10);
    assert_eq!(connections("&asn=64501"), 0);
    assert_eq!(connections("&port=443"), 25);
    let (status, _, message) = asked("&tag=refused").problem();
    assert_eq!(status, 422, "{message}");
}

#[test]
fn addresses_of_servers_are_shown_only_where_connections_are() {
    let server = servers(Options { upstreams: vec!["db=2001:db8::7".parse().unwrap()], ..open() });
    let got = server.get(&format!("{ORIGIN}/top/servers?dateRange=1d"));
    for address in ["192.0.2.", "2001:db8"] {
        assert!(!got.text.contains(address), "{}", got.text);
    }
    let result = got.result();
    assert_eq!(result["meta"]["addresses"], false);
    let ranked = result["servers"].as_array().unwrap();
    assert_eq!(ranked.len(), 2, "servers of a network are counted together");
    assert_eq!((&ranked[0]["asn"], &ranked[0]["connections"]), (&json!(64500), &json!(4)));
    assert_eq!(ranked[1]["name"], "db");
}

#[test]
fn servers_of_too_many_connections_are_not_counted() {
    let cells = vec![connection(END - WINDOW, "DE", 3320, Stage::None, 5_000_001)];
    let origin = Memory { data_set: DataSet::Origin, ..Memory::of(cells) };
    let server = Server::of(Memory { origin: Some(Box::new(origin)), ..Memory::default() });
    let (status, code, message) = server.get(&format!("{ORIGIN}/top/servers?dateRange=1d")).problem();
    assert_eq!((status, code), (422, 2002));
    assert!(message.contains("5000001 connections") && message.contains("shorter range"), "{message}");
}

fn named() -> Server {
    let names = ["web=192.0.2.0/24:443", "db=[2001:db8::]/32:5432"].map(|name| name.parse().unwrap());
    servers(Options { upstreams: names.into(), ..open() })
}

#[test]
fn origins_are_the_names_of_servers() {
    let server = named();
    let listed = server.get("/client/v4/radar/origins").result();
    assert_eq!(listed["origins"], json!([{"slug": "web", "regions": []}, {"slug": "db", "regions": []}]));
    assert_eq!(server.get("/client/v4/radar/origins?limit=1&offset=1").result()["origins"][0]["slug"], "db");
    assert_eq!(server.get("/client/v4/radar/origins/db").result()["origin"]["slug"], "db");
    let (status, code, message) = server.get("/client/v4/radar/origins/nobody").problem();
    assert_eq!((status, code), (404, 2004));
    assert!(message.contains("there are web, db"), "{message}");
}

#[test]
fn metrics_of_origins_are_those_that_packets_tell() {
    let server = named();
    let asked = |path: &str| server.get(&format!("/client/v4/radar/origins/{path}&dateRange=1d"));
    let failures = asked("timeseries?origin=web&metric=CONNECTION_FAILURES").result();
    assert_eq!(failures["serie_0"]["values"], json!(["25"]), "one of four was refused");
    assert_eq!(failures["meta"]["normalization"], "PERCENTAGE");
    assert_eq!(failures["meta"]["confidenceInfo"]["level"], 2);
    let both = asked("timeseries?origin=web&origin=db&metric=REQUESTS").result();
    assert_eq!(
        (&both["serie_0"]["values"], &both["meta"]["units"][0]["value"]),
        (&json!(["5"]), &json!("connections"))
    );
    let two = asked("timeseries?origin=web&origin=db&metric=REQUESTS&name=a&name=b").result();
    assert_eq!((&two["a"]["values"], &two["b"]["values"]), (&json!(["4"]), &json!(["1"])));
    let times = asked("summary/PERCENTILE?origin=web&metric=TCP_HANDSHAKE_DURATION").result();
    let median: f64 = times["summary_0"]["p50"].as_str().unwrap().parse().unwrap();
    assert!((18.0..22.0).contains(&median), "{median} ms");
    let regions = asked("timeseries_groups/region?origin=web&metric=REQUESTS").result();
    let series = regions["serie_0"].as_object().unwrap();
    assert_eq!(series.keys().collect::<Vec<_>>(), ["timestamps", "DE"]);
    assert_eq!(series["DE"], json!(["100"]));
    let csv = asked("timeseries?origin=web&metric=REQUESTS&format=csv").text;
    assert!(csv.starts_with("Serie_0 timestamps,Serie_0 values\n") && csv.ends_with("Z,4\n"), "{csv}");
}

#[test]
fn what_packets_do_not_tell_of_origins_is_refused() {
    let server = named();
    for (path, why) in [
        ("timeseries?origin=web&metric=TCP_RTT", "cannot be measured"),
        ("timeseries?origin=web&metric=LUCK", "not one of CONNECTION_FAILURES"),
        ("timeseries?origin=web", "metric: missing"),
        ("timeseries?metric=REQUESTS", "origin: missing"),
        ("timeseries?metric=REQUESTS&origin=web,mail", "there are web, db"),
        ("summary/SUCCESS_RATE?origin=web&metric=REQUESTS", "HTTP status codes"),
        ("summary/PERCENTILE?origin=web&metric=REQUESTS", "PERCENTILE goes with"),
        ("summary/SIZE?origin=web&metric=REQUESTS", "neither REGION nor PERCENTILE"),
    ] {
        let (status, code, message) = server.get(&format!("/client/v4/radar/origins/{path}")).problem();
        assert_eq!((status, code), (400, 2001), "{path}");
        assert!(message.contains(why), "{path}: {message}");
    }
    let (status, _, message) =
        server.get("/client/v4/radar/origins/timeseries?origin=web&metric=REQUESTS&dateRange=52w").problem();
    assert!(status == 422 && message.contains("31 days"), "{message}");
}

const QUIC: &str = "/client/v4/radar/quic_closes_timeouts";

/// 30 clients that got no answer, 10 that closed after one, and 60 that are not cut short.
fn quic() -> Server {
    Server::of(quic_store())
}

fn quic_store() -> Memory {
    let of = |stage: Stage, termination, signature: Option<&str>, tags: &[Tag], times| {
        let cell = connection(END - WINDOW, "DE", 3320, stage, times);
        let signature = signature.map(|name| DataSet::Quic.signature(name).unwrap());
        let (completed, tags) = (tags.contains(&Tag::QuicAnswered), tags.iter().copied().collect());
        let outcome = CellOutcome::Connection { stage, termination, completed, signature, tags };
        Cell { key: cutshort_store::cell::CellKey { outcome, ..cell.key }, ..cell }
    };
    let timeout = [Tag::Timeout, Tag::InitialRepeated];
    let quic = Memory {
        data_set: DataSet::Quic,
        ..Memory::of(vec![
            of(Stage::PostSyn, Termination::Timeout, Some("Initial; Initial -> 0"), &timeout, 30),
            of(Stage::PostAck, Termination::Close, Some("115"), &[Tag::QuicClose, Tag::QuicAnswered], 10),
            of(Stage::None, Termination::Open, None, &[Tag::QuicAnswered], 60),
            excluded(END - WINDOW, "DE", 3320, Exclusion::NotClient, 100),
        ])
    };
    let tcp = Memory::of(vec![connection(END - WINDOW, "US", 174, Stage::PostAck, 10)]);
    Memory { origin: Some(Box::new(quic)), ..tcp }
}

#[test]
fn a_quic_connection_is_shown_datagram_by_datagram() {
    let query = "/connections/trace?client=198.51.100.7&clientPort=40112&server=203.0.113.5&serverPort=443&time=2026-01-14T11:50:00Z";
    assert_eq!(quic().get(&format!("{QUIC}{query}")).problem().0, 403);
    let server = Server::with(quic_store(), Options { connections: true, ..open() });
    let found = server.get(&format!("{QUIC}{query}")).result();
    let datagrams = found["datagrams"].as_array().unwrap();
    let shown = |key: &str| datagrams.iter().map(|datagram| datagram[key].clone()).collect::<Vec<_>>();
    assert_eq!(shown("packets"), [json!(["Initial"]), json!(["Initial"]), json!(["Handshake"])]);
    assert_eq!(shown("seconds"), [0.0, 0.3, 1.0]);
    assert_eq!(shown("isReceived"), [false, false, true]);
    assert_eq!((&datagrams[1]["len"], &datagrams[1]["version"]), (&json!(1200), &json!("1")));
    assert_eq!((&datagrams[1]["dcid"], &datagrams[1]["dcidLen"]), (&json!(0), &json!(8)));
    assert_eq!(datagrams[1]["meaning"], "Initial");
    let reasons = found["reasons"].to_string();
    assert!(
        reasons.contains("Nothing shows that the client got an answer") && reasons.contains("102"),
        "{reasons}"
    );
    let gone = query.replace("40112", "40113");
    assert_eq!(server.get(&format!("{QUIC}{gone}")).problem().0, 404);
}

#[test]
fn quic_has_four_stages_of_its_own() {
    let server = quic();
    let get = |path: &str| server.get(&format!("{QUIC}{path}"));
    let four = json!({"post_initial": "30", "post_answer": "10", "post_handshake": "0", "no_match": "60"});
    assert_eq!(get("/summary?dateRange=1d").result()["summary_0"], four);
    let series = get("/timeseries_groups?dateRange=1d").result()["serie_0"].clone();
    let keys: Vec<&String> = series.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 5, "{keys:?}");
    assert_eq!(series["post_initial"][0], "30");
    let top = get("/top/locations?dateRange=1d").result()["top_0"][0].clone();
    assert_eq!((&top["stages"], &top["value"]), (&four, &json!("40")));
    assert_eq!(top["completed"]["connections"], 70);
    assert_eq!(top["excluded"]["not_client"], "50");
    assert_eq!(top["excluded"].as_object().unwrap().len(), DataSet::Quic.exclusions().len());
}

#[test]
fn quic_is_asked_in_its_own_terms() {
    let server = quic();
    let get = |path: &str| server.get(&format!("{QUIC}{path}"));
    let by =
        |dimension: &str| get(&format!("/summary/{dimension}?dateRange=1d")).result()["summary_0"].clone();
    assert_eq!(
        by("signature"),
        json!({"Initial; Initial → ∅": "30", "Handshake → CLOSE": "10", "none": "60"})
    );
    assert_eq!(by("termination"), json!({"close": "10", "open": "60", "timeout": "30"}));
    assert_eq!(by("tag")["answered"], "70");
    let answered = |value: &str| {
        let path = format!("/summary/stage?dateRange=1d&counts=true&answered={value}");
        get(&path).result()["counts"]["summary_0"]["total"]["sampled"][0].clone()
    };
    assert_eq!((answered("true"), answered("false")), (json!(70), json!(30)));
    let only = get("/summary/stage?dateRange=1d&stage=post_initial").result();
    assert_eq!(only["summary_0"]["post_initial"], "100");
    let (status, _, message) = get("/summary/stage?dateRange=1d&stage=post_syn").problem();
    assert!(
        status == 400 && message.contains("post_initial, post_answer, post_handshake, no_match"),
        "{message}"
    );
    let (status, _, message) = get("/summary/stage?dateRange=1d&resets=unanswered").problem();
    assert!(status == 400 && message.contains("answered"), "{message}");
    let stages = get("/terms").result()["stages"].clone();
    let names: Vec<&str> =
        stages.as_array().unwrap().iter().map(|stage| stage["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["post_initial", "post_answer", "post_handshake", "no_match"]);
}

#[test]
fn the_share_of_quic_is_that_of_connections_to_the_same_ports() {
    let server = quic();
    let shares = server.get(&format!("{QUIC}/share?dateRange=1d")).result()["serie_0"].clone();
    assert_eq!(shares["quic"], json!([100]));
    assert_eq!((&shares["tcp"], &shares["value"]), (&json!([10]), &json!(["90.909091"])));
    let of_us = server.get(&format!("{QUIC}/share?dateRange=1d&location=US")).result()["serie_0"].clone();
    assert_eq!((&of_us["quic"], &of_us["value"]), (&json!([0]), &json!(["0"])));
    let none = server.get(&format!("{QUIC}/share?dateRange=1d&port=8443")).result()["serie_0"].clone();
    assert_eq!(none["value"], json!([]));
}

#[test]
fn every_question_about_tcp_can_be_asked_about_quic() {
    let document = serde_json::to_value(cutshort_api::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let of = |set: &str| -> Vec<&str> {
        paths.keys().filter_map(|path| path.strip_prefix(&format!("/client/v4/radar/{set}"))).collect()
    };
    let mut quic = of("quic_closes_timeouts");
    quic.retain(|path| *path != "/share");
    assert_eq!(of("tcp_resets_timeouts"), quic);
}

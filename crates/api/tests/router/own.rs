//! The endpoints beyond Radar.

use std::net::IpAddr;
use std::sync::Arc;

use cutshort_geo::Country;
use cutshort_model::{Addresses, ConnectionRecord, JudgedConnection, Network, Port};
use cutshort_store::cell::CellOutcome;
use cutshort_store::{HasAny, Order, OrderBy, Selection};
use cutshort_verdict::{DataSet, Exclusion, Stage, Tag, Termination};
use serde_json::{Value, json};

use crate::client::{DAY, END, Server, WINDOW, open};
use crate::memory::{Cell, Memory, connection, excluded};

fn store() -> Memory {
    let at = END - DAY;
    Memory::of(vec![
        connection(at, "US", 174, Stage::None, 60),
        connection(at, "US", 174, Stage::PostSyn, 20),
        connection(at, "PT", 3243, Stage::PostAck, 15),
        Cell { node: "edge1".to_owned(), rate: 5, ..connection(at + WINDOW, "BR", 28573, Stage::PostPsh, 1) },
        excluded(at, "US", 174, Exclusion::NoSyn, 80),
        excluded(at, "PT", 3243, Exclusion::Incomplete, 20),
    ])
}

fn by(dimension: &str) -> Value {
    Server::of(store()).radar(&format!("/summary/{dimension}")).result()["summary_0"].clone()
}

#[test]
fn every_dimension_has_its_values() {
    assert_eq!(
        by("stage"),
        json!({"post_syn": "20", "post_ack": "15", "post_psh": "5", "later_in_flow": "0", "no_match": "60"})
    );
    assert_eq!(by("location"), json!({"US": "80", "PT": "15", "BR": "5"}));
    assert_eq!(by("as"), json!({"174": "80", "3243": "15", "28573": "5"}));
    assert_eq!(by("ip_version"), json!({"IPv4": "100"}));
    assert_eq!(by("port"), json!({"443": "100"}));
    assert_eq!(by("node"), json!({"file": "95", "edge1": "5"}));
    assert_eq!(by("termination"), json!({"reset": "40", "fin": "60"}));
    assert_eq!(by("tag"), json!({"reset": "40", "single_rst": "40", "answered": "60"}));
    assert_eq!(
        by("signature"),
        json!({"SYN → ∅": "20", "SYN; ACK → ∅": "15", "PSH+ACK → ∅": "5", "none": "60"})
    );
    assert_eq!(
        by("exclusion"),
        json!({"connection": "50", "no_syn": "40", "multiple_syn": "0", "incomplete": "10"})
    );
    assert_eq!(by("Location"), by("location"));
    let (status, code, message) = Server::of(store()).radar("/summary/colour").problem();
    assert!(status == 400 && code == 2001 && message.contains("ip_version"), "{message}");
}

#[test]
fn the_rest_is_other() {
    let limited = |dimension: &str| {
        Server::of(store()).radar(&format!("/summary/{dimension}?limitPerGroup=1")).result()["summary_0"]
            .clone()
    };
    assert_eq!(limited("location"), json!({"US": "80", "other": "20"}));
    assert_eq!(limited("tag"), json!({"answered": "60"}), "a sum of overlapping groups says nothing");
    let mut folded = store();
    folded.cells[0].key.network = Network::Other;
    folded.cells[2].key.port = Port::Other;
    folded.folded = true;
    let server = Server::of(folded);
    let result = server.radar("/summary/as?limitPerGroup=1").result();
    assert_eq!(result["summary_0"], json!({"174": "20", "other": "80"}));
    assert_eq!(result["meta"]["networksFolded"], true);
    assert!(
        result["meta"]["confidenceInfo"]["annotations"][0]["description"]
            .as_str()
            .unwrap()
            .contains("'other'")
    );
    assert_eq!(server.radar("/summary/port").result()["summary_0"], json!({"443": "85", "other": "15"}));
    let stages = server.radar("/summary").result();
    assert_eq!(stages["meta"]["confidenceInfo"]["annotations"], json!([]), "stages do not suffer from it");
}

#[test]
fn series_by_dimension_have_the_same_groups_all_the_time() {
    let result = Server::of(store())
        .radar("/timeseries_groups/location?dateRange=2d&limitPerGroup=2&aggInterval=15m")
        .result();
    let serie = json!({
        "timestamps": ["2026-01-13T12:00:00Z", "2026-01-13T12:15:00Z"],
        "US": ["84.210526", "0"], "PT": ["15.789474", "0"], "other": ["0", "100"]
    });
    assert_eq!(result["serie_0"], serie);
}

#[test]
fn counts_stand_beside_shares() {
    let result = Server::of(store()).radar("/summary/location?counts=true&limitPerGroup=1").result();
    let counts = &result["counts"]["summary_0"];
    assert_eq!(counts["total"], json!({"sampled": [96], "weight": [100]}));
    assert_eq!(counts["groups"]["US"]["sampled"], json!([80]));
    assert_eq!(counts["groups"]["other"]["weight"], json!([20]));
    let low: f64 = counts["groups"]["US"]["low"][0].as_str().unwrap().parse().unwrap();
    assert!((60.0..80.0).contains(&low), "{low}");
    let csv = Server::of(store()).radar("/summary/location?counts=true&format=csv&limitPerGroup=1").text;
    assert_eq!(
        csv,
        "Summary_0 US,Summary_0 US sampled,Summary_0 US weight,Summary_0 other,Summary_0 other sampled,Summary_0 other weight\n80,80,80,20,16,20\n"
    );
}

#[test]
fn every_filter_works_on_every_dimension() {
    let shares = |query: &str| {
        Server::of(store()).radar(&format!("/summary/location?{query}")).result()["summary_0"].clone()
    };
    assert_eq!(shares("tag=answered"), json!({"US": "100"}));
    assert_eq!(shares("tag=-reset"), json!({"US": "100"}));
    assert_eq!(shares("signature=5"), json!({"PT": "100"}));
    assert_eq!(shares("signature=-SYN%20-%3E%200&tag=reset"), json!({"PT": "75", "BR": "25"}));
    assert_eq!(shares("answered=true"), json!({"US": "100"}));
    assert_eq!(shares("answered=false&location=US"), json!({"US": "100"}));
    assert_eq!(shares("ipVersion=IPv6"), json!({}));
    assert_eq!(shares("ipVersion=ipv4&port=443&node=edge1"), json!({"BR": "100"}));
    assert_eq!(shares("node=file&handshake=completed"), json!({"US": "80", "PT": "20"}));
    assert_eq!(shares("stage=post_ack,later_in_flow,post_psh"), json!({"PT": "75", "BR": "25"}));
    assert_eq!(shares("stage=-no_match"), json!({"US": "50", "PT": "37.5", "BR": "12.5"}));
    for wrong in [
        "tag=x",
        "signature=20",
        "answered=perhaps",
        "ipVersion=5",
        "port=x",
        "handshake=some",
        "stage=x",
        "limitPerGroup=0",
        "counts=2",
        "contry=US",
    ] {
        let (status, code, message) =
            Server::of(store()).radar(&format!("/summary/location?{wrong}")).problem();
        let key = wrong.split_once('=').unwrap().0;
        assert!((status, code) == (400, 2001) && message.starts_with(key), "{wrong}: {message}");
    }
    let (_, _, message) = Server::of(store()).radar("/summary/exclusion?tag=zmap").problem();
    assert!(message.starts_with("exclusion:"), "{message}");
}

#[test]
fn rankings_go_by_the_lower_end_of_the_interval() {
    let at = END - DAY;
    let store = || {
        Memory::of(vec![
            connection(at, "US", 174, Stage::None, 400),
            connection(at, "US", 174, Stage::PostAck, 600),
            connection(at, "PT", 3243, Stage::PostSyn, 3),
            connection(at, "BR", 28573, Stage::None, 990),
            connection(at, "BR", 28573, Stage::PostSyn, 10),
            excluded(at, "BR", 28573, Exclusion::NoSyn, 1000),
            connection(at, "", 0, Stage::PostSyn, 50),
        ])
    };
    let top = |query: &str| Server::of(store()).radar(query).result();
    let list = |result: &Value| -> Vec<u64> {
        result["top_0"].as_array().unwrap().iter().map(|entry| entry["clientASN"].as_u64().unwrap()).collect()
    };
    assert_eq!(list(&top("/top/ases")), [174, 28573], "three are too few to be ranked");
    let result = top("/top/ases?minSample=2");
    assert_eq!(list(&result), [174, 3243, 28573], "three of three is less sure than 600 of 1000");
    assert_eq!(list(&top("/top/ases?minSample=2&orderBy=value")), [3243, 174, 28573]);
    assert_eq!(list(&top("/top/ases?minSample=2&orderBy=count")), [174, 28573, 3243]);
    assert_eq!(list(&top("/top/ases?minSample=100&limit=1")), [174]);
    assert_eq!(list(&top("/top/ases?handshake=completed")), [174, 28573]);
    assert_eq!(list(&top("/top/ases?stage=post_syn&minSample=10")), [28573, 174]);
    let brazil = &result["top_0"][2];
    assert_eq!(brazil["clientASName"], "Claro NXT Telecomunicacoes Ltda");
    assert_eq!(
        (&brazil["value"], &brazil["matching"], &brazil["connections"]),
        (&json!("1"), &json!(10), &json!(1000))
    );
    assert_eq!(brazil["completed"]["connections"], 990);
    assert_eq!(brazil["completed"]["value"], "0");
    assert_eq!(brazil["excluded"], json!({"no_syn": "50", "multiple_syn": "0", "incomplete": "0"}));
    assert_eq!(result["meta"]["minSample"], 2);
    let places = top("/top/locations?name=all&limit=1");
    assert_eq!(places["all"][0]["clientCountryAlpha2"], "US");
    assert_eq!(places["all"][0]["clientCountryName"], "United States");
    let csv = Server::of(store()).radar("/top/locations?format=csv&limit=1").text;
    assert!(
        csv.starts_with("Top_0 code,Top_0 name,Top_0 value,") && csv.contains("\nUS,United States,60,"),
        "{csv}"
    );
}

pub(crate) fn record(first_us: i64) -> ConnectionRecord<'static> {
    use cutshort_geo::Place;
    use cutshort_packet::{FiveTuple, Flags, Packet};
    use cutshort_verdict::{FlowContext, Rules};
    let five_tuple =
        FiveTuple::new("198.51.100.7".parse().unwrap(), 40112, "203.0.113.5".parse().unwrap(), 443);
    let mut connections = cutshort_verdict::Connections::default();
    let syn = Packet {
        ts: first_us * 1000,
        five_tuple,
        ip_id: 1,
        ttl: 64,
        flags: Flags::SYN,
        seq: 1,
        ack: 0,
        tcp_window: 1,
        options_len: 0,
        payload_len: 0,
        sample_rate: 1,
        ..Packet::ZERO
    };
    connections.push(&syn);
    let around = FlowContext { cutoff: first_us * 1000 + WINDOW, other_rsts: &[] };
    let verdict = connections.judge(&Rules::default(), &around).outcomes[0].unwrap();
    let connection = JudgedConnection {
        addresses: Addresses::Full,
        five_tuple: &five_tuple,
        verdict: &verdict,
        node: "",
        place: Place::default(),
        as_name: None,
    };
    ConnectionRecord::from(&connection).into_owned()
}

#[test]
fn single_connections_are_given_where_the_operator_allows_it() {
    let store = || Memory {
        records: (1..=5).map(|at| record((END - at * WINDOW) / 1000)).collect(),
        ..Memory::default()
    };
    let (status, code, message) = Server::of(store()).radar("/connections").problem();
    assert!((status, code) == (403, 9109) && message.contains("'connections'"), "{message}");
    let server = || Server::with(store(), cutshort_api::Options { connections: true, ..open() });
    let result = server().radar("/connections?limit=2&offset=1").result();
    assert_eq!(result["paging"], json!({"offset": 1, "limit": 2, "more": true}));
    assert_eq!(result["connections"].as_array().unwrap().len(), 2);
    assert_eq!(result["connections"][0]["src_ip"], "198.51.100.7");
    let rest = server().radar("/connections?offset=3").result();
    assert_eq!((&rest["paging"]["more"], rest["connections"].as_array().unwrap().len()), (&json!(false), 2));
    let csv = server().radar("/connections?format=csv&limit=1").text;
    assert!(csv.starts_with("first_us,last_us,node,src_ip,") && csv.lines().count() == 2, "{csv}");
    // Captures may lie years apart: only windows with results count.
    assert_eq!(server().radar("/connections?dateRange=32d").status, 200);
    let full = Memory { more_windows: 32 * 96, ..store() };
    let full = Server::with(full, cutshort_api::Options { connections: true, ..open() });
    assert_eq!(full.radar("/connections?dateRange=32d").problem().0, 422);
    assert_eq!(server().radar("/connections?client=x").problem().0, 400);
    assert_eq!(server().radar("/connections?location=US&location=PT").problem().0, 400);
}

/// The same connections as a file that other programs read.
#[test]
fn single_connections_are_given_as_parquet() {
    let records = vec![record((END - WINDOW) / 1000)];
    let store = Memory { records, ..Memory::default() };
    let server = Server::with(store, cutshort_api::Options { connections: true, ..open() });
    let got = server.radar("/connections?format=parquet");
    assert_eq!(got.header("content-type"), "application/vnd.apache.parquet");
    assert_eq!(got.header("content-disposition"), "inline; filename=\"connections.parquet\"");
    assert!(got.text.starts_with("PAR1") && got.text.ends_with("PAR1"));
    let (status, _, message) = server.radar("/connections?format=xml").problem();
    assert!(status == 400 && message.contains("PARQUET"), "{message}");
}

/// Only time is ordered without reading the whole range, and without holding what comes before.
#[test]
fn an_order_that_would_read_or_hold_too_much_is_refused() {
    let asked = |times, query: &str| {
        let cells = vec![connection(END - DAY, "US", 174, Stage::PostAck, times)];
        let store = Memory { cells, ..Memory::default() };
        let server = Server::with(store, cutshort_api::Options { connections: true, ..open() });
        server.radar(&format!("/connections?{query}"))
    };
    asked(5_000_000, "orderBy=packets&offset=9000&limit=1000").result();
    asked(5_000_001, "orderBy=time&direction=asc&offset=1000000").result();
    for (times, query, word) in
        [(5_000_001, "orderBy=packets", "5000001"), (1, "orderBy=packets&offset=9001&limit=1000", "10000")]
    {
        let (status, _, message) = asked(times, query).problem();
        assert!(status == 422 && message.contains(word), "{status} {message}");
    }
    assert_eq!(asked(1, "orderBy=none").problem().0, 400);
    assert_eq!(asked(1, "direction=up").problem().0, 400);
}

/// Every filter reaches the store.
#[test]
fn single_connections_are_filtered() {
    let asked = |query: &str| {
        let store = Memory::default();
        let asked = Arc::clone(&store.asked);
        let server = Server::with(store, cutshort_api::Options { connections: true, ..open() });
        server.radar(&format!("/connections?{query}")).result();
        asked.lock().unwrap().take().unwrap()
    };
    let all = asked("");
    assert_eq!(all.selection, Selection::default());
    assert!(all.stages.is_empty() && all.terminations.is_empty());
    assert!(all.clients.is_empty() && all.servers.is_empty());
    assert_eq!(asked("dateRange=1d").range, END - DAY..END);
    assert_eq!((asked("offset=7&limit=3").offset, all.offset), (7, 0));
    assert_eq!(asked("stage=post_syn,post_ack").stages, [Stage::PostSyn, Stage::PostAck]);
    assert_eq!(asked("stage=-none").stages.len(), Stage::ALL.len() - 1);
    assert_eq!(all.order, Order { by: OrderBy::Time, descending: true });
    assert_eq!(asked("direction=asc").order, Order { by: OrderBy::Time, descending: false });
    assert_eq!(asked("orderBy=Packets").order, Order { by: OrderBy::Packets, descending: true });
    assert_eq!(asked("termination=timeout").terminations, [Termination::Timeout]);
    let clients = asked("client=198.51.100.0/24,10.0.0.1").clients;
    assert_eq!(clients, ["198.51.100.0/24", "10.0.0.1/32"].map(|network| network.parse().unwrap()));
    assert_eq!(asked("server=203.0.113.5").servers, [IpAddr::from([203, 0, 113, 5])]);
    let one = |change: &dyn Fn(&mut Selection)| {
        let mut selection = Selection::default();
        change(&mut selection);
        selection
    };
    let only = |query: &str| asked(query).selection;
    assert_eq!(
        only("location=PT"),
        one(&|all| all.locations.include = vec![Country::from_alpha2("PT").unwrap()])
    );
    assert_eq!(only("asn=-174"), one(&|all| all.asns.exclude = vec![174]));
    assert_eq!(only("port=443"), one(&|all| all.ports.include = vec![443]));
    assert_eq!(only("node=edge"), one(&|all| all.nodes.include = vec!["edge".to_owned()]));
    assert_eq!(only("answered=false"), one(&|all| all.answered = Some(false)));
    let scanners = |wanted| Some(HasAny { tags: DataSet::Tcp.scanners(), wanted });
    assert_eq!(only("scanner=false"), one(&|all| all.scanner = scanners(false)));
    assert_eq!(only("scanner=true"), one(&|all| all.scanner = scanners(true)));
    assert_eq!(only("tag=reset"), one(&|all| all.tags.include = vec![Tag::Reset]));
}

/// Addresses that are not the real ones say so.
#[test]
fn connections_say_what_is_kept_of_their_addresses() {
    let first = record((END - WINDOW) / 1000);
    let records = vec![first.clone(), ConnectionRecord { addresses: Addresses::Truncated, ..first }];
    let store = || Memory { records: records.clone(), ..Memory::default() };
    let allowed = || cutshort_api::Options { connections: true, ..open() };
    let result = Server::with(store(), allowed()).radar("/connections").result();
    assert!(result["connections"][0].get("addresses").is_none());
    assert_eq!(result["connections"][1]["addresses"], "truncated");
    let csv = |store| Server::with(store, allowed()).radar("/connections?format=csv").text;
    assert!(csv(store()).lines().next().unwrap().ends_with(",sample_rate"));
    let protected = || Memory { protected: vec![Addresses::Truncated], ..store() };
    let csv = csv(protected());
    let last: Vec<_> = csv.lines().map(|line| line.rsplit(',').next().unwrap()).collect();
    assert_eq!(last, ["addresses", "full", "truncated"]);
    let result = Server::of(protected()).get("/client/v4/radar/status").result();
    assert_eq!(result["store"]["protectedAddresses"], json!(["truncated"]));
}

#[test]
fn terms_are_those_of_the_tables() {
    let terms = Server::of(store()).radar("/terms").result();
    assert_eq!(terms["stages"].as_array().unwrap().len(), Stage::ALL.len());
    assert_eq!(terms["tags"].as_array().unwrap().len(), DataSet::Tcp.tags().len());
    assert_eq!(terms["signatures"].as_array().unwrap().len(), 19);
    assert_eq!(terms["stages"][3]["name"], "later_in_flow");
    assert_eq!(terms["tags"][5]["parent"], "multiple_rsts");
    assert!(terms["signatures"][0]["causes"].as_array().unwrap().len() > 1);
}

#[test]
fn windows_that_wait_are_said() {
    let pending = Memory { pending: vec![END - WINDOW, END - 2 * WINDOW], ..store() };
    let server = Server::of(pending);
    let result = server.radar("/summary").result();
    let note = &result["meta"]["confidenceInfo"]["annotations"][0];
    assert_eq!(note["eventType"], "PIPELINE");
    assert!(note["description"].as_str().unwrap().contains("2 windows"), "{note}");
    assert_eq!(
        (&note["startDate"], &note["endDate"]),
        (&json!("2026-01-14T11:30:00Z"), &json!("2026-01-14T12:00:00Z"))
    );
    assert_eq!(server.radar("/summary/stage").result()["meta"]["pendingWindows"], 2);
    assert_eq!(server.radar("/summary/stage?dateRange=1dcontrol").result()["meta"]["pendingWindows"], 0);
}

#[test]
fn simulated_data_is_said_in_every_answer() {
    let simulated = Memory { simulated: true, ..store() };
    let note =
        Server::of(simulated).radar("/summary").result()["meta"]["confidenceInfo"]["annotations"][0].clone();
    assert!(note["description"].as_str().unwrap().starts_with("SIMULATED"));
}

#[test]
fn too_much_is_too_costly() {
    let windows = (0..20_000).map(|ago| connection(END - ago * WINDOW, "US", 174, Stage::None, 1));
    let server = Server::of(Memory::of(windows.collect()));
    let (status, code, message) =
        server.radar("/timeseries_groups/as?dateRange=52w&aggInterval=1h").problem();
    assert!((status, code) == (422, 2002) && message.contains("shorter range"), "{message}");
    assert_eq!(server.radar("/timeseries_groups/as?dateRange=52w").status, 200);
    assert_eq!(server.radar("/timeseries_groups/location?dateRange=52w").status, 200);
    let many: Vec<String> = (0..21).map(|at| format!("name=n{at}")).collect();
    assert_eq!(server.radar(&format!("/summary?{}", many.join("&"))).problem().0, 400);
}

#[test]
fn resets_after_an_answer_can_count_as_ordinary() {
    let at = END - DAY;
    let answered = |mut cell: Cell| {
        if let CellOutcome::Connection { tags, .. } = &mut cell.key.outcome {
            *tags = [Tag::Reset, Tag::SingleRst, Tag::Answered].into_iter().collect();
        }
        cell
    };
    let server = Server::of(Memory::of(vec![
        connection(at, "US", 174, Stage::None, 60),
        connection(at, "US", 174, Stage::PostPsh, 10),
        answered(connection(at, "US", 174, Stage::PostPsh, 10)),
        answered(connection(at, "PT", 3243, Stage::Later, 20)),
    ]));
    let shares = |query: &str| server.radar(&format!("/summary/{query}")).result()["summary_0"].clone();
    let stages = |psh: &str, later: &str, none: &str| json!({"post_syn": "0", "post_ack": "0", "post_psh": psh, "later_in_flow": later, "no_match": none});
    assert_eq!(shares("stage"), stages("20", "20", "60"));
    assert_eq!(shares("stage?resets=all"), stages("20", "20", "60"));
    assert_eq!(shares("stage?resets=unanswered"), stages("10", "0", "90"));
    assert_eq!(shares("stage?resets=unanswered&answered=true"), stages("0", "0", "100"));
    assert_eq!(shares("stage?resets=unanswered&answered=false"), stages("100", "0", "0"));
    assert_eq!(shares("signature?resets=unanswered"), json!({"PSH+ACK → ∅": "10", "none": "90"}));
    assert_eq!(
        shares("location?resets=unanswered"),
        json!({"US": "80", "PT": "20"}),
        "they are in the total"
    );
    let series = server.radar("/timeseries_groups/stage?resets=&resets=unanswered&aggInterval=1d").result();
    assert_eq!(
        (&series["serie_0"]["post_psh"], &series["serie_1"]["post_psh"]),
        (&json!(["20"]), &json!(["10"]))
    );
    let top = server.radar("/top/locations?resets=unanswered&minSample=1").result();
    assert_eq!(
        (&top["top_0"][0]["clientCountryAlpha2"], &top["top_0"][0]["value"]),
        (&json!("US"), &json!("12.5"))
    );
    assert_eq!((&top["top_0"][1]["value"], &top["top_0"][1]["connections"]), (&json!("0"), &json!(20)));
    let (status, _, message) = server.radar("/summary/stage?resets=some").problem();
    assert!(status == 400 && message.starts_with("resets:"), "{message}");
}

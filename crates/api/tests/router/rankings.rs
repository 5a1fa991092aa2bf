//! Rankings of servers, ports, IP versions and signatures, and what rankings leave out.

use cutshort_model::{Network, Port};
use cutshort_store::cell::CellOutcome;
use cutshort_verdict::{Stage, Tag};
use serde_json::{Value, json};

use crate::client::{DAY, END, Server};
use crate::memory::{Cell, Memory, connection};

const AT: i64 = END - DAY;

/// Two servers, of which one cuts short much more over IPv6 than the rest.
fn server() -> Server {
    let cell = |node: &str, version: u8, port: u16, stage, times| {
        let mut cell = Cell { node: node.to_owned(), ..connection(AT, "US", 174, stage, times) };
        cell.key.ip_version = version;
        cell.key.port = Port::Number(port);
        cell
    };
    let folded = |network| {
        let mut cell = connection(AT, "", 0, Stage::PostSyn, 7);
        cell.key.network = network;
        cell.key.port = Port::Other;
        cell
    };
    Server::of(Memory::of(vec![
        cell("edge1", 4, 443, Stage::None, 380),
        cell("edge1", 4, 443, Stage::PostAck, 20),
        cell("edge2", 4, 443, Stage::None, 370),
        cell("edge2", 4, 443, Stage::PostPsh, 30),
        cell("edge2", 6, 80, Stage::PostPsh, 100),
        cell("edge2", 6, 80, Stage::None, 100),
        cell("edge2", 6, 8443, Stage::PostSyn, 4),
        folded(Network::Unknown),
        folded(Network::Other),
    ]))
}

/// Names with the share of each.
fn ranked(result: &Value) -> Vec<(String, String)> {
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
    result["top_0"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (text(entry, "name"), text(entry, "value")))
        .collect()
}

fn names(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn servers_ports_and_ip_versions_are_ranked_by_what_is_cut_short() {
    let server = server();
    let top = |query: &str| server.radar(query).result();
    let nodes = top("/top/node");
    assert_eq!(ranked(&nodes), names(&[("file", "100"), ("edge2", "22.18543"), ("edge1", "5")]));
    let edge2 = &nodes["top_0"][1];
    assert_eq!((&edge2["matching"], &edge2["connections"]), (&json!(134), &json!(604)));
    assert_eq!(
        edge2["stages"],
        json!({"post_syn": "0.662252", "post_ack": "0", "post_psh": "21.523179", "later_in_flow": "0", "no_match": "77.814569"})
    );
    assert_eq!(edge2["completed"]["connections"], 600);
    assert!(edge2["low"].as_str().unwrap().parse::<f64>().unwrap() < 22.0);
    assert_eq!(ranked(&top("/top/ip_version?node=-file")), names(&[("IPv6", "50.980392"), ("IPv4", "6.25")]));
    let ports = top("/top/port");
    assert_eq!(ranked(&ports), names(&[("80", "50"), ("443", "6.25")]));
    assert_eq!(
        ports["meta"]["ranked"],
        json!([{
            "minSample": 5, "ranked": 2, "tooSmall": 1, "tooSmallConnections": 4, "unknownConnections": 0,
            "otherConnections": 14, "scannerConnections": 0,
        }])
    );
    assert_eq!(ports["meta"]["minSample"], 5);
    let csv = server.radar("/top/node?format=csv&limit=1&orderBy=count").text;
    assert!(csv.contains("\nedge2,,22.18543,"), "{csv}");
}

#[test]
fn rankings_say_how_many_connections_of_scanners_they_leave_out() {
    let mut scanner = connection(AT, "US", 174, Stage::PostSyn, 12);
    if let CellOutcome::Connection { tags, .. } = &mut scanner.key.outcome {
        *tags = [Tag::Timeout, Tag::Masscan].into_iter().collect();
    }
    let server = Server::of(Memory::of(vec![connection(AT, "US", 174, Stage::None, 30), scanner]));
    let ranked = |query: &str| {
        let result = server.radar(query).result();
        let (first, left) = (&result["top_0"][0], &result["meta"]["ranked"][0]);
        (first["connections"].as_u64().unwrap(), left["scannerConnections"].as_u64().unwrap())
    };
    assert_eq!(ranked("/top/ases"), (42, 0));
    assert_eq!(ranked("/top/ases?scanner=false"), (30, 12));
    assert_eq!(ranked("/top/ases?scanner=true"), (12, 0));
    assert_eq!(ranked("/top/ases?scanner=false&tag=-timeout"), (30, 0));
}

#[test]
fn signatures_are_ranked_by_their_share_of_all_connections() {
    let server = server();
    let result = server.radar("/top/signature?node=-file").result();
    let expected =
        names(&[("PSH+ACK → ∅", "12.948207"), ("SYN; ACK → ∅", "1.992032"), ("SYN → ∅", "0.398406")]);
    assert_eq!(ranked(&result), expected);
    let first = &result["top_0"][0];
    assert_eq!((&first["matching"], &first["connections"]), (&json!(130), &json!(1004)));
    assert_eq!(first["completed"]["connections"], 1000);
    assert_eq!(first["stages"]["post_psh"], "100");
    assert_eq!(result["meta"]["ranked"][0]["unknownConnections"], 850);
    assert_eq!(
        ranked(&server.radar("/top/signature?node=-file&stage=post_ack&limit=1").result())[0].1,
        "1.992032"
    );
}

#[test]
fn rankings_say_what_they_leave_out() {
    let server = server();
    let result = server.radar("/top/ases?minSample=100&limit=1").result();
    assert_eq!(
        result["meta"]["ranked"],
        json!([{
            "minSample": 100, "ranked": 1, "tooSmall": 0, "tooSmallConnections": 0, "unknownConnections": 7,
            "otherConnections": 7, "scannerConnections": 0,
        }])
    );
    let none = server.radar("/top/locations?minSample=2000").result();
    assert_eq!(none["top_0"], json!([]));
    assert_eq!(none["meta"]["ranked"][0]["tooSmallConnections"], 1004);
    for (path, allowed) in
        [("/top/colour", "ip_version"), ("/top/as", "top/ases"), ("/top/location", "top/locations")]
    {
        let (status, code, message) = server.radar(path).problem();
        assert!((status, code) == (400, 2001) && message.contains(allowed), "{message}");
    }
}

/// Shares of traffic do not say which server is at fault.
#[test]
fn counts_have_the_cut_short_of_each_group() {
    let server = server();
    let summary = server.radar("/summary/node?counts=true&node=-file").result();
    let edge1 = &summary["counts"]["summary_0"]["groups"]["edge1"]["cutShort"];
    assert_eq!((&edge1["value"], &edge1["sampled"]), (&json!(["5"]), &json!([20])));
    let low: f64 = edge1["low"][0].as_str().unwrap().parse().unwrap();
    assert!((3.0..5.0).contains(&low), "{low}");
    let rest = server.radar("/summary/node?counts=true&node=-file&limitPerGroup=1").result();
    assert_eq!(rest["counts"]["summary_0"]["groups"]["other"]["cutShort"]["weight"], json!([20]));
    let series = server.radar("/timeseries_groups/node?counts=true&node=-file&aggInterval=1d").result();
    assert_eq!(series["counts"]["serie_0"]["groups"]["edge2"]["cutShort"]["value"], json!(["22.18543"]));
    let stages = server.radar("/summary/stage?counts=true").result();
    assert!(stages["counts"]["summary_0"]["groups"]["post_ack"].get("cutShort").is_none());
}

//! What the server says of flows is what the rules say.

use std::collections::HashMap;
use std::net::Ipv6Addr;
use std::ops::ControlFlow;

use cutshort_clickhouse::{Address, ClickHouse, Layout, migrate, schema};
use cutshort_geo::{Country, Geo, Place};
use cutshort_model::{Addresses, ConnectionRecord, Dimension, Window};
use cutshort_packet::{FiveTuple, Packet};
use cutshort_pipeline::{Arrival, Privacy, Share, WindowJob, import};
use cutshort_simulate::{Simulation, World};
use cutshort_store::{
    FlowVerdict, Protected, Protection, Provenance, RollupAnswer, RollupQuery, Segment, SegmentSource,
    Selection, Store, VerdictBatch, truncation,
};
use cutshort_verdict::Rules;

use super::Database;
use super::conformance::{START, WINDOW, file, packet};
use super::expected::{append, by_flow, expected, in_sql, some_flows, told};
use super::nasty::{NODES, Random};
use super::server::{is_available, server};

/// Flows of a window.
const FLOWS: usize = 50_000;

/// How many windows of random flows are compared; `CUTSHORT_CLASSIFY_WINDOWS` says otherwise.
pub(crate) fn windows(usually: i64) -> i64 {
    let windows = std::env::var("CUTSHORT_CLASSIFY_WINDOWS").ok();
    windows.map_or(usually, |windows| windows.parse().expect("a number"))
}

/// 200,000 flows; a million take 20 windows.
const WINDOWS: i64 = 4;

/// What was seen, how often.
#[derive(Debug, Default)]
struct Seen {
    outcomes: HashMap<String, u64>,
    /// Flows by the number of their connections.
    connections: HashMap<usize, u64>,
    /// Flows with a tail.
    tails: u64,
}

impl Seen {
    fn note(&mut self, of_flow: &[FlowVerdict]) {
        for flow in of_flow {
            let what = match flow.outcome.unwrap() {
                Ok(verdict) => {
                    format!("{:?} {:?} {:?}", verdict.termination, verdict.stage, verdict.signature)
                }
                Err(exclusion) => format!("{exclusion:?}"),
            };
            *self.outcomes.entry(what).or_default() += 1;
        }
        *self.connections.entry(of_flow.len()).or_default() += 1;
        self.tails += u64::from(of_flow.iter().any(|flow| flow.tail > 0));
    }
}

#[test]
fn random_flows_are_judged_as_in_rust() {
    if !is_available() {
        return;
    }
    let database = Database::empty();
    migrate(&database, &Layout::default()).unwrap();
    let store = in_sql(&database);
    let mut random = Random(6);
    let mut seen = Seen::default();
    let windows = windows(WINDOWS);
    for number in 0..windows {
        let window = START + number * WINDOW;
        let flows = some_flows(&mut random, window, FLOWS);
        append(&store, &flows, window);
        let expected = expected(&flows, window);
        let (inputs, nodes, found) = told(&store, window, &Rules::default(), 2);
        assert_eq!((inputs.cutoff, nodes), (window + WINDOW, NODES.map(str::to_owned).to_vec()));
        let found = by_flow(found);
        assert_eq!(found.len(), expected.len(), "every flow");
        for (key, of_flow) in &found {
            assert_eq!(Some(of_flow), expected.get(key), "of {:#?}", flows[&key.five_tuple]);
            seen.note(of_flow);
        }
    }
    // All there is has been seen: what has no signature, three exclusions, and 19 signatures.
    assert!(seen.outcomes.len() >= 30, "{seen:#?}");
    let signatures = seen.outcomes.keys().filter(|what| what.contains("Some(")).count();
    assert_eq!(signatures, 19, "{seen:#?}");
    let flows = windows as u64 * FLOWS as u64;
    let reused: u64 = seen.connections.iter().filter(|(count, _)| **count > 1).map(|(_, flows)| flows).sum();
    assert!(reused > flows / 5 && seen.connections.contains_key(&5), "{seen:#?}");
    assert!(seen.tails > flows / 10, "{seen:#?}");
}

pub(crate) fn connections(store: &dyn Store) -> Vec<ConnectionRecord<'static>> {
    let mut all = Vec::new();
    let mut keep = |record: ConnectionRecord<'static>| {
        all.push(record);
        true
    };
    store.each_connection(i64::MIN..i64::MAX, &mut keep).unwrap();
    all.sort_by_cached_key(|record| (record.first_us, record.five_tuple, format!("{record:?}")));
    all
}

pub(crate) fn counts(store: &dyn Store) -> Vec<RollupAnswer> {
    let answer = |by| {
        let query = RollupQuery {
            range: START..START + 9 * WINDOW,
            bucket: None,
            selection: Selection::default(),
            by,
        };
        let mut answer = store.rollups(&query).unwrap();
        answer.rows.sort_by_key(|row| format!("{row:?}"));
        answer
    };
    let all =
        [None, Some(Dimension::Tag), Some(Dimension::Signature), Some(Dimension::Node), Some(Dimension::As)];
    all.into_iter().map(answer).collect()
}

pub(crate) fn do_all(store: &dyn Store, geo: &Geo) {
    let job = WindowJob { threads: 3, small: 0, ..WindowJob::default() };
    let all = i64::MIN..i64::MAX;
    let report =
        job.recompute(store, geo, all, Share::default(), &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(report.failed.is_empty(), "{report:?}");
}

/// Packets of a simulation, in the windows from a time on.
fn simulated(window: i64, windows: i64) -> Vec<Packet> {
    let to = window + windows * WINDOW;
    Simulation::new(World::standard(), window, to, 5.0, 4).whole_connections().packets().collect()
}

fn import_all(store: &dyn Store, packets: &[Packet]) {
    let arrivals = packets.iter().map(|packet| Arrival {
        ts: packet.ts,
        packet: Some(*packet),
        unreachable: None,
        simulated: false,
    });
    import(store, &Rules::default(), &Privacy::full(), arrivals, || true).unwrap();
}

/// Three captures with random flows, many of whose packets two of them have, and a server.
fn captures(random: &mut Random, window: i64) -> Vec<Segment> {
    let mut segments: [Vec<Packet>; 4] = Default::default();
    let mut flows: Vec<_> = some_flows(random, window, 3_000).into_iter().collect();
    flows.sort_unstable_by_key(|(five_tuple, _)| *five_tuple);
    for (packet, node) in flows.into_iter().flat_map(|(_, packets)| packets) {
        let packet = Packet { sample_rate: 1, ..packet };
        segments[node].push(packet);
        if node > 0 && random.one_in(2) {
            segments[random.of(&[1, 2, 3])].push(packet);
        }
    }
    let [live, captures @ ..] = segments;
    let covers = (window, window + WINDOW);
    let live = Segment::encode(live, &SegmentSource::tcp("ams1", Provenance::Live, covers), None).unwrap();
    captures.into_iter().map(file).chain([live]).collect()
}

/// Windows of all kinds: random flows of several servers, a simulated capture, captures that overlap, one flow of which
/// two captures have more than is taken, and truncated addresses.
fn fill(store: &dyn Store) {
    let mut random = Random(7);
    append(store, &some_flows(&mut random, START, 3_000), START);
    import_all(store, &simulated(START + WINDOW, 2));
    let overlapping = simulated(START + 3 * WINDOW, 1);
    import_all(store, &overlapping[..overlapping.len() * 2 / 3]);
    import_all(store, &overlapping[overlapping.len() / 3..]);
    let many = |from: i64| {
        let at = |number| START + 4 * WINDOW + from + number;
        (0..8).map(|number| Packet { seq: 7, ..packet(1, at(number)) }).collect()
    };
    store.append(&file(many(0))).unwrap();
    store.append(&file(many(100))).unwrap();
    let window = START + 5 * WINDOW;
    let flows = some_flows(&mut random, window, 300);
    let protection = |flow: u64| Protection {
        addresses: Addresses::Truncated,
        flow,
        place: Place { country: Country::from_alpha2("PE"), asn: Some(64_500) },
    };
    let protected = flows.values().zip(1..).flat_map(|(packets, flow)| {
        packets.iter().map(move |(packet, _)| {
            let packet = Packet { five_tuple: networks(&packet.five_tuple), ..*packet };
            Protected { packet, protection: protection(flow % 9) }
        })
    });
    let covers = (window, window + WINDOW);
    store
        .append(
            &Segment::encode(
                protected.collect(),
                &SegmentSource::tcp("ams1", Provenance::Live, covers),
                None,
            )
            .unwrap(),
        )
        .unwrap();
}

fn networks(tuple: &FiveTuple) -> FiveTuple {
    let network = |address: Ipv6Addr| Ipv6Addr::from_bits(address.to_bits() & truncation(tuple.is_ipv4()));
    FiveTuple { src_ip: network(tuple.src_ip), dst_ip: network(tuple.dst_ip), ..*tuple }
}

/// Whether the server gives all verdicts of a window.
fn is_told(store: &dyn Store, window: i64) -> bool {
    let Some(verdicts) = store.read_verdicts(Window::containing(window), &Rules::default(), 1).unwrap()
    else {
        return false;
    };
    let mut flows = Vec::new();
    verdicts.parts.into_iter().all(|mut part| {
        loop {
            match part.next_flows(&mut flows).unwrap() {
                VerdictBatch::Flows => {}
                told => break told == VerdictBatch::End,
            }
        }
    })
}

#[test]
fn the_window_job_has_the_same_results_either_way() {
    if !is_available() {
        return;
    }
    let database = Database::empty();
    migrate(&database, &Layout::default()).unwrap();
    let (rust, sql) = (ClickHouse::open(&database).unwrap(), in_sql(&database));
    fill(&rust);
    let told: Vec<bool> = (0..6).map(|number| is_told(&sql, START + number * WINDOW)).collect();
    assert_eq!(
        told,
        [true, true, true, false, false, false],
        "captures that overlap, too many rows, no addresses"
    );
    let geo = Geo::builtin();
    do_all(&rust, &geo);
    let expected = (connections(&rust), counts(&rust), rust.status().unwrap().counts);
    assert!(expected.0.len() > 10_000, "{}", expected.0.len());
    differences_of_the_view(database.database());
    do_all(&sql, &geo);
    assert_eq!(connections(&sql), expected.0);
    assert_eq!((counts(&sql), sql.status().unwrap().counts), (expected.1, expected.2));
}

/// Which rows of several captures count depends on where connections begin, in both directions.
#[test]
fn the_view_caps_captures_as_the_window_job_does() {
    if !is_available() {
        return;
    }
    let database = Database::empty();
    migrate(&database, &Layout::default()).unwrap();
    let store = ClickHouse::open(&database).unwrap();
    for segment in captures(&mut Random(9), START) {
        store.append(&segment).unwrap();
    }
    assert!(!is_told(&in_sql(&database), START));
    do_all(&store, &Geo::builtin());
    assert!(store.status().unwrap().counts.tail > 1_000);
    differences_of_the_view(database.database());
}

#[derive(clickhouse::Row, serde::Deserialize)]
struct Differences {
    view: u64,
    table: u64,
    flows: u64,
    excluded: u64,
    tail: u64,
    tail_in_results: u64,
}

/// The view has what the table has.
fn differences_of_the_view(database: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = format!("http://127.0.0.1:{}", server().port);
    let client = clickhouse::Client::default().with_url(url).with_user("default").with_database(database);
    let common = "window_start, first_us, last_us, node, src_ip, src_port, dst_ip, dst_port, packets, toString(stage),
        toString(termination), tags, tag_names, signature_id, rst_ttl_delta, rst_ip_id_delta, silent_us, sample_rate,
        toString(addresses)";
    let (since, until) = (START / 1_000_000_000, (START + 9 * WINDOW) / 1_000_000_000);
    let view = format!("classified(since = {since}, until = {until})");
    let told = format!("SELECT {common} FROM {view} WHERE excluded = ''");
    let kept = format!(
        "SELECT {common} FROM connection WHERE generation IN
        (SELECT arrayJoin(connection_generations) FROM result FINAL WHERE level = 0)"
    );
    let sql = format!(
        "SELECT assumeNotNull((SELECT count() FROM ({told} EXCEPT ALL {kept}))) AS view,
          assumeNotNull((SELECT count() FROM ({kept} EXCEPT ALL {told}))) AS table,
          assumeNotNull((SELECT count() FROM {view})) AS flows,
          assumeNotNull((SELECT sum(arraySum(excluded)) FROM result FINAL WHERE level = 0)) AS excluded,
          assumeNotNull((SELECT sum(tail) FROM {view})) AS tail,
          assumeNotNull((SELECT sum(tail) FROM result FINAL WHERE level = 0)) AS tail_in_results"
    );
    let found: Differences = runtime.block_on(client.query_raw(&sql).fetch_one()).unwrap();
    assert_eq!((found.view, found.table), (0, 0), "of {} flows", found.flows);
    assert_eq!(found.tail, found.tail_in_results);
    let store = ClickHouse::open(&in_database(database)).unwrap();
    assert_eq!(found.flows - found.excluded, connections(&store).len() as u64);
}

fn in_database(database: &str) -> Address {
    server().address("default").with_database(database)
}

/// Tables of the version before get what they lack; somewhere else they are not put.
#[test]
fn tables_of_the_first_version_are_migrated() {
    if !is_available() {
        return;
    }
    let database = Database::empty();
    let execute = |sql: &str| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = clickhouse::Client::default().with_url(format!("http://127.0.0.1:{}", server().port));
        runtime.block_on(client.with_user("default").query_raw(sql).execute()).unwrap();
    };
    let later = |statement: &String| {
        let versions = (2..=8).map(|version| format!("VALUES ({version}"));
        ["VIEW", "ALTER"]
            .map(str::to_owned)
            .into_iter()
            .chain(versions)
            .any(|of_later| statement.contains(&of_later))
    };
    for statement in schema(database.database(), &Layout::default()).iter().filter(|sql| !later(sql)) {
        execute(statement);
    }
    execute(&format!("ALTER TABLE {}.result DROP COLUMN tail", database.database()));
    for column in ["handshake_us", "first_byte_us", "version", "close_code"] {
        execute(&format!("ALTER TABLE {}.connection DROP COLUMN {column}", database.database()));
    }
    execute(&format!("ALTER TABLE {}.annotation DROP COLUMN data_set", database.database()));
    execute(&format!(
        "INSERT INTO {}.annotation (id, version, removed, kind, start, description)
         VALUES (7, 1, false, 'GENERAL', '2026-01-05 00:00:00', 'New servers')",
        database.database()
    ));
    let error = ClickHouse::open(&database).err().unwrap();
    assert!(error.to_string().contains("cutshort clickhouse migrate"), "{error}");
    let elsewhere = migrate(&database, &Layout { cluster: Some("two".to_owned()), ..Layout::default() });
    assert!(elsewhere.unwrap_err().to_string().contains("one server"));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| migrate(&database, &Layout::default()).unwrap());
        }
    });
    assert_eq!(migrate(&database, &Layout::default()).unwrap(), 0, "there is nothing left to be done");
    let store = ClickHouse::open(&database).unwrap();
    let noted = store.annotations(i64::MIN..i64::MAX).unwrap();
    assert_eq!(noted.iter().map(|note| (note.id, note.content.data_set)).collect::<Vec<_>>(), [(7, None)]);
    store.append(&file(vec![packet(1, START)])).unwrap();
    execute(&format!(
        "SELECT * FROM {}.classified(since = '2026-01-05 00:00:00', until = '2026-01-06 00:00:00')",
        database.database()
    ));
}

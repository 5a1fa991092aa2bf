//! Stores that are large by number: of segments, windows and generations. Their rows are made by the server.

use std::ops::ControlFlow;
use std::time::{Duration, Instant, SystemTime};

use clickhouse::Client;
use cutshort_clickhouse::{Address, ClickHouse, Layout, migrate};
use cutshort_geo::Geo;
use cutshort_model::Window;
use cutshort_pipeline::{Due, WindowJob};
use cutshort_store::{Retention, Store, StoreError};

use super::Database;
use super::conformance::{START, WINDOW, file, groups, made, packet, replace};
use super::expected::in_sql;
use super::server::{is_available, server};

/// More than the 3,744 ids of segments, and than the 6,241 generations, that fit into one parameter.
const SEGMENTS: u64 = 4_000;
const GENERATIONS: u64 = 10_000;
/// More names of servers than fit into one parameter.
const NODES: u64 = 4_000;

const DAY: Duration = Duration::from_secs(86_400);
const FOREVER: Retention =
    Retention { packets: None, connections: None, fifteen_minutes: None, hours: None, days: None };
const A_DAY: Retention = Retention { packets: Some(DAY), ..FOREVER };

fn in_days(days: u32) -> SystemTime {
    SystemTime::now() + DAY * days
}

fn empty() -> (Address, ClickHouse) {
    let database = Database::empty();
    migrate(&database, &Layout::default()).unwrap();
    let store = ClickHouse::open(&database).unwrap();
    (database, store)
}

fn client(database: &Address) -> Client {
    let url = format!("http://127.0.0.1:{}", server().port);
    Client::default().with_url(url).with_user("default").with_database(database.database())
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

pub(crate) fn execute(database: &Address, sql: &str) {
    wait(client(database).query_raw(sql).execute()).unwrap();
}

fn number(database: &Address, sql: &str) -> u64 {
    wait(client(database).query_raw(sql).fetch_one()).unwrap()
}

/// Waits for what the server does in the background.
fn becomes(database: &Address, sql: &str, expected: u64) {
    let end = Instant::now() + Duration::from_secs(30);
    while number(database, sql) != expected {
        assert!(Instant::now() < end, "{sql}: {}", number(database, sql));
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Different ones for each window.
fn id(window: i64) -> String {
    format!("lower(hex(sipHash128(number, {window})))")
}

fn time(ns: i64) -> String {
    format!("fromUnixTimestamp64Nano(toInt64({ns}), 'UTC')")
}

/// Segments with two packets each, SYN and RST, of one connection for each segment, in a window.
fn segments(database: &Address, window: i64, count: u64) {
    let id = id(window);
    let (window, numbers) = (time(window), format!("FROM numbers({count})"));
    let node = format!("concat('a server with a very long name ', toString(number % {NODES}))");
    execute(
        database,
        &format!(
            "INSERT INTO segment SELECT {id}, 2, 'kept', {node}, 'live', {window}, {window} + 900, {window} + 1,
             {window} + 2, 2, 1000, now64(9), [({window}, 2)], 'full' {numbers}"
        ),
    );
    execute(
        database,
        &format!(
            "INSERT INTO packet (window_start, src_ip, src_port, dst_ip, dst_port, ts, node, segment, ip_id, ttl,
               flags, seq, ack, window, options_len, payload_len, sample_rate, country, asn, flow)
             SELECT {window}, toIPv6(concat('198.51.', toString(number % 250), '.7')), 1024 + intDiv(number, 250),
               toIPv6('203.0.113.5'), 443, {window} + 1 + k, {node}, {id}, 1, 60, if(k = 0, 2, 4), 100 + k, 0, 1000,
               20, 0, 1, '', 0, 0 {numbers} ARRAY JOIN [0, 1] AS k"
        ),
    );
}

fn compute(store: &ClickHouse) -> u64 {
    let mut each = |_: &_| ControlFlow::Continue(());
    let report = WindowJob::default().run_due(store, &Geo::builtin(), Due::All, &mut each).unwrap();
    assert!(report.failed.is_empty(), "{:?}", report.failed);
    report.done
}

#[test]
fn windows_of_many_segments_are_computed() {
    if !is_available() {
        return;
    }
    let (database, rust) = empty();
    let in_sql = in_sql(&database);
    for (store, window, windows) in [(&rust, START, 1), (&in_sql, START + WINDOW, 2)] {
        segments(&database, window, SEGMENTS);
        assert_eq!(compute(store), 1);
        assert!(store.windows(i64::MIN..i64::MAX).unwrap().iter().all(|window| !window.is_due()));
        assert!(store.due().unwrap().is_empty());
        let counts = store.status().unwrap().counts;
        assert_eq!((counts.packets, counts.connections), (windows * 2 * SEGMENTS, windows * SEGMENTS));
    }
    // Who looked before sees what came since, and only that.
    assert!(rust.due().unwrap().is_empty());
    rust.append(&file(vec![packet(1, START + 3 * WINDOW)])).unwrap();
    let due: Vec<Window> = rust.due().unwrap().iter().map(|state| state.window).collect();
    assert_eq!(due, [Window::containing(START + 3 * WINDOW)]);
}

#[test]
fn packets_of_many_segments_are_deleted() {
    if !is_available() {
        return;
    }
    let (database, store) = empty();
    segments(&database, START, SEGMENTS);
    compute(&store);
    assert_eq!(store.retain(in_days(2), &A_DAY).unwrap(), SEGMENTS);
    assert_eq!(number(&database, "SELECT count() FROM packet"), 0, "the day went as a whole");
    assert_eq!(
        number(&database, "SELECT count() FROM segment FINAL WHERE state != 'deleted' AND rows > 0"),
        0
    );
    // Of a day of which something is kept, the rest goes.
    segments(&database, START + WINDOW, SEGMENTS);
    compute(&store);
    store.append(&file(vec![packet(1, START + 2 * WINDOW)])).unwrap();
    assert_eq!(store.retain(in_days(2), &A_DAY).unwrap(), SEGMENTS, "one waits for its results");
    becomes(&database, "SELECT count() FROM packet", 1);
    assert_eq!(store.status().unwrap().undeleted_packets, 0);
    assert_eq!(groups(&store, START + 2 * WINDOW, 1).len(), 1);
}

#[test]
fn what_could_not_be_deleted_is_told_and_deleted_later() {
    if !is_available() {
        return;
    }
    let (database, store) = empty();
    segments(&database, START, 10);
    compute(&store);
    let name = database.database();
    for right in [
        format!("CREATE USER keeper_{name} IDENTIFIED WITH no_password"),
        format!("GRANT SELECT, INSERT ON {name}.* TO keeper_{name}"),
    ] {
        execute(&database, &right);
    }
    let port = server().port;
    let address = format!("clickhouse://keeper_{name}@127.0.0.1:{port}/{name}");
    let keeper = ClickHouse::open(&Address::parse(&address).unwrap()).unwrap();
    let error = keeper.retain(in_days(2), &A_DAY).unwrap_err();
    assert!(matches!(&error, StoreError::Refused(why) if why.contains("grant it")), "{error:?}");
    let status = keeper.status().unwrap();
    assert_eq!((status.segments, status.packets, status.undeleted_packets), (0, 0, 20));
    // Somebody who may, or the same one later.
    execute(&database, &format!("GRANT ALTER DELETE ON {name}.* TO keeper_{name}"));
    assert_eq!(keeper.retain(in_days(2), &A_DAY).unwrap(), 0);
    becomes(&database, "SELECT count() FROM packet", 0);
    assert_eq!(keeper.status().unwrap().undeleted_packets, 0);
    // What nobody brought, or did not bring to its end long ago, goes as well.
    segments(&database, START, 5);
    execute(&database, "TRUNCATE TABLE segment");
    store.retain(in_days(2), &A_DAY).unwrap();
    becomes(&database, "SELECT count() FROM packet", 0);
}

#[test]
fn many_generations_are_deleted() {
    if !is_available() {
        return;
    }
    let (database, store) = empty();
    replace(&store, START, &[made(1, START)]);
    let rows = format!("FROM numbers({GENERATIONS})");
    let t = format!("{} - toIntervalMinute(15 + 15 * intDiv(number, 17))", time(START));
    execute(
        &database,
        &format!(
            "INSERT INTO generation SELECT 17000000000000000000 + number, 0, {t}, now64(9) - 7200 {rows}"
        ),
    );
    execute(
        &database,
        &format!(
            "INSERT INTO connection (window_start, generation, number) SELECT {t}, 17000000000000000000 + number, 1 {rows}
             SETTINGS max_partitions_per_insert_block = 0"
        ),
    );
    store.retain(SystemTime::now(), &FOREVER).unwrap();
    let unknown = "SELECT count() FROM connection WHERE generation NOT IN (SELECT id FROM generation)";
    assert_eq!(number(&database, unknown), 0);
    becomes(&database, "SELECT count() FROM connection", 1);
    // That they were begun is only forgotten once their rows are gone.
    let left =
        "SELECT count() FROM generation FINAL WHERE id >= 17000000000000000000 AND since < now() - 3600";
    store.retain(SystemTime::now(), &FOREVER).unwrap();
    becomes(&database, left, 0);
    assert_eq!(store.connections(&super::conformance::connections::everything()).unwrap().len(), 1);
}

#[test]
fn segments_that_were_deleted_long_ago_are_remembered_together() {
    if !is_available() {
        return;
    }
    let (database, store) = empty();
    let old = START - 100 * 96 * WINDOW;
    segments(&database, old, 100);
    let arrived =
        format!("ALTER TABLE segment UPDATE arrived = {} WHERE 1 SETTINGS mutations_sync = 1", time(old));
    execute(&database, &arrived);
    compute(&store);
    let before = store.status().unwrap();
    assert_eq!(store.retain(SystemTime::now(), &A_DAY).unwrap(), 100);
    becomes(&database, "SELECT count() FROM packet", 0);
    store.retain(SystemTime::now(), &A_DAY).unwrap();
    // One row for each node, as each has one segment here: only what stands for them is left.
    becomes(&database, "SELECT count() FROM segment FINAL WHERE rows > 0", 0);
    becomes(&database, "SELECT count() FROM segment FINAL WHERE state = 'deleted'", 100);
    let after = store.status().unwrap();
    assert_eq!(
        (after.covered, &after.nodes, after.latest_packet),
        (before.covered, &before.nodes, before.latest_packet)
    );
    assert!(
        store.windows(i64::MIN..i64::MAX).unwrap().iter().all(|window| window.frozen && !window.is_due())
    );
}

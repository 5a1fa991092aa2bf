//! Several who work on one store.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use cutshort_clickhouse::ClickHouse;
use cutshort_geo::Geo;
use cutshort_model::{Bucket, ConnectionRecord, Dimension};
use cutshort_pipeline::{Service, Settings};
use cutshort_store::{Retention, RollupQuery, RollupRow, Selection, Store, WindowState};

use super::Database;
use super::conformance::{self, Backend, SECOND, START, WINDOW, live, packet};
use super::server::is_available;

const WINDOWS: i64 = 12;

/// Packets of some clients in each window.
fn fill(store: &dyn Store) {
    for at in 0..WINDOWS {
        let from = START + at * WINDOW;
        let packets =
            (0..60).map(|client| packet((client % 200) as u8, from + client * SECOND * (at + 1) / 2));
        store.append(&live("a", packets.collect(), (from, from + WINDOW))).unwrap();
    }
}

/// Does all windows by services, each with a connection of its own.
fn work(database: &Database, shares: &[&str]) -> Vec<u64> {
    let start = |share: &&str| {
        let settings = Settings {
            share: share.parse().unwrap(),
            every: Duration::from_millis(30),
            ..Settings::default()
        };
        let store: Arc<dyn Store> = Arc::new(ClickHouse::open(&database.address).unwrap());
        Service::start(store, Arc::new(Geo::builtin().into()), settings)
    };
    let services: Vec<Service> = shares.iter().map(start).collect();
    let end = Instant::now() + Duration::from_secs(60);
    let is_due = || database.store.windows(i64::MIN..i64::MAX).unwrap().iter().any(WindowState::is_due);
    while is_due() {
        assert!(Instant::now() < end, "{:?}", services.iter().map(Service::state).collect::<Vec<_>>());
        std::thread::sleep(Duration::from_millis(20));
    }
    let windows = services.iter().map(|service| service.state().windows).collect();
    services.into_iter().for_each(Service::stop);
    windows
}

/// Everything that can be asked about connections and counts.
fn answers(store: &dyn Store) -> (Vec<ConnectionRecord<'static>>, Vec<Vec<RollupRow>>) {
    let mut records = Vec::new();
    store
        .each_connection(i64::MIN..i64::MAX, &mut |record| {
            records.push(record);
            true
        })
        .unwrap();
    records.sort_by_key(|record| (record.first_us, record.five_tuple));
    let ask = |(bucket, by): (Bucket, Option<Dimension>)| {
        let range = START - START.rem_euclid(96 * WINDOW)..START + 200 * WINDOW;
        let query = RollupQuery { range, bucket: Some(bucket), selection: Selection::default(), by };
        let mut rows = store.rollups(&query).unwrap().rows;
        rows.sort_by_key(|row| (row.from, format!("{:?}", row.value)));
        rows
    };
    let dimensions = [None, Some(Dimension::As), Some(Dimension::Tag), Some(Dimension::Node)];
    let questions = [Bucket::FifteenMinutes, Bucket::Hour, Bucket::Day].into_iter();
    (records, questions.flat_map(|bucket| dimensions.map(|by| (bucket, by))).map(ask).collect())
}

#[test]
fn three_workers_give_the_results_of_one() {
    if !is_available() {
        return;
    }
    let (alone, shared) = (Database::new(), Database::new());
    fill(alone.store());
    fill(shared.store());
    assert_eq!(work(&alone, &["1/1"]), [WINDOWS as u64]);
    assert_eq!(work(&shared, &["1/3", "2/3", "3/3"]), [WINDOWS as u64 / 3; 3]);
    let expected = answers(alone.store());
    assert_eq!(expected.0.len(), 60 * WINDOWS as usize);
    assert_eq!(answers(shared.store()), expected);
    // Two that believe to be the same: what both do holds once.
    let twice = Database::new();
    fill(twice.store());
    let done = work(&twice, &["1/2", "2/2", "2/2"]);
    assert_eq!(done[0], WINDOWS as u64 / 2);
    assert!(done[1] + done[2] >= WINDOWS as u64 / 2, "{done:?}");
    assert_eq!(answers(twice.store()), expected);
}

/// Hours and days are made, and what is past its time is deleted, by all at once.
#[test]
fn rolling_and_retention_by_several_at_once_change_no_answer() {
    if !is_available() {
        return;
    }
    let database = Database::new();
    fill(database.store());
    work(&database, &["1/1"]);
    let later = SystemTime::now() + Duration::from_secs(2 * 366 * 86_400);
    let retention = Retention::default();
    let (_, before) = answers(database.store());
    let others: Vec<_> = (0..3).map(|_| database.reader()).collect();
    std::thread::scope(|scope| {
        for store in &others {
            scope.spawn(|| {
                for _ in 0..3 {
                    store.roll().unwrap();
                    store.retain(later, &retention).unwrap();
                }
            });
        }
    });
    let (records, after) = answers(database.store());
    assert!(records.is_empty());
    // Quarters are gone for good.
    let coarse = 4;
    assert_eq!(after[coarse..], before[coarse..]);
    let windows = database.store().windows(i64::MIN..i64::MAX).unwrap();
    assert!(windows.len() == WINDOWS as usize && windows.iter().all(|window| window.frozen));
    // Whoever was at a window of that day is refused: its day holds for good.
    let late = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        conformance::replace(database.store(), START, &[]);
    }));
    assert!(late.is_err());
    assert_eq!(answers(database.store()).1[coarse..], before[coarse..]);
}

/// Four years.
const MANY: usize = 4 * 35_040;

/// Rows of many windows, and of the last weeks' segments.
fn many(database: &Database) {
    let from = START - MANY as i64 * WINDOW;
    let name = database.address.database();
    let t = |number: &str| format!("fromUnixTimestamp64Nano(toInt64({from} + {number} * {WINDOW}), 'UTC')");
    let (window, segment) = (t("number"), t(&format!("({} + intDiv(number, 20))", MANY - 5_040)));
    let rows = [
        format!(
            "INSERT INTO {name}.result SELECT 0, {window}, 1, number + 1, 7, 8, 9, 1, 0, 0, 1, [0, 0, 0], now64(9), 1,
             [number + 1], true, true, false, false FROM numbers({MANY})"
        ),
        format!(
            "INSERT INTO {name}.segment SELECT leftPad(lower(hex(number)), 32, '0'), 2, 'kept', 'a', 'live', {segment},
             {segment}, {segment}, {segment}, 10, 1000, now64(9), [({segment}, 10)], 'full' FROM numbers(100000)"
        ),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = format!("http://127.0.0.1:{}", super::server().port);
    let client = clickhouse::Client::default().with_url(url).with_user("default");
    rows.iter().for_each(|sql| runtime.block_on(client.query_raw(sql).execute()).unwrap());
}

/// What is asked before each window costs little: it takes a few percent of what a window of 100,000 packets does.
#[test]
fn asking_about_one_window_is_quick_where_there_are_many() {
    if !is_available() {
        return;
    }
    let database = Database::new();
    many(&database);
    let since = Instant::now();
    let all = database.store().windows(i64::MIN..i64::MAX).unwrap();
    let whole = since.elapsed();
    assert_eq!(all.len(), MANY);
    // The fastest of them: other tests use the same server meanwhile.
    let asked = all[MANY - 40..MANY - 20].iter().map(|state| {
        let (start, since) = (state.window.start(), Instant::now());
        assert_eq!(database.store().windows(start..start + 1).unwrap(), std::slice::from_ref(state));
        since.elapsed()
    });
    let each = asked.min().unwrap();
    assert!(each < Duration::from_secs(1) && each * 3 < whole, "{each:?}; about all {whole:?}");
}

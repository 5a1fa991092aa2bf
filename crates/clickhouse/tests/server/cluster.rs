//! Two shards with Replicated and Distributed tables keep the promises of all stores, too.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use clickhouse::Client;
use cutshort_clickhouse::{Address, ClickHouse, Layout, migrate};
use cutshort_packet::Packet;
use cutshort_store::{Added, Movable, Store, StoreError};
use cutshort_verdict::Rules;

use super::conformance::{self, Backend, START, file, groups, made, packet, replace};
use super::expected;
use super::nasty::Random;
use super::server::{Server, not_run};

struct Cluster {
    store: ClickHouse,
    address: Address,
}

/// The shards that all tests here share, or why there are none.
fn shards() -> Option<&'static Mutex<Server>> {
    static SHARDS: OnceLock<Result<Mutex<Server>, String>> = OnceLock::new();
    match SHARDS.get_or_init(|| Server::cluster().map(Mutex::new)) {
        Ok(server) => Some(server),
        Err(why) => {
            not_run(&format!("two shards: {why}"));
            None
        }
    }
}

impl Backend for Cluster {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let server = shards().expect("asked before");
        let server = server.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("shards_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let address = server.address("default").with_database(&name);
        migrate(&address, &Layout { cluster: Some("two".to_owned()), ..Layout::default() }).unwrap();
        Self { store: ClickHouse::open(&address).unwrap(), address }
    }

    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn movable(&self) -> &dyn Movable {
        &self.store
    }

    fn reader(&self) -> Box<dyn Store> {
        Box::new(ClickHouse::open(&self.address).unwrap())
    }
}

/// All in one test: they share the shards and their ZooKeeper.
#[test]
fn two_shards_keep_the_promises() {
    if shards().is_none() {
        return;
    }
    conformance::windows::segments_are_kept_once::<Cluster>();
    conformance::windows::status_tells_what_there_is::<Cluster>();
    conformance::grouping::packets_come_grouped_by_five_tuple::<Cluster>();
    conformance::connections::connections_are_selected::<Cluster>();
    conformance::retention::old_packets_are_deleted_and_their_windows_frozen::<Cluster>();
    conformance::moving::segments_are_read_as_they_came::<Cluster>();
    conformance::moving::results_are_restored_as_they_were::<Cluster>();
    conformance::moving::hours_and_days_are_restored_as_they_were::<Cluster>();
    packets_are_spread();
    flows_are_judged_across_shards();
    nothing_is_lost_while_zookeeper_is_away();
}

fn count(server: &Server, sql: &str) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = Client::default().with_url(format!("http://127.0.0.1:{}", server.port)).with_user("default");
    runtime.block_on(client.query_raw(sql).fetch_one()).unwrap()
}

fn packets_are_spread() {
    let cluster = Cluster::new();
    let packets = (0..200).map(|client| packet(client, START + i64::from(client))).collect();
    cluster.store.append(&file(packets)).unwrap();
    let server = shards().expect("asked before").lock().unwrap_or_else(PoisonError::into_inner);
    let of =
        |table: &str| count(&server, &format!("SELECT count() FROM {}.{table}", cluster.address.database()));
    let (own, all) = (of("packet_local"), of("packet"));
    assert!(own > 50 && own < 150 && all == 200, "{own} of {all}");
    drop(server);
    assert_eq!(groups(&cluster.store, START, 2).len(), 200);
}

/// The other direction may be on the other shard, and flows of several captures are known on both.
fn flows_are_judged_across_shards() {
    let cluster = Cluster::new();
    let flows = expected::some_flows(&mut Random(8), START, 2_000);
    expected::append(cluster.store(), &flows, START);
    let expected = expected::expected(&flows, START);
    let (_, _, found) = expected::told(&expected::in_sql(&cluster.address), START, &Rules::default(), 2);
    let connections = found.len() as u64;
    assert!(expected::by_flow(found) == expected);
    let many = |from| (0..8).map(|at| Packet { seq: 7, ..packet(1, START + from + at) }).collect();
    cluster.store.append(&file(many(0))).unwrap();
    cluster.store.append(&file(many(100))).unwrap();
    let server = shards().expect("asked before").lock().unwrap_or_else(PoisonError::into_inner);
    let view = |what: &str| {
        let since = START / 1_000_000_000;
        let view =
            format!("{}.classified(since = {since}, until = {})", cluster.address.database(), since + 900);
        count(&server, &format!("SELECT toUInt64({what}) FROM {view}"))
    };
    let tags = expected
        .values()
        .flatten()
        .filter_map(|flow| Some(u64::from(flow.outcome?.ok()?.tags.bits())))
        .sum::<u64>();
    let of_ten = view("sumIf(tags, packets = 10 AND src_ip = toIPv6('198.51.100.1'))");
    assert_eq!((view("count()"), view("sum(tags)") - of_ten), (connections + 1, tags));
    assert_eq!(view("sumIf(packets, src_ip = toIPv6('198.51.100.1'))"), 10);
}

fn nothing_is_lost_while_zookeeper_is_away() {
    let cluster = Cluster::new();
    let store = cluster.store();
    let tell = |command| {
        shards().expect("asked before").lock().unwrap_or_else(PoisonError::into_inner).tell(command);
    };
    store.append(&file(vec![packet(1, START)])).unwrap();
    tell("kill");
    let segment = file(vec![packet(2, START + 1), packet(3, START + 2)]);
    let refused = store.append(&segment);
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    tell("start");
    let end = Instant::now() + Duration::from_secs(90);
    let added = loop {
        match store.append(&segment) {
            Ok(added) => break added,
            Err(StoreError::Unavailable(_)) if Instant::now() < end => {
                std::thread::sleep(Duration::from_millis(200));
            }
            Err(error) => panic!("{error:?}"),
        }
    };
    assert_eq!(added, Added::New);
    assert_eq!(groups(store, START, 1).iter().map(|(_, rows)| rows.len()).sum::<usize>(), 3);
    replace(store, START, &[made(1, START)]);
    assert_eq!(store.status().unwrap().packets, 3);
}

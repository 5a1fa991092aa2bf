use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use cutshort_geo::{Continent, Country, Place};
use cutshort_store::{Choice, ConnectionQuery, HasAny, Order, OrderBy, Selection, Store};
use cutshort_verdict::{Progress, Signature, Stage, Tag, Termination};

use super::{Backend, Made, SECOND, START, WINDOW, made, replace};

pub(crate) fn everything() -> ConnectionQuery {
    ConnectionQuery {
        range: i64::MIN..i64::MAX,
        selection: Selection::default(),
        stages: Vec::new(),
        terminations: Vec::new(),
        clients: Vec::new(),
        servers: Vec::new(),
        order: Order::NEWEST,
        offset: 0,
        limit: 1000,
    }
}

/// The clients of the connections that are found.
fn clients(store: &dyn Store, query: &ConnectionQuery) -> Vec<u8> {
    let found = store.connections(query).unwrap();
    found.iter().map(|record| record.five_tuple.src_ip.octets()[15]).collect()
}

/// Client 1: reset at a stage, from Germany; 2: timed out after the SYN, nowhere; 3: closed, seen by a server.
fn different() -> [Made; 3] {
    let (mut reset, mut timeout, mut closed) = (made(1, START), made(2, START), made(3, START));
    reset.place = Place { country: Country::from_alpha2("DE"), asn: Some(64_500) };
    reset.verdict.stage = Stage::PostPsh;
    reset.verdict.progress = Progress::PostPsh;
    reset.verdict.termination = Termination::Reset;
    reset.verdict.tags = [Tag::Reset, Tag::SingleRst, Tag::Answered].into_iter().collect();
    reset.verdict.signature = Signature::from_id(11);
    reset.tuple.dst_port = 8443;
    timeout.place = Place { country: None, asn: None };
    timeout.verdict.stage = Stage::PostSyn;
    timeout.verdict.progress = Progress::PostSyn;
    timeout.verdict.termination = Termination::Timeout;
    timeout.verdict.tags = [Tag::Timeout].into_iter().collect();
    closed.node = "edge";
    [reset, timeout, closed]
}

fn only<T>(value: T) -> Choice<T> {
    Choice { include: vec![value], exclude: Vec::new() }
}

fn but<T>(value: T) -> Choice<T> {
    Choice { include: Vec::new(), exclude: vec![value] }
}

pub(crate) fn connections_are_selected<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    replace(store, START, &different());
    let selected = |change: &dyn Fn(&mut Selection)| {
        let mut query = everything();
        change(&mut query.selection);
        clients(store, &query)
    };
    let germany = Country::from_alpha2("DE").unwrap();
    assert_eq!(selected(&|_| ()), [1, 2, 3]);
    assert_eq!(selected(&|wanted| wanted.locations = only(germany)), [1]);
    assert_eq!(selected(&|wanted| wanted.locations = but(germany)), [2, 3]);
    assert_eq!(selected(&|wanted| wanted.continents = only(Continent::SA)), [3]);
    assert_eq!(selected(&|wanted| wanted.asns = only(64_500)), [1]);
    assert_eq!(selected(&|wanted| wanted.tags = only(Tag::Timeout)), [2]);
    assert_eq!(selected(&|wanted| wanted.tags = but(Tag::Reset)), [2, 3]);
    assert_eq!(selected(&|wanted| wanted.signatures = only(Signature::from_id(11).unwrap())), [1]);
    assert_eq!(selected(&|wanted| wanted.ip_versions = only(4)), [1, 2, 3]);
    assert!(selected(&|wanted| wanted.ip_versions = only(6)).is_empty());
    assert_eq!(selected(&|wanted| wanted.ports = only(8443)), [1]);
    assert_eq!(selected(&|wanted| wanted.nodes = only("edge".to_owned())), [3]);
    assert_eq!(selected(&|wanted| wanted.nodes = only(String::new())), [1, 2]);
    assert_eq!(selected(&|wanted| wanted.answered = Some(true)), [1]);
    assert_eq!(selected(&|wanted| wanted.answered = Some(false)), [2, 3]);
    let timeouts = |wanted| HasAny { tags: [Tag::Timeout, Tag::Zmap].into_iter().collect(), wanted };
    assert_eq!(selected(&|selection| selection.scanner = Some(timeouts(true))), [2]);
    assert_eq!(selected(&|selection| selection.scanner = Some(timeouts(false))), [1, 3]);
    assert_eq!(selected(&|wanted| wanted.completed = true), [1, 3]);
    let asked = |change: &dyn Fn(&mut ConnectionQuery)| {
        let mut query = everything();
        change(&mut query);
        clients(store, &query)
    };
    assert_eq!(asked(&|query| query.stages = vec![Stage::PostSyn, Stage::PostPsh]), [1, 2]);
    assert_eq!(asked(&|query| query.terminations = vec![Termination::Fin]), [3]);
    assert_eq!(asked(&|query| query.clients = vec!["198.51.100.2/31".parse().unwrap()]), [2, 3]);
    assert_eq!(asked(&|query| query.servers = vec!["198.51.100.250".parse().unwrap()]), [1, 2, 3]);
    assert!(asked(&|query| query.servers = vec!["198.51.100.1".parse().unwrap()]).is_empty());
    assert!(asked(&|query| query.range = START + WINDOW..START + 2 * WINDOW).is_empty());
}

pub(crate) fn connections_are_paged_from_the_latest_window<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    replace(store, START, &[made(1, START), made(2, START)]);
    replace(store, START + WINDOW, &[made(3, START), made(4, START)]);
    let page = |offset, limit| clients(store, &ConnectionQuery { offset, limit, ..everything() });
    assert_eq!(page(0, 10), [3, 4, 1, 2]);
    assert_eq!(page(0, 3), [3, 4, 1]);
    assert_eq!(page(3, 3), [2]);
    assert_eq!((page(1, 2), page(4, 1), page(0, 0)), (vec![4, 1], vec![], vec![]));
}

/// Client 1 at 1 s and client 2 at 2 s of the first window; client 3 at 3 s and client 4 at 1 s of the second one.
pub(crate) fn connections_are_ordered_over_all_windows<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    let [mut reset, mut timeout, closed] = different();
    (reset.verdict.packets, timeout.verdict.packets) = (9, 2);
    let at = |mut made: Made, time: i64| {
        (made.verdict.first_ts, made.verdict.last_ts) = (time, time + SECOND);
        made
    };
    let fourth = Made { node: "edge", ..made(4, START) };
    replace(store, START, &[at(reset, START + SECOND), at(timeout, START + 2 * SECOND)]);
    let next = START + WINDOW;
    replace(store, next, &[at(closed, next + 3 * SECOND), at(fourth, next + SECOND)]);
    let ordered = |by, descending| {
        let query = ConnectionQuery { order: Order { by, descending }, ..everything() };
        let all = clients(store, &query);
        for (offset, limit) in [(0, 2), (1, 2), (2, 1), (3, 5), (4, 1)] {
            let page = clients(store, &ConnectionQuery { offset, limit, ..query.clone() });
            let expected: Vec<u8> = all.iter().skip(offset).take(limit).copied().collect();
            assert_eq!(page, expected, "{by:?} {descending} {offset} {limit}");
        }
        all
    };
    let both = |by| (ordered(by, false), ordered(by, true));
    assert_eq!(both(OrderBy::Time), (vec![1, 2, 4, 3], vec![3, 4, 2, 1]));
    let packets = both(OrderBy::Packets);
    assert_eq!((packets.0[0], packets.0[3], packets.1[0], packets.1[3]), (2, 1, 1, 2), "{packets:?}");
    assert_eq!(both(OrderBy::Stage), (vec![2, 1, 3, 4], vec![3, 4, 1, 2]));
    // Unknown values are last in both directions; the newest first among equal ones.
    assert_eq!(both(OrderBy::Signature), (vec![1, 3, 4, 2], vec![1, 3, 4, 2]));
    assert_eq!(both(OrderBy::Location), (vec![1, 3, 4, 2], vec![3, 4, 1, 2]));
    assert_eq!(both(OrderBy::Client), (vec![1, 2, 3, 4], vec![4, 3, 2, 1]));
    assert_eq!(both(OrderBy::Server), (vec![3, 4, 2, 1], vec![1, 3, 4, 2]));
}

pub(crate) fn all_connections_are_visited_until_enough<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    replace(store, START + WINDOW, &[made(3, START)]);
    replace(store, START, &different());
    let visit = |most: usize| {
        let mut seen = Vec::new();
        store
            .each_connection(START..START + 2 * WINDOW, &mut |record| {
                seen.push(record.five_tuple.src_ip.octets()[15]);
                seen.len() < most
            })
            .unwrap();
        seen
    };
    assert_eq!(visit(100), [1, 2, 3, 3]);
    assert_eq!(visit(2), [1, 2]);
}

/// Results of one time or of another, never of both, and never none.
pub(crate) fn readers_see_whole_results_while_they_are_replaced<B: Backend>() {
    let backend = B::new();
    let (store, reader) = (backend.store(), backend.reader());
    let results =
        [vec![made(1, START), made(2, START)], vec![made(3, START), made(4, START), made(5, START)]];
    replace(store, START, &results[0]);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for at in 0..40 {
                replace(store, START, &results[at % 2]);
            }
            done.store(true, Ordering::Relaxed);
        });
        let mut seen = BTreeSet::new();
        while !done.load(Ordering::Relaxed) {
            seen.insert(clients(&*reader, &everything()));
            let count = reader.status().unwrap().counts.connections;
            assert!([2, 3].contains(&count), "{count}");
        }
        assert!(seen.iter().all(|seen| *seen == [1, 2] || *seen == [3, 4, 5]), "{seen:?}");
    });
}

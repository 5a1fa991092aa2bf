//! Connections are counted by server, in the data set `origin`.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use cutshort_geo::{Country, Place};
use cutshort_model::{ServerCounts, TimeHistogram, Window};
use cutshort_store::cell::{CellKey, CellOutcome, Cells, ServerCell, ServerKey};
use cutshort_store::{Retention, ServerTotals, Store, WindowCounts};
use cutshort_verdict::{DataSet, Stage, Tags, Termination, WeightedCount};

use super::{Backend, START, WINDOW};

/// Connections of one server: those that succeeded, those that were refused, and the times of handshakes.
type Counts<'a> = (&'a str, &'a str, u32, u32, &'a [(i32, u64)]);

fn counted(counts: &[Counts<'_>]) -> Cells {
    let mut cells = Cells::default();
    for &(server, node, succeeded, refused, times) in counts {
        let mut stored = [WeightedCount::default(); ServerCounts::STORED.len()];
        (0..succeeded).for_each(|_| stored[Stage::None as usize].add(3));
        (0..refused).for_each(|_| {
            stored[Stage::PostSyn as usize].add(3);
            stored[7].add(3);
        });
        let mut handshakes = TimeHistogram::default();
        times.iter().for_each(|(bucket, weight)| handshakes.add_bucket(*bucket, *weight));
        let server: Option<std::net::SocketAddr> = server.parse().ok();
        let mapped = |address| match address {
            IpAddr::V4(v4) => v4.to_ipv6_mapped(),
            IpAddr::V6(v6) => v6,
        };
        let node = cells.node(node);
        let place = match server {
            Some(_) => Place { country: Country::from_alpha2("PE"), asn: Some(64_496) },
            None => Place::default(),
        };
        cells
            .server(ServerKey { server: server.map(|server| (mapped(server.ip()), server.port())), node })
            .merge(&ServerCell {
                place,
                as_name: server.map(|_| "Example's".to_owned()),
                counts: ServerCounts::from_stored(&stored, handshakes),
            });
        let outcome = CellOutcome::Connection {
            stage: Stage::None,
            termination: Termination::Fin,
            completed: true,
            signature: None,
            tags: Tags::default(),
        };
        let (network, port) = (cutshort_model::Network::Other, cutshort_model::Port::Other);
        let key = CellKey { location: None, network, ip_version: 4, port, node, outcome };
        (0..succeeded + refused).for_each(|_| cells.add(key, 3));
    }
    cells
}

fn replace(store: &dyn Store, window: i64, cells: &Cells) {
    let connections = cells.iter().map(|(_, count)| count.sampled).sum();
    let counts = WindowCounts { connections, packets: connections, ..WindowCounts::default() };
    let replacement = store.replace(Window::containing(window)).unwrap();
    replacement.sink().unwrap().finish().unwrap();
    replacement.commit(super::inputs(store, window), counts, cells).unwrap();
}

/// Server, node, connections, refused ones, handshakes, first failure and last success in windows since the start.
fn listed(totals: Option<Vec<ServerTotals>>) -> Option<Vec<String>> {
    let window = |t: Option<i64>| t.map(|t| (t - START) / WINDOW);
    let text = |totals: ServerTotals| {
        let counts = &totals.cell.counts;
        format!(
            "{} {:?} {}/{} {:?} {:?} {:?} {:?} {:?}",
            totals.server.map_or("other".to_owned(), |(ip, port)| format!("{ip} {port}")),
            totals.node,
            counts.refused.weight,
            counts.group.all.sampled,
            counts.handshakes.buckets().collect::<Vec<_>>(),
            totals.cell.place.country.map(Country::alpha2),
            totals.cell.as_name,
            window(totals.first_failure),
            window(totals.last_success),
        )
    };
    totals.map(|totals| {
        let mut texts: Vec<String> = totals.into_iter().map(text).collect();
        texts.sort();
        texts
    })
}

pub(crate) fn servers_are_counted_by_window_and_node<B: Backend>() {
    let (backend, other) = (B::new(), B::new());
    let (a, b) = ("192.0.2.1:443", "[2001:db8::2]:5432");
    let first =
        counted(&[(a, "x", 2, 0, &[(5, 6)]), (a, "y", 0, 1, &[]), (b, "x", 4, 0, &[(9, 1), (90, 2)])]);
    let second = counted(&[(a, "x", 0, 3, &[]), ("other", "x", 7, 0, &[]), (b, "x", 1, 1, &[(9, 4)])]);
    assert!(backend.store().servers(&(START..START + WINDOW)).unwrap().is_none(), "tcp has no servers");
    let store = backend.store().of(DataSet::Origin).unwrap();
    replace(store, START, &counted(&[("198.51.100.1:1", "z", 9, 9, &[])]));
    replace(store, START, &first);
    replace(store, START + WINDOW, &second);

    let reader = backend.reader();
    let reader = reader.find(DataSet::Origin).unwrap().unwrap();
    let servers = |store: &dyn Store, windows: std::ops::Range<i64>| {
        listed(store.servers(&(START + windows.start * WINDOW..START + windows.end * WINDOW)).unwrap())
    };
    let own = r#"Some("PE") Some("Example's")"#;
    let both = [
        format!(r#"192.0.2.1 443 "x" 9/5 [(5, 6)] {own} Some(1) Some(0)"#),
        format!(r#"192.0.2.1 443 "y" 3/1 [] {own} Some(0) None"#),
        format!(r#"2001:db8::2 5432 "x" 3/6 [(9, 5), (90, 2)] {own} Some(1) Some(1)"#),
        r#"other "x" 0/7 [] None None None Some(1)"#.to_owned(),
    ];
    assert_eq!(servers(reader, 0..2).unwrap(), both);
    assert_eq!(
        servers(reader, 0..1).unwrap()[0],
        format!(r#"192.0.2.1 443 "x" 0/2 [(5, 6)] {own} None Some(0)"#)
    );
    assert_eq!(servers(reader, 3..9), Some(Vec::new()));

    // They are part of the counts of a window, and are copied with them.
    let window = Window::containing(START);
    assert_eq!(store.cells(window).unwrap().unwrap().servers().len(), 3);
    let movable = backend.movable().find_movable(DataSet::Origin).unwrap().unwrap();
    let target = other.movable().movable_of(DataSet::Origin).unwrap();
    for t in [START, START + WINDOW] {
        let window = Window::containing(t);
        let results = movable.read_results(window, &mut |_| Ok(())).unwrap().unwrap();
        target.restore(window).unwrap().finish(&results).unwrap();
    }
    assert_eq!(servers(other.reader().find(DataSet::Origin).unwrap().unwrap(), 0..2).unwrap(), both);

    // A window that was computed by an earlier version does not have them.
    let mut without = counted(&[(a, "x", 2, 0, &[])]);
    without = without.iter().fold(Cells::default(), |mut cells, (key, count)| {
        cells.node("x");
        cells.add_count(key, &count);
        cells
    });
    replace(store, START + WINDOW, &without);
    assert_eq!(servers(reader, 0..2), None);
    assert!(servers(reader, 0..1).is_some());

    // They have addresses: with the connections of a window they are deleted.
    let forever =
        Retention { packets: None, connections: None, fifteen_minutes: None, hours: None, days: None };
    let retention = Retention { connections: Some(Duration::ZERO), ..forever };
    let later = SystemTime::now() + Duration::from_hours(1);
    store
        .retain(
            later.max(SystemTime::UNIX_EPOCH + Duration::from_nanos((START + 9 * WINDOW).unsigned_abs())),
            &retention,
        )
        .unwrap();
    assert_eq!(servers(reader, 0..2), Some(Vec::new()));
    assert_eq!(store.cells(window).unwrap().unwrap().servers().len(), 0);
}

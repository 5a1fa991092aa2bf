//! Results do not depend on what is kept of addresses, and nothing that is written has more of them.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]
mod memory;
mod simulated;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cutshort_embedded::Embedded;
use cutshort_embedded::Options;
use cutshort_geo::Geo;
use cutshort_model::{Addresses, Bucket, ConnectionRecord, Dimension, Window};
use cutshort_packet::{FiveTuple, Flags, Packet};
use cutshort_pipeline::{AddressKey, GeoData, Imported, Privacy, import};
use cutshort_simulate::World;
use cutshort_store::open::{OpenSegment, SyncPolicy};
use cutshort_store::{
    Protected, Provenance, RollupAnswer, RollupQuery, Segment, SegmentId, SegmentSource, Selection, Store,
    WindowCounts,
};
use cutshort_verdict::{DataSet, Row, Rules};
use memory::Memory;
use simulated::{END, arrivals, do_all, packets};
use tempfile::TempDir;

const WINDOWS: i64 = 3;

fn key() -> AddressKey {
    AddressKey::new(std::array::from_fn(|at| at as u8)).unwrap()
}

/// Geo data of the simulated internet, and one that knows nothing of it.
fn geo() -> Arc<GeoData> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("networks.csv");
    std::fs::write(&file, World::standard().geo_csv()).unwrap();
    Arc::new(GeoData::open(&[file]).unwrap())
}

fn privacy(addresses: Addresses, geo: &Arc<GeoData>) -> Privacy {
    Privacy::new(addresses, &key(), Arc::clone(geo))
}

/// Simulated connections, some with a RST of the server, and neighbours: other clients of the same networks with the
/// same ports, at the same time. Tags that come from an address are only known where it is kept, so no SYN packet has them.
fn capture() -> Vec<Packet> {
    let mut all = Vec::new();
    let by_address = |packet: &Packet| Row::from(packet).flags.intersects(Flags::MASSCAN | Flags::MIRAI);
    let simulated = packets(WINDOWS, 0.4, 12).into_iter().filter(|packet| !by_address(packet));
    for (at, packet) in simulated.enumerate() {
        all.push(packet);
        if at % 3 == 0 {
            all.push(neighbour(&packet));
        }
        if at % 7 == 0 && packet.flags.intersects(Flags::ACK) {
            let five_tuple = packet.five_tuple.reversed();
            all.push(Packet { ts: packet.ts + 1000, five_tuple, flags: Flags::RST, ..packet });
        }
    }
    all.sort_by_key(|packet| packet.ts);
    all
}

/// The same packet of the address beside.
fn neighbour(packet: &Packet) -> Packet {
    let src_ip = Ipv6Addr::from_bits(packet.five_tuple.src_ip.to_bits() ^ 1);
    Packet { five_tuple: FiveTuple { src_ip, ..packet.five_tuple }, ..*packet }
}

fn take_in(store: &dyn Store, packets: &[Packet], privacy: &Privacy) -> Imported {
    import(store, &Rules::default(), privacy, arrivals(packets), || true).unwrap()
}

fn rollups(store: &dyn Store) -> Vec<RollupAnswer> {
    let range = END - WINDOWS * Window::LENGTH..END;
    let by = std::iter::once(None).chain(Dimension::ALL.map(Some));
    let answers = by.map(|by| {
        let (range, bucket) = (range.clone(), Some(Bucket::FifteenMinutes));
        let mut answer =
            store.rollups(&RollupQuery { range, bucket, selection: Selection::default(), by }).unwrap();
        answer.rows.sort_by_key(|row| (row.from, format!("{:?}", row.value)));
        answer
    });
    answers.collect()
}

/// All that is said of connections but their addresses, sorted.
fn connections(store: &dyn Store, addresses: Addresses) -> Vec<String> {
    let mut all = Vec::new();
    let each = &mut |record: ConnectionRecord<'static>| {
        assert_eq!(record.addresses, addresses);
        let (src_port, dst_port) = (record.five_tuple.src_port, record.five_tuple.dst_port);
        let five_tuple = match record.five_tuple.is_ipv4() {
            true => FiveTuple::new([0; 4].into(), src_port, [0; 4].into(), dst_port),
            false => FiveTuple::new([0_u16; 8].into(), src_port, [0_u16; 8].into(), dst_port),
        };
        all.push(format!("{:?}", ConnectionRecord { five_tuple, addresses: Addresses::Full, ..record }));
        true
    };
    store.each_connection(i64::MIN..i64::MAX, each).unwrap();
    all.sort_unstable();
    all
}

fn open() -> (TempDir, Embedded) {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), Options { durable: false }).unwrap();
    (folder, store)
}

fn results(store: &dyn Store, addresses: Addresses) -> (WindowCounts, Vec<RollupAnswer>, Vec<String>) {
    (store.status().unwrap().counts, rollups(store), connections(store, addresses))
}

#[test]
fn results_are_the_same_whatever_is_kept_of_addresses() {
    let (all, geo) = (capture(), geo());
    let mut expected = None;
    for addresses in Addresses::ALL {
        let (folder, store) = open();
        take_in(&store, &all, &privacy(addresses, &geo));
        do_all(&store, &geo.current());
        let found = results(&store, addresses);
        let protected: Vec<_> =
            Some(addresses).filter(|addresses| *addresses != Addresses::Full).into_iter().collect();
        assert_eq!(store.status().unwrap().protected, protected);
        assert!(found.0.connections > 500, "{:?}", found.0);
        assert!(found.2.iter().any(|record| record.contains("ServerReset")), "no RST of another direction");
        let expected = expected.get_or_insert_with(|| found.clone());
        assert_eq!(found.0, expected.0, "{addresses:?}");
        assert!(found.1 == expected.1, "{addresses:?}");
        assert!(found.2 == expected.2, "{addresses:?}");
        if addresses != Addresses::Full {
            assert_nothing_real(&store, folder.path(), &all, addresses);
        }
    }
}

/// The addresses that would be found if anything had them: those that are not their networks' own.
fn real(packets: &[Packet]) -> BTreeSet<IpAddr> {
    let tuples = packets.iter().map(|packet| packet.five_tuple);
    let all = tuples.flat_map(|tuple| [tuple.src(), tuple.dst()]);
    all.filter(|address| match address {
        IpAddr::V4(v4) => v4.octets()[3] != 0,
        IpAddr::V6(v6) => v6.segments()[3..] != [0; 5],
    })
    .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// No real address is in any file: neither as bytes, nor unpacked, nor as text.
fn assert_nothing_real(store: &dyn Store, folder: &Path, packets: &[Packet], addresses: Addresses) {
    let real = real(packets);
    assert!(real.len() > 300, "{}", real.len());
    let is_real = |tuple: &FiveTuple| real.contains(&tuple.src()) || real.contains(&tuple.dst());
    let each = &mut |record: ConnectionRecord<'static>| {
        assert!(!is_real(&record.five_tuple), "{}", record.five_tuple);
        true
    };
    store.each_connection(i64::MIN..i64::MAX, each).unwrap();
    let files = files(folder);
    assert!(files.iter().any(|file| file.to_string_lossy().contains("connections/")), "{files:?}");
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        // Packed bytes of a network are followed by anything.
        let packed = addresses == Addresses::Truncated;
        assert_none_within(&bytes, &real, packed, &file.display().to_string());
        if let Ok(segment) = Segment::parse(bytes) {
            let mut tuples = segment.packets().unwrap().into_iter().map(|packet| packet.five_tuple);
            assert!(!tuples.any(|tuple| is_real(&tuple)), "{}", file.display());
        }
    }
}

/// Looks for addresses as bytes (also of 4, unless that says nothing) and as text.
fn assert_none_within(bytes: &[u8], real: &BTreeSet<IpAddr>, packed: bool, what: &str) {
    let (mut short, mut long) = (BTreeSet::new(), BTreeSet::new());
    for address in real {
        match address {
            IpAddr::V4(v4) => {
                short.insert(v4.octets());
                long.insert(v4.to_ipv6_mapped().octets())
            }
            IpAddr::V6(v6) => long.insert(v6.octets()),
        };
    }
    assert!(packed || !bytes.windows(4).any(|window| short.contains(window)), "{what} has an IPv4 address");
    assert!(!bytes.windows(16).any(|window| long.contains(window)), "{what} has an address");
    let text = String::from_utf8_lossy(bytes);
    for address in real {
        assert!(!text.contains(&address.to_string()), "{what} has {address}");
    }
}

/// What a recorder writes before there is a segment.
#[test]
fn the_open_segment_has_no_real_address() {
    let (all, geo) = (capture(), geo());
    for addresses in [Addresses::Truncated, Addresses::Encrypted] {
        let (folder, store) = open();
        let mut privacy = privacy(addresses, &geo);
        let (path, id) = (folder.path().join("open/7"), SegmentId(7));
        let source = SegmentSource::tcp("edge", Provenance::Live, (all[0].ts, all[0].ts));
        let mut open = OpenSegment::<Protected>::create(&path, id, &source, SyncPolicy::Never).unwrap();
        for batch in all.chunks(100) {
            let protected: Vec<_> =
                batch.iter().map(|packet| privacy.protect(packet, DataSet::Tcp)).collect();
            open.append(&protected, batch[batch.len() - 1].ts).unwrap();
        }
        let files = files(folder.path());
        let file = files.iter().find(|file| file.to_string_lossy().contains("open/")).unwrap();
        assert_none_within(&std::fs::read(file).unwrap(), &real(&all), false, "the open segment");
        // It is replayed when the store is opened again, as after a crash.
        drop((open, store));
        let store = Embedded::open(folder.path(), Options { durable: false }).unwrap();
        assert_eq!(store.status().unwrap().packets, all.len() as u64);
        do_all(&store, &geo.current());
        let found = connections(&store, addresses).len() as u64;
        assert_eq!(found, store.status().unwrap().counts.connections);
        assert!(found > 500, "{found}");
    }
}

/// The place is that of where the address was known; the network's name is from here.
#[test]
fn places_that_came_with_packets_go_before_those_known_here() {
    let (all, agent, collector) = (capture(), geo(), Geo::builtin());
    let (one, other) = (Memory::default(), Memory::default());
    take_in(&one, &all, &privacy(Addresses::Truncated, &agent));
    take_in(&other, &all, &Privacy::full());
    do_all(&one, &collector);
    do_all(&other, &agent.current());
    for (start, results) in other.results() {
        assert_eq!(one.results()[&start].cells, results.cells);
        let names = |results: &memory::Results| {
            let names = results.connections.iter().map(|record| (record.location, record.asn));
            let mut names: Vec<_> = names.map(|place| format!("{place:?}")).collect();
            names.sort_unstable();
            names
        };
        assert_eq!(names(&one.results()[&start]), names(&results));
    }
    let mut records = one.results().into_values().flat_map(|results| results.connections);
    assert!(
        records.all(|record| record.as_name.as_deref() == record.asn.and_then(|asn| collector.as_name(asn)))
    );
}

#[test]
fn importing_again_with_the_same_key_changes_nothing() {
    let (all, geo) = (capture(), geo());
    for addresses in Addresses::ALL {
        let store = Memory::default();
        let first = take_in(&store, &all, &privacy(addresses, &geo));
        let before = store.segments();
        let again = take_in(&store, &all, &privacy(addresses, &geo));
        assert_eq!(again, Imported { new: 0, known: first.new, bytes: 0, ..first });
        assert_eq!(store.segments(), before);
        assert!(before.iter().all(|segment| segment.addresses == addresses || segment.rows == 0));
    }
}

/// Old segments and new ones, of servers with other settings, in one window.
#[test]
fn a_store_may_have_all_kinds_of_addresses() {
    let (all, geo) = (capture(), geo());
    let store = Memory::default();
    for addresses in Addresses::ALL {
        take_in(&store, &all, &privacy(addresses, &geo));
    }
    do_all(&store, &geo.current());
    let full = Memory::default();
    take_in(&full, &all, &Privacy::full());
    do_all(&full, &geo.current());
    for (start, results) in full.results() {
        let counts = store.results()[&start].counts;
        assert_eq!(counts.connections, 3 * results.counts.connections);
        assert_eq!(counts.excluded, results.counts.excluded.map(|count| 3 * count));
    }
}

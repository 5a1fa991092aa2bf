//! The store in a real ClickHouse keeps the promises of all stores.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod classified;
mod cluster;
#[path = "../../../store/tests/conformance/mod.rs"]
mod conformance;
mod expected;
mod killed;
mod nasty;
#[allow(dead_code)]
#[path = "../../../verdict/tests/origin/oracle.rs"]
mod oracle;
mod origin;
#[allow(dead_code)]
#[path = "../../../verdict/tests/origin/random.rs"]
mod origin_random;
mod quic;
#[allow(dead_code)]
#[path = "../../../verdict/tests/quic/random.rs"]
mod quic_random;
mod rights;
mod rollups;
mod server;
mod size;
#[allow(dead_code)]
#[path = "../../../verdict/tests/splitmix/mod.rs"]
mod splitmix;
mod statements;
mod tables;
mod workers;

use std::sync::atomic::{AtomicU32, Ordering};

use cutshort_clickhouse::{Address, ClickHouse, Layout, migrate};
use cutshort_packet::Packet;
use cutshort_store::{Added, Movable, Store};
use server::{is_available, server};

/// A database of its own.
struct Database {
    store: ClickHouse,
    address: Address,
}

impl Database {
    fn empty() -> Address {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        server().address("default").with_database(&name)
    }
}

impl conformance::Backend for Database {
    fn is_available() -> bool {
        is_available()
    }

    fn new() -> Self {
        let address = Self::empty();
        migrate(&address, &Layout::default()).unwrap();
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

conformance::suite!(Database);

/// Larger than what is sent at a time, and delivered twice.
#[test]
fn large_segments_are_kept_as_a_whole() {
    if !is_available() {
        return;
    }
    let database = <Database as conformance::Backend>::new();
    let packet = |at: i64| Packet {
        ip_id: (at % 60_000) as u16,
        seq: (at as u32).wrapping_mul(2_654_435_761),
        ..conformance::packet((at % 250) as u8, conformance::START + at * 1_000_000)
    };
    let segment = conformance::file((0..200_000).map(packet).collect());
    assert!(segment.bytes().len() > 1_000_000, "{}", segment.bytes().len());
    assert_eq!(database.store.append(&segment).unwrap(), Added::New);
    let found = conformance::groups(&database.store, conformance::START, 2);
    assert_eq!(found.iter().map(|(_, rows)| rows.len()).sum::<usize>(), 200_000);
}

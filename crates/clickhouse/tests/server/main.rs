//! The store in a real ClickHouse keeps the promises of all stores.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod cluster;
#[path = "../../../store/tests/conformance/mod.rs"]
mod conformance;
mod killed;
mod rights;
mod rollups;
mod server;

use std::sync::atomic::{AtomicU32, Ordering};

use cutshort_clickhouse::{Address, ClickHouse, Layout, migrate};
use cutshort_store::Store;
use server::server;

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
    fn new() -> Self {
        let address = Self::empty();
        migrate(&address, &Layout::default()).unwrap();
        Self { store: ClickHouse::open(&address).unwrap(), address }
    }

    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn reader(&self) -> Box<dyn Store> {
        Box::new(ClickHouse::open(&self.address).unwrap())
    }
}

conformance::suite!(Database);

//! The embedded store keeps the promises of all stores.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

#[path = "../../store/tests/conformance/mod.rs"]
mod conformance;
mod folder;

use cutshort_embedded::{Embedded, Options};
use cutshort_store::{Movable, Store};
use tempfile::TempDir;

struct Folder {
    store: Embedded,
    folder: TempDir,
}

impl conformance::Backend for Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { store: Embedded::open(folder.path(), Options { durable: false }).unwrap(), folder }
    }

    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn movable(&self) -> &dyn Movable {
        &self.store
    }

    fn reader(&self) -> Box<dyn Store> {
        Box::new(Embedded::open_reader(self.folder.path()).unwrap())
    }
}

conformance::suite!(Folder);

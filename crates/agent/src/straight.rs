//! Segments straight into a store, without a collector in between.

use cutshort_pipeline::live::{Collector, Delivered};
use cutshort_pipeline::{Ingest, IngestAnswer};
use cutshort_store::{Result, Store, StoreError};

/// Delivers segments into a store, without a collector.
pub struct StoreCollector {
    open: Box<Open>,
    store: Option<Box<dyn Store>>,
    ingest: Ingest,
}

type Open = dyn Fn() -> Result<Box<dyn Store>> + Send;

impl StoreCollector {
    /// Opens the store with `open` when the first segment arrives, because it may be down now, and again after an error,
    /// because its password may have changed.
    #[must_use]
    pub fn new(open: impl Fn() -> Result<Box<dyn Store>> + Send + 'static) -> Self {
        Self { open: Box::new(open), store: None, ingest: Ingest::default() }
    }

    fn keep(&mut self, segment: Vec<u8>) -> Result<IngestAnswer> {
        let store = match self.store.take() {
            Some(store) => store,
            None => (self.open)()?,
        };
        let store = self.store.insert(store);
        Ok(self.ingest.take(store.as_ref(), segment))
    }
}

impl Collector for StoreCollector {
    fn deliver(&mut self, _: &str, segment: Vec<u8>) -> Delivered {
        let delivered = match self.keep(segment) {
            Ok(IngestAnswer::New(_) | IngestAnswer::Known(_)) => return Delivered::Kept,
            Ok(IngestAnswer::Refused(why) | IngestAnswer::Forbidden(why)) => return Delivered::Refused(why),
            Ok(IngestAnswer::Full(why) | IngestAnswer::Later(why) | IngestAnswer::Failed(why)) => {
                Delivered::Later(why)
            }
            Err(StoreError::Refused(why)) => Delivered::Blocked(why),
            Err(error) => Delivered::Later(format!("{error:#}")),
        };
        self.store = None;
        delivered
    }
}

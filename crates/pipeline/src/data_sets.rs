//! Jobs over the stores of all data sets.

use cutshort_store::{Result, Store};
use cutshort_verdict::DataSet;

/// The store of each data set that there are packets of. Counts of different data sets are never added up, but jobs
/// treat all of them alike.
pub fn stores(store: &dyn Store) -> Result<Vec<&dyn Store>> {
    DataSet::WITH_RULES.into_iter().filter_map(|data_set| store.find(data_set).transpose()).collect()
}

//! The stores of other data sets: each in a directory of its own, within that of the data set `tcp`.

use std::path::Path;
use std::sync::{Mutex, OnceLock};

use cutshort_store::data_dir::subdirectory;
use cutshort_store::{Result, StoreError};
use cutshort_verdict::DataSet;

use super::folder::{DATABASE, PACKETS};
use super::{Embedded, guard};

/// The stores of other data sets, opened when they are first used. Always empty in these stores themselves.
#[derive(Default)]
pub(super) struct DataSets {
    stores: [OnceLock<Box<Embedded>>; DataSet::ALL.len()],
    /// Held while one of them is opened.
    opening: Mutex<()>,
}

/// The data sets that have a store within a directory, with the names of their directories.
pub(super) fn within(folder: &Path) -> impl Iterator<Item = (DataSet, &'static str)> + use<'_> {
    let named = DataSet::ALL.into_iter().filter_map(|data_set| Some((data_set, subdirectory(data_set)?)));
    let is_there =
        move |name: &str| [DATABASE, PACKETS].iter().any(|file| folder.join(name).join(file).exists());
    named.filter(move |(_, name)| is_there(name))
}

impl Embedded {
    /// Opens the stores of the other data sets that exist, so that what a crash has left in them is repaired.
    pub(super) fn open_data_sets(&self) -> Result<()> {
        DataSet::ALL.into_iter().try_for_each(|data_set| self.find_store(data_set).map(drop))
    }

    pub(super) fn find_store(&self, data_set: DataSet) -> Result<Option<&Self>> {
        if data_set == self.data_set {
            return Ok(Some(self));
        }
        let opened = self.data_sets.stores[data_set as usize].get();
        if let Some(store) = opened {
            return Ok(Some(store.as_ref()));
        }
        match subdirectory(data_set) {
            Some(name) if self.data_set == DataSet::Tcp && self.folder.has(&format!("{name}/{DATABASE}")) => {
                self.open_store(data_set, name).map(Some)
            }
            _ => Ok(None),
        }
    }

    pub(super) fn create_store(&self, data_set: DataSet) -> Result<&Self> {
        if let Some(store) = self.find_store(data_set)? {
            return Ok(store);
        }
        self.check_writer()?;
        match subdirectory(data_set).filter(|_| self.data_set == DataSet::Tcp) {
            Some(name) => self.open_store(data_set, name),
            None => Err(StoreError::Refused(format!(
                "the store of the data set {} does not keep the data set {data_set}",
                self.data_set
            ))),
        }
    }

    fn open_store(&self, data_set: DataSet, name: &str) -> Result<&Self> {
        let _opening = guard(&self.data_sets.opening);
        let slot = &self.data_sets.stores[data_set as usize];
        if slot.get().is_none() {
            let path = self.folder.path(name);
            let opened = match self.lock {
                Some(_) => Self::open_data_set(&path, data_set, self.options)?,
                None => Self::read_data_set(&path, data_set)?,
            };
            // Nobody else has opened it meanwhile.
            let _ = slot.set(Box::new(opened));
        }
        let store = slot.get().ok_or_else(|| StoreError::Failed(format!("no store of {data_set}").into()))?;
        Ok(store.as_ref())
    }
}

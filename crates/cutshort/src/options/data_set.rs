//! The data set that a command is about.

use clap::Args;
use cutshort_store::Store;
use cutshort_verdict::DataSet;

use crate::error::Error;

/// Which connections a command is about.
#[derive(Args)]
pub(crate) struct DataSetOption {
    /// Which connections: 'tcp', those of clients; 'origin', those that this host opens to other servers; or
    /// 'quic', those of clients over QUIC
    ///
    /// Data set 'origin' is about the upstreams of a proxy, databases and APIs: which of them refuse, reset,
    /// stall or close without an answer. Captures for it must be taken on the host that opens the
    /// connections, in both directions. Data set 'quic' is seen from the client's UDP datagrams alone.
    #[arg(long, value_name = "DATASET", default_value = "tcp", value_parser = data_set)]
    dataset: DataSet,
    /// Same as --dataset origin
    #[arg(long, conflicts_with = "dataset")]
    origin: bool,
    /// Same as --dataset quic
    #[arg(long, conflicts_with_all = ["dataset", "origin"])]
    quic: bool,
}

impl DataSetOption {
    pub(crate) const fn data_set(&self) -> DataSet {
        match (self.origin, self.quic) {
            (true, _) => DataSet::Origin,
            (_, true) => DataSet::Quic,
            _ => self.dataset,
        }
    }

    /// The flag for this data set after the others of a command that is shown.
    pub(crate) fn flag(&self) -> String {
        match self.data_set() {
            DataSet::Tcp => String::new(),
            data_set => format!(" --dataset {data_set}"),
        }
    }

    /// The store of this data set, which the whole store leads to.
    pub(crate) fn find<'a>(&self, store: &'a dyn Store) -> Result<&'a dyn Store, Error> {
        let data_set = self.data_set();
        store.find(data_set)?.ok_or_else(|| {
            Error::Failed(format!(
                "the store has no packets of the data set {data_set}: 'cutshort import --dataset {data_set}' puts \
                 captures into it"
            ))
        })
    }
}

fn data_set(name: &str) -> Result<DataSet, String> {
    name.parse().map_err(|_| {
        let names = DataSet::ALL.map(DataSet::name);
        format!("the data sets are {}", names.join(", "))
    })
}

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
    #[arg(long, value_name = "DATASET", default_value = "tcp", value_parser = one_data_set)]
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

/// Which data sets captures are read for, in one reading.
#[derive(Args)]
pub(crate) struct DataSetsOption {
    /// Which connections: 'tcp', those of clients; 'origin', those that this host opens to other servers;
    /// 'quic', those of clients over QUIC; or several of them, separated by commas
    ///
    /// Captures for 'origin' must be taken on the host that opens the connections, in both directions.
    /// Data set 'quic' is seen from the client's UDP datagrams alone.
    #[arg(long, value_name = "DATASET,...", default_value = "tcp", value_delimiter = ',', value_parser = data_set)]
    dataset: Vec<DataSet>,
    /// Same as --dataset origin
    #[arg(long, conflicts_with = "dataset")]
    origin: bool,
    /// Same as --dataset quic
    #[arg(long, conflicts_with_all = ["dataset", "origin"])]
    quic: bool,
}

impl DataSetsOption {
    /// Each once, in the order of their numbers.
    pub(crate) fn data_sets(&self) -> Vec<DataSet> {
        let of_flags = [(self.origin, DataSet::Origin), (self.quic, DataSet::Quic)];
        let flag = of_flags.iter().find(|(is_given, _)| *is_given).map(|(_, data_set)| *data_set);
        let is_meant = |data_set: &DataSet| match flag {
            Some(flag) => *data_set == flag,
            None => self.dataset.contains(data_set),
        };
        DataSet::ALL.into_iter().filter(is_meant).collect()
    }
}

/// The flag for a data set after the others of a command that is shown.
pub(crate) fn flag_of(data_set: DataSet) -> String {
    match data_set {
        DataSet::Tcp => String::new(),
        data_set => format!(" --dataset {data_set}"),
    }
}

fn data_set(name: &str) -> Result<DataSet, String> {
    name.parse().map_err(|_| {
        let names = DataSet::ALL.map(DataSet::name);
        format!("the data sets are {}", names.join(", "))
    })
}

pub(crate) fn one_data_set(name: &str) -> Result<DataSet, String> {
    match name.contains(',') {
        true => Err("name one data set; only 'cutshort import' fills several at once".to_owned()),
        false => data_set(name),
    }
}

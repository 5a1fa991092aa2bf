//! `cutshort clickhouse`: the tables of a store in ClickHouse.

use std::io::Write;

use clap::{Args, ColorChoice, Subcommand};
use cutshort_clickhouse::{Layout, migrate, schema};
use cutshort_settings::store_address;
use cutshort_verdict::DataSet;

use crate::error::{Done, Error};
use crate::terminal::{self, message};

/// Show or create the tables of a store in ClickHouse
#[derive(Subcommand)]
pub(crate) enum Tables {
    /// Print the statements that create the tables, for somebody else to run
    Schema(Place),
    /// Create missing tables and update old ones; safe to repeat
    Migrate(Place),
}

#[derive(Args)]
pub(crate) struct Place {
    /// Store in ClickHouse: clickhouse://USER@HOST:8123/DATABASE
    #[arg(long, value_name = "URL")]
    store: String,
    /// Cluster from the servers' configuration: distribute over its shards, replicate within each
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
}

impl Place {
    fn layout(&self, data_set: DataSet) -> Layout {
        Layout { cluster: self.cluster.clone(), data_set }
    }
}

pub(crate) fn run(arguments: &Tables, color: ColorChoice) -> Result<Done, Error> {
    match arguments {
        Tables::Schema(place) => {
            let address = store_address(&place.store)?;
            let of = |data_set| schema(address.of_data_set(data_set).database(), &place.layout(data_set));
            let statements: Vec<String> = DataSet::WITH_RULES.into_iter().flat_map(of).collect();
            terminal::print(color, |text| {
                statements.iter().try_for_each(|statement| writeln!(text, "{statement};\n"))?;
                Ok(())
            })?;
        }
        Tables::Migrate(place) => {
            let address = store_address(&place.store)?;
            for data_set in DataSet::WITH_RULES {
                migrate(&address, &place.layout(data_set))?;
            }
            message(&format!("the tables of {address} are up to date"));
        }
    }
    Ok(Done::Whole)
}

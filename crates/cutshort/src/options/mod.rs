//! Options that several verbs share, and what turns their texts into values.

mod addresses;
mod captures;
mod data;
mod data_set;
mod ends;
mod geo;
mod rules;
pub(crate) mod time;

pub(crate) use addresses::AddressOptions;
pub(crate) use captures::Inputs;
pub(crate) use data::Data;
pub(crate) use data_set::{DataSetOption, DataSetsOption, flag_of, one_data_set};
pub(crate) use ends::Ends;
pub(crate) use geo::{GeoFiles, open_geo};
pub(crate) use rules::Rules;
pub(crate) use time::{RecentRange, TimeRange};

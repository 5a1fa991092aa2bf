//! Cells at rest.

use rusqlite::{Connection, Transaction};

use crate::cell::Cells;
use crate::{Bucket, Result, RollupAnswer, RollupQuery};

pub(crate) fn create(_sql: &Connection) -> Result<()> {
    Ok(())
}

pub(crate) fn replace_window(_sql: &Transaction<'_>, _window: i64, _cells: &Cells) -> Result<()> {
    Ok(())
}

pub(crate) fn roll(_sql: &mut Connection) -> Result<()> {
    Ok(())
}

pub(crate) fn query(_sql: &Connection, _query: &RollupQuery) -> Result<RollupAnswer> {
    Ok(RollupAnswer::default())
}

pub(crate) fn delete_before(_sql: &Transaction<'_>, _level: Bucket, _t: i64) -> Result<()> {
    Ok(())
}

pub(crate) fn bytes(_sql: &Connection) -> Result<u64> {
    Ok(0)
}

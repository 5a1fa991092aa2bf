//! Checks that counts can be read and agree with each other.

use std::collections::{BTreeMap, BTreeSet};

use cutshort_counts::RowPlace;
use cutshort_counts::bytes::Broken;
use cutshort_counts::packed_cells::PackedCells;
use cutshort_counts::totals::Totals;
use cutshort_model::Window;
use cutshort_verdict::Stage;
use rusqlite::Connection;

use super::damaged;
use super::level::Level;
use super::servers;
use crate::error::{Error, Result};

/// The levels, in the order of their stored numbers.
pub(super) const LEVELS: [Level; 5] =
    [Level::FifteenMinutes, Level::Hour, Level::Day, Level::HourRest, Level::DayRest];

/// The connections that the rows of one level and time count: those of the world, of countries, and of networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums([u64; 3]);

impl Sums {
    pub(super) fn add(&mut self, place: i64, connections: u64) {
        let networks = RowPlace::Networks(0).number();
        let kind = if place == RowPlace::World.number() { 0 } else { 1 + usize::from(place >= networks) };
        self.0[kind] += connections;
    }

    /// The number that the rows of networks count.
    pub(super) const fn networks(self) -> u64 {
        self.0[2]
    }

    /// The number of connections, if all rows agree.
    pub(super) fn whole(self) -> Option<u64> {
        let [world, locations, networks] = self.0;
        (world == locations && world == networks).then_some(world)
    }
}

/// What a row counts: connections and exclusions.
pub(super) fn counted(totals: &[u8]) -> std::result::Result<u64, Broken> {
    let mut sum = 0;
    Totals::parse(totals)?.each(|_, _, count| sum += count.sampled)?;
    Ok(sum)
}

pub(super) fn check_cells(cells: &[u8]) -> std::result::Result<(), Broken> {
    PackedCells::parse(cells)?.each(|_, _| {})
}

/// Reads every row and returns what is wrong. Counts that are known to be incomplete (`lost`, by level and time as
/// stored) are left out.
pub fn check(connection: &Connection, lost: &BTreeSet<(i64, i64)>) -> Result<Vec<Error>> {
    let mut wrong = Vec::new();
    let mut sums: BTreeMap<(i64, i64), Sums> = BTreeMap::new();
    each(connection, "SELECT level, place, t, cells FROM rollup", |level, place, t, cells| {
        wrong.extend(check_cells(cells).err().map(|why| damaged(level_of(level), place, t, why)));
    })?;
    each(connection, "SELECT level, place, t, totals FROM rollup_total", |level, place, t, totals| {
        match counted(totals) {
            Ok(sum) => sums.entry((level, t)).or_default().add(place, sum),
            Err(why) => wrong.push(damaged(level_of(level), place, t, why)),
        }
    })?;
    wrong.extend(servers::check(connection)?);
    let unequal = sums.iter().filter(|(at, sums)| sums.whole().is_none() && !lost.contains(at));
    wrong.extend(unequal.map(|((level, t), _)| {
        damaged(
            level_of(*level),
            RowPlace::World.number(),
            *t,
            Broken("countries or networks add up to another sum"),
        )
    }));
    Ok(wrong)
}

fn level_of(number: i64) -> Level {
    LEVELS.into_iter().find(|level| level.number() == number).unwrap_or(Level::FifteenMinutes)
}

fn each(connection: &Connection, select: &str, mut each: impl FnMut(i64, i64, i64, &[u8])) -> Result<()> {
    let mut select = connection.prepare(select)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
        each(row.get(0)?, row.get(1)?, row.get(2)?, bytes);
    }
    Ok(())
}

/// The number of connections in a window's own counts; none if these were deleted.
pub fn connections(connection: &Connection, window: Window) -> Result<Option<u64>> {
    if super::is_gone(connection, window)? {
        return Ok(None);
    }
    let of = [Level::FifteenMinutes.number(), RowPlace::World.number(), window.number()];
    let select = "SELECT totals FROM rollup_total WHERE level = ?1 AND place = ?2 AND t = ?3";
    let mut select = connection.prepare_cached(select)?;
    let mut rows = select.query(of)?;
    let Some(row) = rows.next()? else { return Ok(Some(0)) };
    let mut sum = 0;
    let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
    let totals = Totals::parse(bytes).and_then(|totals| {
        totals.each(|_, slot, count| {
            if slot < 2 * Stage::ALL.len() {
                sum += count.sampled;
            }
        })
    });
    totals.map_err(|why| damaged(Level::FifteenMinutes, RowPlace::World.number(), window.number(), why))?;
    Ok(Some(sum))
}

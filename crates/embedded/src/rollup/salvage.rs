//! Recovers counts from a damaged database.

use std::collections::{BTreeMap, BTreeSet};

use cutshort_counts::RowPlace;
use cutshort_counts::packed_cells::PackedCells;
use cutshort_counts::totals::{self, Folded};
use cutshort_model::Window;
use rusqlite::{Connection, Transaction, params};

use super::check::{LEVELS, Sums, check_cells, counted};
use super::level::Level;
use super::servers;
use crate::error::Result;
use crate::rescue::{Scan, scan};

/// The counts that could be read.
#[derive(Debug)]
pub struct Salvaged {
    sums: BTreeMap<(Level, i64), Sums>,
    /// Rows that exist but cannot be decoded.
    damaged: BTreeSet<(Level, i64)>,
    /// Rows of networks that have only totals.
    without_cells: BTreeSet<(Level, i64)>,
    gone: BTreeSet<i64>,
    /// Whether all rows could be reached.
    whole: bool,
}

impl Salvaged {
    /// Whether a window's own counts exist, and count this many 5-tuples. Windows whose counts were deleted have
    /// everything that they should.
    pub fn has(&self, window: Window, five_tuples: u64) -> bool {
        let t = window.number();
        let found = self.sums.get(&(Level::FifteenMinutes, t)).copied().unwrap_or_default();
        self.gone.contains(&t)
            || !self.damaged.contains(&(Level::FifteenMinutes, t)) && found.whole() == Some(five_tuples)
    }

    /// Whether the rows of networks, which are complete cells, count this many 5-tuples.
    pub fn has_networks(&self, window: Window, five_tuples: u64) -> bool {
        let at = (Level::FifteenMinutes, window.number());
        let found = self.sums.get(&at).copied().unwrap_or_default();
        !self.without_cells.contains(&at) && found.networks() == five_tuples
    }

    /// Hours and days whose counts are incomplete: name, stored level and start. Includes those that can be computed
    /// again.
    pub fn coarse_losses(&self) -> impl Iterator<Item = (&'static str, i64, i64)> {
        let unequal = self.sums.iter().filter(|(_, sums)| sums.whole().is_none()).map(|(at, _)| *at);
        let all: BTreeSet<(Level, i64)> = self.damaged.iter().copied().chain(unequal).collect();
        all.into_iter()
            .filter(|(level, _)| *level != Level::FifteenMinutes)
            .map(|(level, t)| (level.name(), level.number(), Window::from_number(t).start()))
    }

    /// Whether all rows could be reached.
    pub fn is_whole(&self) -> bool {
        self.whole && self.damaged.is_empty()
    }
}

/// Copies all rows that can be read, with what is recorded about them.
pub fn salvage(old: &Connection, new: &Transaction<'_>) -> Result<Salvaged> {
    let mut found = Salvaged {
        sums: BTreeMap::new(),
        damaged: BTreeSet::new(),
        without_cells: BTreeSet::new(),
        gone: BTreeSet::new(),
        whole: true,
    };
    copy_names(old, new, &mut found)?;
    for table in ["rollup_stale", "rollup_closed"] {
        let mut insert = new.prepare(&format!("INSERT OR IGNORE INTO {table} (level, t) VALUES (?, ?)"))?;
        let select = format!("SELECT level, t FROM {table}");
        found.note(scan(old, &select, &["level", "t"], [], |row| {
            insert.execute([row.get::<_, i64>(0)?, row.get(1)?]).map(drop)
        }));
    }
    let mut insert = new.prepare("INSERT OR IGNORE INTO rollup_gone (t) VALUES (?)")?;
    let mut gone = BTreeSet::new();
    found.note(scan(old, "SELECT t FROM rollup_gone", &["t"], [], |row| {
        gone.insert(row.get(0)?);
        insert.execute([row.get::<_, i64>(0)?]).map(drop)
    }));
    found.gone = gone;
    let places = RowPlace::all_locations().map(RowPlace::of_location).chain(RowPlace::all_networks());
    for place in std::iter::once(RowPlace::World).chain(places) {
        for level in LEVELS {
            copy_rows(old, new, level, place, &mut found)?;
        }
    }
    copy_servers(old, new, &mut found)?;
    mark_stale(new, &found)?;
    Ok(found)
}

impl Salvaged {
    fn note(&mut self, scan: Scan) {
        self.whole &= scan == Scan::Whole;
    }
}

fn copy_names(old: &Connection, new: &Transaction<'_>, found: &mut Salvaged) -> Result<()> {
    let mut insert = new.prepare("INSERT OR IGNORE INTO rollup_node (id, name) VALUES (?, ?)")?;
    let mut names: BTreeMap<i64, String> = BTreeMap::new();
    found.note(scan(old, "SELECT id, name FROM rollup_node NOT INDEXED", &["id"], [], |row| {
        names.insert(row.get(0)?, row.get(1)?);
        Ok(())
    }));
    let last = names.keys().next_back().copied().unwrap_or(-1);
    for id in 0..=last {
        // A number must not be given to another server.
        let name = names.remove(&id).unwrap_or_else(|| format!("unknown-{id}"));
        insert.execute(params![id, name])?;
    }
    Ok(())
}

fn copy_rows(
    old: &Connection,
    new: &Transaction<'_>,
    level: Level,
    place: RowPlace,
    found: &mut Salvaged,
) -> Result<()> {
    let of = [level.number(), place.number()];
    let mut read = |select: &str| {
        let mut rows: BTreeMap<i64, Vec<u8>> = BTreeMap::new();
        let state = scan(old, select, &["t"], of, |row| {
            rows.insert(row.get(0)?, row.get(1)?);
            Ok(())
        });
        found.note(state);
        rows
    };
    let cells = read("SELECT t, cells FROM rollup WHERE level = ? AND place = ?");
    let mut totals = read("SELECT t, totals FROM rollup_total WHERE level = ? AND place = ?");
    let mut insert_cells =
        new.prepare_cached("INSERT OR IGNORE INTO rollup (level, place, t, cells) VALUES (?, ?, ?, ?)")?;
    let mut insert_totals = new
        .prepare_cached("INSERT OR IGNORE INTO rollup_total (level, place, t, totals) VALUES (?, ?, ?, ?)")?;
    let damaged: Vec<i64> = totals.iter().filter(|(_, row)| counted(row).is_err()).map(|(t, _)| *t).collect();
    for t in damaged {
        totals.remove(&t);
        found.damaged.insert((level, t));
    }
    let has_cells = |t: &i64| cells.get(t).is_some_and(|cells| check_cells(cells).is_ok());
    if matches!(place, RowPlace::Networks(_)) {
        found.without_cells.extend(totals.keys().filter(|t| !has_cells(t)).map(|t| (level, *t)));
    }
    for (t, cells) in cells {
        if check_cells(&cells).is_err() {
            found.damaged.insert((level, t));
            continue;
        }
        insert_cells.execute(params![of[0], of[1], t, cells])?;
        totals.entry(t).or_insert_with(|| made_of(&cells));
    }
    for (t, totals) in totals {
        let sum = counted(&totals).unwrap_or_default();
        found.sums.entry((level, t)).or_default().add(place.number(), sum);
        insert_totals.execute(params![of[0], of[1], t, totals])?;
    }
    Ok(())
}

/// Copies the counts of servers. A window whose servers cannot be read is computed again, or else has none.
fn copy_servers(old: &Connection, new: &Transaction<'_>, found: &mut Salvaged) -> Result<()> {
    if !servers::exists(old).unwrap_or(false) {
        return Ok(());
    }
    let mut insert = new.prepare("INSERT OR IGNORE INTO rollup_server (t, servers) VALUES (?, ?)")?;
    let mut damaged = BTreeSet::new();
    found.note(scan(old, "SELECT t, servers FROM rollup_server", &["t"], [], |row| {
        let (t, bytes): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        if servers::is_whole(&bytes) {
            return insert.execute(params![t, bytes]).map(drop);
        }
        damaged.insert((Level::FifteenMinutes, t));
        Ok(())
    }));
    found.damaged.extend(damaged);
    Ok(())
}

/// Computes totals from cells. Whether networks are counted as `other` is no longer known, so it is assumed.
fn made_of(cells: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    let read =
        PackedCells::parse(cells).and_then(|cells| cells.each(|packed, count| all.push((packed, count))));
    debug_assert!(read.is_ok(), "it was checked");
    let ports = Folded::of(&all).ports;
    totals::pack(&all, Folded { networks: true, ports })
}

/// Marks hours and days that are incomplete, but whose parts all exist, to be computed again.
fn mark_stale(new: &Transaction<'_>, found: &Salvaged) -> Result<()> {
    let mark = "INSERT OR IGNORE INTO rollup_stale (level, t)
                SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM rollup_closed WHERE level = ?1 AND t = ?2)";
    let mut mark = new.prepare(mark)?;
    for level in [Level::Hour, Level::Day] {
        let parts = found.sums.keys().filter(|(part, _)| level.finer() == Some(*part));
        for t in parts.map(|(_, t)| level.start(*t)).collect::<BTreeSet<_>>() {
            let is_whole = found.sums.get(&(level, t)).is_some_and(|sums| sums.whole().is_some());
            if !is_whole || found.damaged.contains(&(level, t)) {
                mark.execute([level.number(), t])?;
            }
        }
    }
    Ok(())
}

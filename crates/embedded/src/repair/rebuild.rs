//! Builds a new database from the files of a store, and from what can be read of the old one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use cutshort_model::{Window, date_time, nanoseconds, now, quantity};
use cutshort_store::connection_file::read as read_connections;
use cutshort_store::{Provenance, Segment, SegmentId, StoreError};
use rusqlite::{Connection, Transaction};

use super::old::{self, Old, OldSegment, OldWindow};
use super::{Repaired, UNFINISHED, copy_aside, open_old, put_in_place, remove_unfinished};
use crate::database::Database;
use crate::error::Result;
use crate::folder::{CONNECTIONS, DATABASE, Folder, PACKETS};
use crate::{catalog, rollup};

pub(super) fn rebuild(files: &Folder, repaired: &mut Repaired) -> Result<()> {
    remove_unfinished(files, UNFINISHED)?;
    let is_there = files.has(DATABASE);
    let new = Database::create(&files.path(UNFINISHED), true)?;
    let sql = if is_there { open_old(&files.path(DATABASE)) } else { None };
    let mut rebuilding = Rebuilding { files, repaired, old: sql.as_ref().map(old::read).unwrap_or_default() };
    new.write(|connection| {
        let transaction = connection.transaction()?;
        rebuilding.run(sql.as_ref(), &transaction)?;
        transaction.commit()?;
        // All of it goes into one file.
        Ok(connection.pragma_update(None, "journal_mode", "DELETE")?)
    })?;
    drop((new, sql));
    if is_there {
        repaired.aside.push(copy_aside(files, DATABASE)?);
    }
    put_in_place(files, UNFINISHED, DATABASE)
}

struct Rebuilding<'a> {
    files: &'a Folder,
    repaired: &'a mut Repaired,
    old: Old,
}

impl Rebuilding<'_> {
    fn run(&mut self, sql: Option<&Connection>, new: &Transaction<'_>) -> Result<()> {
        let with_packets = self.segments(new)?;
        let counts = sql.map(|old| rollup::salvage(old, new)).transpose()?;
        if let Some(old) = sql {
            old::copy_notes(old, new)?;
        }
        self.windows(new, counts.as_ref(), &with_packets)?;
        self.windows_without_row(new, &with_packets)?;
        self.report_hours(new, counts.as_ref())
    }

    /// Inserts the segments of all files, and earlier ones that have no file. Returns the windows that have packets.
    fn segments(&mut self, new: &Transaction<'_>) -> Result<BTreeSet<Window>> {
        let mut windows = BTreeSet::new();
        let (mut with_file, mut paths) = (BTreeSet::<SegmentId>::new(), BTreeSet::new());
        for path in self.files.files(PACKETS)? {
            let segment = match Segment::parse(self.files.read(&path)?) {
                Ok(segment) => segment,
                // It is set aside when the store is opened.
                Err(StoreError::Refused(_)) => continue,
                Err(other) => return Err(other.into()),
            };
            if with_file.insert(segment.info().id) {
                self.segment(new, &segment, &path)?;
                windows.extend(segment.windows().keys());
                paths.insert(path);
            }
        }
        // A row of another segment with the path of a file is none of before, but damaged.
        let is_of_before =
            |segment: &&OldSegment| !with_file.contains(&segment.id) && !paths.contains(&segment.path);
        for segment in self.old.segments.values().filter(is_of_before) {
            segment.insert(new)?;
        }
        self.repaired.segments = with_file.len() as u64;
        Ok(windows)
    }

    /// What a file says takes precedence over a row, whose values may be damaged.
    fn segment(&self, new: &Transaction<'_>, segment: &Segment, path: &str) -> Result<()> {
        let info = segment.info();
        // The id of a capture's packets is made of them; of others only the checksum of before tells.
        let before = self.old.segments.get(&info.id).filter(|before| before.is_of(segment, path));
        let crc = match before.filter(|_| info.origin != Provenance::File) {
            Some(before) => before.crc,
            None => crc32fast::hash(segment.bytes()),
        };
        let arrived = self.modified(path)?;
        let file = (path, segment.bytes().len() as u64, crc);
        catalog::add_segment(new, info, segment.windows().keys().copied(), file, arrived).map(drop)
    }

    /// When a file was written, in nanoseconds since the Unix epoch.
    fn modified(&self, path: &str) -> Result<i64> {
        let metadata = fs::metadata(self.files.path(path));
        let metadata = metadata.map_err(|error| self.files.error("read", path, error))?;
        Ok(metadata.modified().map_or_else(|_| now(), nanoseconds))
    }

    /// Keeps previous results that are complete, and those that cannot be computed again.
    fn windows(
        &mut self,
        new: &Transaction<'_>,
        counts: Option<&rollup::Salvaged>,
        with_packets: &BTreeSet<Window>,
    ) -> Result<()> {
        for (old, updated) in self.old.windows.values() {
            let has_counts = counts.is_some_and(|counts| counts.has(old.window, old.counted()));
            let can_be_made = !old.frozen && with_packets.contains(&old.window);
            if !has_counts && can_be_made {
                rollup::forget_window(new, old.window)?;
                continue;
            }
            old.insert(new, *updated)?;
            self.repaired.windows += 1;
            let has_networks = counts.is_some_and(|counts| counts.has_networks(old.window, old.counted()));
            if !has_counts && has_networks {
                rollup::rewrite_window(new, old.window)?;
            } else if !has_counts {
                note_lost(new, 0, old.window.start())?;
                self.repaired.lost.push(format!(
                    "counts of the window of {} UTC, some or all: they could not be read, and its packets are gone",
                    old.window
                ));
            }
        }
        Ok(())
    }

    /// Inserts windows that only a file of connections names. Those that can be computed again are; the connections
    /// of the others are kept, without counts. If packets of a window were deleted, the remaining ones are not
    /// enough.
    fn windows_without_row(&mut self, new: &Transaction<'_>, with_packets: &BTreeSet<Window>) -> Result<()> {
        for old in self.connections_without_row()?.into_values() {
            let window = old.window;
            let has_deleted = self.old.segments.values().any(|segment| {
                let touches = |(first, last): (i64, i64)| first < window.end() && last >= window.start();
                segment.is_deleted() && segment.times.is_some_and(touches)
            });
            if with_packets.contains(&window) && !has_deleted {
                rollup::forget_window(new, window)?;
                continue;
            }
            let updated = self.modified(old.path.as_deref().unwrap_or_default())?;
            old.insert(new, updated)?;
            note_lost(new, 0, window.start())?;
            self.repaired.lost.push(format!(
                "what was known of the window of {window} UTC besides its counts: its packets are gone; {} of it are kept",
                quantity(old.counted(), "connection")
            ));
        }
        Ok(())
    }

    /// The windows of files of connections that no row names, the latest file of each window.
    fn connections_without_row(&self) -> Result<BTreeMap<Window, OldWindow>> {
        let mut found: BTreeMap<Window, OldWindow> = BTreeMap::new();
        let named: BTreeSet<&String> =
            self.old.windows.values().filter_map(|(window, _)| window.path.as_ref()).collect();
        for path in self.files.files(CONNECTIONS)? {
            let Some(generation) = generation(&path).filter(|_| !named.contains(&path)) else { continue };
            let Some(old) = self.window_of_file(&path, generation)? else { continue };
            let is_known = self.old.windows.contains_key(&old.window);
            if !is_known && found.get(&old.window).is_none_or(|other| other.generation() < generation) {
                found.insert(old.window, old);
            }
        }
        Ok(found)
    }

    /// What a file of connections says about its window; none if it is empty or cannot be read.
    fn window_of_file(&self, path: &str, generation: i64) -> Result<Option<OldWindow>> {
        let error = |error| self.files.error("read", path, error);
        let file = fs::File::open(self.files.path(path)).map_err(error)?;
        let bytes = file.metadata().map_err(error)?.len().cast_signed();
        let Ok(records) = read_connections(file) else { return Ok(None) };
        let (mut count, mut window) = (0, None);
        for record in records {
            let Ok(record) = record else { return Ok(None) };
            window = window.or_else(|| Some(Window::containing(record.first_us.saturating_mul(1_000))));
            count += 1;
        }
        Ok(window.map(|window| OldWindow::of_connections(window, generation, path, bytes, count)))
    }

    /// Reports hours and days that are incomplete and cannot be computed again.
    fn report_hours(&mut self, new: &Transaction<'_>, counts: Option<&rollup::Salvaged>) -> Result<()> {
        for (level, number, start) in counts.iter().flat_map(|counts| counts.coarse_losses()) {
            if !rollup::is_stale(new, number, start)? {
                note_lost(new, number, start)?;
                self.repaired.lost.push(format!("some counts of the {level} of {} UTC", date_time(start)));
            }
        }
        if !(self.old.whole && counts.is_some_and(rollup::Salvaged::is_whole)) {
            self.repaired.lost.push(
                "whatever stood in the parts of the database that cannot be read: counts of which the packets are gone may be missing"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

/// Records that counts are incomplete, so that they are not reported as damaged again.
fn note_lost(new: &Transaction<'_>, level: i64, start: i64) -> Result<()> {
    let note = "INSERT OR IGNORE INTO lost_counts (level, t) VALUES (?, ?)";
    new.prepare_cached(note)?.execute([level, Window::containing(start).number()])?;
    Ok(())
}

/// The generation number in the name of a file of connections.
fn generation(path: &str) -> Option<i64> {
    path.strip_suffix(".parquet")?.rsplit_once('-')?.1.parse().ok()
}

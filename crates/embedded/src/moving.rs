//! Reads and writes everything unchanged, for copying between stores.

use cutshort_model::{Addresses, ConnectionRecord, Window, now};
use cutshort_store::cell::Cells;
use cutshort_store::{
    Inputs, Movable, Rest, Restoration, Segment, SegmentId, SegmentInfo, StoreError, WindowCounts,
    WindowResults,
};
use cutshort_verdict::DataSet;
use rusqlite::{Connection, OptionalExtension, params};

use super::catalog::{self, FileState};
use super::connections::{ATTEMPTS, StoredFile};
use super::folder::segment_path;
use super::{Embedded, damage, forget, rollup};
use crate::error::Result;

impl Movable for Embedded {
    fn find_movable(&self, data_set: DataSet) -> cutshort_store::Result<Option<&dyn Movable>> {
        Ok(self.find_store(data_set)?.map(|store| store as &dyn Movable))
    }

    fn movable_of(&self, data_set: DataSet) -> cutshort_store::Result<&dyn Movable> {
        Ok(self.create_store(data_set)?)
    }

    fn segments(&self) -> cutshort_store::Result<Vec<SegmentId>> {
        Ok(self.database.read(|sql| {
            let mut select =
                sql.prepare("SELECT id FROM segment WHERE state = ? ORDER BY covers_from, id")?;
            let rows = select.query_map([FileState::Kept as i64], |row| catalog::id_of(row, 0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })?)
    }

    fn read_segment(&self, id: SegmentId) -> cutshort_store::Result<Segment> {
        let path = self.database.read(|sql| {
            let mut select = sql.prepare_cached("SELECT path FROM segment WHERE id = ? AND state = ?")?;
            Ok(select
                .query_row((catalog::id_bytes(id), FileState::Kept as i64), |row| row.get::<_, String>(0))
                .optional()?)
        })?;
        let path = path.ok_or_else(|| StoreError::Refused(format!("segment {id} is not kept")))?;
        match Segment::parse(self.folder.read(&path)?) {
            Err(StoreError::Refused(why)) => Err(StoreError::Damaged(format!("{path}: {why}").into())),
            parsed => parsed,
        }
    }

    fn deleted_segments(&self) -> cutshort_store::Result<Vec<SegmentInfo>> {
        Ok(self.database.read(|sql| {
            let addresses = catalog::protected(sql)?.first().copied().unwrap_or_default();
            deleted(sql, self.data_set, addresses)
        })?)
    }

    fn note_deleted(&self, segments: &[SegmentInfo]) -> cutshort_store::Result<()> {
        self.check_writer()?;
        Ok(self.database.write(|sql| {
            let transaction = sql.transaction()?;
            for info in segments {
                if !catalog::is_known(&transaction, info.id)? {
                    let path = segment_path(info);
                    let (none, file) = (std::iter::empty(), (path.as_str(), 0, 0));
                    let key = catalog::add_segment(&transaction, info, none, file, now())?;
                    catalog::set_state(&transaction, key, FileState::Deleted)?;
                }
            }
            Ok(transaction.commit()?)
        })?)
    }

    fn read_results(
        &self,
        window: Window,
        each: &mut dyn FnMut(&ConnectionRecord<'_>) -> cutshort_store::Result<()>,
    ) -> cutshort_store::Result<Option<WindowResults>> {
        for _ in 0..ATTEMPTS {
            let Some((results, file)) = self.database.read(|sql| results(sql, window))? else {
                return Ok(None);
            };
            let Some(file) = file else { return Ok(Some(results)) };
            let Some(records) = self.open_connections(&file)? else { continue };
            let damaged = |why: &str| {
                StoreError::Damaged(
                    format!("{}: {why}. Run 'cutshort store verify' for all that is damaged", file.path)
                        .into(),
                )
            };
            let mut records = records.map_err(|why| damaged(&why))?;
            while let Some(record) = records.next_record().map_err(|error| damaged(&error.to_string()))? {
                each(&record)?;
            }
            return Ok(Some(results));
        }
        Err(StoreError::Damaged(
            format!(
                "the connections of the window of {window} UTC are gone, and nobody here has deleted them"
            )
            .into(),
        ))
    }

    fn restore(&self, window: Window) -> cutshort_store::Result<Box<dyn Restoration + '_>> {
        self.check_writer()?;
        Ok(Box::new(self.begin_restoration(window)?))
    }

    fn rests(&self) -> cutshort_store::Result<Vec<Rest>> {
        Ok(self.database.read(rollup::rests)?)
    }

    fn read_rest(&self, rest: Rest) -> cutshort_store::Result<Cells> {
        Ok(self.database.read(|sql| rollup::read_rest(sql, rest))?)
    }

    fn restore_rest(&self, rest: Rest, cells: &Cells) -> cutshort_store::Result<()> {
        self.check_writer()?;
        Ok(self.database.write(|sql| {
            let transaction = sql.transaction()?;
            rollup::restore_rest(&transaction, rest, cells)?;
            Ok(transaction.commit()?)
        })?)
    }
}

fn deleted(sql: &Connection, data_set: DataSet, addresses: Addresses) -> Result<Vec<SegmentInfo>> {
    let mut select = sql.prepare(
        "SELECT id, node, origin, covers_from, covers_to, first, last, rows FROM segment WHERE state = ?",
    )?;
    let rows = select
        .query_map([FileState::Deleted as i64], |row| forget::segment_info(row, data_set, addresses))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A window's results, and the file of its connections.
fn results(sql: &Connection, window: Window) -> Result<Option<(WindowResults, Option<StoredFile>)>> {
    let Some(state) = catalog::windows(sql, &window.range())?.pop() else { return Ok(None) };
    let (tail, excluded) = (catalog::tail(sql)?, catalog::excluded(sql)?);
    let mut select = sql.prepare_cached(&format!(
        "SELECT segments, cutoff, rules, packets, copies, connections, path, {tail}, {}
         FROM window WHERE start = ?",
        excluded.join(", ")
    ))?;
    let found = select.query_row(params![window.start()], |row| {
        let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
        let inputs = Inputs { segments: number(0)?, cutoff: row.get(1)?, rules: number(2)? };
        let excluded = catalog::excluded_of(row, 8)?;
        let (packets, duplicates, connections, tail) = (number(3)?, number(4)?, number(5)?, number(7)?);
        let counts = WindowCounts { packets, duplicates, tail, connections, excluded };
        Ok((inputs, counts, row.get::<_, Option<String>>(6)?))
    });
    let Some((inputs, counts, path)) = found.optional()? else { return Ok(None) };
    let (has_connections, cells) = (path.is_some(), rollup::cells(sql, window)?);
    let file =
        path.map(|path| damage::connections_crc(sql, &path).map(|crc| StoredFile { window, path, crc }));
    Ok(Some((
        WindowResults { inputs, counts, frozen: state.frozen, has_connections, cells },
        file.transpose()?,
    )))
}

//! Reads stored connections.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::{Range, RangeInclusive};

use cutshort_model::{ConnectionRecord, Window};
use cutshort_store::connection_file::{Records, read};
use cutshort_store::{ConnectionQuery, First, OrderBy};

use super::folder::checksum;
use super::{Embedded, catalog, damage, guard};
use crate::error::Result;

/// How often results may be replaced between finding their file and opening it.
pub(super) const ATTEMPTS: usize = 10;

impl Embedded {
    /// The connections of a query in its order. Those by time are read window by window, until there are enough; any
    /// other order reads all windows of the range, and holds only `offset + limit` connections.
    pub(super) fn select_connections(
        &self,
        query: &ConnectionQuery,
    ) -> Result<Vec<ConnectionRecord<'static>>> {
        let windows = self.database.read(|sql| catalog::connection_paths(sql, &query.range))?;
        let mut windows: Vec<Window> = windows.into_iter().map(|(window, _)| window).collect();
        if query.order.descending {
            windows.reverse();
        }
        if query.order.by == OrderBy::Time {
            return self.by_time(query, windows);
        }
        let mut first = First::new(query.order, query.offset.saturating_add(query.limit));
        for window in windows {
            self.each_wanted(query, window, |record| first.offer(record))?;
        }
        Ok(first.into_records(query.offset).collect())
    }

    fn by_time(
        &self,
        query: &ConnectionQuery,
        windows: Vec<Window>,
    ) -> Result<Vec<ConnectionRecord<'static>>> {
        let (mut found, mut skip) = (Vec::new(), query.offset);
        for window in windows {
            if found.len() == query.limit {
                break;
            }
            let wanted = skip..skip.saturating_add(query.limit - found.len());
            let part = self.part(query, window, wanted)?;
            let mut first = First::new(query.order, part.positions.end);
            self.each_wanted(query, window, |record| {
                if part.seconds.contains(&second(record)) {
                    first.offer(record);
                }
            })?;
            found.extend(first.into_records(part.positions.start));
            skip = part.left;
        }
        Ok(found)
    }

    /// Where in a window the connections at these positions are. Far positions are found by counting the connections
    /// of each second, so that those before them need not be held.
    fn part(&self, query: &ConnectionQuery, window: Window, wanted: Range<usize>) -> Result<Part> {
        if wanted.start == 0 {
            return Ok(Part { seconds: i64::MIN..=i64::MAX, positions: wanted, left: 0 });
        }
        let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
        self.each_wanted(query, window, |record| *counts.entry(second(record)).or_default() += 1)?;
        let counts: Vec<(i64, usize)> = match query.order.descending {
            true => counts.into_iter().rev().collect(),
            false => counts.into_iter().collect(),
        };
        Ok(Part::of(&counts, &wanted))
    }

    /// Calls `each` with those connections of a window that a query selects.
    fn each_wanted(
        &self,
        query: &ConnectionQuery,
        window: Window,
        mut each: impl FnMut(&ConnectionRecord<'_>),
    ) -> Result<()> {
        self.each_of_window(window, |record| {
            if query.wants(record) {
                each(record);
            }
            true
        })
    }

    pub(super) fn visit_connections(
        &self,
        range: &Range<i64>,
        each: &mut dyn FnMut(ConnectionRecord<'static>) -> bool,
    ) -> Result<()> {
        let windows = self.database.read(|sql| catalog::connection_paths(sql, range))?;
        let mut goes_on = true;
        for (window, _) in windows {
            self.each_of_window(window, |record| {
                goes_on = each(record.clone().into_owned());
                goes_on
            })?;
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    /// Calls `each` with the connections of a window until it returns false. A file that cannot be read is set aside;
    /// the other windows are not affected.
    fn each_of_window(
        &self,
        window: Window,
        mut each: impl FnMut(&ConnectionRecord<'_>) -> bool,
    ) -> Result<()> {
        let mut last = None;
        // Results may be replaced between looking where they are and opening them; an open file is not affected.
        for _ in 0..ATTEMPTS {
            let Some(file) = self.connections_file(window)? else { return Ok(()) };
            match self.open_connections(&file)? {
                Some(Ok(mut records)) => match visit(&mut records, &mut each) {
                    Ok(()) => {
                        guard(&self.unreadable).remove(&window);
                        return Ok(());
                    }
                    Err(error) => return self.set_connections_aside(&file, &unreadable(&error)),
                },
                Some(Err(why)) => return self.set_connections_aside(&file, &why),
                None => last = Some(file),
            }
        }
        last.map_or(Ok(()), |file| self.set_connections_aside(&file, &gone(&file.path)))
    }

    /// The file of a window's connections; none if there are none.
    pub(super) fn connections_file(&self, window: Window) -> Result<Option<StoredFile>> {
        self.database.read(|sql| {
            let Some(path) = catalog::window_path(sql, window)?.flatten() else { return Ok(None) };
            let crc = damage::connections_crc(sql, &path)?;
            Ok(Some(StoredFile { window, path, crc }))
        })
    }

    /// Reads the connections of a file, or returns what is wrong with it; none if it does not exist, for example
    /// because results were replaced.
    pub(super) fn open_connections(&self, file: &StoredFile) -> Result<Option<Checked>> {
        let mut opened = match File::open(self.folder.path(&file.path)) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.folder.error("read", &file.path, error)),
        };
        let found = match file.crc {
            Some(_) => {
                Some(checksum(&mut opened).map_err(|error| self.folder.error("read", &file.path, error))?)
            }
            None => None,
        };
        if found != file.crc {
            return Ok(Some(Err(OTHER_BYTES.to_owned())));
        }
        Ok(Some(read(opened).map_err(|error| unreadable(&error))))
    }
}

/// A part of a window's connections in order of time.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    /// The seconds since the Unix epoch in which they begin.
    seconds: RangeInclusive<i64>,
    /// Their positions among the connections of these seconds.
    positions: Range<usize>,
    /// How many connections of the next windows have to be skipped.
    left: usize,
}

impl Part {
    /// The part at these positions, by the number of connections of each second in order.
    fn of(counts: &[(i64, usize)], wanted: &Range<usize>) -> Self {
        let (mut before, mut skipped, mut seconds) = (0, 0, Vec::new());
        for (second, count) in counts {
            if before + count <= wanted.start {
                skipped += count;
            } else if before < wanted.end {
                seconds.push(*second);
            }
            before += count;
        }
        let left = wanted.start.saturating_sub(before);
        match seconds.iter().min().zip(seconds.iter().max()) {
            Some((first, last)) => Self {
                seconds: *first..=*last,
                positions: wanted.start - skipped..wanted.end - skipped,
                left,
            },
            None => Self { seconds: RangeInclusive::new(1, 0), positions: 0..0, left },
        }
    }
}

/// The second since the Unix epoch in which a connection begins.
const fn second(record: &ConnectionRecord<'_>) -> i64 {
    record.first_us.div_euclid(1_000_000)
}

/// The file of a window's connections.
pub(super) struct StoredFile {
    pub(super) window: Window,
    pub(super) path: String,
    /// Its checksum; none if an earlier version wrote it, which did not record checksums.
    pub(super) crc: Option<u32>,
}

/// Connections, or why they cannot be read.
type Checked = std::result::Result<Records, String>;

pub(super) const OTHER_BYTES: &str = "its bytes are not those that were written";

pub(super) fn gone(path: &str) -> String {
    format!("{path} is gone, and nobody here has deleted it")
}

fn unreadable(error: &io::Error) -> String {
    format!("it cannot be read: {error}")
}

pub(super) fn visit(
    records: &mut Records,
    each: &mut impl FnMut(&ConnectionRecord<'_>) -> bool,
) -> io::Result<()> {
    while let Some(record) = records.next_record()? {
        if !each(&record) {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_by_the_counts_of_seconds() {
        let counts = [(9, 2), (8, 3), (5, 1)];
        let of = |wanted| {
            let part = Part::of(&counts, &wanted);
            (part.seconds, part.positions, part.left)
        };
        assert_eq!(of(1..2), (9..=9, 1..2, 0));
        assert_eq!(of(2..4), (8..=8, 0..2, 0));
        assert_eq!(of(3..6), (5..=8, 1..4, 0));
        assert_eq!(of(5..9), (5..=5, 0..4, 0));
        assert_eq!(of(6..9), (RangeInclusive::new(1, 0), 0..0, 0));
        assert_eq!(of(10..12).2, 4);
    }
}

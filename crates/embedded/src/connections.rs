//! Reads stored connections.

use std::fs::File;
use std::io;
use std::ops::Range;

use cutshort_model::{ConnectionRecord, Window};
use cutshort_store::connection_file::{Records, read};
use cutshort_store::{Choice, ConnectionQuery, Selection};
use cutshort_verdict::Tag;

use super::folder::checksum;
use super::{Embedded, catalog, damage, guard};
use crate::error::Result;

/// How often results may be replaced between finding their file and opening it.
pub(super) const ATTEMPTS: usize = 10;

impl Embedded {
    pub(super) fn select_connections(
        &self,
        query: &ConnectionQuery,
    ) -> Result<Vec<ConnectionRecord<'static>>> {
        let mut found = Vec::new();
        let mut passed = 0;
        let windows = self.database.read(|sql| catalog::connection_paths(sql, &query.range))?;
        for (window, _) in windows.into_iter().rev() {
            if found.len() == query.limit {
                break;
            }
            self.each_of_window(window, |record| {
                if !is_wanted(query, record) {
                    return true;
                }
                passed += 1;
                if passed > query.offset && found.len() < query.limit {
                    found.push(record.clone().into_owned());
                }
                found.len() < query.limit
            })?;
        }
        Ok(found)
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

fn is_wanted(query: &ConnectionQuery, record: &ConnectionRecord<'_>) -> bool {
    let any = |empty: bool, found: bool| empty || found;
    let tuple = &record.five_tuple;
    any(query.stages.is_empty(), query.stages.contains(&record.stage))
        && any(query.terminations.is_empty(), query.terminations.contains(&record.termination))
        && is_selected(&query.selection, record)
        && any(query.clients.is_empty(), query.clients.iter().any(|net| net.contains(&tuple.src())))
        && any(query.servers.is_empty(), query.servers.contains(&tuple.dst()))
}

fn is_selected(selection: &Selection, record: &ConnectionRecord<'_>) -> bool {
    let continent = record.location.map(cutshort_geo::Country::continent);
    selection.locations.has(record.location.as_ref())
        && selection.continents.has(continent.as_ref())
        && selection.asns.has(record.asn.as_ref())
        && has_tags(&selection.tags, record)
        && selection.signatures.has(record.signature.as_ref())
        && selection.ip_versions.has(Some(&record.ip_version()))
        && selection.ports.has(Some(&record.five_tuple.dst_port))
        && has_node(&selection.nodes, &record.node)
        && selection.answered.is_none_or(|answered| answered == record.tags.contains(Tag::Answered))
        && (!selection.completed || record.completed_handshake())
}

fn has_tags(tags: &Choice<Tag>, record: &ConnectionRecord<'_>) -> bool {
    let has = |tags: &[Tag]| tags.iter().any(|tag| record.tags.contains(*tag));
    (tags.include.is_empty() || has(&tags.include)) && !has(&tags.exclude)
}

fn has_node(nodes: &Choice<String>, node: &str) -> bool {
    let among = |names: &[String]| names.iter().any(|name| name == node);
    (nodes.include.is_empty() || among(&nodes.include)) && !among(&nodes.exclude)
}

//! Single connections, read back.

use std::fs::File;
use std::io;
use std::ops::Range;

use cutshort_report::connection::Record;
use cutshort_report::connection::read::{Records, read};
use cutshort_verdict::Tag;

use super::{Embedded, catalog};
use crate::{Choice, ConnectionQuery, Result, Selection, StoreError};

/// How often results may be replaced between looking where they are and opening them.
pub(super) const ATTEMPTS: usize = 10;

impl Embedded {
    pub(super) fn select_connections(&self, query: &ConnectionQuery) -> Result<Vec<Record<'static>>> {
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
        each: &mut dyn FnMut(Record<'static>) -> bool,
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

    /// Calls `each` with the connections of a window until it returns false.
    fn each_of_window(&self, window: i64, mut each: impl FnMut(&Record<'_>) -> bool) -> Result<()> {
        let Some((mut records, path)) = self.open_connections(window)? else { return Ok(()) };
        loop {
            match records.next_record() {
                Ok(Some(record)) if each(&record) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(damaged(&path, &error)),
            }
        }
    }

    /// A window's connections. Results that are replaced are looked for again; an open file is not affected.
    fn open_connections(&self, window: i64) -> Result<Option<(Records, String)>> {
        for _ in 0..ATTEMPTS {
            let path = self.database.read(|sql| catalog::window_path(sql, window))?;
            let Some(path) = path.flatten() else { return Ok(None) };
            if let Some(records) = self.open_file(&path)? {
                return Ok(Some((records, path)));
            }
        }
        Err(gone())
    }

    /// The connections of a file; none if it is not there, as where they were replaced.
    pub(super) fn open_file(&self, path: &str) -> Result<Option<Records>> {
        match File::open(self.folder.path(path)) {
            Ok(file) => read(file).map(Some).map_err(|error| damaged(path, &error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.folder.error("read", path, &error)),
        }
    }
}

pub(super) fn gone() -> StoreError {
    StoreError::Damaged("the connections of a window are gone, and nobody here has deleted them".to_owned())
}

pub(super) fn damaged(path: &str, error: &io::Error) -> StoreError {
    StoreError::Damaged(format!("{path} cannot be read: {error}"))
}

fn is_wanted(query: &ConnectionQuery, record: &Record<'_>) -> bool {
    let any = |empty: bool, found: bool| empty || found;
    let tuple = &record.five_tuple;
    any(query.stages.is_empty(), query.stages.contains(&record.stage))
        && any(query.terminations.is_empty(), query.terminations.contains(&record.termination))
        && is_selected(&query.selection, record)
        && any(query.clients.is_empty(), query.clients.iter().any(|net| net.contains(&tuple.src())))
        && any(query.servers.is_empty(), query.servers.contains(&tuple.dst()))
}

fn is_selected(selection: &Selection, record: &Record<'_>) -> bool {
    let continent = record.location.map(cutshort_geo::Country::continent);
    selection.locations.has(record.location.as_ref())
        && selection.continents.has(continent.as_ref())
        && selection.asns.has(record.asn.as_ref())
        && has_tags(&selection.tags, record)
        && selection.signatures.has(record.signature.as_ref())
        && selection.ip_versions.has(Some(&record.ip_version()))
        && selection.ports.has(Some(&record.five_tuple.dst_port))
        && has_node(&selection.nodes, &record.node)
        && selection.answered.is_none_or(|answered| answered == record.tags.has(Tag::Answered))
        && (!selection.completed || record.completed_handshake())
}

fn has_tags(tags: &Choice<Tag>, record: &Record<'_>) -> bool {
    let has = |tags: &[Tag]| tags.iter().any(|tag| record.tags.has(*tag));
    (tags.include.is_empty() || has(&tags.include)) && !has(&tags.exclude)
}

fn has_node(nodes: &Choice<String>, node: &str) -> bool {
    let among = |names: &[String]| names.iter().any(|name| name == node);
    (nodes.include.is_empty() || among(&nodes.include)) && !among(&nodes.exclude)
}

//! Annotations by operators.

use std::ops::Range;

use clickhouse::Row;
use cutshort_geo::Country;
use cutshort_model::now;
use cutshort_store::{Annotation, AnnotationKind, NewAnnotation, Result, StoreError};
use serde::{Deserialize, Serialize};

use crate::server::{Server, time};

#[derive(Row, Serialize, Deserialize)]
struct AnnotationRow {
    id: u64,
    version: u8,
    removed: bool,
    kind: String,
    start: i64,
    end: Option<i64>,
    description: String,
    linked_url: Option<String>,
    scope: Option<String>,
    locations: Vec<String>,
    asns: Vec<u32>,
    /// Cause and type of an outage; empty otherwise.
    outage: Vec<String>,
    /// The data set that it is about; empty if it applies to all.
    data_set: String,
}

const COLUMNS: &str = "id, version, removed, kind, start, end, description, linked_url, scope, locations, asns, outage, data_set";

pub(crate) fn list(server: &Server, range: &Range<i64>) -> Result<Vec<Annotation>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM annotation FINAL
         WHERE NOT removed AND start < {} AND (end IS NULL OR end >= {}) ORDER BY start, id",
        time("to"),
        time("from")
    );
    let rows = server.all(server.query(&sql).param("from", range.start).param("to", range.end))?;
    rows.into_iter().map(annotation).collect()
}

/// Stores an annotation. Its number is the time in microseconds: writers hardly ever share one, and clients can parse
/// it as a number.
pub(crate) fn add(server: &Server, content: &NewAnnotation) -> Result<Annotation> {
    content.check()?;
    let id = now().unsigned_abs() / 1_000;
    let row = AnnotationRow {
        id,
        version: 1,
        removed: false,
        kind: content.kind.name().to_owned(),
        start: content.start,
        end: content.end,
        description: content.description.clone(),
        linked_url: content.linked_url.clone(),
        scope: content.scope.clone(),
        locations: content.locations.iter().map(|country| country.alpha2().to_owned()).collect(),
        asns: content.asns.clone(),
        outage: content.outage.iter().flat_map(|(cause, kind)| [cause.clone(), kind.clone()]).collect(),
        data_set: content.data_set.map_or_else(String::new, |own| own.name().to_owned()),
    };
    server.insert_all("annotation", [row])?;
    Ok(Annotation { id, content: content.clone() })
}

pub(crate) fn remove(server: &Server, id: u64) -> Result<bool> {
    let sql = format!("SELECT {COLUMNS} FROM annotation FINAL WHERE NOT removed AND id = {{id:UInt64}}");
    let found: Option<AnnotationRow> = server.optional(server.query(&sql).param("id", id))?;
    let Some(found) = found else { return Ok(false) };
    server.insert_all("annotation", [AnnotationRow { version: 2, removed: true, ..found }])?;
    Ok(true)
}

fn annotation(row: AnnotationRow) -> Result<Annotation> {
    let unknown = |what: &str, value: &str| {
        StoreError::Damaged(
            format!("annotation {} has the {what} '{value}', which is not known", row.id).into(),
        )
    };
    let country = |code: &String| Country::from_alpha2(code).ok_or_else(|| unknown("location", code));
    let outage = match row.outage.as_slice() {
        [cause, kind] => Some((cause.clone(), kind.clone())),
        _ => None,
    };
    Ok(Annotation {
        id: row.id,
        content: NewAnnotation {
            data_set: match row.data_set.as_str() {
                "" => None,
                name => Some(name.parse().map_err(|_| unknown("data set", name))?),
            },
            kind: AnnotationKind::from_name(&row.kind).ok_or_else(|| unknown("kind", &row.kind))?,
            start: row.start,
            end: row.end,
            locations: row.locations.iter().map(country).collect::<Result<_>>()?,
            description: row.description,
            linked_url: row.linked_url,
            scope: row.scope,
            asns: row.asns,
            outage,
        },
    })
}

//! Finds tables that differ from what this program needs.

use std::collections::BTreeMap;

use clickhouse::Row;
use cutshort_store::Result;
use cutshort_verdict::DataSet;
use serde::Deserialize;

use super::{Layout, Spread, TableDefinition, columns_of, definitions, identifier};
use crate::server::Server;

#[derive(Row, Deserialize)]
struct FoundTable {
    name: String,
    engine: String,
    partition_key: String,
    sorting_key: String,
}

#[derive(Row, Deserialize)]
struct FoundColumn {
    table: String,
    name: String,
    kind: String,
    default_kind: String,
}

/// The tables of a database by their names.
pub(super) struct ExistingTables {
    tables: BTreeMap<String, (FoundTable, Vec<FoundColumn>)>,
}

impl ExistingTables {
    pub(super) fn read(server: &Server, database: &str) -> Result<Self> {
        let tables = "SELECT name, engine, partition_key, sorting_key FROM system.tables
                      WHERE database = {database:String}";
        let tables: Vec<FoundTable> = server.all(server.query(tables).param("database", database))?;
        let columns =
            "SELECT table, name, type AS kind, toString(default_kind) AS default_kind FROM system.columns
                       WHERE database = {database:String}";
        let columns: Vec<FoundColumn> = server.all(server.query(columns).param("database", database))?;
        let mut tables: BTreeMap<_, _> =
            tables.into_iter().map(|table| (table.name.clone(), (table, Vec::new()))).collect();
        for column in columns {
            if let Some((_, columns)) = tables.get_mut(&column.table) {
                columns.push(column);
            }
        }
        Ok(Self { tables })
    }

    /// Whether all tables and views exist.
    pub(super) fn is_whole(&self, layout: &Layout) -> bool {
        let views = ["current_connection", "classified"];
        let views = &views[..if layout.data_set == DataSet::Tcp { 2 } else { 1 }];
        let views = views.iter().map(|name| (*name).to_owned());
        let mut names = wanted(layout).map(|(name, ..)| name).chain(views);
        names.all(|name| self.tables.contains_key(&name))
    }

    /// The differences, with how to correct them.
    pub(super) fn differences(&self, database: &str, layout: &Layout) -> Vec<String> {
        let all = wanted(layout).filter_map(|(name, table, engine)| {
            let (found, columns) = self.tables.get(&name)?;
            let place = format!("{}.{name}", identifier(database));
            let mut differ = of_columns(&place, &table.columns(layout.data_set), columns);
            if engine == "Distributed" {
                differ.extend((found.engine != engine).then(|| of_engine(&place, &found.engine, engine)));
            } else {
                differ.extend(of_table(&place, table, engine, found));
            }
            Some(differ)
        });
        all.flatten().collect()
    }
}

/// The tables that should exist, and their kind.
fn wanted(layout: &Layout) -> impl Iterator<Item = (String, &'static TableDefinition, &'static str)> {
    let on_cluster = layout.cluster.is_some();
    definitions(layout.data_set).flat_map(move |table| {
        let engine = table.engine.split('(').next().unwrap_or_default();
        match (on_cluster, &table.spread) {
            (true, Spread::By(_)) => vec![
                (format!("{}_local", table.name), table, engine),
                (table.name.to_owned(), table, "Distributed"),
            ],
            _ => vec![(table.name.to_owned(), table, engine)],
        }
    })
}

fn of_engine(place: &str, found: &str, wanted: &str) -> String {
    format!(
        "{place} has the engine {found} instead of {wanted}: move it out of the way (RENAME TABLE) and migrate again"
    )
}

fn of_table(place: &str, table: &TableDefinition, engine: &str, found: &FoundTable) -> Vec<String> {
    let found_engine = found.engine.trim_start_matches("Replicated").trim_start_matches("Shared");
    let (partition, order) = match table.by.split_once(" ORDER BY ") {
        Some((partition, order)) => (partition.trim_start_matches("PARTITION BY "), order),
        None => ("", table.by.trim_start_matches("ORDER BY ")),
    };
    let differs = |found: &str, wanted: &str| bare(found) != bare(wanted);
    let key = |what: &str, found: &str, wanted: &str| {
        differs(found, wanted).then(|| {
            format!("{place} is {what} by '{found}' instead of '{wanted}': move it out of the way (RENAME TABLE) and migrate again")
        })
    };
    let engine = (found_engine != engine).then(|| of_engine(place, &found.engine, engine));
    let keys =
        [key("partitioned", &found.partition_key, partition), key("ordered", &found.sorting_key, order)];
    engine.into_iter().chain(keys.into_iter().flatten()).collect()
}

/// A list of expressions without optional formatting.
fn bare(list: &str) -> String {
    let list: String = list.chars().filter(|letter| !letter.is_whitespace()).collect();
    let inner = list.strip_prefix('(').and_then(|list| list.strip_suffix(')'));
    inner.map_or_else(|| list.clone(), str::to_owned)
}

fn of_columns(place: &str, declared: &str, found: &[FoundColumn]) -> Vec<String> {
    let wanted: Vec<(&str, &str)> = columns_of(declared);
    let lacking = wanted.iter().filter_map(|(name, kind)| {
        let column = found.iter().find(|column| column.name == *name);
        match column {
            None => Some(format!("{place} has no column {name}: ALTER TABLE {place} ADD COLUMN {name} {kind}")),
            Some(column) if column.kind != *kind => Some(format!(
                "{place} has the column {name} as {} instead of {kind}: ALTER TABLE {place} MODIFY COLUMN {name} {kind}",
                column.kind
            )),
            Some(_) => None,
        }
    });
    let others = found.iter().filter(|column| wanted.iter().all(|(name, _)| *name != column.name));
    let others = others.filter(|column| column.default_kind.is_empty()).map(|column| {
        let (name, kind) = (&column.name, &column.kind);
        format!(
            "{place} has a column {name} of somebody else's, without a DEFAULT, so that nothing can be inserted: \
             ALTER TABLE {place} MODIFY COLUMN {} {kind} DEFAULT defaultValueOfTypeName('{}')",
            identifier(name),
            kind.replace('\\', "\\\\").replace('\'', "\\'")
        )
    });
    lacking.chain(others).collect()
}

//! Deletes connections and counts that were replaced or never became valid.

use std::collections::BTreeMap;

use clickhouse::Row;
use cutshort_model::now;
use cutshort_store::Result;
use cutshort_verdict::DataSet;
use serde::Deserialize;

use super::IDS;
use crate::server::{Server, time};

/// How long results that are no longer valid are kept for queries in progress, in nanoseconds.
const GRACE: i64 = 3_600_000_000_000;
/// The number of generations that are checked in one turn.
const MOST: u64 = 20_000;

/// Generations that were begun before a time and are not valid. Those replaced recently may still be read.
const GONE: &str = "SELECT g.id AS id, g.t AS t FROM generation AS g FINAL WHERE g.since < @before
   AND g.id NOT IN (SELECT generation FROM result FINAL WHERE has_cells)
   AND g.id NOT IN (SELECT arrayJoin(connection_generations) FROM result FINAL)
   AND (g.level, g.t) NOT IN (SELECT level, t FROM result FINAL WHERE updated >= @before)";

/// A table with generations.
struct GenerationTable {
    name: &'static str,
    time: &'static str,
    partition: &'static str,
}

/// The last one exists in the data set `origin` only.
const TABLES: [GenerationTable; 3] = [
    GenerationTable {
        name: "connection",
        time: "window_start",
        partition: "toString(toYYYYMMDD(window_start))",
    },
    GenerationTable {
        name: "cell",
        time: "t",
        partition: "concat('(', toString(level), ', ', toString(toYYYYMM(t)), ')')",
    },
    GenerationTable { name: "server", time: "t", partition: "toString(toYYYYMM(t))" },
];

/// The tables of a store.
fn tables(server: &Server) -> &'static [GenerationTable] {
    if server.data_set == DataSet::Origin { &TABLES } else { &TABLES[..2] }
}

/// A generation that still has rows in a partition.
#[derive(Row, Deserialize)]
struct Left {
    partition: String,
    generation: u64,
}

#[derive(Row, Deserialize)]
struct Id {
    id: u64,
}

/// Rows are deleted in the background. The record of a generation is only deleted once it has no rows, so that failed
/// deletions are found again.
pub(super) fn delete_superseded(server: &Server) -> Result<()> {
    let gone = Gone { server, before: now().saturating_sub(GRACE) };
    let deleted = tables(server).iter().map(|table| gone.delete_rows(table)).fold(Ok(()), Result::and);
    deleted.and(gone.forget())
}

struct Gone<'a> {
    server: &'a Server,
    before: i64,
}

impl Gone<'_> {
    fn all<T: clickhouse::RowOwned + clickhouse::RowRead>(&self, sql: &str) -> Result<Vec<T>> {
        let sql = sql.replace("@gone", GONE).replace("@before", &time("before"));
        self.server.all_of_much(self.server.query(&sql).param("before", self.before))
    }

    fn delete_rows(&self, table: &GenerationTable) -> Result<()> {
        let GenerationTable { name, time, partition } = table;
        let left: Vec<Left> = self.all(&format!(
            "SELECT DISTINCT {partition} AS partition, generation FROM {name}
             WHERE {time} IN (SELECT t FROM (@gone)) AND generation IN (SELECT id FROM (@gone))
             ORDER BY partition, generation LIMIT {MOST}"
        ))?;
        let mut partitions: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for Left { partition, generation } in left {
            partitions.entry(partition).or_default().push(generation);
        }
        let table = self.server.local(name);
        partitions.iter().try_for_each(|(partition, generations)| {
            let sql = format!("ALTER TABLE {table} DELETE IN PARTITION {partition} WHERE generation IN");
            self.delete(&sql, generations)
        })
    }

    /// Deletes the records of generations that have no rows.
    fn forget(&self) -> Result<()> {
        let has_none = |GenerationTable { name, time, .. }: &GenerationTable| {
            format!(
                "id NOT IN (SELECT generation FROM {name} WHERE {time} IN (SELECT t FROM (@gone))
                 AND generation IN (SELECT id FROM (@gone)))"
            )
        };
        let has_none = tables(self.server).iter().map(has_none).collect::<Vec<_>>().join(" AND ");
        let gone: Vec<Id> = self.all(&format!("SELECT id FROM (@gone) WHERE {has_none} LIMIT {MOST}"))?;
        let gone: Vec<u64> = gone.into_iter().map(|gone| gone.id).collect();
        // The table is whole on every server: any of them deletes from all.
        self.delete("ALTER TABLE generation DELETE WHERE id IN", &gone)
    }

    fn delete(&self, sql: &str, ids: &[u64]) -> Result<()> {
        ids.chunks(IDS).try_for_each(|some| {
            let query = self.server.query(&format!("{sql} {{ids:Array(UInt64)}}"));
            self.server.execute(query.param("ids", some))
        })
    }
}

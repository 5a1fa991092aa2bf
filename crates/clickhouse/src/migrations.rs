//! The tables, and the steps from one version to the next.

mod differences;

use clickhouse::Row;
use cutshort_store::{Result, StoreError};
use cutshort_verdict::DataSet;
use serde::Deserialize;

use crate::address::Address;
use crate::classify;
use crate::error::MIGRATE;
use crate::rows::{ORDINAL, RowColumns};
use crate::server::{Server, identifier};
use differences::ExistingTables;

/// Where the tables are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The cluster over whose shards they are distributed (replicated within each), as named in the servers'
    /// configuration; none for a single server.
    pub cluster: Option<String>,
    /// The data set that the tables keep, in a database of its own.
    pub data_set: DataSet,
}

/// The latest version: the number of steps.
const VERSION: u32 = STEPS.len() as u32;

/// The statements that make a version from the previous one.
type Migration = fn(&str, &Layout) -> Vec<String>;

/// Released steps do not change, but tables are created with the columns that later steps add.
const STEPS: [Migration; 8] = [tables, views, tails, handshakes, options, datagrams, data_sets, servers];

/// How the rows of a table are distributed in a cluster.
enum Spread {
    /// Each row is on one shard, chosen by an expression.
    By(&'static str),
    /// All rows are on every server.
    Everywhere,
}

struct TableDefinition {
    name: &'static str,
    /// `@TAGS@` and `@ROW@` stand for what depends on the data set.
    columns: &'static str,
    engine: &'static str,
    /// Partition key and order.
    by: &'static str,
    /// Settings for a single server: its files are flushed to disk before an insert is answered.
    settings: &'static str,
    spread: Spread,
}

/// Packets of a 5-tuple are on the same shard.
const BY_TUPLE: Spread = Spread::By("cityHash64(src_ip, src_port, dst_ip, dst_port)");
const DURABLE: &str = "fsync_after_insert = 1, fsync_part_directory = 1";

const TABLES: [TableDefinition; 8] = [
    TableDefinition {
        name: "segment",
        columns: "id String, version UInt8, state LowCardinality(String), node LowCardinality(String),
  origin LowCardinality(String), covers_from DateTime64(9, 'UTC'), covers_to DateTime64(9, 'UTC'),
  first Nullable(DateTime64(9, 'UTC')), last Nullable(DateTime64(9, 'UTC')), rows UInt64, bytes UInt64,
  arrived DateTime64(9, 'UTC'), windows Array(Tuple(DateTime64(9, 'UTC'), UInt64)),
  addresses LowCardinality(String)",
        engine: "ReplacingMergeTree(version)",
        by: "ORDER BY id",
        settings: DURABLE,
        spread: Spread::Everywhere,
    },
    // Country, AS and flow are those of segments whose addresses are not full; others do not have them.
    TableDefinition {
        name: "packet",
        columns: "window_start DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  src_ip IPv6 CODEC(ZSTD(1)), src_port UInt16 CODEC(ZSTD(1)), dst_ip IPv6 CODEC(ZSTD(1)), dst_port UInt16 CODEC(ZSTD(1)),
  ts DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)), node LowCardinality(String) CODEC(ZSTD(1)),
  segment LowCardinality(String) CODEC(ZSTD(1)), ip_id UInt16 CODEC(ZSTD(1)), ttl UInt8 CODEC(ZSTD(1)),
  sample_rate UInt32 CODEC(ZSTD(1)), country LowCardinality(String) CODEC(ZSTD(1)), asn UInt32 CODEC(ZSTD(1)),
  flow UInt64 CODEC(ZSTD(1)), arrived DateTime('UTC') DEFAULT now() CODEC(Delta, ZSTD(1)), @ROW@",
        engine: "MergeTree",
        by: "PARTITION BY toYYYYMMDD(ts) ORDER BY (window_start, src_ip, src_port, dst_ip, dst_port, ts)",
        settings: "fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000",
        spread: BY_TUPLE,
    },
    TableDefinition {
        name: "result",
        columns: "level UInt8, t DateTime64(9, 'UTC'), version UInt64, generation UInt64, parts UInt64, cutoff Int64,
  rules UInt64, packets UInt64, copies UInt64, tail UInt64, connections UInt64, excluded Array(UInt64),
  updated DateTime64(9, 'UTC'), bytes UInt64, connection_generations Array(UInt64), has_connections Bool, has_cells Bool, networks_folded Bool,
  ports_folded Bool",
        engine: "ReplacingMergeTree(version)",
        by: "ORDER BY (level, t)",
        settings: DURABLE,
        spread: Spread::Everywhere,
    },
    TableDefinition {
        name: "connection",
        columns: "window_start DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)), generation UInt64 CODEC(ZSTD(1)),
  number UInt64 CODEC(Delta, ZSTD(1)), first_us DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  last_us DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)), node LowCardinality(String),
  src_ip IPv6 CODEC(ZSTD(1)), src_port UInt16 CODEC(ZSTD(1)), dst_ip IPv6 CODEC(ZSTD(1)), dst_port UInt16 CODEC(ZSTD(1)),
  packets UInt32 CODEC(ZSTD(1)), progress UInt8 CODEC(ZSTD(1)), stage LowCardinality(String),
  termination LowCardinality(String), tags UInt32 CODEC(ZSTD(1)), tag_names Array(String) ALIAS @TAGS@,
  signature_id UInt8 CODEC(ZSTD(1)), location LowCardinality(String), asn Nullable(UInt32) CODEC(ZSTD(1)),
  as_name LowCardinality(Nullable(String)), rst_ttl_delta Nullable(Int16) CODEC(ZSTD(1)),
  rst_ip_id_delta Nullable(UInt16) CODEC(ZSTD(1)), silent_us Int64 CODEC(ZSTD(1)), sample_rate UInt32 CODEC(ZSTD(1)),
  addresses LowCardinality(String), handshake_us Nullable(Int64) CODEC(ZSTD(1)),
  first_byte_us Nullable(Int64) CODEC(ZSTD(1)), version LowCardinality(Nullable(String)),
  close_code Nullable(UInt64) CODEC(ZSTD(1))",
        engine: "MergeTree",
        by: "PARTITION BY toYYYYMMDD(window_start) ORDER BY (window_start, generation, number)",
        settings: DURABLE,
        spread: BY_TUPLE,
    },
    TableDefinition {
        name: "cell",
        columns: "level UInt8, networks UInt8, t DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)), generation UInt64 CODEC(ZSTD(1)),
  location LowCardinality(String), network LowCardinality(String), asn UInt32 CODEC(ZSTD(1)),
  ip_version UInt8 CODEC(ZSTD(1)), port Int32 CODEC(ZSTD(1)), node LowCardinality(String),
  excluded LowCardinality(String), stage LowCardinality(String), termination LowCardinality(String),
  completed Bool CODEC(ZSTD(1)), signature_id UInt8 CODEC(ZSTD(1)), tags UInt32 CODEC(ZSTD(1)),
  sampled UInt64 CODEC(ZSTD(1)), weight UInt64 CODEC(ZSTD(1)), squares UInt128 CODEC(ZSTD(1))",
        engine: "MergeTree",
        by: "PARTITION BY (level, toYYYYMM(t)) ORDER BY (level, networks, t, generation, location, asn)",
        settings: DURABLE,
        spread: Spread::By("cityHash64(location, asn)"),
    },
    // Counts of windows by server, of the data set 'origin' only. Arrays have the order of `ServerCounts::STORED`.
    TableDefinition {
        name: "server",
        columns: "t DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)), generation UInt64 CODEC(ZSTD(1)),
  address IPv6 CODEC(ZSTD(1)), port UInt16 CODEC(ZSTD(1)), is_other Bool CODEC(ZSTD(1)), node LowCardinality(String),
  location LowCardinality(String), asn Nullable(UInt32) CODEC(ZSTD(1)), as_name LowCardinality(Nullable(String)),
  sampled Array(UInt64) CODEC(ZSTD(1)), weight Array(UInt64) CODEC(ZSTD(1)), squares Array(UInt128) CODEC(ZSTD(1)),
  handshakes Array(Tuple(Int32, UInt64)) CODEC(ZSTD(1))",
        engine: "MergeTree",
        by: "PARTITION BY toYYYYMM(t) ORDER BY (t, generation, address, port)",
        settings: DURABLE,
        spread: Spread::By("cityHash64(address, port)"),
    },
    // What was begun to be written, and when: what does not hold an hour later is deleted.
    TableDefinition {
        name: "generation",
        columns: "id UInt64, level UInt8, t DateTime64(9, 'UTC'), since DateTime64(9, 'UTC')",
        engine: "ReplacingMergeTree",
        by: "ORDER BY id",
        settings: DURABLE,
        spread: Spread::Everywhere,
    },
    TableDefinition {
        name: "annotation",
        columns: "id UInt64, version UInt8, removed Bool, kind LowCardinality(String), start DateTime64(9, 'UTC'),
  end Nullable(DateTime64(9, 'UTC')), description String, linked_url Nullable(String), scope Nullable(String),
  locations Array(String), asns Array(UInt32), outage Array(String), data_set LowCardinality(String)",
        engine: "ReplacingMergeTree(version)",
        by: "ORDER BY id",
        settings: DURABLE,
        spread: Spread::Everywhere,
    },
];

/// Windows that keep their results because packets of them were deleted.
const FROZEN: TableDefinition = TableDefinition {
    name: "frozen",
    columns: "t DateTime64(9, 'UTC')",
    engine: "ReplacingMergeTree",
    by: "ORDER BY t",
    settings: DURABLE,
    spread: Spread::Everywhere,
};

/// The versions that were applied, and where the tables are stored.
const MIGRATION: TableDefinition = TableDefinition {
    name: "migration",
    columns: "version UInt32, cluster String, applied DateTime('UTC') DEFAULT now()",
    engine: "ReplacingMergeTree",
    by: "ORDER BY version",
    settings: DURABLE,
    spread: Spread::Everywhere,
};

/// The statements that create all tables and views, in order. They change nothing when repeated, so two processes may
/// run them at the same time.
#[must_use]
pub fn schema(database: &str, layout: &Layout) -> Vec<String> {
    since(0, database, layout)
}

/// The statements that upgrade from a version to the latest one; each step is recorded.
fn since(version: u32, database: &str, layout: &Layout) -> Vec<String> {
    let steps = STEPS.iter().zip(1..).filter(|(_, number)| *number > version);
    let statements = steps.flat_map(|(step, number)| {
        let mut statements = step(database, layout);
        statements.push(format!(
            "INSERT INTO {}.migration (version, cluster) VALUES ({number}, {})",
            identifier(database),
            text(layout.cluster.as_deref().unwrap_or_default()),
        ));
        statements
    });
    statements.collect()
}

fn tables(database: &str, layout: &Layout) -> Vec<String> {
    let mut statements =
        vec![format!("CREATE DATABASE IF NOT EXISTS {}{}", identifier(database), on(layout))];
    let tables = definitions(layout.data_set);
    statements.extend(tables.flat_map(|table| table.create(database, layout)));
    statements
}

/// The tables of a data set. All data sets share the annotations, and only `origin` counts servers.
fn definitions(data_set: DataSet) -> impl Iterator<Item = &'static TableDefinition> {
    let is_wanted = move |table: &&TableDefinition| match table.name {
        "annotation" => data_set == DataSet::Tcp,
        "server" => data_set == DataSet::Origin,
        _ => true,
    };
    TABLES.iter().chain([&FROZEN, &MIGRATION]).filter(is_wanted)
}

/// The view of verdicts in SQL, which has the rules of `tcp` only.
fn classified(create: &str, database: &str, layout: &Layout) -> Option<String> {
    let name = identifier(database);
    let view = || format!("{create} {name}.classified{} AS\n{}", on(layout), classify::view::query(&name));
    (layout.data_set == DataSet::Tcp).then(view)
}

fn views(database: &str, layout: &Layout) -> Vec<String> {
    let name = identifier(database);
    let mut statements: Vec<String> =
        classified("CREATE VIEW IF NOT EXISTS", database, layout).into_iter().collect();
    statements.push(
        // Added later: 'migrate' makes it where it is missing.
        format!(
            "CREATE VIEW IF NOT EXISTS {name}.current_connection{} AS\nSELECT *, tag_names FROM {name}.connection \
             WHERE generation IN (SELECT arrayJoin(connection_generations) FROM {name}.result FINAL WHERE level = 0)",
            on(layout),
        ),
    );
    statements
}

/// Counts rows before the first SYN packet, and splits flows in the view where their ports are used again.
fn tails(database: &str, layout: &Layout) -> Vec<String> {
    let name = identifier(database);
    // One replica tells the others.
    let tail = format!(
        "ALTER TABLE {name}.result ADD COLUMN IF NOT EXISTS tail UInt64 AFTER copies SETTINGS alter_sync = 2"
    );
    [tail].into_iter().chain(classified("CREATE OR REPLACE VIEW", database, layout)).collect()
}

/// Adds the times of connections of the data set `origin`.
fn handshakes(database: &str, layout: &Layout) -> Vec<String> {
    let columns = "ADD COLUMN IF NOT EXISTS handshake_us Nullable(Int64), ADD COLUMN IF NOT EXISTS first_byte_us Nullable(Int64)";
    alter(database, layout, "connection", columns)
}

/// Adds "don't fragment" and the options of SYN packets, which are unknown for packets that are there, and tags.
fn options(database: &str, layout: &Layout) -> Vec<String> {
    let columns = "ADD COLUMN IF NOT EXISTS df UInt8 CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS options UInt64 DEFAULT if(bitAnd(flags, 23) = 2, 18446744073709551615, 0) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS mss UInt16 CODEC(ZSTD(1)), ADD COLUMN IF NOT EXISTS wscale UInt8 DEFAULT 255 CODEC(ZSTD(1))";
    let names = format!("MODIFY COLUMN tag_names Array(String) ALIAS {}", tag_names(layout.data_set));
    let mut statements = match layout.data_set {
        DataSet::Quic => Vec::new(),
        _ => alter(database, layout, "packet", columns),
    };
    statements.extend(alter(database, layout, "connection", &names));
    statements.extend(classified("CREATE OR REPLACE VIEW", database, layout));
    statements
}

/// Adds what connections of the data set `quic` have, and the order of rows of the data set `origin`, which is not known
/// for rows that are there.
fn datagrams(database: &str, layout: &Layout) -> Vec<String> {
    let columns = "ADD COLUMN IF NOT EXISTS version LowCardinality(Nullable(String)),
  ADD COLUMN IF NOT EXISTS close_code Nullable(UInt64) CODEC(ZSTD(1))";
    let mut statements = alter(database, layout, "connection", columns);
    if RowColumns::of(layout.data_set).has_ordinal {
        statements.extend(alter(database, layout, "packet", &format!("ADD COLUMN IF NOT EXISTS {ORDINAL}")));
    }
    statements
}

/// Adds the data set of annotations. Those that are there are about all.
fn data_sets(database: &str, layout: &Layout) -> Vec<String> {
    if !definitions(layout.data_set).any(|table| table.name == "annotation") {
        return Vec::new();
    }
    // One replica tells the others.
    let database = identifier(database);
    vec![format!(
        "ALTER TABLE {database}.annotation ADD COLUMN IF NOT EXISTS data_set LowCardinality(String) \
         SETTINGS alter_sync = 2"
    )]
}

/// Adds the table of servers. Windows that are there do not count them until they are computed again.
fn servers(database: &str, layout: &Layout) -> Vec<String> {
    let table = definitions(layout.data_set).filter(|table| table.name == "server");
    table.flat_map(|table| table.create(database, layout)).collect()
}

/// Changes a table that is distributed in a cluster.
fn alter(database: &str, layout: &Layout, table: &str, change: &str) -> Vec<String> {
    let (name, on) = (identifier(database), on(layout));
    let tables: &[&str] = if layout.cluster.is_some() { &["_local", ""] } else { &[""] };
    tables.iter().map(|suffix| format!("ALTER TABLE {name}.{table}{suffix}{on} {change}")).collect()
}

/// A string literal in SQL.
fn text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn on(layout: &Layout) -> String {
    layout.cluster.as_ref().map_or_else(String::new, |name| format!(" ON CLUSTER {}", identifier(name)))
}

/// The expression for the names of the tags in a column of bits.
fn tag_names(data_set: DataSet) -> String {
    let names = data_set.tag_names().map(text);
    format!("arrayMap(bit -> [{}][bit + 1], bitPositionsToArray(tags))", names.join(", "))
}

impl TableDefinition {
    /// Its columns in a data set.
    fn columns(&self, data_set: DataSet) -> String {
        let columns = self.columns.replace("@TAGS@", &tag_names(data_set));
        columns.replace("@ROW@", &RowColumns::of(data_set).declared())
    }

    fn create(&self, database: &str, layout: &Layout) -> Vec<String> {
        let columns = self.columns(layout.data_set);
        let table = |suffix: &str| format!("{}.{}{suffix}", identifier(database), self.name);
        let Some(cluster) = &layout.cluster else {
            return vec![format!(
                "CREATE TABLE IF NOT EXISTS {} (\n  {columns}\n) ENGINE = {}\n{}\nSETTINGS {}",
                table(""),
                self.engine,
                self.by,
                self.settings
            )];
        };
        let on = on(layout);
        match self.spread {
            Spread::By(key) => vec![
                format!(
                    "CREATE TABLE IF NOT EXISTS {}{on} (\n  {columns}\n) ENGINE = {}\n{}",
                    table("_local"),
                    self.replicated("{shard}", "{replica}"),
                    self.by
                ),
                format!(
                    "CREATE TABLE IF NOT EXISTS {}{on} AS {}\nENGINE = Distributed({}, {}, {}_local, {key})",
                    table(""),
                    table("_local"),
                    text(cluster),
                    text(database),
                    self.name
                ),
            ],
            Spread::Everywhere => vec![format!(
                "CREATE TABLE IF NOT EXISTS {}{on} (\n  {columns}\n) ENGINE = {}\n{}",
                table(""),
                self.replicated("all", "{shard}-{replica}"),
                self.by
            )],
        }
    }

    fn replicated(&self, shard: &str, replica: &str) -> String {
        let path = format!("'/clickhouse/tables/{{database}}/{}/{shard}', '{replica}'", self.name);
        match self.engine.split_once('(') {
            Some((engine, version)) => format!("Replicated{engine}({path}, {version}"),
            None => format!("Replicated{}({path})", self.engine),
        }
    }
}

/// Creates what is missing of the latest version, including tables that were dropped; returns the number of
/// statements that were run. Tables on a cluster stay there.
///
/// # Errors
/// [`StoreError::Refused`] if the tables are stored in another way than `layout` says, or if columns, engines or keys
/// differ, with the differences and how to correct them. After any error the call can be repeated.
pub fn migrate(address: &Address, layout: &Layout) -> Result<usize> {
    let server = Server::without_database(address)?;
    let address = &address.of_data_set(layout.data_set);
    let applied = applied(&server, address.database())?;
    let (version, layout) = match applied {
        None => (0, layout.clone()),
        Some(applied) => (applied.version, applied.layout(layout)?),
    };
    let database = address.database();
    let mut statements = since(version, database, &layout);
    let done = apply(&server, &statements);
    // The note of versions says nothing about what somebody did since.
    let found = ExistingTables::read(&server, database)?;
    let differences = found.differences(database, &layout);
    if !differences.is_empty() {
        return Err(StoreError::Refused(format!(
            "the tables are not as this program makes them: {}",
            differences.join("; ")
        )));
    }
    done?;
    if !found.is_whole(&layout) {
        statements = schema(database, &layout);
        apply(&server, &statements)?;
    }
    Ok(statements.len())
}

fn apply(server: &Server, statements: &[String]) -> Result<()> {
    statements.iter().try_for_each(|statement| {
        let query = server.query_raw(statement);
        // Servers of a cluster are waited for.
        server.execute(query.with_setting("distributed_ddl_task_timeout", "120"))
    })
}

/// Names and types of columns in a declaration.
fn columns_of(declared: &str) -> Vec<(&str, &str)> {
    let mut depth = 0;
    let parts = declared.split(move |letter| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        letter == ',' && depth == 0
    });
    parts
        .filter_map(|part| {
            let (name, rest) = part.trim().split_once(' ')?;
            let ends = [" CODEC(", " DEFAULT ", " ALIAS "].into_iter().filter_map(|word| rest.find(word));
            Some((name, &rest[..ends.min().unwrap_or(rest.len())]))
        })
        .collect()
}

/// Whether a database has the tables of a store.
pub(crate) fn exists(server: &Server, database: &str) -> Result<bool> {
    Ok(applied(server, database)?.is_some())
}

/// The version that was applied; none if there are no tables.
fn applied(server: &Server, database: &str) -> Result<Option<Applied>> {
    let sql = "SELECT count() FROM system.tables WHERE database = {database:String} AND name = 'migration'";
    if server.count(server.query(sql).param("database", database))? == 0 {
        return Ok(None);
    }
    // The database's name may have a question mark.
    server.optional(server.query_raw(&latest(&format!("{}.migration", identifier(database)))))
}

fn latest(table: &str) -> String {
    format!("SELECT version, cluster FROM {table} FINAL ORDER BY version DESC LIMIT 1")
}

#[derive(Row, Deserialize)]
struct Applied {
    version: u32,
    cluster: String,
}

impl Applied {
    fn cluster(self) -> Option<String> {
        Some(self.cluster).filter(|name| !name.is_empty())
    }

    /// Where its tables are stored, unless that contradicts `wanted`.
    fn layout(self, wanted: &Layout) -> Result<Layout> {
        let found = Layout { cluster: self.cluster(), data_set: wanted.data_set };
        match (&found.cluster, &wanted.cluster) {
            (_, None) => Ok(found),
            (found_on, wanted_on) if found_on == wanted_on => Ok(found),
            (found_on, _) => Err(StoreError::Refused(format!(
                "the store's tables lie on {}: say the same with --cluster, or use another database",
                found_on.as_ref().map_or("one server".to_owned(), |name| format!("the cluster '{name}'"))
            ))),
        }
    }
}

/// Checks that the tables are of the version that this program needs.
pub(crate) fn check(server: &mut Server) -> Result<()> {
    let applied: Option<Applied> = server.optional(server.query(&latest("migration")))?;
    match applied {
        Some(applied) if applied.version == VERSION => {
            server.cluster = applied.cluster();
            Ok(())
        }
        Some(applied) if applied.version > VERSION => Err(StoreError::Refused(format!(
            "the store's tables have version {}, and this program knows version {VERSION}: use a newer program",
            applied.version
        ))),
        Some(_) | None => {
            Err(StoreError::Refused(format!("the store's tables are missing or old: {MIGRATE}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_told_by_their_names_and_types() {
        let declared = "id String, t Array(Tuple(DateTime64(9, 'UTC'), UInt64)) CODEC(Delta, ZSTD(1)),\n  a UInt8 DEFAULT now()";
        let columns = [("id", "String"), ("t", "Array(Tuple(DateTime64(9, 'UTC'), UInt64))"), ("a", "UInt8")];
        assert_eq!(columns_of(declared), columns);
    }

    #[test]
    fn a_cluster_has_replicated_tables_and_distributed_ones_over_them() {
        let layout = Layout { cluster: Some("two shards".to_owned()), ..Layout::default() };
        let all = schema("cuts", &layout).join(";\n");
        assert!(
            all.contains("CREATE TABLE IF NOT EXISTS `cuts`.packet_local ON CLUSTER `two shards`"),
            "{all}"
        );
        assert!(
            all.contains("ReplicatedMergeTree('/clickhouse/tables/{database}/packet/{shard}', '{replica}')")
        );
        assert!(all.contains(
            "Distributed('two shards', 'cuts', packet_local, cityHash64(src_ip, src_port, dst_ip, dst_port))"
        ));
        assert!(all.contains("ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/result/all', '{shard}-{replica}', version)"));
        assert!(!all.contains("fsync"), "replicas keep what one loses");
    }
}

//! A blocking client of the server.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clickhouse::error::Error;
use clickhouse::insert::Insert;
use clickhouse::query::{Query, RowCursor};
use clickhouse::{Client, Row, RowOwned, RowRead, RowWrite};
use cutshort_store::{Reason, Result, StoreError};
use cutshort_verdict::DataSet;
use tokio::runtime::{Builder, Runtime};

use crate::address::{Address, Classify};
use crate::breaker::{Breaker, Way};
use crate::error::store_error;

/// How long the server may take for a query of the API, in seconds.
const QUESTION_SECONDS: &str = "30";
/// How many rows such a query may read, and how many bytes of memory it may use.
const QUESTION_ROWS: &str = "20000000000";
const QUESTION_MEMORY: &str = "4000000000";
/// How long an answer to such a query may take; the server's own limit is the same.
const ANSWER: Duration = Duration::from_secs(30);
/// How long the server may be silent while a window is read or something is written.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long a server that was silent may take to answer.
const PROBE: Duration = Duration::from_secs(1);
/// The number of rows that are read or written at a time.
pub(crate) const BATCH: usize = 4096;

/// A database on a server, and threads that communicate with it.
pub(crate) struct Server {
    client: Client,
    /// The data set that the database keeps.
    pub(crate) data_set: DataSet,
    place: String,
    /// Taken when this is dropped, which may be on a thread that must not block.
    runtime: Option<Runtime>,
    /// The cluster over which the tables are distributed, if they are.
    pub(crate) cluster: Option<String>,
    pub(crate) classify: Classify,
    breaker: Breaker,
    /// The number of times that results were written.
    results_written: AtomicU64,
}

impl Server {
    pub(crate) fn new(address: &Address, data_set: DataSet) -> Result<Self> {
        let mut server = Self::without_database(address)?;
        server.data_set = data_set;
        server.client = server.client.clone().with_database(address.database());
        Ok(server)
    }

    pub(crate) fn without_database(address: &Address) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime =
            runtime.map_err(|error| StoreError::Failed(Reason::caused_by("cannot start threads", error)))?;
        let client = address
            .client()?
            // Inserts are answered when they are kept, on all shards.
            .with_setting("async_insert", "0")
            .with_setting("distributed_foreground_insert", "1")
            .with_setting("optimize_skip_unused_shards", "1")
            // Some seconds; who is told that ZooKeeper is away tries again.
            .with_setting("insert_keeper_max_retries", "5")
            .with_setting("mutations_sync", "0");
        Ok(Self {
            client,
            data_set: DataSet::Tcp,
            place: address.place(),
            runtime: Some(runtime),
            cluster: None,
            classify: address.classify(),
            breaker: Breaker::default(),
            results_written: AtomicU64::new(0),
        })
    }

    pub(crate) fn query(&self, sql: &str) -> Query {
        self.client.query(sql)
    }

    /// A query in which question marks are not placeholders.
    pub(crate) fn query_raw(&self, sql: &str) -> Query {
        self.client.query_raw(sql)
    }

    /// A query that the API waits for, with limits on time, rows and memory.
    pub(crate) fn question(&self, sql: &str) -> Query {
        self.query(sql)
            .with_setting("max_execution_time", QUESTION_SECONDS)
            .with_setting("max_rows_to_read", QUESTION_ROWS)
            .with_setting("max_memory_usage", QUESTION_MEMORY)
    }

    /// Waits for a request that reads or writes everything at once.
    pub(crate) fn wait<T>(&self, work: impl Future<Output = clickhouse::error::Result<T>>) -> Result<T> {
        self.wait_for(PATIENCE, work)
    }

    fn wait_for<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = clickhouse::error::Result<T>>,
    ) -> Result<T> {
        match self.breaker.way(Instant::now()) {
            Way::Free => {}
            Way::Probe => self.probe()?,
            Way::Closed => return Err(self.is_silent()),
        }
        self.block_on(limit, work)
    }

    /// Sends a minimal query to a server that was silent.
    fn probe(&self) -> Result<()> {
        let probe = self.client.query("SELECT 1").fetch_one::<u8>();
        match self.block_on(PROBE, probe) {
            Ok(_) => {
                self.breaker.answered();
                Ok(())
            }
            Err(_) => Err(self.is_silent()),
        }
    }

    fn is_silent(&self) -> StoreError {
        StoreError::Unavailable(
            format!("ClickHouse at {} does not answer; it is tried again every second", self.place).into(),
        )
    }

    fn block_on<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = clickhouse::error::Result<T>>,
    ) -> Result<T> {
        let Some(runtime) = &self.runtime else {
            return Err(StoreError::Failed("the connection to ClickHouse was ended".into()));
        };
        let done = runtime.block_on(async {
            let done = tokio::time::timeout(limit, work).await;
            if let Ok(Err(Error::SchemaMismatch(_))) = &done {
                // Somebody may put the table right.
                self.client.clear_cached_metadata().await;
            }
            done
        });
        let done = done.unwrap_or_else(|_| {
            self.breaker.silent(Instant::now());
            Err(Error::TimedOut)
        });
        done.map_err(|error| store_error(&self.place, error))
    }

    pub(crate) fn execute(&self, query: Query) -> Result<()> {
        self.wait(query.execute())
    }

    pub(crate) fn all<T: RowOwned + RowRead>(&self, query: Query) -> Result<Vec<T>> {
        self.wait_for(ANSWER, query.fetch_all())
    }

    /// Reads all rows of a query for a job that reads a lot.
    pub(crate) fn all_of_much<T: RowOwned + RowRead>(&self, query: Query) -> Result<Vec<T>> {
        self.wait(query.fetch_all())
    }

    pub(crate) fn one<T: RowOwned + RowRead>(&self, query: Query) -> Result<T> {
        self.wait_for(ANSWER, query.fetch_one())
    }

    /// The value of a query for a single number.
    pub(crate) fn count(&self, query: Query) -> Result<u64> {
        self.one(query)
    }

    pub(crate) fn optional<T: RowOwned + RowRead>(&self, query: Query) -> Result<Option<T>> {
        self.wait_for(ANSWER, query.fetch_optional())
    }

    /// The next rows of a cursor; none at the end.
    pub(crate) fn batch<T: RowOwned + RowRead>(&self, cursor: &mut RowCursor<T>) -> Result<Vec<T>> {
        self.wait(async {
            let mut rows = Vec::new();
            while rows.len() < BATCH {
                match cursor.next().await? {
                    Some(row) => rows.push(row),
                    None => break,
                }
            }
            Ok(rows)
        })
    }

    /// Begins to insert rows into a table.
    pub(crate) fn insert<T: Row>(&self, table: &str) -> Result<Insert<T>> {
        // One block is one part: it is there as a whole or not at all.
        self.wait(self.client.insert(table)).map(|insert| {
            insert
                .with_setting("max_insert_block_size", "16777216")
                .with_setting("min_insert_block_size_rows", "16777216")
                .with_setting("min_insert_block_size_bytes", "0")
                .with_setting("max_partitions_per_insert_block", "0")
        })
    }

    /// Inserts all rows at once.
    pub(crate) fn insert_all<T: RowOwned + RowWrite>(
        &self,
        table: &str,
        rows: impl IntoIterator<Item = T>,
    ) -> Result<()> {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        let mut insert = self.insert::<T>(table)?;
        let written = self.wait(async {
            for row in rows {
                insert.write(&row).await?;
            }
            insert.end().await
        });
        if table == "result" {
            // Also after an error: they may have been written nevertheless.
            self.results_written.fetch_add(1, Ordering::AcqRel);
        }
        written
    }

    /// The number of times that results were written through this server.
    pub(crate) fn results_written(&self) -> u64 {
        self.results_written.load(Ordering::Acquire)
    }

    /// Inserts a file.
    pub(crate) fn insert_file(&self, sql: &str, settings: &[(&str, &str)], file: &[u8]) -> Result<()> {
        let mut insert = self.client.insert_formatted_with(sql);
        for (name, value) in settings {
            insert = insert.with_setting(*name, *value);
        }
        let mut insert = insert.buffered();
        self.wait(async {
            let mut rest = file;
            while !rest.is_empty() {
                // As much as fits into the buffer.
                let taken = insert.write(rest).await?;
                rest = &rest[taken..];
            }
            insert.end().await
        })
    }

    /// The table that holds the rows of this server, if tables are distributed over a cluster.
    pub(crate) fn local(&self, table: &str) -> String {
        match &self.cluster {
            Some(cluster) => format!("{table}_local ON CLUSTER {}", identifier(cluster)),
            None => table.to_owned(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// An identifier, quoted for SQL.
pub(crate) fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

/// A parameter with a time, in SQL.
pub(crate) fn time(parameter: &str) -> String {
    format!("fromUnixTimestamp64Nano({{{parameter}:Int64}}, 'UTC')")
}

//! Replaces the results of windows.

use std::net::Ipv6Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clickhouse::Row;
use clickhouse::insert::Insert;
use cutshort_model::{ConnectionRecord, JudgedConnection, Window, now};
use cutshort_store::cell::Cells;
use cutshort_store::{
    ConnectionSink, Inputs, Replacement, ReplacementBatch, Restoration, Result, StoreError, WindowCounts,
    WindowResults,
};
use serde::{Deserialize, Serialize};

use crate::cells::{self, CellRow};
use crate::results::{self, Level, ResultRow, new_generation};
use crate::server::{BATCH, Server};
use crate::servers::{self, ServerRow};

/// A row of the table `connection`.
#[derive(Row, Serialize, Deserialize)]
pub(crate) struct ConnectionRow {
    pub(crate) window_start: i64,
    pub(crate) generation: u64,
    /// Its number within its window.
    pub(crate) number: u64,
    pub(crate) first_us: i64,
    pub(crate) last_us: i64,
    pub(crate) node: String,
    pub(crate) src_ip: Ipv6Addr,
    pub(crate) src_port: u16,
    pub(crate) dst_ip: Ipv6Addr,
    pub(crate) dst_port: u16,
    pub(crate) packets: u32,
    pub(crate) progress: u8,
    pub(crate) stage: String,
    pub(crate) termination: String,
    pub(crate) tags: u32,
    pub(crate) signature_id: u8,
    pub(crate) location: String,
    pub(crate) asn: Option<u32>,
    pub(crate) as_name: Option<String>,
    pub(crate) rst_ttl_delta: Option<i16>,
    pub(crate) rst_ip_id_delta: Option<u16>,
    pub(crate) silent_us: i64,
    pub(crate) sample_rate: u32,
    pub(crate) addresses: String,
    pub(crate) handshake_us: Option<i64>,
    pub(crate) first_byte_us: Option<i64>,
    pub(crate) version: Option<String>,
    pub(crate) close_code: Option<u64>,
}

impl ConnectionRow {
    fn new(record: &ConnectionRecord<'_>, window: i64, generation: u64, number: u64) -> Self {
        Self {
            window_start: window,
            generation,
            number,
            first_us: record.first_us,
            last_us: record.last_us,
            node: record.node.clone().into_owned(),
            src_ip: record.five_tuple.src_ip,
            src_port: record.five_tuple.src_port,
            dst_ip: record.five_tuple.dst_ip,
            dst_port: record.five_tuple.dst_port,
            packets: record.packets,
            progress: record.progress as u8,
            stage: record.stage.name().to_owned(),
            termination: record.termination.name().to_owned(),
            tags: record.tags.bits(),
            signature_id: record.signature.map_or(0, cutshort_verdict::Signature::id),
            location: record.location.map_or("", |country| country.alpha2()).to_owned(),
            asn: record.asn,
            as_name: record.as_name.clone().map(std::borrow::Cow::into_owned),
            rst_ttl_delta: record.rst_ttl_delta,
            rst_ip_id_delta: record.rst_ip_id_delta,
            silent_us: record.silent_us,
            sample_rate: record.sample_rate,
            addresses: record.addresses.name().to_owned(),
            handshake_us: record.handshake_us,
            first_byte_us: record.first_byte_us,
            version: record.version.map(|version| version.name().to_owned()),
            close_code: record.close_code,
        }
    }
}

/// The connections that a sink has written or holds.
struct Finished {
    number: u64,
    generation: u64,
    bytes: u64,
    /// Rows that have not been sent yet.
    waiting: Vec<ConnectionRow>,
}

/// New results of a window, whose connections and counts may not have been written yet.
struct Prepared {
    /// The row that is written last and makes everything before it valid.
    row: ResultRow,
    connections: Vec<ConnectionRow>,
    cells: Vec<CellRow>,
    servers: Vec<ServerRow>,
}

impl Prepared {
    /// All generations that the row names.
    fn generations(&self) -> impl Iterator<Item = (i64, u64)> {
        let all = self.row.connection_generations.iter().chain([&self.row.generation]);
        all.map(|generation| (self.row.t, *generation))
    }
}

/// Records the generations of results and writes their rows; returns the rows of `result` that name them.
fn write(server: &Server, all: Vec<Prepared>) -> Result<Vec<ResultRow>> {
    results::begin(server, Level::FifteenMinutes, all.iter().flat_map(Prepared::generations))?;
    let (mut rows, mut connections) = (Vec::new(), Vec::new());
    let (mut cells, mut servers) = (Vec::new(), Vec::new());
    for prepared in all {
        rows.push(prepared.row);
        connections.extend(prepared.connections);
        cells.extend(prepared.cells);
        servers.extend(prepared.servers);
    }
    server.insert_all("connection", connections)?;
    server.insert_all("cell", cells)?;
    if !servers.is_empty() {
        server.insert_all("server", servers)?;
    }
    Ok(rows)
}

/// The rows with versions later than the present ones.
fn later(server: &Server, rows: Vec<ResultRow>) -> Result<Vec<ResultRow>> {
    let windows: Vec<i64> = rows.iter().map(|row| row.t).collect();
    let before = results::versions(server, &windows)?;
    let later = |row: ResultRow| {
        let version = before.get(&row.t).copied();
        row.later(version)
    };
    Ok(rows.into_iter().map(later).collect())
}

/// Checks that none of the windows is part of a day whose finer counts were deleted.
fn check_open(server: &Server, rows: &[ResultRow]) -> Result<()> {
    let times = rows.iter().map(|row| row.t);
    let (Some(first), Some(last)) = (times.clone().min(), times.max()) else { return Ok(()) };
    let closed = results::closed_days(server, &(first..last.saturating_add(1)))?;
    match rows.iter().find(|row| closed.contains(&Level::Day.start(row.t))) {
        None => Ok(()),
        Some(row) => Err(StoreError::Refused(format!(
            "the window of {} UTC cannot be computed again: of its day's counts only hours or days were kept",
            cutshort_model::date_time(row.t)
        ))),
    }
}

/// Replaces results: their rows are one block, so all become valid at once.
fn replace(server: &Server, all: Vec<Prepared>) -> Result<()> {
    let rows = later(server, write(server, all)?)?;
    check_open(server, &rows)?;
    server.insert_all("result", rows)
}

/// New results of several windows that are written together.
pub(crate) struct NewBatch {
    server: Arc<Server>,
    prepared: Arc<Mutex<Vec<Prepared>>>,
}

impl NewBatch {
    pub(crate) fn begin(server: &Arc<Server>) -> Self {
        Self { server: Arc::clone(server), prepared: Arc::default() }
    }
}

impl ReplacementBatch for NewBatch {
    fn replace(&self, window: Window) -> Result<Box<dyn Replacement + '_>> {
        let batch = Some(Arc::clone(&self.prepared));
        Ok(Box::new(NewResults { batch, ..NewResults::begin(&self.server, window.start()) }))
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let all = std::mem::take(&mut *self.prepared.lock().unwrap_or_else(PoisonError::into_inner));
        if all.is_empty() { Ok(()) } else { replace(&self.server, all) }
    }
}

pub(crate) struct NewResults {
    server: Arc<Server>,
    window: i64,
    /// The number of the next sink.
    sinks: Mutex<u64>,
    finished: Arc<Mutex<Vec<Finished>>>,
    /// The batch in which it is written, if any.
    batch: Option<Arc<Mutex<Vec<Prepared>>>>,
}

impl NewResults {
    pub(crate) fn begin(server: &Arc<Server>, window: i64) -> Self {
        let (sinks, finished) = (Mutex::default(), Arc::default());
        Self { server: Arc::clone(server), window, sinks, finished, batch: None }
    }
}

impl Replacement for NewResults {
    fn sink(&self) -> Result<Box<dyn ConnectionSink + Send>> {
        Ok(Box::new(self.new_sink()))
    }

    fn commit(self: Box<Self>, inputs: Inputs, counts: WindowCounts, cells: &Cells) -> Result<()> {
        let prepared = self.prepare(inputs, &counts, Some(cells));
        match &self.batch {
            None => replace(&self.server, vec![prepared]),
            Some(batch) => {
                batch.lock().unwrap_or_else(PoisonError::into_inner).push(prepared);
                Ok(())
            }
        }
    }
}

impl NewResults {
    fn new_sink(&self) -> RowSink {
        let number = {
            let mut sinks = self.sinks.lock().unwrap_or_else(PoisonError::into_inner);
            *sinks += 1;
            *sinks
        };
        RowSink {
            server: Arc::clone(&self.server),
            window: self.window,
            generation: new_generation(),
            number,
            written: 0,
            bytes: 0,
            waiting: Vec::new(),
            insert: None,
            noted: None,
            finished: Arc::clone(&self.finished),
        }
    }

    fn prepare(&self, inputs: Inputs, counts: &WindowCounts, cells: Option<&Cells>) -> Prepared {
        let mut finished = std::mem::take(&mut *self.finished.lock().unwrap_or_else(PoisonError::into_inner));
        finished.sort_unstable_by_key(|sink| sink.number);
        let generation = new_generation();
        let (networks_folded, ports_folded) = cells.map(cells::folded).unwrap_or_default();
        let row = ResultRow {
            level: Level::FifteenMinutes as u8,
            t: self.window,
            version: 0,
            generation,
            parts: inputs.segments,
            cutoff: inputs.cutoff,
            rules: inputs.rules,
            packets: counts.packets,
            copies: counts.duplicates,
            tail: counts.tail,
            connections: counts.connections,
            excluded: counts.excluded.to_vec(),
            updated: now(),
            bytes: finished.iter().map(|sink| sink.bytes).sum(),
            connection_generations: finished.iter().map(|sink| sink.generation).collect(),
            has_connections: true,
            has_cells: cells.is_some(),
            networks_folded,
            ports_folded,
        };
        let of_servers = cells.zip(row.connection_generations.first());
        let servers = of_servers.map(|(cells, generation)| servers::rows(cells, self.window, *generation));
        let cells = cells.map(|cells| cells::rows(cells, Level::FifteenMinutes, self.window, generation));
        Prepared {
            row,
            connections: finished.into_iter().flat_map(|sink| sink.waiting).collect(),
            cells: cells.unwrap_or_default(),
            servers: servers.unwrap_or_default(),
        }
    }
}

/// Results that were read from another store.
pub(crate) struct Restored {
    results: NewResults,
    sink: Box<RowSink>,
}

impl Restored {
    pub(crate) fn begin(server: &Arc<Server>, window: i64) -> Self {
        let results = NewResults::begin(server, window);
        let sink = Box::new(results.new_sink());
        Self { results, sink }
    }
}

impl Restoration for Restored {
    fn write(&mut self, connection: &ConnectionRecord<'_>) -> Result<()> {
        self.sink.write_record(connection)
    }

    fn finish(self: Box<Self>, from: &WindowResults) -> Result<()> {
        let Self { results, sink } = *self;
        sink.finish()?;
        let (server, window) = (&results.server, results.window);
        let mut prepared = results.prepare(from.inputs, &from.counts, from.cells.as_ref());
        if !from.has_connections {
            prepared.servers.clear();
            prepared.row = ResultRow {
                has_connections: false,
                connection_generations: Vec::new(),
                bytes: 0,
                ..prepared.row
            };
        }
        let rows = write(server, vec![prepared])?;
        if from.frozen {
            results::freeze(server, [window].iter())?;
        }
        server.insert_all("result", later(server, rows)?)
    }
}

struct RowSink {
    server: Arc<Server>,
    window: i64,
    generation: u64,
    number: u64,
    written: u64,
    bytes: u64,
    waiting: Vec<ConnectionRow>,
    insert: Option<Insert<ConnectionRow>>,
    /// When its generation was last recorded; none before the first row.
    noted: Option<Instant>,
    finished: Arc<Mutex<Vec<Finished>>>,
}

/// Generations that are older than this and not valid yet are recorded again; otherwise another process's retention
/// would take them for the remains of a crash.
const RENEW: Duration = Duration::from_mins(10);
/// Bytes of a row in addition to its texts.
const ROW_BYTES: u64 = 110;

impl RowSink {
    fn write_record(&mut self, record: &ConnectionRecord<'_>) -> Result<()> {
        let number = self.number << 40 | self.written;
        self.bytes +=
            ROW_BYTES + (record.node.len() + record.as_name.as_ref().map_or(0, |name| name.len())) as u64;
        self.waiting.push(ConnectionRow::new(record, self.window, self.generation, number));
        self.written += 1;
        if self.waiting.len() < BATCH { Ok(()) } else { self.send() }
    }

    fn send(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        if self.noted.is_none_or(|noted| noted.elapsed() > RENEW) {
            results::begin(&self.server, Level::FifteenMinutes, [(self.window, self.generation)])?;
            self.noted = Some(Instant::now());
        }
        let mut insert = match self.insert.take() {
            Some(insert) => insert,
            None => self.server.insert("connection")?,
        };
        let rows = std::mem::take(&mut self.waiting);
        self.server.wait(async {
            for row in &rows {
                insert.write(row).await?;
            }
            Ok(())
        })?;
        self.insert = Some(insert);
        Ok(())
    }
}

impl ConnectionSink for RowSink {
    fn write(&mut self, connection: &JudgedConnection<'_>) -> Result<()> {
        self.write_record(&connection.into())
    }

    /// Leaves a small number of rows to be written with the counts.
    fn finish(mut self: Box<Self>) -> Result<()> {
        if self.insert.is_some() {
            self.send()?;
        }
        if let Some(insert) = self.insert.take() {
            self.server.wait(insert.end())?;
        }
        let Self { number, generation, bytes, waiting, finished, .. } = *self;
        let mut finished = finished.lock().unwrap_or_else(PoisonError::into_inner);
        finished.push(Finished { number, generation, bytes, waiting });
        Ok(())
    }
}

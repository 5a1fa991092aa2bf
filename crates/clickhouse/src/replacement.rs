//! New results of a window.

use std::net::Ipv6Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clickhouse::Row;
use clickhouse::insert::Insert;
use cutshort_model::{Connection as Judged, Record, now};
use cutshort_store::cell::Cells;
use cutshort_store::{
    ConnectionSink, Inputs, Replacement, Restoration, Result, StoreError, WindowCounts, WindowResults,
};
use serde::{Deserialize, Serialize};

use crate::cells;
use crate::connection::{BATCH, Connection};
use crate::results::{self, Level, ResultRow, new_generation};

/// A row of the table `connection`.
#[derive(Row, Serialize, Deserialize)]
pub(crate) struct ConnectionRow {
    pub(crate) window_start: i64,
    pub(crate) generation: u64,
    /// Its place among those of its window.
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
}

impl ConnectionRow {
    fn new(record: &Record<'_>, window: i64, generation: u64, number: u64) -> Self {
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
        }
    }
}

/// Generations of finished sinks with the bytes of their rows, by the sinks' numbers.
type Finished = Arc<Mutex<Vec<(u64, u64, u64)>>>;

pub(crate) struct NewResults {
    server: Arc<Connection>,
    window: i64,
    /// The number of the next sink.
    sinks: Mutex<u64>,
    finished: Finished,
}

impl NewResults {
    pub(crate) fn begin(server: &Arc<Connection>, window: i64) -> Self {
        Self { server: Arc::clone(server), window, sinks: Mutex::default(), finished: Arc::default() }
    }
}

impl Replacement for NewResults {
    fn sink(&self) -> Result<Box<dyn ConnectionSink + Send>> {
        Ok(Box::new(self.new_sink()))
    }

    fn commit(self: Box<Self>, inputs: Inputs, counts: WindowCounts, cells: &Cells) -> Result<()> {
        let row = self.row(inputs, &counts, Some(cells))?;
        let before = results::of_window(&self.server, self.window)?;
        if results::is_closed(&self.server, self.window)? {
            let when = cutshort_model::date_time(self.window);
            return Err(StoreError::Refused(format!(
                "the window of {when} UTC cannot be computed again: of its day's counts only hours or days were kept"
            )));
        }
        self.server.insert_all("result", [row.later(before.as_ref())])
    }
}

impl NewResults {
    fn new_sink(&self) -> Sink {
        let number = {
            let mut sinks = self.sinks.lock().unwrap_or_else(PoisonError::into_inner);
            *sinks += 1;
            *sinks
        };
        Sink {
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

    /// Writes cells; gives the row of results, which is the last that is written: with it, everything before it holds.
    fn row(&self, inputs: Inputs, counts: &WindowCounts, cells: Option<&Cells>) -> Result<ResultRow> {
        let (server, window) = (&self.server, self.window);
        let mut finished = std::mem::take(&mut *self.finished.lock().unwrap_or_else(PoisonError::into_inner));
        finished.sort_unstable();
        let generation = new_generation();
        let written = finished.iter().map(|(_, generation, _)| *generation);
        let all: Vec<u64> = written.chain([generation]).collect();
        results::begin(server, Level::Quarter, window, &all)?;
        if let Some(cells) = cells {
            server.insert_all("cell", cells::rows(cells, Level::Quarter, window, generation))?;
        }
        let (networks_folded, ports_folded) = cells.map(cells::folded).unwrap_or_default();
        Ok(ResultRow {
            level: Level::Quarter as u8,
            t: window,
            version: 0,
            generation,
            parts: inputs.segments,
            cutoff: inputs.cutoff,
            rules: inputs.rules,
            packets: counts.packets,
            copies: counts.copies,
            tail: counts.tail,
            connections: counts.connections,
            excluded: counts.excluded.to_vec(),
            updated: now(),
            bytes: finished.iter().map(|(_, _, bytes)| bytes).sum(),
            connection_generations: finished.iter().map(|(_, generation, _)| *generation).collect(),
            has_connections: true,
            has_cells: cells.is_some(),
            networks_folded,
            ports_folded,
        })
    }
}

/// Results from elsewhere.
pub(crate) struct Restored {
    results: NewResults,
    sink: Box<Sink>,
}

impl Restored {
    pub(crate) fn begin(server: &Arc<Connection>, window: i64) -> Self {
        let results = NewResults::begin(server, window);
        let sink = Box::new(results.new_sink());
        Self { results, sink }
    }
}

impl Restoration for Restored {
    fn write(&mut self, connection: &Record<'_>) -> Result<()> {
        self.sink.write_record(connection)
    }

    fn finish(self: Box<Self>, from: &WindowResults) -> Result<()> {
        let Self { results, sink } = *self;
        sink.finish()?;
        let (server, window) = (&results.server, results.window);
        let row = results.row(from.inputs, &from.counts, from.cells.as_ref())?;
        let row = match from.has_connections {
            true => row,
            false => {
                ResultRow { has_connections: false, connection_generations: Vec::new(), bytes: 0, ..row }
            }
        };
        if from.frozen {
            results::freeze(server, [window].iter())?;
        }
        let before = results::of_window(server, window)?;
        server.insert_all("result", [row.later(before.as_ref())])
    }
}

struct Sink {
    server: Arc<Connection>,
    window: i64,
    generation: u64,
    number: u64,
    written: u64,
    bytes: u64,
    waiting: Vec<ConnectionRow>,
    insert: Option<Insert<ConnectionRow>>,
    /// When its generation was noted last; none before the first row.
    noted: Option<Instant>,
    finished: Finished,
}

/// What was noted longer ago and does not hold yet is noted again, or another's retention would take it for what a
/// crash left.
const RENEW: Duration = Duration::from_mins(10);
/// Bytes of a row besides its texts.
const ROW_BYTES: u64 = 110;

impl Sink {
    fn write_record(&mut self, record: &Record<'_>) -> Result<()> {
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
            results::begin(&self.server, Level::Quarter, self.window, &[self.generation])?;
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

impl ConnectionSink for Sink {
    fn write(&mut self, connection: &Judged<'_>) -> Result<()> {
        self.write_record(&connection.into())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.send()?;
        if let Some(insert) = self.insert.take() {
            self.server.wait(insert.end())?;
        }
        let mut finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        finished.push((self.number, self.generation, self.bytes));
        Ok(())
    }
}

//! New results of a window.

use std::net::Ipv6Addr;
use std::sync::{Arc, Mutex, PoisonError};

use clickhouse::Row;
use clickhouse::insert::Insert;
use cutshort_report::connection::{Connection as Judged, Record};
use cutshort_store::cell::Cells;
use cutshort_store::{ConnectionSink, Inputs, Replacement, Result, WindowCounts};
use serde::{Deserialize, Serialize};

use crate::connection::{BATCH, Connection};
use crate::results::{self, Level, ResultRow, new_generation};
use crate::{cells, now};

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
    pub(crate) fn begin(server: &Arc<Connection>, window: i64) -> Result<Self> {
        Ok(Self { server: Arc::clone(server), window, sinks: Mutex::default(), finished: Arc::default() })
    }
}

impl Replacement for NewResults {
    fn sink(&self) -> Result<Box<dyn ConnectionSink + Send>> {
        let number = {
            let mut sinks = self.sinks.lock().unwrap_or_else(PoisonError::into_inner);
            *sinks += 1;
            *sinks
        };
        let generation = new_generation();
        results::begin(&self.server, Level::Quarter, self.window, &[generation])?;
        Ok(Box::new(Sink {
            server: Arc::clone(&self.server),
            window: self.window,
            generation,
            number,
            written: 0,
            bytes: 0,
            waiting: Vec::new(),
            insert: None,
            finished: Arc::clone(&self.finished),
        }))
    }

    /// The row of results is the last that is written: with it, everything before it holds.
    fn commit(self: Box<Self>, inputs: Inputs, counts: WindowCounts, cells: &Cells) -> Result<()> {
        let (server, window) = (&self.server, self.window);
        let generation = new_generation();
        results::begin(server, Level::Quarter, window, &[generation])?;
        server.insert_all("cell", cells::rows(cells, window, generation))?;
        let mut finished = std::mem::take(&mut *self.finished.lock().unwrap_or_else(PoisonError::into_inner));
        finished.sort_unstable();
        let (networks_folded, ports_folded) = cells::folded(cells);
        let row = ResultRow {
            level: Level::Quarter as u8,
            t: window,
            version: 0,
            generation,
            parts: inputs.segments,
            cutoff: inputs.cutoff,
            rules: inputs.rules,
            packets: counts.packets,
            copies: counts.copies,
            connections: counts.connections,
            excluded: counts.excluded.to_vec(),
            updated: now(),
            bytes: finished.iter().map(|(_, _, bytes)| bytes).sum(),
            connection_generations: finished.iter().map(|(_, generation, _)| *generation).collect(),
            has_connections: true,
            has_cells: true,
            networks_folded,
            ports_folded,
        };
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
    finished: Finished,
}

/// Bytes of a row besides its texts.
const ROW_BYTES: u64 = 110;

impl Sink {
    fn send(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
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
        let record = Record::from(connection);
        let number = self.number << 40 | self.written;
        self.bytes +=
            ROW_BYTES + (record.node.len() + record.as_name.as_ref().map_or(0, |name| name.len())) as u64;
        self.waiting.push(ConnectionRow::new(&record, self.window, self.generation, number));
        self.written += 1;
        if self.waiting.len() < BATCH { Ok(()) } else { self.send() }
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

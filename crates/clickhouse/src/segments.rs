//! Stores segments, and their packets.

use std::collections::HashSet;
use std::time::Duration;

use clickhouse::Row;
use clickhouse::query::Query;
use cutshort_model::{Addresses, now};
use cutshort_store::{Added, Result, Segment, SegmentId, SegmentInfo, StoreError};
use serde::{Deserialize, Serialize};

use crate::rows::RowColumns;
use crate::server::Server;

/// The segment is being delivered: a part of its packets may be stored.
pub(crate) const ARRIVING: (u8, &str) = (1, "arriving");
/// All packets of the segment are stored.
pub(crate) const KEPT: (u8, &str) = (2, "kept");
/// The segment was deleted. What it covered is still covered.
pub(crate) const DELETED: (u8, &str) = (3, "deleted");

/// A row of the table `segment`. Of several rows with the same ID, the latest state is valid.
#[derive(Clone, Row, Serialize, Deserialize)]
pub(crate) struct SegmentRow {
    pub(crate) id: String,
    pub(crate) version: u8,
    pub(crate) state: String,
    pub(crate) node: String,
    pub(crate) origin: String,
    pub(crate) covers_from: i64,
    pub(crate) covers_to: i64,
    pub(crate) first: Option<i64>,
    pub(crate) last: Option<i64>,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) arrived: i64,
    /// Windows that have packets, with the number of packets.
    pub(crate) windows: Vec<(i64, u64)>,
    /// How much of the packets' addresses is kept, by name.
    pub(crate) addresses: String,
}

/// Parses an ID as it is stored.
pub(crate) fn id(text: &str) -> Result<SegmentId> {
    let id = u128::from_str_radix(text, 16);
    id.map(SegmentId).map_err(|_| StoreError::Damaged(format!("'{text}' is no id of a segment").into()))
}

/// Parses how addresses are kept.
pub(crate) fn addresses(name: &str) -> Result<Addresses> {
    Addresses::from_name(name)
        .ok_or_else(|| StoreError::Damaged(format!("'{name}' is no way in which addresses are kept").into()))
}

pub(crate) const COLUMNS: &str = "id, version, state, node, origin, covers_from, covers_to, first, last, rows, bytes, arrived, windows, addresses";

impl SegmentRow {
    fn of(segment: &Segment) -> Self {
        Self {
            bytes: segment.bytes().len() as u64,
            windows: segment.windows().iter().map(|(window, rows)| (window.start(), *rows)).collect(),
            ..Self::new(segment.info())
        }
    }

    /// The row of a segment whose packets are not stored yet.
    pub(crate) fn new(info: &SegmentInfo) -> Self {
        Self {
            id: info.id.to_string(),
            version: 0,
            state: String::new(),
            node: info.node.clone(),
            origin: info.origin.name().to_owned(),
            covers_from: info.covers.0,
            covers_to: info.covers.1,
            first: info.times.map(|times| times.0),
            last: info.times.map(|times| times.1),
            rows: info.rows,
            bytes: 0,
            arrived: now(),
            windows: Vec::new(),
            addresses: info.addresses.name().to_owned(),
        }
    }

    pub(crate) fn in_state(&self, state: (u8, &str)) -> Self {
        Self { version: state.0, state: state.1.to_owned(), ..self.clone() }
    }

    pub(crate) fn id(&self) -> Result<SegmentId> {
        id(&self.id)
    }

    pub(crate) fn addresses(&self) -> Result<Addresses> {
        addresses(&self.addresses)
    }
}

/// The row of a segment, if it is known.
pub(crate) fn by_id(server: &Server, id: SegmentId) -> Result<Option<SegmentRow>> {
    let sql = format!("SELECT {COLUMNS} FROM segment FINAL WHERE id = {{id:String}}");
    server.optional(server.query(&sql).param("id", id.to_string()))
}

/// All segments in a state.
pub(crate) fn in_state(server: &Server, (_, state): (u8, &str)) -> Result<Vec<SegmentRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM segment FINAL WHERE state = {{state:String}} ORDER BY covers_from, id"
    );
    server.all(server.query(&sql).param("state", state))
}

/// The rows of some segments, and the server's time.
#[derive(Row, Deserialize)]
struct Known {
    /// ID, state, and time of the last row of each segment, by the clock of the process that wrote it.
    segments: Vec<(String, String, i64)>,
    now: i64,
}

impl Known {
    fn of(server: &Server, rows: &[SegmentRow]) -> Result<Self> {
        let sql = "SELECT groupArray((id, toString(state), toUnixTimestamp64Nano(arrived))) AS segments,
            toUnixTimestamp64Nano(now64(9)) AS now FROM segment FINAL WHERE id IN {ids:Array(String)}";
        let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        server.one(server.query(sql).param("ids", ids))
    }

    fn arrival(&self, id: &str) -> Arrival {
        match self.segments.iter().find(|(known, ..)| known == id) {
            None => Arrival::New,
            Some((_, state, arrived)) if state == ARRIVING.1 => {
                Arrival::Begun { is_abandoned: self.now.saturating_sub(*arrived) > ABANDONED }
            }
            Some(_) => Arrival::Known,
        }
    }
}

/// How a segment arrives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arrival {
    /// For the first time.
    New,
    /// A delivery was begun; if that was long ago, the server may have forgotten its tokens.
    Begun { is_abandoned: bool },
    /// It is or was stored.
    Known,
}

/// First it is recorded that segments arrive, then the packets of each are inserted, then it is recorded that all are
/// kept. If this is interrupted, it is repeated: the ID is the deduplication token, and the packets are counted.
///
/// The result of a segment is an error if it is from the future; an error of the server is that of all.
pub(crate) fn append(server: &Server, segments: &[Segment]) -> Result<Vec<Result<Added>>> {
    segments.chunks(TOGETHER).try_fold(Vec::new(), |mut added, some| {
        added.extend(append_some(server, some)?);
        Ok(added)
    })
}

/// The number of segments that are recorded in one statement.
pub(crate) const TOGETHER: usize = 64;

fn append_some(server: &Server, segments: &[Segment]) -> Result<Vec<Result<Added>>> {
    let rows: Vec<SegmentRow> = segments.iter().map(SegmentRow::of).collect();
    if let Some(other) = segments.iter().find(|segment| segment.info().data_set != server.data_set) {
        return Err(StoreError::Refused(format!(
            "the segment is of the data set {}, and this store keeps the data set {}",
            other.info().data_set,
            server.data_set
        )));
    }
    let known = Known::of(server, &rows).map_err(not_the_segments)?;
    let mut seen = HashSet::new();
    let (mut arriving, mut added) = (Vec::new(), Vec::new());
    for (segment, row) in segments.iter().zip(&rows) {
        if let Err(error) = segment.info().check_clock(known.now) {
            added.push(Err(error));
            continue;
        }
        let arrival = if seen.insert(&row.id) { known.arrival(&row.id) } else { Arrival::Known };
        added.push(Ok(if arrival == Arrival::Known { Added::Known } else { Added::New }));
        if arrival != Arrival::Known {
            arriving.push((segment, row, arrival));
        }
    }
    keep(server, &arriving, known.now).map_err(not_the_segments)?;
    Ok(added)
}

fn keep(server: &Server, arriving: &[(&Segment, &SegmentRow, Arrival)], now: i64) -> Result<()> {
    let note = |state| server.insert_all("segment", arriving.iter().map(|(_, row, _)| row.in_state(state)));
    if arriving.is_empty() {
        return Ok(());
    }
    note(ARRIVING)?;
    await_drop(server, arriving.iter().flat_map(|(_, row, _)| &row.windows), now)?;
    // Most of the time of an insert goes into flushing files to disk.
    let share = arriving.len().div_ceil(AT_ONCE);
    std::thread::scope(|scope| {
        let threads: Vec<_> = arriving
            .chunks(share)
            .map(|some| {
                scope.spawn(|| some.iter().try_for_each(|arriving| deliver_packets(server, arriving)))
            })
            .collect();
        let failed = || Err(StoreError::Failed("a thread that delivers packets ended".into()));
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| failed()))
    })?;
    note(KEPT)
}

/// The number of segments whose packets are delivered at a time.
const AT_ONCE: usize = 4;

fn deliver_packets(
    server: &Server,
    (segment, row, arrival): &(&Segment, &SegmentRow, Arrival),
) -> Result<()> {
    match arrival {
        Arrival::Begun { is_abandoned } => deliver_again(server, segment, row, *is_abandoned),
        _ => deliver(server, segment, &row.id, &row.id),
    }
}

/// A missing permission or table is not the fault of the segment, so the sender must keep the segment.
fn not_the_segments(error: StoreError) -> StoreError {
    match error {
        StoreError::Refused(why) => StoreError::Unavailable(why.into()),
        other => other,
    }
}

/// A delivery that was begun this many nanoseconds ago is given up: retention may be deleting its packets.
const ABANDONED: i64 = 3_600_000_000_000;

fn deliver_again(server: &Server, segment: &Segment, row: &SegmentRow, is_abandoned: bool) -> Result<()> {
    if !is_abandoned {
        deliver(server, segment, &row.id, &row.id)?;
        if count(server, row)? == row.rows {
            return Ok(());
        }
    }
    let table = server.local("packet");
    let delete = server.query(&format!("ALTER TABLE {table} DELETE WHERE segment = {{id:String}}"));
    server.execute(delete.param("id", &row.id).with_setting("mutations_sync", "2"))?;
    deliver(server, segment, &row.id, &format!("{}-{}", row.id, now()))?;
    match count(server, row)? == row.rows {
        true => Ok(()),
        false => Err(StoreError::Unavailable(
            format!("segment {} is being delivered by somebody else; it is worth trying again", row.id)
                .into(),
        )),
    }
}

/// The number of a segment's packets that are stored.
fn count(server: &Server, row: &SegmentRow) -> Result<u64> {
    let sql = format!("SELECT count() FROM packet WHERE {OF_SEGMENT}");
    server.count(row.bind(server.query(&sql)))
}

/// Selects the packets of a segment, with the parameters of [`SegmentRow::bind`].
pub(crate) const OF_SEGMENT: &str = "segment = {id:String}
     AND window_start >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')
     AND window_start <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')";

impl SegmentRow {
    /// Binds the segment's id and its first and last window.
    pub(crate) fn bind(&self, query: Query) -> Query {
        let times = self.windows.iter().map(|(window, _)| *window);
        let (from, to) = (times.clone().min().unwrap_or_default(), times.max().unwrap_or_default());
        query.param("id", &self.id).param("from", from).param("to", to)
    }
}

/// Records that whole days of packets are being dropped, or no longer, under a number of the process that does so.
pub(crate) fn note_dropping(server: &Server, number: u64, begins: bool) -> Result<()> {
    let state = if begins { DROPPING } else { "dropped" };
    let row = SegmentRow {
        id: format!("{DROPPING}-{number:016x}"),
        version: ARRIVING.0,
        state: state.to_owned(),
        node: String::new(),
        origin: String::new(),
        covers_from: 0,
        covers_to: 0,
        first: None,
        last: None,
        rows: 0,
        bytes: 0,
        arrived: now(),
        windows: Vec::new(),
        addresses: Addresses::Full.name().to_owned(),
    };
    server.insert_all("segment", [row])
}

/// The state of a row that does not stand for a segment: days are being dropped.
const DROPPING: &str = "dropping";
/// Packets of the last nanoseconds of this number are never dropped, whatever the clock.
const RECENT: i64 = 43_200_000_000_000;
/// How often to check whether days are still being dropped, and how long to wait between checks.
const LOOKS: u32 = 20;
const LOOK: Duration = Duration::from_millis(100);

/// Waits until no days are being dropped, after it was recorded that packets of an old day arrive: whoever drops days
/// checks this after recording that they do.
fn await_drop<'a>(
    server: &Server,
    mut windows: impl Iterator<Item = &'a (i64, u64)>,
    now: i64,
) -> Result<()> {
    let is_recent = |(window, _): &(i64, u64)| *window > now.saturating_sub(RECENT);
    if windows.all(is_recent) {
        return Ok(());
    }
    // Who has not said for so long that it is over was ended before.
    let sql = format!(
        "SELECT count() FROM segment FINAL
         WHERE id LIKE '{DROPPING}-%' AND state = '{DROPPING}' AND arrived > now64(9) - toIntervalMinute(10)"
    );
    for _ in 0..LOOKS {
        if server.count(server.query(&sql))? == 0 {
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
    Err(StoreError::Unavailable("packets of old days are being deleted; try again".into()))
}

fn deliver(server: &Server, segment: &Segment, id: &str, token: &str) -> Result<()> {
    if segment.info().rows == 0 {
        return Ok(());
    }
    let settings = [
        ("param_segment", id),
        ("insert_deduplication_token", token),
        // The blocks of a file are the same each time.
        ("input_format_parquet_preserve_order", "1"),
        // Earlier segments have neither options nor, with full addresses, country, AS and flow.
        ("input_format_parquet_allow_missing_columns", "1"),
        ("max_insert_threads", "1"),
        ("max_partitions_per_insert_block", "0"),
    ];
    server.insert_file(&RowColumns::of(server.data_set).insert(), &settings, segment.bytes())
}

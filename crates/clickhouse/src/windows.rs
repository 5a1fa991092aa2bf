//! Lists windows, and those that are due. The server returns one row per window, however many segments it has.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clickhouse::Row;
use cutshort_model::Window;
use cutshort_store::{Inputs, Result, WindowState};
use serde::Deserialize;

use crate::results::{self, Level};
use crate::segments;
use crate::server::{Server, time};

/// The stored segments that have packets of a window (the parameter `window`): their IDs, their windows, and more
/// columns of the table `segment`, which is `s`. Segments with packets of other times only are skipped early.
pub(crate) fn of_window(more: &str) -> String {
    let comma = if more.is_empty() { "" } else { ", " };
    let window = time("window");
    format!(
        "SELECT s.id AS id, any(s.windows) AS windows{comma}{more} FROM segment AS s
         WHERE s.last >= {window} AND s.first < {window} + toIntervalSecond({})
         GROUP BY s.id HAVING max(s.version) = {} AND arrayExists(w -> w.1 = {window}, windows)",
        Window::LENGTH / 1_000_000_000,
        segments::KEPT.0,
    )
}

/// The same digest of IDs as that of [`Inputs::of`].
const DIGEST: &str = "reinterpretAsUInt64(reverse(substring(SHA256(arrayStringConcat(arraySort(groupArray(unhex(id))))), 1, 8)))";

/// Ranges up to this length are read without listing all segments.
const NARROW: i64 = 48 * Window::LENGTH;

/// The kept segments of a window.
#[derive(Clone, Copy, Row, Deserialize)]
struct StoredSegments {
    t: i64,
    digest: u64,
    bytes: u64,
}

/// The segments of each window that begins in a range and has packets.
fn parts(server: &Server, range: &Range<i64>) -> Result<Vec<StoredSegments>> {
    let (from, to) = (time("from"), time("to"));
    let kept = match range.end.saturating_sub(range.start) <= NARROW {
        true => format!(
            "SELECT s.id AS id, any(s.bytes) AS bytes, any(s.windows) AS windows FROM segment AS s
             WHERE s.last >= {from} AND s.first < {to} + toIntervalSecond({})
             GROUP BY s.id HAVING max(s.version) = {}",
            Window::LENGTH / 1_000_000_000,
            segments::KEPT.0
        ),
        false => "SELECT id, bytes, windows FROM segment FINAL WHERE state = 'kept'".to_owned(),
    };
    let sql = format!(
        "SELECT w.1 AS t, {DIGEST} AS digest, sum(bytes) AS bytes FROM ({kept}) AS kept ARRAY JOIN windows AS w
         WHERE t >= {from} AND t < {to} GROUP BY t"
    );
    server.all(server.query(&sql).param("from", range.start).param("to", range.end))
}

/// The windows of a range that have packets or results, in order.
pub(crate) fn within(server: &Server, range: &Range<i64>) -> Result<Vec<WindowState>> {
    let parts = parts(server, range)?;
    states(server, range, parts.into_iter().map(|parts| (parts.t, parts)), results::covered_to(server)?)
}

/// The inputs from which the results of a window were computed.
#[derive(Row, Deserialize)]
struct Made {
    t: i64,
    parts: u64,
    cutoff: i64,
    rules: u64,
}

fn made(server: &Server, range: &Range<i64>) -> Result<Vec<Made>> {
    let sql = format!(
        "SELECT t, parts, cutoff, rules FROM result FINAL WHERE level = 0 AND t >= {} AND t < {}",
        time("from"),
        time("to")
    );
    server.all(server.query(&sql).param("from", range.start).param("to", range.end))
}

/// The generation of the cells of each window's results, in order.
pub(crate) fn generations(server: &Server, range: &Range<i64>) -> Result<Vec<(Window, u64)>> {
    let sql = format!(
        "SELECT t, generation FROM result FINAL WHERE level = 0 AND t >= {} AND t < {} ORDER BY t",
        time("from"),
        time("to")
    );
    let found: Vec<(i64, u64)> =
        server.all(server.query(&sql).param("from", range.start).param("to", range.end))?;
    Ok(found.into_iter().map(|(t, generation)| (Window::containing(t), generation)).collect())
}

/// The state of a window while it is collected.
#[derive(Default)]
struct CollectedState {
    parts: Option<StoredSegments>,
    made: Option<Made>,
    frozen: bool,
}

fn states(
    server: &Server,
    range: &Range<i64>,
    parts: impl Iterator<Item = (i64, StoredSegments)>,
    covered_to: i64,
) -> Result<Vec<WindowState>> {
    let mut found: BTreeMap<i64, CollectedState> = BTreeMap::new();
    parts.for_each(|(t, parts)| found.entry(t).or_default().parts = Some(parts));
    for made in made(server, range)? {
        let window = found.entry(made.t).or_default();
        window.made = Some(made);
    }
    let closed = results::closed_days(server, range)?;
    for t in results::frozen(server, range)? {
        found.entry(t).and_modify(|window| window.frozen = true);
    }
    let state = |(start, found): (i64, CollectedState)| {
        let is_closed = closed.contains(&Level::Day.start(start));
        found.state(Window::containing(start), covered_to, is_closed)
    };
    Ok(found.into_iter().map(state).collect())
}

impl CollectedState {
    fn state(self, window: Window, covered_to: i64, is_closed: bool) -> WindowState {
        let Self { parts, made, frozen } = self;
        let done = made.map(|made| Inputs { segments: made.parts, cutoff: made.cutoff, rules: made.rules });
        let inputs = match &parts {
            Some(parts) => Inputs::of_digest(window, parts.digest, covered_to),
            None => Inputs::of(window, &mut [], covered_to),
        };
        WindowState {
            window,
            inputs,
            frozen: (frozen && done.is_some()) || is_closed,
            done,
            bytes: parts.map_or(0, |parts| parts.bytes),
        }
    }
}

/// What is known of the segments, so that only those that arrived since must be read.
#[derive(Default)]
pub(crate) struct Watch {
    seen: Mutex<Option<SeenSegments>>,
}

struct SeenSegments {
    /// When all segments were last read.
    whole: Instant,
    /// The time up to which arrived segments are known, by the server's clock; none before the first look.
    since: Option<i64>,
    /// A fingerprint that shows whether anything has arrived since.
    print: (u64, u64),
    windows: BTreeMap<i64, StoredSegments>,
    /// The end of the time that is covered, without and with times that a wrong clock puts in the future.
    covered_to: Option<i64>,
    covered_to_future: Option<i64>,
    /// The time of the latest packet of a live receiver.
    latest_live: i64,
}

/// After this time all segments are read again, because some may have been deleted.
const WHOLE: Duration = Duration::from_mins(5);
/// Segments record when they arrived by the clock of the process that wrote them, which may be wrong by this many
/// nanoseconds.
const SKEW: i64 = 3_600_000_000_000;

/// What the segments that arrived since a time change.
#[derive(Row, Deserialize)]
struct News {
    now: i64,
    segments: u64,
    digest: u64,
    first_window: Option<i64>,
    last_window: Option<i64>,
    covered_to: Option<i64>,
    covered_to_future: Option<i64>,
    latest_live: Option<i64>,
}

impl Watch {
    /// The windows with packets that are due, in order.
    pub(crate) fn due(&self, server: &Server) -> Result<Vec<WindowState>> {
        let (windows, covered_to) = self.look(server, |seen| (seen.windows.clone(), seen.covered_to()))?;
        let (Some((first, _)), Some((last, _))) = (windows.first_key_value(), windows.last_key_value())
        else {
            return Ok(Vec::new());
        };
        let range = *first..last.saturating_add(1);
        let mut windows = states(server, &range, windows.into_iter(), covered_to)?;
        windows.retain(|window| window.is_due() && window.bytes > 0);
        Ok(windows)
    }

    /// The time of the latest packet of a live receiver.
    pub(crate) fn latest_live(&self, server: &Server) -> Result<i64> {
        self.look(server, |seen| seen.latest_live)
    }

    /// Looks for new segments.
    fn look<T>(&self, server: &Server, take: impl Fn(&SeenSegments) -> T) -> Result<T> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = match seen.take().filter(|seen| seen.whole.elapsed() < WHOLE) {
            Some(seen) => seen,
            None => SeenSegments::nothing(),
        };
        // What fails leaves nothing that was seen in part.
        now.look(server)?;
        let taken = take(&now);
        *seen = Some(now);
        Ok(taken)
    }
}

impl SeenSegments {
    fn nothing() -> Self {
        let (whole, print, windows) = (Instant::now(), (0, 0), BTreeMap::new());
        Self {
            whole,
            since: None,
            print,
            windows,
            covered_to: None,
            covered_to_future: None,
            latest_live: i64::MIN,
        }
    }

    /// The same value as [`results::covered_to`].
    fn covered_to(&self) -> i64 {
        self.covered_to.or(self.covered_to_future).unwrap_or(i64::MIN)
    }

    fn look(&mut self, server: &Server) -> Result<()> {
        let news = news(server, self.since.unwrap_or(i64::MIN))?;
        let print = (news.segments, news.digest);
        if self.since.is_some() && self.print == print {
            return Ok(());
        }
        self.covered_to = self.covered_to.max(news.covered_to);
        self.covered_to_future = self.covered_to_future.max(news.covered_to_future);
        self.latest_live = self.latest_live.max(news.latest_live.unwrap_or(i64::MIN));
        if let (Some(from), Some(to)) = (news.first_window, news.last_window) {
            let range = from..to.saturating_add(1);
            let parts = parts(server, &range)?;
            self.windows.retain(|t, _| !range.contains(t));
            self.windows.extend(parts.into_iter().map(|parts| (parts.t, parts)));
        }
        self.print = if self.since.is_some() { print } else { (0, 0) };
        self.since.get_or_insert(news.now.saturating_sub(SKEW));
        Ok(())
    }
}

fn news(server: &Server, since: i64) -> Result<News> {
    // The whole look goes by the latest states: what was undone must not be seen.
    let last = if since == i64::MIN { "FINAL" } else { "" };
    let nanoseconds = |time: &str| format!("toUnixTimestamp64Nano({time})");
    let sql = format!(
        "SELECT toUnixTimestamp64Nano(now64(9)) AS now, count() AS segments,
           sum(cityHash64(s.id, s.version)) AS digest, {} AS first_window, {} AS last_window, {} AS covered_to, {} AS covered_to_future,
           {} AS latest_live
         FROM segment AS s {last} WHERE s.state IN ('kept', 'deleted') AND s.arrived >= {}",
        nanoseconds("minOrNullArray(arrayMap(w -> w.1, s.windows))"),
        nanoseconds("maxOrNullArray(arrayMap(w -> w.1, s.windows))"),
        nanoseconds("maxOrNullIf(s.covers_to, s.covers_to <= now64(9) + INTERVAL 1 DAY)"),
        nanoseconds("maxOrNull(s.covers_to)"),
        nanoseconds("maxOrNullIf(s.last, s.node != '')"),
        time("since")
    );
    server.one(server.query(&sql).param("since", since))
}

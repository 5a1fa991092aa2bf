//! A year of counts of 200 countries and 5,000 networks, and how long questions about it take.
//!
//! `CONNECTIONS` sets the sampled connections of a day (default 1,000,000), `DAYS` how many days there are,
//! `ROLLUPS` a folder to keep the year in, so that the next run does not make it again; `cutshort serve --data` takes
//! it, for `bench/http_load.py`. Days and hours are of the whole year, windows of its last four weeks.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use cutshort_embedded::{Embedded, rollup};
use cutshort_geo::Country;
use cutshort_model::{Bucket, Dimension, Network, Port, Window};
use cutshort_store::cell::{CellKey, CellOutcome, Cells, Limits};
use cutshort_store::{Choice, RollupQuery, Selection};
use cutshort_verdict::{DataSet, Exclusion, Signature, Stage, Tag, Tags, Termination, WeightedCount};
use rusqlite::{Connection, OpenFlags};

/// A Monday.
const END: i64 = 20_604 * DAY;
const HOUR: i64 = 4 * Window::LENGTH;
const DAY: i64 = 24 * HOUR;
const NETWORKS: usize = 5_000;
const COUNTRIES: usize = 200;
const WEEKS_OF_WINDOWS: i64 = 4;

fn main() {
    let setting =
        |name: &str, default: i64| env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (connections, days) = (setting("CONNECTIONS", 1_000_000), setting("DAYS", 365));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let kept = env::var_os("ROLLUPS").map(PathBuf::from);
    let store = kept.unwrap_or_else(|| folder.path().to_owned());
    let path = store.join("rollup.sqlite");
    if !path.exists() {
        drop(Embedded::open(&store, cutshort_embedded::Options::default()).expect("a store"));
        make(&path, connections, days);
    }
    let size = fs::metadata(&path).map_or(0, |file| file.len());
    println!("file: {} MB", size / 1_000_000);
    sizes(&path);
    large_window();
    questions(&path);
    at_once(&path);
}

/// How long something took, and the processor's part of it: on a busy machine the rest is waiting.
struct Watch(Instant, u64);

impl Watch {
    fn start() -> Self {
        Self(Instant::now(), on_processor())
    }

    fn stop(&self) -> (Duration, Duration) {
        (self.0.elapsed(), Duration::from_nanos(on_processor() - self.1))
    }
}

/// Nanoseconds that this thread ran (Linux; elsewhere 0).
fn on_processor() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0)
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 on, low numbers more often: the rank in a Zipf distribution.
    fn rank(&mut self, count: usize) -> usize {
        ((count as f64 + 1.0).powf(self.unit()) as usize).saturating_sub(1).min(count - 1)
    }

    fn below(&mut self, count: i64) -> i64 {
        (self.unit() * count as f64) as i64
    }
}

fn country(rank: usize) -> Option<Country> {
    Country::from_index(rank * 7 % COUNTRIES)
}

fn number(rank: usize) -> u32 {
    rank as u32 * 13 + 1
}

fn name_nodes(cells: &mut Cells) {
    for name in ["ams1", "fra2", "iad1", "sin1"] {
        cells.node(name);
    }
}

/// What a day has of each cell on average.
fn day(connections: i64) -> Vec<(CellKey, f64)> {
    let mut random = Random(1);
    let mut cells = Cells::default();
    name_nodes(&mut cells);
    for _ in 0..connections {
        cells.add(key(&mut random), 1);
    }
    cells.iter().map(|(key, count)| (key, count.sampled as f64)).collect()
}

fn key(random: &mut Random) -> CellKey {
    let network = random.rank(NETWORKS);
    let home = network.wrapping_mul(2_654_435_761) % COUNTRIES * (network % 3 + 1) / 3;
    let abroad = random.unit() < 0.1;
    CellKey {
        location: country(if abroad { (home + 1 + network % 2) % COUNTRIES } else { home }),
        network: Network::As(number(network)),
        ip_version: if random.unit() < 0.7 { 4 } else { 6 },
        port: match random.unit() {
            0.0..0.8 => Port::Number(443),
            0.8..0.93 => Port::Number(80),
            0.93..0.95 => Port::Other,
            _ => Port::Number(8_000 + random.rank(30) as u16),
        },
        node: random.rank(4) as u16,
        outcome: outcome(random),
    }
}

fn outcome(random: &mut Random) -> CellOutcome {
    let tags = |tags: &[Tag]| tags.iter().copied().collect::<Tags>();
    let (stage, termination, completed, tags) = match random.unit() {
        0.0..0.03 => return CellOutcome::Excluded(Exclusion::ALL[random.rank(3)]),
        0.03..0.65 => (Stage::None, Termination::Fin, true, tags(&[Tag::Answered])),
        0.65..0.75 => (Stage::None, Termination::Open, true, tags(&[Tag::Answered])),
        0.75..0.78 => (Stage::None, Termination::Fin, true, tags(&[])),
        0.78..0.88 => (Stage::PostSyn, Termination::Timeout, false, tags(&[Tag::Timeout])),
        _ => {
            let at = random.rank(4);
            let kinds = [Tag::SingleRst, Tag::SingleRstAck, Tag::MultipleRsts, Tag::RstAndRstAcks];
            let more = [Tag::Answered, Tag::Fin, Tag::SynRetransmitted][random.rank(3)];
            let tags = tags(&[Tag::Reset, kinds[random.rank(4)], more]);
            (Stage::ALL[at], Termination::Reset, at != 0, tags)
        }
    };
    let signature = Signature::from_id(random.rank(20) as u8).filter(|_| stage != Stage::None);
    CellOutcome::Connection { stage, termination, completed, signature, tags }
}

fn make(path: &Path, connections: i64, days: i64) {
    let started = Instant::now();
    let day = day(connections);
    println!("{connections} connections a day in {} cells", day.len());
    let mut sql = Connection::open(path).expect("a file");
    sql.pragma_update(None, "journal_mode", "WAL").expect("WAL");
    sql.pragma_update(None, "synchronous", "OFF").expect("no waiting");
    let (from, windows_from) = (END - days * DAY, END - WEEKS_OF_WINDOWS * 7 * DAY);
    let (mut written, mut rolled) = (Vec::new(), Duration::ZERO);
    let mut random = Random(2);
    for at in (from..END).step_by(DAY as usize) {
        // Before the last weeks an hour's connections are in one window, which is deleted again.
        let step = if at < windows_from { HOUR } else { Window::LENGTH };
        for window in (at..at + DAY).step_by(step as usize) {
            let cells = cells(&day, step as f64 / DAY as f64, &mut random);
            let took = replace(&mut sql, window, &cells);
            written.extend((step == Window::LENGTH).then_some(took));
        }
        let watch = Watch::start();
        rollup::roll(&mut sql).expect("rolled");
        rolled += watch.stop().1;
        if at < windows_from {
            let transaction = sql.transaction().expect("a transaction");
            rollup::delete_before(&transaction, Bucket::FifteenMinutes, at).expect("deleted");
            transaction.commit().expect("committed");
        }
    }
    drop(sql);
    println!("made in {:.0} s", started.elapsed().as_secs_f64());
    println!("replacing a window: {}", times(written));
    println!(
        "making the hours and the day of a day: {:.0} ms of processor time",
        rolled.as_secs_f64() * 1e3 / days as f64
    );
}

fn replace(sql: &mut Connection, window: i64, cells: &Cells) -> (Duration, Duration) {
    let watch = Watch::start();
    let transaction = sql.transaction().expect("a transaction");
    rollup::replace_window(&transaction, Window::containing(window), cells).expect("replaced");
    transaction.commit().expect("committed");
    watch.stop()
}

fn cells(day: &[(CellKey, f64)], part: f64, random: &mut Random) -> Cells {
    let mut cells = Cells::default();
    name_nodes(&mut cells);
    for (key, count) in day {
        let sampled = (count * part + random.unit()) as u64;
        if sampled > 0 {
            cells.add_count(
                *key,
                &WeightedCount { sampled, weight: sampled * 100, squares: u128::from(sampled) * 10_000 },
            );
        }
    }
    cells
}

/// A window of 1,800,000 connections, from 5-tuples to rows, in time of the processor.
fn large_window() {
    let mut random = Random(6);
    let mut keys: Vec<CellKey> = (0..1_800_000).map(|_| key(&mut random)).collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut sql = Connection::open(folder.path().join("rollup.sqlite")).expect("a file");
    sql.pragma_update(None, "journal_mode", "WAL").expect("WAL");
    for sorted in [false, true] {
        if sorted {
            keys.sort_by_key(|key| key.network);
        }
        let watch = Watch::start();
        let mut cells = Cells::default();
        name_nodes(&mut cells);
        keys.iter().for_each(|key| cells.add(*key, 100));
        let added = watch.stop().1.as_nanos() / keys.len() as u128;
        let watch = Watch::start();
        let cells = cells.fold(&Limits::default());
        let folded = watch.stop().1.as_millis();
        let (count, written) = (cells.len(), replace(&mut sql, END, &cells).1.as_millis());
        let order = if sorted { "by network" } else { "in any order" };
        println!(
            "1,800,000 connections {order}: added in {added} ns each, {count} cells, folded in {folded} ms, written in {written} ms"
        );
    }
    println!("these take {} bytes a window", rollup::bytes(&sql).expect("a number"));
}

fn sizes(path: &Path) {
    let sql = reader(path);
    let sizes = "SELECT level, count(*), sum(length(cells)), count(DISTINCT t) FROM rollup GROUP BY level";
    let mut sizes = sql.prepare(sizes).expect("a query");
    let mut rows = sizes.query(()).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        let of = |at| row.get::<_, i64>(at).expect("a number");
        println!("level {}: {} rows, {} MB, {} bytes a time", of(0), of(1), of(2) / 1_000_000, of(2) / of(3));
    }
}

fn reader(path: &Path) -> Connection {
    let sql = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the file");
    sql.execute_batch(&env::var("PRAGMAS").unwrap_or_default()).expect("pragmas");
    sql
}

type Ask = fn(&mut Random) -> RollupQuery;

const WEEK: i64 = 7 * DAY;
const YEAR: i64 = 52 * WEEK;

/// A length of time that ends at some window of the last day, or at the year's end.
fn last(length: i64, random: &mut Random) -> Range<i64> {
    let end = if length == YEAR { END } else { END - random.below(96) * Window::LENGTH };
    end - length..end
}

fn ask(random: &mut Random, length: i64, bucket: Option<Bucket>, by: Option<Dimension>) -> RollupQuery {
    RollupQuery { range: last(length, random), bucket, selection: Selection::default(), by }
}

fn only<T>(value: T) -> Choice<T> {
    Choice { include: vec![value], exclude: Vec::new() }
}

fn without<T>(value: T) -> Choice<T> {
    Choice { include: Vec::new(), exclude: vec![value] }
}

fn of_country(query: RollupQuery, random: &mut Random) -> RollupQuery {
    let locations = country(random.rank(COUNTRIES)).map(only).unwrap_or_default();
    RollupQuery { selection: Selection { locations, ..query.selection }, ..query }
}

fn of_network(query: RollupQuery, random: &mut Random) -> RollupQuery {
    let asns = only(number(random.rank(NETWORKS)));
    RollupQuery { selection: Selection { asns, ..query.selection }, ..query }
}

const QUESTIONS: [(&str, Ask); 24] = [
    ("series, 7 days by the hour, world", |r| ask(r, WEEK, Some(Bucket::Hour), None)),
    ("series, 7 days by the hour, country", |r| of_country(ask(r, WEEK, Some(Bucket::Hour), None), r)),
    ("series, 7 days by the hour, network", |r| of_network(ask(r, WEEK, Some(Bucket::Hour), None), r)),
    ("series, 7 days by the window, world", |r| ask(r, WEEK, Some(Bucket::FifteenMinutes), None)),
    ("series, 7 days by the window, network", |r| {
        of_network(ask(r, WEEK, Some(Bucket::FifteenMinutes), None), r)
    }),
    ("series, 52 weeks by the day, world", |r| ask(r, YEAR, Some(Bucket::Day), None)),
    ("series, 52 weeks by the day, country", |r| of_country(ask(r, YEAR, Some(Bucket::Day), None), r)),
    ("series, 52 weeks by the day, network", |r| of_network(ask(r, YEAR, Some(Bucket::Day), None), r)),
    ("summary, 7 days, world", |r| ask(r, WEEK, None, None)),
    ("summary, 7 days, country", |r| of_country(ask(r, WEEK, None, None), r)),
    ("summary, 7 days, network", |r| of_network(ask(r, WEEK, None, None), r)),
    ("summary, 52 weeks, network", |r| of_network(ask(r, YEAR, None, None), r)),
    ("top countries, 7 days", |r| ask(r, WEEK, None, Some(Dimension::Location))),
    ("top networks, 7 days", |r| ask(r, WEEK, None, Some(Dimension::As))),
    ("top networks of a country, 7 days", |r| of_country(ask(r, WEEK, None, Some(Dimension::As)), r)),
    ("top networks, 52 weeks", |r| ask(r, YEAR, None, Some(Dimension::As))),
    ("top networks that were answered, 7 days", |r| {
        let mut query = ask(r, WEEK, None, Some(Dimension::As));
        query.selection.answered = Some(true);
        query
    }),
    ("series by signature, 7 days by the hour, world", |r| {
        ask(r, WEEK, Some(Bucket::Hour), Some(Dimension::Signature))
    }),
    ("series by tag, 52 weeks by the day, world", |r| ask(r, YEAR, Some(Bucket::Day), Some(Dimension::Tag))),
    ("series by port, 7 days by the hour, country", |r| {
        of_country(ask(r, WEEK, Some(Bucket::Hour), Some(Dimension::Port)), r)
    }),
    ("series by signature, 7 days by the hour, network", |r| {
        of_network(ask(r, WEEK, Some(Bucket::Hour), Some(Dimension::Signature)), r)
    }),
    ("series of IPv6, 52 weeks by the day, network", |r| {
        let mut query = of_network(ask(r, YEAR, Some(Bucket::Day), None), r);
        query.selection.ip_versions = only(6);
        query
    }),
    ("series without a network, 7 days by the hour", |r| {
        let mut query = ask(r, WEEK, Some(Bucket::Hour), None);
        query.selection.asns = without(number(r.rank(NETWORKS)));
        query
    }),
    ("series by country, 7 days by the hour", |r| {
        ask(r, WEEK, Some(Bucket::Hour), Some(Dimension::Location))
    }),
];

fn questions(path: &Path) {
    let sql = reader(path);
    let mut random = Random(3);
    for (name, question) in QUESTIONS {
        let mut run = || {
            let query = question(&mut random);
            let watch = Watch::start();
            let rows = rollup::query(&sql, DataSet::Tcp, &query).expect("an answer").rows.len();
            (watch.stop(), rows)
        };
        let first = run();
        let all = (0..50).map(|_| run().0).collect();
        println!("{name}: {} ({} rows)", times(all), first.1);
    }
}

fn times(all: Vec<(Duration, Duration)>) -> String {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let (mut wall, processor): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    wall.sort_unstable();
    let at = |part: usize| wall.get(wall.len() * part / 100).copied().map_or(0.0, milliseconds);
    // The kernel counts processor time in steps: only the mean tells.
    let mean = milliseconds(processor.iter().sum::<Duration>()) / processor.len().max(1) as f64;
    format!("median {:.2} ms, p95 {:.2}, p99 {:.2}; processor {mean:.2}", at(50), at(95), at(99))
}

/// What a dashboard asks, from two threads, for five seconds.
fn at_once(path: &Path) {
    let mix = [0, 1, 2, 5, 6, 7, 8, 9, 10, 12, 13];
    let ask_on = |seed| {
        let (sql, mut random, mut took) = (reader(path), Random(seed), Vec::new());
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(5) {
            let query = QUESTIONS[mix[random.below(mix.len() as i64) as usize]].1(&mut random);
            let watch = Watch::start();
            rollup::query(&sql, DataSet::Tcp, &query).expect("an answer");
            took.push(watch.stop());
        }
        took
    };
    let took: Vec<_> = thread::scope(|scope| {
        let both = [4, 5].map(|seed| scope.spawn(move || ask_on(seed)));
        both.into_iter().flat_map(|one| one.join().expect("no panic")).collect()
    });
    println!("two threads: {} questions a second, {}", took.len() / 5, times(took));
}

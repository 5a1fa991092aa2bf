//! The counts of results, packed as `cutshort-counts` packs them.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use cutshort_counts::{self as counts, AnswerSum, NodeNumbers, PackedRow, RowPlace};
use cutshort_model::Window;
use cutshort_store::cell::{Cells, LAST_NODE, LAST_NODE_NAME};
use cutshort_store::{Result, RollupQuery, RollupRow, StoreError};
use cutshort_verdict::DataSet;

use crate::moving;
use crate::results::ResultRow;
use crate::server::Server;

/// Bytes of a row in addition to its content.
const ROW_BYTES: usize = size_of::<(RowPlace, PackedRow)>() + 16;
/// The number of results that are read in one query, by level: a day has the cells of many windows.
const TOGETHER: [usize; 3] = [32, 8, 2];
/// The number of such queries that may wait.
const QUEUE: usize = 256;
/// After results could not be read, none are for this long: the server answers meanwhile, or says why it cannot.
const PAUSE: Duration = Duration::from_mins(1);
/// How many results that are not kept are remembered as asked for.
const REMEMBERED: usize = 100_000;

/// The counts of results of any data set, up to a number of bytes.
pub(crate) struct Parts {
    room: usize,
    inner: Mutex<Inner>,
    queue: OnceLock<SyncSender<Load>>,
}

#[derive(Default)]
struct Inner {
    /// The number of questions so far, which stands for time.
    clock: u64,
    kept: HashMap<u64, Part>,
    bytes: usize,
    /// When results that are not kept were last asked for, by generation.
    asked: HashMap<u64, u64>,
    /// Generations that are being read.
    loading: HashSet<u64>,
    /// Nothing is read until then.
    paused_until: Option<Instant>,
    nodes: Nodes,
}

/// The counts of one result.
struct Part {
    rows: Arc<HashMap<RowPlace, PackedRow>>,
    bytes: usize,
    used: u64,
}

/// The numbers of nodes in kept counts.
struct Nodes {
    numbers: HashMap<String, u16>,
    names: Arc<HashMap<u16, String>>,
}

impl Default for Nodes {
    fn default() -> Self {
        let last = (LAST_NODE, LAST_NODE_NAME.to_owned());
        Self { numbers: HashMap::new(), names: Arc::new(HashMap::from([last])) }
    }
}

impl Nodes {
    /// The number of a node; none if there are too many to give each of them one.
    fn number(&mut self, name: &str) -> Option<u16> {
        if let Some(known) = self.numbers.get(name) {
            return Some(*known);
        }
        let number = u16::try_from(self.numbers.len()).ok().filter(|number| *number < LAST_NODE)?;
        Arc::make_mut(&mut self.names).insert(number, name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        Some(number)
    }
}

/// Results to be read and kept.
struct Load {
    server: Arc<Server>,
    rows: Vec<Missing>,
}

/// A result whose counts are not kept.
#[derive(Clone)]
struct Missing {
    row: ResultRow,
    /// When it was asked for before.
    asked: u64,
}

/// Kept counts, and the results whose counts are not kept.
pub(crate) struct KeptCounts<'a> {
    parts: Vec<(i64, Arc<HashMap<RowPlace, PackedRow>>)>,
    names: Arc<HashMap<u16, String>>,
    /// The results that the server must be asked for, in order.
    pub(crate) missing: Vec<&'a ResultRow>,
}

impl KeptCounts<'_> {
    /// The part of the answer that kept counts yield.
    pub(crate) fn answer(&self, data_set: DataSet, query: &RollupQuery) -> Result<Vec<RollupRow>> {
        let mut sum = AnswerSum::new(data_set, query, &self.names);
        let all_cells = sum.needs_cells();
        for scan in counts::scans(query) {
            for (t, rows) in &self.parts {
                let Some(row) = rows.get(&scan.place) else { continue };
                let bytes = if all_cells { &row.cells } else { &row.totals };
                sum.add(&scan, Window::containing(*t).number(), bytes).map_err(|why| {
                    StoreError::Failed(format!("kept counts cannot be read: {}", why.0).into())
                })?;
            }
        }
        Ok(sum.rows())
    }
}

impl Parts {
    pub(crate) fn new(room: usize) -> Self {
        Self { room, inner: Mutex::default(), queue: OnceLock::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds the counts of results. Those that were asked for before and are not kept are read in the background.
    pub(crate) fn take<'a>(
        self: &Arc<Self>,
        server: &Arc<Server>,
        wanted: &[&'a ResultRow],
    ) -> KeptCounts<'a> {
        let mut inner = self.lock();
        inner.clock += 1;
        let clock = inner.clock;
        let mut taken =
            KeptCounts { parts: Vec::new(), names: Arc::clone(&inner.nodes.names), missing: Vec::new() };
        let mut again = Vec::new();
        for row in wanted {
            if let Some(part) = inner.kept.get_mut(&row.generation) {
                part.used = clock;
                taken.parts.push((row.t, Arc::clone(&part.rows)));
                continue;
            }
            taken.missing.push(row);
            if let Some(asked) = inner.asked.insert(row.generation, clock)
                && !inner.loading.contains(&row.generation)
            {
                again.push(Missing { row: (*row).clone(), asked });
            }
        }
        if inner.asked.len() > REMEMBERED {
            inner.asked.retain(|_, asked| *asked == clock);
        }
        inner.choose(&mut again, self.room);
        drop(inner);
        if !again.is_empty() {
            self.request(server, again);
        }
        taken
    }

    /// Reads results in the background. The next question asks again for those that do not fit into the queue.
    fn request(self: &Arc<Self>, server: &Arc<Server>, mut all: Vec<Missing>) {
        let queue = self.queue.get_or_init(|| {
            let (queue, requests) = sync_channel(QUEUE);
            let parts = Arc::downgrade(self);
            let read = move || serve(&requests, &parts);
            // Without a thread nothing is kept, and the server answers everything.
            let _ = std::thread::Builder::new().name("counts".to_owned()).spawn(read);
            queue
        });
        all.sort_by_key(|missing| missing.row.level);
        for of_level in all.chunk_by(|a, b| a.row.level == b.row.level) {
            let together = TOGETHER[usize::from(of_level[0].row.level) % TOGETHER.len()];
            for some in of_level.chunks(together) {
                let rows = some.to_vec();
                if queue.try_send(Load { server: Arc::clone(server), rows }).is_err() {
                    self.lock().forget(some);
                }
            }
        }
    }

    /// Reads the counts of results and keeps them, as far as they are worth their room.
    fn load(&self, load: &Load) {
        let rows: Vec<&ResultRow> = load.rows.iter().map(|missing| &missing.row).collect();
        match moving::cells_of(&load.server, &rows) {
            Ok(found) => load.rows.iter().for_each(|missing| {
                let generation = missing.row.generation;
                if let Some(part) = found.get(&generation).and_then(|cells| self.pack(cells)) {
                    self.lock().keep(generation, part, missing.asked, self.room);
                }
            }),
            Err(_) => self.lock().paused_until = Some(Instant::now() + PAUSE),
        }
        self.lock().forget(&load.rows);
    }

    fn pack(&self, cells: &Cells) -> Option<Part> {
        let numbers = {
            let mut inner = self.lock();
            NodeNumbers(cells.nodes().iter().map(|name| inner.nodes.number(name)).collect::<Option<_>>()?)
        };
        let mut rows: HashMap<RowPlace, PackedRow> = counts::rows(numbers.apply(cells)).into_iter().collect();
        for row in rows.values_mut() {
            row.cells.shrink_to_fit();
            row.totals.shrink_to_fit();
        }
        rows.shrink_to_fit();
        let bytes = rows.values().map(|row| row.cells.len() + row.totals.len() + ROW_BYTES).sum();
        Some(Part { rows: Arc::new(rows), bytes, used: 0 })
    }
}

/// Reads what is requested until nobody can request anything.
fn serve(requests: &Receiver<Load>, parts: &Weak<Parts>) {
    while let Ok(load) = requests.recv() {
        let Some(parts) = parts.upgrade() else { return };
        parts.load(&load);
    }
}

impl Inner {
    /// Chooses what is worth being read: what was asked for more recently than that which would make room for it.
    fn choose(&mut self, missing: &mut Vec<Missing>, room: usize) {
        if self.bytes >= room / 8 * 7 {
            let oldest = self.kept.values().map(|part| part.used).min();
            missing.retain(|missing| oldest.is_none_or(|oldest| oldest < missing.asked));
        }
        if room == 0 || self.paused_until.is_some_and(|until| Instant::now() < until) {
            missing.clear();
        }
        self.loading.extend(missing.iter().map(|missing| missing.row.generation));
    }

    fn forget(&mut self, rows: &[Missing]) {
        for missing in rows {
            self.loading.remove(&missing.row.generation);
        }
    }

    /// Keeps counts, unless everything that would make room for them was used later than they were asked for.
    fn keep(&mut self, generation: u64, part: Part, asked: u64, room: usize) {
        if part.bytes > room {
            return;
        }
        while self.bytes + part.bytes > room {
            let oldest = self.kept.iter().min_by_key(|(_, part)| part.used);
            let Some((oldest, used)) = oldest.map(|(generation, part)| (*generation, part.used)) else {
                return;
            };
            if used >= asked {
                return;
            }
            let removed = self.kept.remove(&oldest);
            self.bytes -= removed.map_or(0, |part| part.bytes);
            self.asked.insert(oldest, used);
        }
        self.bytes += part.bytes;
        self.asked.remove(&generation);
        let used = self.clock;
        self.kept.insert(generation, Part { used, ..part });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(bytes: usize) -> Part {
        Part { rows: Arc::default(), bytes, used: 0 }
    }

    fn kept(inner: &Inner) -> Vec<u64> {
        let mut kept: Vec<u64> = inner.kept.keys().copied().collect();
        kept.sort_unstable();
        kept
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let mut inner = Inner::default();
        for (generation, clock) in [(1, 10), (2, 11), (3, 12)] {
            inner.clock = clock;
            inner.keep(generation, part(40), clock, 100);
        }
        assert_eq!((kept(&inner), inner.bytes), (vec![2, 3], 80));
        // Asked for before the others were used: it would only take turns with them.
        inner.keep(4, part(40), 11, 100);
        assert_eq!((kept(&inner), inner.bytes), (vec![2, 3], 80));
        inner.clock = 20;
        inner.keep(4, part(100), 19, 100);
        assert_eq!((kept(&inner), inner.bytes), (vec![4], 100));
        inner.keep(5, part(101), 21, 100);
        assert_eq!((kept(&inner), inner.bytes), (vec![4], 100));
    }

    #[test]
    fn nothing_is_read_for_a_while_after_it_failed() {
        let mut inner = Inner { paused_until: Some(Instant::now() + PAUSE), ..Inner::default() };
        let row = ResultRow { generation: 1, ..ResultRow::default() };
        let mut missing = vec![Missing { row, asked: 1 }];
        inner.choose(&mut missing, 100);
        assert!(missing.is_empty() && inner.loading.is_empty());
    }

    #[test]
    fn nodes_have_numbers_until_these_run_out() {
        let mut nodes = Nodes::default();
        for at in 0..u32::from(LAST_NODE) {
            assert_eq!(nodes.number(&format!("node{at}")), u16::try_from(at).ok());
        }
        assert_eq!((nodes.number("one more"), nodes.number("node7")), (None, Some(7)));
    }
}

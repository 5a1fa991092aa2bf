//! State that all requests share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cutshort_metrics::Exposition;
use cutshort_model::{ServerName, nanoseconds};
use cutshort_pipeline::live::{AgentCounts, IncompleteNotes};
use cutshort_pipeline::{GeoData, Ingest, IngestAnswer, Service};
use cutshort_store::{SegmentInfo, Store};
use cutshort_verdict::DataSet;
use tokio::sync::Semaphore;

use super::agents::Agents;
use super::body::{Bodies, Uploads};
use super::cache::Cache;
use super::facts::FactsKeeper;
use super::limiter::{Limiter, Rate};
use super::metrics::Metrics;
use super::results::MetricPlace;
use super::room::{Limits, Room};
use super::tokens::Tokens;
use super::warnings::Warnings;
use crate::answer::Facts;
use crate::problem::Problem;

/// The settings of the API.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether reading needs no token.
    pub open_read: bool,
    /// Whether single connections can be read, which reveals addresses.
    pub connections: bool,
    /// Host names that are answered in addition to this machine's own; `*` allows any, and `None` turns the check off.
    pub hosts: Option<Vec<String>>,
    /// The origins whose pages may read answers, `*` for all.
    pub origins: Vec<String>,
    /// The rate limit per client; none for no limit.
    pub rate: Option<Rate>,
    /// Names of servers to which connections are opened.
    pub upstreams: Vec<ServerName>,
    /// The places whose latest shares are metrics.
    pub metric_places: Vec<MetricPlace>,
    /// Whether clients are identified by `X-Forwarded-For`, which a proxy in front must set. Connections then come
    /// from proxies, which may open any number.
    pub forwarded: bool,
    /// Limits on connections.
    pub limits: Limits,
    /// The minimum speed at which bodies must arrive.
    pub uploads: Uploads,
    /// The time after which a request is given up, from when its body has arrived.
    pub timeout: Duration,
    /// The maximum cost of an answer, in pieces of counts that are read.
    pub cost: u64,
    /// The maximum size of a segment's body in bytes.
    pub segment: usize,
    /// How long packets are kept: live segments that are older are refused. None means for ever.
    pub keep_packets: Option<Duration>,
    /// The size of the cache of answers in bytes.
    pub cache: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            open_read: false,
            connections: false,
            hosts: None,
            origins: Vec::new(),
            upstreams: Vec::new(),
            metric_places: vec![MetricPlace::World],
            rate: Some(Rate::default()),
            forwarded: false,
            limits: Limits::default(),
            uploads: Uploads::default(),
            timeout: Duration::from_secs(30),
            cost: 5_000_000,
            segment: Ingest::MOST_BYTES,
            keep_packets: None,
            cache: 32 << 20,
        }
    }
}

/// The parts that the API serves and uses.
pub struct Parts {
    /// The store that is queried and that segments are stored in.
    pub store: Arc<dyn Store>,
    /// Names of networks and places, with their sources.
    pub geo: Arc<GeoData>,
    /// The window job and retention, if they run in this process.
    pub service: Option<Arc<Service>>,
    /// The file of tokens; without it no token is accepted.
    pub tokens: Option<PathBuf>,
}

/// Writes metrics.
type WriteMetrics = Box<dyn Fn(&mut Exposition) + Send + Sync>;

/// State that all requests share.
pub struct App {
    pub(super) store: Arc<dyn Store>,
    pub(super) geo: Arc<GeoData>,
    pub(super) service: Option<Arc<Service>>,
    pub(super) options: Options,
    pub(super) tokens: Tokens,
    pub(super) ingest: Ingest,
    pub(super) agents: Agents,
    incomplete: IncompleteNotes,
    pub(super) limiter: Option<Limiter>,
    pub(super) room: Arc<Room>,
    pub(super) cache: Cache,
    pub(super) metrics: Metrics,
    pub(super) more_metrics: Option<WriteMetrics>,
    pub(super) warnings: Warnings,
    /// Limits how many requests read the store at the same time.
    pub(super) readers: Arc<Semaphore>,
    pub(super) bodies: Bodies,
    pub(super) started: SystemTime,
    /// One for each data set, by its number.
    facts: [FactsKeeper; DataSet::ALL.len()],
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
}

impl App {
    /// Creates the shared state.
    #[must_use]
    pub fn new(parts: Parts, options: Options) -> Self {
        let readers = std::thread::available_parallelism().map_or(2, usize::from) * 2;
        Self {
            store: parts.store,
            geo: parts.geo,
            service: parts.service,
            tokens: Tokens::new(parts.tokens),
            ingest: Ingest::keeping(options.keep_packets),
            agents: Agents::default(),
            incomplete: IncompleteNotes::default(),
            limiter: options.rate.map(Limiter::new),
            room: Arc::new(Room::new(options.limits)),
            cache: Cache::new(options.cache),
            metrics: Metrics::default(),
            more_metrics: None,
            warnings: Warnings::default(),
            readers: Arc::new(Semaphore::new(readers)),
            bodies: Bodies::new(options.segment),
            started: SystemTime::now(),
            facts: Default::default(),
            clock: Box::new(SystemTime::now),
            options,
        }
    }

    /// The same state with another clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { clock: Box::new(clock), ..self }
    }

    /// The same state with metrics of what else runs in this process.
    #[must_use]
    pub fn with_metrics(self, write: impl Fn(&mut Exposition) + Send + Sync + 'static) -> Self {
        Self { more_metrics: Some(Box::new(write)), ..self }
    }

    /// Stores a segment's file; when it is accepted, it is durable. Results follow later. A sender that is named may
    /// only send segments of this node.
    pub fn take(&self, sender: Option<&str>, file: Vec<u8>) -> IngestAnswer {
        let answer = self.ingest.take_from(sender, self.store.as_ref(), file);
        if let IngestAnswer::New(_) = answer {
            self.forget_facts();
            if let Some(service) = &self.service {
                service.wake();
            }
        }
        answer
    }

    /// Records what the sender of a segment reports about itself.
    pub fn note_agent(&self, segment: &SegmentInfo, counts: AgentCounts) {
        let (node, now) = (&segment.node, self.now());
        self.agents.note(segment, counts, now);
        match self.incomplete.note(self.store.as_ref(), node, &counts, now) {
            Ok(true) => self.forget_facts(),
            Ok(false) => {}
            Err(error) => tracing::warn!(node, "no annotation says that sampling was incomplete: {error:#}"),
        }
    }

    /// The present time in nanoseconds since the Unix epoch.
    pub(super) fn now(&self) -> i64 {
        nanoseconds((self.clock)())
    }

    /// The facts that answers need in addition to counts, and a number that grows when they change. They are at most a
    /// second old, or as old as reading them takes: while one request reads them, the others use the previous ones for
    /// a while.
    pub(super) fn facts(&self, data_set: DataSet) -> Result<(Arc<Facts>, u64), Problem> {
        let keeper = &self.facts[data_set as usize];
        keeper.get(|| {
            let before = keeper.known();
            let facts = Facts::read(self.store_of(data_set)?, self.now())?;
            warn_of_damage(before.as_deref(), &facts);
            Ok(facts)
        })
    }

    /// The facts of each data set that has a store; that of `tcp` always exists.
    pub(super) fn all_facts(&self) -> Result<Vec<(DataSet, Arc<Facts>)>, Problem> {
        let mut all = Vec::new();
        for data_set in DataSet::WITH_RULES {
            if self.store.find(data_set)?.is_some() {
                all.push((data_set, self.facts(data_set)?.0));
            }
        }
        Ok(all)
    }

    /// Makes the next request read the facts again, because something has changed.
    pub(super) fn forget_facts(&self) {
        self.facts.iter().for_each(FactsKeeper::forget);
    }

    /// The store of a data set.
    ///
    /// # Errors
    /// A [`Problem`] if no packets of it have come in.
    pub(super) fn store_of(&self, data_set: DataSet) -> Result<&dyn Store, Problem> {
        self.store
            .find(data_set)?
            .ok_or_else(|| Problem::no_data(format!("no packets of the data set '{data_set}' have come in")))
    }
}

/// Logs damage that was found since facts were last read.
fn warn_of_damage(before: Option<&Facts>, now: &Facts) {
    let is_known =
        |name: &str| before.is_some_and(|facts| facts.status.damaged.iter().any(|one| one.name == name));
    for damaged in now.status.damaged.iter().filter(|damaged| !is_known(&damaged.name)) {
        tracing::warn!(name = damaged.name, "damaged: {}", damaged.why);
    }
}

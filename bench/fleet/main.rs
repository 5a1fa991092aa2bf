//! Many agents in one process: each with a recorder, a spool and a uploader of its own, as real ones have, and packets
//! of a simulated internet as they come.
//!
//! `bench-fleet FOLDER URL AGENTS MINUTES CONNECTIONS`: spools are in FOLDER; URL is that of a collector (the token is in
//! CUTSHORT_TOKEN) or of a store in ClickHouse; CONNECTIONS are sampled a second, of all agents together. In the end it
//! says what was recorded, what was acknowledged, and how late.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use cutshort_agent::{HttpCollector, HttpSettings, StoreCollector, Token};
use cutshort_clickhouse::{Address, ClickHouse};
use cutshort_model::{grouped, nanoseconds};
use cutshort_packet::Packet;
use cutshort_pipeline::Privacy;
use cutshort_pipeline::live::{
    Collector, Delivered, Recorder, RecorderCounts, RecorderSettings, Retry, Spool, Uploader,
};
use cutshort_simulate::{Simulation, World};
use cutshort_store::{Segment, Store};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What may wait at an agent.
const SPOOL_BYTES: u64 = 64 << 20;
/// How long what is left is delivered in the end.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often packets are handed to the recorders: real receivers do so ten times as often.
const TICK: Duration = Duration::from_secs(1);

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, url, agents, minutes, connections] = &arguments[..] else {
        return Err("FOLDER URL AGENTS MINUTES CONNECTIONS".into());
    };
    let lags = Arc::new(Mutex::new(Vec::new()));
    let mut fleet = (0..agents.parse()?)
        .map(|number| Agent::start(Path::new(folder), url, number, &lags))
        .collect::<Outcome<Vec<Agent>>>()?;
    let minutes: u64 = minutes.parse()?;
    send(&mut fleet, minutes, connections.parse()?);
    let ends: Vec<End> = fleet.into_iter().map(Agent::finish).collect();
    report(&ends, &mut lags.lock().unwrap_or_else(PoisonError::into_inner), minutes);
    Ok(())
}

/// Hands out packets as their time comes: those of a connection to one agent.
fn send(fleet: &mut [Agent], minutes: u64, connections: f64) {
    let from = now();
    let to = from + 60_000_000_000 * minutes.cast_signed();
    let simulation = Simulation::new(World::standard(), from, to, connections, from.cast_unsigned());
    // It begins and ends with whole windows.
    let mut packets = simulation.packets().filter(|packet| (from..to).contains(&packet.ts)).peekable();
    let mut waiting: Vec<Vec<Packet>> = vec![Vec::new(); fleet.len()];
    let mut until = from;
    while until < to {
        std::thread::sleep(TICK);
        until = now().min(to);
        while let Some(packet) = packets.next_if(|packet| packet.ts < until) {
            let agent = hash(&packet) % fleet.len() as u64;
            waiting[agent as usize].push(packet);
        }
        for (agent, packets) in fleet.iter_mut().zip(&mut waiting) {
            agent.recorder.record(packets, until);
            packets.clear();
        }
    }
}

fn hash(packet: &Packet) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    packet.five_tuple.hash(&mut hasher);
    hasher.finish()
}

fn now() -> i64 {
    nanoseconds(SystemTime::now())
}

struct Agent {
    recorder: Recorder,
    spool: Arc<Spool>,
    uploader: Uploader,
}

/// What an agent says in the end.
struct End {
    recorder: RecorderCounts,
    delivered: u64,
    dropped: u64,
    refused: u64,
    left: u64,
    failures: u64,
}

impl Agent {
    fn start(folder: &Path, url: &str, number: usize, lags: &Arc<Mutex<Vec<i64>>>) -> Outcome<Self> {
        let node = format!("agent-{number:03}");
        let spool = Arc::new(Spool::open(&folder.join(&node), SPOOL_BYTES)?);
        let settings = RecorderSettings { node, ..RecorderSettings::default() };
        let recorder = Recorder::start(Arc::clone(&spool), settings, Privacy::full())?;
        let timed = Timed { inner: collector(url)?, lags: Arc::clone(lags) };
        let uploader = Uploader::start(Arc::clone(&spool), Box::new(timed), Retry::default());
        Ok(Self { recorder, spool, uploader })
    }

    fn finish(self) -> End {
        let recorder = self.recorder.finish();
        let failures = self.uploader.state().failures;
        let _ = self.uploader.finish(PATIENCE);
        let state = self.spool.state();
        let (delivered, dropped) = (state.counts.delivered.1, state.counts.dropped.1);
        End { recorder, delivered, dropped, refused: state.counts.refused.1, left: state.packets, failures }
    }
}

fn collector(url: &str) -> Outcome<Box<dyn Collector>> {
    if Address::is_meant(url) {
        let address = Address::parse(url)?;
        let open = move || Ok(Box::new(ClickHouse::open(&address)?) as Box<dyn Store>);
        return Ok(Box::new(StoreCollector::new(open)));
    }
    let token = Token::Text(std::env::var("CUTSHORT_TOKEN")?);
    let timeout = Duration::from_secs(30);
    Ok(Box::new(HttpCollector::new(&HttpSettings {
        url: url.to_owned(),
        token,
        ca_file: None,
        proxy: None,
        timeout,
    })?))
}

/// Notes how long after its last moment a segment is acknowledged.
struct Timed {
    inner: Box<dyn Collector>,
    lags: Arc<Mutex<Vec<i64>>>,
}

impl Collector for Timed {
    fn deliver(&mut self, id: &str, segment: Vec<u8>) -> Delivered {
        let covered_to = Segment::parse(segment.clone()).map(|segment| segment.info().covers.1);
        let delivered = self.inner.deliver(id, segment);
        if let (Delivered::Kept, Ok(covered_to)) = (&delivered, covered_to) {
            self.lags.lock().unwrap_or_else(PoisonError::into_inner).push(now() - covered_to);
        }
        delivered
    }
}

fn report(ends: &[End], lags: &mut [i64], minutes: u64) {
    let sum = |of: fn(&End) -> u64| ends.iter().map(of).sum::<u64>();
    lags.sort_unstable();
    let lag = |share: f64| {
        let at = (lags.len() as f64 * share) as usize;
        lags.get(at.min(lags.len().saturating_sub(1))).map_or(0.0, |lag| *lag as f64 / 1e9)
    };
    let recorded = sum(|end| end.recorder.packets);
    println!("agents {}, minutes {minutes}", ends.len());
    println!(
        "recorded {} packets, {} a second",
        grouped(recorded),
        grouped(recorded / (60 * minutes.max(1)))
    );
    println!(
        "acknowledged {} packets in {} segments; {} unwritten, {} dropped, {} refused, {} left; {} attempts failed",
        grouped(sum(|end| end.delivered)),
        grouped(lags.len() as u64),
        sum(|end| end.recorder.unwritten),
        sum(|end| end.dropped),
        sum(|end| end.refused),
        sum(|end| end.left),
        sum(|end| end.failures),
    );
    println!(
        "acknowledged after {:.2} s (half), {:.2} s (99 %), {:.2} s (all)",
        lag(0.5),
        lag(0.99),
        lag(1.0)
    );
}

//! How long a window takes from its segments to its replaced results, and the demo to be filled.
//!
//! `bench-window generate STORE [CONNECTIONS]` makes a store with one window of simulated packets;
//! `bench-window compute STORE [PID]` computes its results and says what that took, for itself, so that
//! nothing else counts into the memory; `bench-window demo DIR` fills a new store with the demo.
//! A store is a folder or `clickhouse://...`; then PID is the server's process, which is measured, too.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Instant, SystemTime};

use cutshort_clickhouse::{Address, ClickHouse, Layout, migrate};
use cutshort_embedded::{Embedded, Options};
use cutshort_geo::Geo;
use cutshort_model::grouped;
use cutshort_pipeline::demo::Demo;
use cutshort_pipeline::{Arrival, Due, Privacy, Share, WindowJob, import};
use cutshort_simulate::{Simulation, WINDOW_NS, World};
use cutshort_store::Store;
use cutshort_verdict::Rules;

/// Of the simulated window; a number of a window.
const WINDOW: i64 = 1_980_000;
const CONNECTIONS: u64 = 1_800_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["generate", store] => generate(store, CONNECTIONS),
        ["generate", store, connections] => generate(store, connections.parse()?),
        ["compute", store] => compute(store, None),
        ["compute", store, pid] => compute(store, Some(pid.parse()?)),
        ["demo", folder] => demo(Path::new(folder), &Demo::until(SystemTime::now())),
        ["demo", folder, connections] => {
            demo(Path::new(folder), &Demo::of(SystemTime::now(), 28 * 96, connections.parse()?))
        }
        _ => Err("generate STORE [CONNECTIONS] | compute STORE [PID] | demo DIR [CONNECTIONS]".into()),
    }
}

/// What a process has used since it began.
struct Process {
    cpu: f64,
    /// The most memory so far, in MiB.
    peak: u64,
}

impl Process {
    fn of(process: &str) -> Self {
        let read =
            |file: &str| std::fs::read_to_string(format!("/proc/{process}/{file}")).unwrap_or_default();
        let stat = read("stat");
        // The name may have spaces.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
        let ticks = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
        let status = read("status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
        let peak = peak.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024;
        Self { cpu: ticks.sum::<u64>() as f64 / 100.0, peak }
    }
}

/// Seconds, seconds of the processor, and the most memory in MiB so far.
fn usage(since: Instant) -> String {
    let Process { cpu, peak } = Process::of("self");
    format!("{:.2} s, {cpu:.2} CPU-s of the whole process, {peak} MiB at most", since.elapsed().as_secs_f64())
}

/// The store at a place, made if there is none.
fn open(place: &str) -> Result<Box<dyn Store>, Box<dyn Error>> {
    if Address::is_meant(place) {
        let address = Address::parse(place)?;
        migrate(&address, &Layout::default())?;
        return Ok(Box::new(ClickHouse::open(&address)?));
    }
    Ok(Box::new(Embedded::open(Path::new(place), Options { durable: true })?))
}

fn simulation(connections: u64) -> Simulation {
    let from = WINDOW * WINDOW_NS;
    Simulation::with_total(World::standard(), from, from + WINDOW_NS, connections, 1)
}

fn generate(place: &str, connections: u64) -> Result<(), Box<dyn Error>> {
    let store = open(place)?;
    let simulation = simulation(connections);
    let since = Instant::now();
    let packets = simulation.packets();
    let records = packets.map(|packet| Arrival {
        ts: packet.ts,
        packet: Some(packet),
        unreachable: None,
        simulated: true,
    });
    let imported = import(store.as_ref(), &Rules::default(), &Privacy::full(), records, || true)?;
    let (packets, bytes) = (imported.packets, imported.bytes);
    println!(
        "simulated and imported {} packets into {} segments: {}; {:.2} bytes a row",
        grouped(packets),
        imported.new,
        usage(since),
        bytes as f64 / packets as f64
    );
    Ok(())
}

/// The made-up networks.
fn geo(csv: &str) -> Result<Geo, Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("bench-window-{}.csv", std::process::id()));
    std::fs::write(&path, csv)?;
    let geo = Geo::with_files(&[&path]);
    std::fs::remove_file(&path)?;
    Ok(geo?)
}

fn compute(place: &str, server: Option<u32>) -> Result<(), Box<dyn Error>> {
    let geo = geo(&simulation(1).world().geo_csv())?;
    let store = open(place)?;
    let server = server.map(|pid| pid.to_string());
    let before = server.as_deref().map(reset_peak);
    let since = Instant::now();
    let job = WindowJob::default();
    let all = i64::MIN..i64::MAX;
    let report = job.recompute(store.as_ref(), &geo, all, Share::default(), &mut |progress| {
        if progress.done.is_some() {
            println!("window: {:.2} s", progress.took.as_secs_f64());
        }
        ControlFlow::Continue(())
    })?;
    let counts = store.status()?.counts;
    println!(
        "{} windows, {} rows, {} connections on {} threads: {}",
        report.done,
        grouped(counts.packets),
        grouped(counts.connections),
        job.threads,
        usage(since)
    );
    if let Some((server, before)) = server.zip(before) {
        let after = Process::of(&server);
        println!("the server: {:.2} CPU-s, {} MiB at most", after.cpu - before.cpu, after.peak);
    }
    assert!(job.due(store.as_ref(), Due::All)?.is_empty(), "something is still due");
    Ok(())
}

/// Begins to measure anew what the server has at most, where the kernel lets us.
fn reset_peak(server: &str) -> Process {
    let _ = std::fs::write(format!("/proc/{server}/clear_refs"), "5");
    Process::of(server)
}

fn demo(folder: &Path, demo: &Demo) -> Result<(), Box<dyn Error>> {
    let since = Instant::now();
    let geo = geo(&demo.geo_csv())?;
    let store = Embedded::open(folder, Options { durable: false })?;
    demo.fill(&store, &geo, &|filled| {
        if filled.windows == filled.all {
            println!("all windows: {}", usage(since));
        }
        ControlFlow::Continue(())
    })?;
    let counts = store.status()?.counts;
    println!(
        "{} packets, {} connections: {}",
        grouped(counts.packets),
        grouped(counts.connections),
        usage(since)
    );
    Ok(())
}
